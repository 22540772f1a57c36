"""Campaign members: leads and contacts join campaigns, many in one call.

A campaign has each person once: whoever is a member already stays as they are, whatever
status somebody has given them since. That makes it harmless to repeat a call.

Sources: "CampaignMember", Object Reference for the Salesforce Platform (a create() for
who is there already is an error and updates nothing; read access to campaigns is all
that it takes); "Opportunity", field ContactId (the primary contact), the same; "Create
Multiple Records with Fewer Round-Trips", REST API Developer Guide: results in the order
of the records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sidecar.errors import Permanent, SidecarError
from sidecar.salesforce import refusals
from sidecar.salesforce.records import CONVERTED, Records
from sidecar.salesforce.refusals import Converted
from sidecar.salesforce.session import Sessions

ALREADY = "already a member"
"""What stands where a member's id would, for whoever had joined before."""

_DUPLICATE = "DUPLICATE_VALUE"


class Membership(NamedTuple):
    """Who is to join which campaign; an empty status is the campaign's own."""

    campaign_id: str
    status: str
    object_type: str
    record_id: str


@dataclass(frozen=True)
class CampaignMembers:
    """Writes through ``sessions``."""

    sessions: Sessions

    def join(
        self, connection_id: int, wanted: Sequence[Membership]
    ) -> list[str | SidecarError]:
        """
        Let people join campaigns; for an opportunity its primary contact.

        Who was a lead and has been converted meanwhile joins as the contact.

        Args:
            wanted: at most 200.

        Returns:
            For each the member's id, or ``ALREADY``, or why it was refused.

        Raises:
            Retryable, Permanent: about all of them.
        """
        asked = self._primary_contacts(connection_id, wanted)
        answers: list[str | SidecarError] = [
            Permanent(f"the {one.object_type} {one.record_id} has no primary contact")
            if one.object_type == "Opportunity"
            else Permanent(f"no {one.object_type} joins a campaign")
            for one in wanted
        ]
        self._create(connection_id, asked, answers)
        late = {
            i: one
            for i, one in asked.items()
            if isinstance(answers[i], Converted) and one.object_type == "Lead"
        }
        if late:
            leads = sorted({one.record_id for one in late.values()})
            became = Records(self.sessions).read(
                connection_id, "Lead", leads, CONVERTED
            )
            moved = {
                i: one._replace(object_type="Contact", record_id=contact)
                for i, one in late.items()
                if (contact := _contact(became.get(one.record_id)))
            }
            self._create(connection_id, moved, answers)
        return answers

    def _primary_contacts(
        self, connection_id: int, wanted: Sequence[Membership]
    ) -> dict[int, Membership]:
        """Put people in the place of opportunities; what has none is left out."""
        deals = sorted(
            {one.record_id for one in wanted if one.object_type == "Opportunity"}
        )
        fields = ("Id", "ContactId")
        read = Records(self.sessions).read
        known = read(connection_id, "Opportunity", deals, fields)
        people = {}
        for i, one in enumerate(wanted):
            if one.object_type in {"Lead", "Contact"}:
                people[i] = one
            elif contact := known.get(one.record_id, {}).get("ContactId"):
                people[i] = one._replace(object_type="Contact", record_id=contact)
        return people

    def _create(
        self,
        connection_id: int,
        asked: Mapping[int, Membership],
        answers: list[str | SidecarError],
    ) -> None:
        """Create members, and put what came of them in their places."""
        if not asked:
            return
        body = {
            "allOrNone": False,
            "records": [_member(one) for one in asked.values()],
        }
        told = self.sessions.call(
            connection_id,
            lambda client: client.restful(
                "composite/sobjects", method="POST", json=body
            ),
        )
        now = self.sessions.now()
        for i, answer in zip(asked, told or [], strict=True):
            if answer["success"]:
                answers[i] = str(answer["id"])
            elif _DUPLICATE in refusals.codes(answer["errors"]):
                answers[i] = ALREADY
            else:
                answers[i] = refusals.of_errors(answer["errors"], now)


def _member(one: Membership) -> dict[str, object]:
    fields: dict[str, object] = {
        "attributes": {"type": "CampaignMember"},
        "CampaignId": one.campaign_id,
        f"{one.object_type}Id": one.record_id,
    }
    return fields | ({"Status": one.status} if one.status else {})


def _contact(lead: Mapping[str, Any] | None) -> str | None:
    return lead["ConvertedContactId"] if lead else None
