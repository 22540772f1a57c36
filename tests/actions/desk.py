"""A dev org, a connection to it, and what playbooks do to its records."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from sidecar.demo.stage import client
from sidecar.devorg.process import Running
from sidecar.playbooks.read import read
from sidecar.referral.follow_up import plan
from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.working_time import WorkingWeek
from sidecar.store import follow_ups
from sidecar.store.connections import OrgConnection
from sidecar.store.tables import follow_up
from sidecar.wiring import Wiring


def grant(salesforce: Any, user_id: str, objects: dict[str, str], *fields: str) -> str:
    """
    Let a user do more, as an admin does; the assignment's id.

    Args:
        objects: to the rights, as ``Read Edit``.
    """

    def create(name: str, **values: object) -> str:
        made = salesforce.restful(f"sobjects/{name}", method="POST", json=values)
        return str(made["id"])

    parent = create("PermissionSet", Name="For_Playbooks", Label="For playbooks")
    for name, rights in objects.items():
        allowed = {f"Permissions{right}": True for right in rights.split()}
        create("ObjectPermissions", ParentId=parent, SobjectType=name, **allowed)
    for field in fields:
        create(
            "FieldPermissions",
            ParentId=parent,
            SobjectType=field.partition(".")[0],
            Field=field,
            PermissionsRead=True,
            PermissionsEdit=True,
        )
    create("PermissionSetAssignment", PermissionSetId=parent, AssigneeId=user_id)
    return parent


@dataclass
class Desk:
    """Plans what a playbook says about a record, and looks at what came of it."""

    wiring: Wiring
    org: Running
    linked: OrgConnection

    def __post_init__(self) -> None:
        self.salesforce = client(self.org)

    def create(self, name: str, **values: object) -> str:
        made = self.salesforce.restful(f"sobjects/{name}", method="POST", json=values)
        return str(made["id"])

    def lead(self, **values: object) -> str:
        return self.create("Lead", LastName="Example", Company="Example Ltd", **values)

    def plan(
        self,
        record_id: str,
        *actions: str,
        object_type: str = "Lead",
        milestone: str = "submitted",
        key: str | None = None,
    ) -> None:
        """Plan what a milestone brings to a referral."""
        listed = [
            f"{{action: a{number}, {each}}}" for number, each in enumerate(actions)
        ]
        text = f"{{version: '7', milestones: {{{milestone}: [{', '.join(listed)}]}}}}"
        referral = Referral(
            key=key or record_id,
            object_type=object_type,
            record_id=record_id,
            status=milestone,
            milestone=Milestone(milestone),
            owner_id=None,
            changed_at=self.wiring.now(),
            details={"last_name": "Example", "referrer": "Mira Sample"},
        )
        planned = plan(
            read(text, templates=()),
            self.org.org_id,
            referral,
            now=self.wiring.now(),
            week=WorkingWeek(ZoneInfo("UTC")),
        )
        with self.wiring.engine.begin() as db:
            follow_ups.add(
                db,
                [(1, referral.key, item) for item in planned],
                connection_id=self.linked.id,
                org_id=self.org.org_id,
                playbook_version="7",
                record_ids={referral.key: record_id},
                now=self.wiring.now(),
                keyring=self.wiring.keyring,
            )

    def deliver(self, kind: str) -> int:
        return self.wiring.deliver(self.linked.id, kind)

    def read(self, soql: str) -> list[dict[str, Any]]:
        found = self.salesforce.query_all(soql)["records"]
        return [{k: v for k, v in row.items() if k != "attributes"} for row in found]

    def rows(self, *columns: Any) -> list[tuple[Any, ...]]:
        with self.wiring.engine.connect() as db:
            found = db.execute(select(*columns).order_by(follow_up.c.id))
            return [tuple(row) for row in found]

    def ends(self) -> list[tuple[str, str | None]]:
        return self.rows(follow_up.c.state, follow_up.c.error)

    def states(self) -> list[str]:
        return [state for state, _ in self.ends()]
