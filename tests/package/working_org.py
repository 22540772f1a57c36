"""A dev org that runs a part of the package, as its admin uses it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sidecar.devorg.process import Running, running
from sidecar.errors import Permanent
from sidecar.package import archive, placeholders
from sidecar.salesforce import caller as calls
from sidecar.salesforce import metadata
from sidecar.salesforce.caller import Caller
from sidecar.salesforce.metadata import Options

VALUES = {
    "REFERRAL_ENDPOINT_URL": "http://127.0.0.1:1/hooks/nowhere",
    "REFERRAL_EVENTS_URL": "http://127.0.0.1:1/events/nowhere",
}
Refused = Permanent


class WorkingOrg:
    """Records and deployments of one org."""

    def __init__(self, info: Running) -> None:
        self.info = info
        self.caller: Caller = calls.caller_for(
            info.base_url, info.admin_token, ca_file=None
        )

    @classmethod
    @contextmanager
    def running(cls, folder: Path, *parts: dict[str, bytes]) -> Iterator["WorkingOrg"]:
        """Start an org and deploy these parts of the package, one after the other."""
        with running(folder, plain=True) as info:
            org = cls(info)
            for part in parts:
                org.deploy(part)
            yield org

    def deploy(self, part: dict[str, bytes]) -> None:
        known = VALUES | {"REFERRAL_INTEGRATION_USERNAME": self.info.integration_user}
        names = {each.name for each in placeholders.declared(part)}
        packed = archive.build(part, values={name: known[name] for name in names})
        started = metadata.start(
            self.caller.http, archive=packed, options=Options(), **self.caller.where
        )
        for _ in range(1000):
            seen = metadata.status(
                self.caller.http, deployment_id=started, **self.caller.where
            )
            if seen.done:
                assert seen.success, [(f.name, f.problem) for f in seen.failures]
                return
            time.sleep(0.02)
        raise AssertionError(f"still {seen.state}")

    def assign(self, permission_set: str) -> None:
        """Give the admin a permission set."""
        rows = self.query(
            f"SELECT Id FROM PermissionSet WHERE Name = '{permission_set}'"
        )
        self.create(
            "PermissionSetAssignment",
            PermissionSetId=rows[0]["Id"],
            AssigneeId=self.info.user_ids[self.info.admin],
        )

    def create(self, sobject: str, **values: object) -> str:
        """Create a record; its id."""
        made = calls.rest(self.caller, "POST", f"sobjects/{sobject}", json=values)
        return str(made["id"])

    def update(self, sobject: str, record_id: str, **values: object) -> None:
        calls.rest(self.caller, "PATCH", f"sobjects/{sobject}/{record_id}", json=values)

    def read(self, sobject: str, record_id: str) -> dict[str, object]:
        """All fields that the admin may see."""
        found = calls.rest(self.caller, "GET", f"sobjects/{sobject}/{record_id}")
        assert isinstance(found, dict)
        return found

    def query(self, soql: str) -> list[dict[str, object]]:
        return list(calls.query(self.caller, soql))
