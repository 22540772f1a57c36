"""Fields of records, changed by the integration user: many in one call.

Source: "Update Multiple Records with Fewer Round-Trips", REST API Developer Guide: 200
records a call, results in the order of the records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sidecar.errors import SidecarError
from sidecar.salesforce import refusals
from sidecar.salesforce.records import BATCH
from sidecar.salesforce.session import Sessions


@dataclass(frozen=True)
class RecordUpdates:
    """Writes through ``sessions``."""

    sessions: Sessions

    def update(
        self,
        connection_id: int,
        object_type: str,
        changes: Sequence[tuple[str, Mapping[str, Any]]],
    ) -> list[SidecarError | None]:
        """
        Change fields of records; to repeat it changes nothing more.

        Args:
            changes: at most 200 record ids, each with its fields as JSON has them.

        Returns:
            For each record why Salesforce refused it, or None.

        Raises:
            Retryable, Permanent: about the call as a whole.
        """
        if len(changes) > BATCH:
            raise ValueError(f"{len(changes)} records are more than one call takes")
        body = {
            "allOrNone": False,
            "records": [
                {"attributes": {"type": object_type}, "id": id_, **fields}
                for id_, fields in changes
            ],
        }
        answers = self.sessions.call(
            connection_id,
            lambda client: client.restful(
                "composite/sobjects", method="PATCH", json=body
            ),
        )
        now = self.sessions.now()
        return [
            None if answer["success"] else refusals.of_errors(answer["errors"], now)
            for answer in answers or []
        ]
