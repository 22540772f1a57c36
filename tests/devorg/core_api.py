"""A client of an org in the same process: no socket, but the whole application."""

from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient

from sidecar.devorg.app import create_app
from sidecar.devorg.org import Org
from sidecar.devorg.schema import Field, PicklistValue


@dataclass
class Api:
    """REST calls in one user's name."""

    org: Org
    http: FlaskClient
    token: str
    version: str = "66.0"

    @classmethod
    def of(cls, org: Org, username: str) -> "Api":
        user_id = org.user_named(username)
        assert user_id is not None
        return cls(org, create_app(org).test_client(), org.sessions.open(user_id))

    def call(self, method: str, path: str, json: Any = None, **headers: str) -> Any:
        return self.http.open(
            f"/services/data/v{self.version}/{path}",
            method=method,
            json=json,
            headers={"Authorization": f"Bearer {self.token}", **headers},
        )

    def get(self, path: str) -> Any:
        return self.call("GET", path).get_json()

    def create(self, type_name: str, **values: Any) -> str:
        answer = self.call("POST", f"sobjects/{type_name}", values)
        assert answer.status_code == 201, answer.get_json()
        return str(answer.get_json()["id"])

    def query(self, soql: str) -> Any:
        response = self.http.get(
            f"/services/data/v{self.version}/query",
            query_string={"q": soql},
            headers={"Authorization": f"Bearer {self.token}"},
        )
        return response.get_json()

    def refused(self, method: str, path: str, json: Any = None) -> tuple[int, str, str]:
        """Return status, error code and message of a call that must fail."""
        response = self.call(method, path, json)
        assert response.status_code >= 300, response.get_json()
        error = response.get_json()[0]
        return response.status_code, error["errorCode"], error["message"]


def add_key_field(org: Org, object_name: str, *, unique: bool = True) -> Field:
    """Add a text key, as a deployment does: nobody sees it yet."""
    field = Field(
        "Key__c",
        "Key",
        "string",
        length=36,
        unique=unique,
        external_id=True,
        custom=True,
    )
    org.schema.add_field(object_name, field)
    return field


def add_status_field(org: Org) -> None:
    """Add a restricted picklist to Lead."""
    org.schema.add_field(
        "Lead",
        Field(
            "Step__c",
            "Step",
            "picklist",
            length=255,
            restricted=True,
            values=[
                PicklistValue("First", "First"),
                PicklistValue("Second", "Second"),
                PicklistValue("Old", "Old", active=False),
            ],
            custom=True,
        ),
    )


def grant(org: Org, username: str, *fields: str, edit: bool = True) -> None:
    """Let a user see fields, through a permission set made for it."""
    user_id = org.user_named(username)
    assert user_id is not None
    system = org.system(user_id)
    with org.work():
        name = f"Grant_{org.ids.new('0PS')}"
        set_id = org.records.create(
            system, "PermissionSet", {"Name": name, "Label": name}
        )
        for field in fields:
            org.records.create(
                system,
                "FieldPermissions",
                {
                    "ParentId": set_id,
                    "SobjectType": field.split(".")[0],
                    "Field": field,
                    "PermissionsRead": True,
                    "PermissionsEdit": edit,
                },
            )
        org.records.create(
            system,
            "PermissionSetAssignment",
            {"AssigneeId": user_id, "PermissionSetId": set_id},
        )
