"""Campaign members in Salesforce: up to 200 in a call."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Engine

from sidecar.errors import SidecarError
from sidecar.jobs.deliver.attempts import in_batches
from sidecar.keyring import Keyring
from sidecar.referral.follow_up import JoinCampaign
from sidecar.salesforce.campaign_members import Membership
from sidecar.store.claims import Attempt
from sidecar.store.connections import OrgConnection


class Members(Protocol):
    """Who lets people join. Repeating a call is harmless: each joins once."""

    def join(
        self, connection_id: int, wanted: Sequence[Membership]
    ) -> Sequence[str | SidecarError]:
        """
        Let at most 200 people join; for each the member's id, or the refusal.

        Raises:
            Retryable, Permanent: about the call as a whole; never Uncertain.
        """


def deliver_campaigns(
    connection_id: int,
    *,
    engine: Engine,
    keyring: Keyring,
    members: Members,
    lease: timedelta,
    now: Callable[[], datetime],
) -> int:
    """
    Let all join who are due.

    Returns:
        How many attempts were made.
    """

    def put(
        connection: OrgConnection, attempts: Sequence[Attempt]
    ) -> Sequence[str | SidecarError]:
        wanted = [
            Membership(what.campaign_id, what.status, what.object_type, what.record_id)
            for what in (attempt.what for attempt in attempts)
            if isinstance(what, JoinCampaign)
        ]
        return members.join(connection.id, wanted)

    return in_batches(
        connection_id,
        "add_to_campaign",
        put,
        engine=engine,
        keyring=keyring,
        lease=lease,
        now=now,
    )
