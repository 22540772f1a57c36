"""What an event says of a referral: the org's fields in the mind's words."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sidecar.referral.journey import Seen
from sidecar.salesforce.ids import to_18

# The package's fields, as an event names them, and the mind's words for them.
_OF_ANY = {
    "Referrer__c": "referrer_id",
    "Referrer_Name__c": "referrer",
    "Referral_Code__c": "code",
    "Referral_Source__c": "source",
    "Referral_Type__c": "type",
    "Referral_Consent__c": "consent",
    "Referral_Lost_Reason__c": "lost_reason",
}
_OF_A_PERSON = {
    "FirstName": "first_name",
    "LastName": "last_name",
    "Email": "email",
    "Phone": "phone",
}
DETAILS: Mapping[str, Mapping[str, str]] = {
    "Lead": {"Company": "company", **_OF_A_PERSON, **_OF_ANY},
    "Contact": {**_OF_A_PERSON, **_OF_ANY},
    "Opportunity": {
        "Name": "opportunity",
        "Amount": "amount",
        "StageName": "stage",
        **_OF_ANY,
    },
}
"""Per object on which the package keeps a referral status."""

STATUS = "Referral_Status__c"
KEY = "Referral_Key__c"


def read_back_fields(object_type: str) -> tuple[str, ...]:
    """Name what is read of a record where a message cannot tell."""
    named = DETAILS[object_type]
    return ("Id", "OwnerId", "SystemModstamp", STATUS, KEY, *named)


def seen(
    object_type: str,
    record_id: str,
    fields: Mapping[str, Any],
    *,
    read_back: bool = False,
) -> Seen:
    """
    Say what a record's fields mean.

    Args:
        fields: names and values, text as it came; a missing name means that nothing
            is known, None or empty that there is nothing.

    Raises:
        ValueError: a time is none; the text names the field.
    """
    details = {
        word: to_18(text) if word == "referrer_id" else text
        for name, word in DETAILS[object_type].items()
        if name in fields
        for text in [_text(fields, name)]
    }
    return Seen(
        # Until the org has stamped a key, a record is its own: the package's flow
        # stamps this very id.
        key=_text(fields, KEY) or record_id,
        object_type=object_type,
        record_id=record_id,
        status=_text(fields, STATUS) or None,
        owner_id=to_18(_text(fields, "OwnerId")) or None,
        changed_at=_changed_at(fields),
        details=details,
        read_back=read_back,
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    return str(fields.get(name) or "").strip()


def _changed_at(fields: Mapping[str, Any]) -> datetime | None:
    for name in ("SystemModstamp", "LastModifiedDate"):
        if text := _text(fields, name):
            return moment(name, text)
    return None


def moment(name: str, text: str) -> datetime:
    """
    Read a date and time as Salesforce writes it: ``...Z`` in messages, ``...+0000``
    in REST answers.

    Raises:
        ValueError: it is none, or it has no zone.
    """
    try:
        at = datetime.fromisoformat(text.strip())
        if at.tzinfo is None:
            raise ValueError("it has no time zone")
        # The first and the last day of the calendar lie outside it in some zones.
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise ValueError(f"{name} is {text!r}, which is no moment: {exc}") from exc
