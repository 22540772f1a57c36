"""Our own writes, which must not come back as news.

Two marks, either is enough: the client's name that our calls carry
(``Sforce-Call-Options: client=...``, shown in a change event's ``changeOrigin``), and
the integration user as whom we write.

A status is another matter. No rule of ours sets one (``playbooks`` refuses it): where
we write a status, a rep has said so through a link in a mail, and that is news.

Source: "Change Event Header Fields", Change Data Capture Developer Guide.
"""

from collections.abc import Mapping
from typing import Any

from sidecar.intake.org_events import HEADER
from sidecar.salesforce.ids import is_id, to_18
from sidecar.salesforce.session import CLIENT
from sidecar.store.inbox import Arrival

_OURS = "ignored: our own write"

# How a status is told that has changed: by a change event, by the package's own event.
_NEW_STATUS = ("Referral_Status__c", "New_Status__c")
# Who made the change, as a platform event of ours or a record says it.
_BY = ("Changed_By_Id__c", "LastModifiedById")


def put_aside(arrival: Arrival) -> Arrival:
    """Let an event that speaks of our own write bring no work; it is kept."""
    return arrival._replace(outcome=_OURS, error="")


def ours(values: Mapping[str, Any], integration_user_id: str | None) -> bool:
    """
    Tell whether an event speaks of a change that we made.

    Args:
        values: its payload.
        integration_user_id: of the connection; None where it is not known yet.
    """
    header = values.get(HEADER)
    changed, told = isinstance(header, Mapping), "New_Status__c" in values
    if (changed or told) and any(values.get(name) for name in _NEW_STATUS):
        return False
    if isinstance(header, Mapping):
        if _client(str(header.get("changeOrigin") or "")) == CLIENT:
            return True
        by = [header.get("commitUser")]
    else:
        by = [values.get(name) for name in _BY]
    return any(_same(user, integration_user_id) for user in by)


def _client(origin: str) -> str:
    """``com/salesforce/api/rest/62.0;client=referral-sidecar/``: what comes last."""
    return origin.partition("client=")[2].partition(";")[0].rstrip("/")


def _same(user: object, known: str | None) -> bool:
    if not isinstance(user, str) or not known or not is_id(user):
        return False
    return to_18(user) == to_18(known)
