"""Referrers, as the org knows them: read each time, since what they want may change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sidecar.salesforce.records import Records

OBJECT = "Referrer__c"
WANTED = "Keep_Informed__c"
"""The field that says whether a referrer wants to hear anything."""

_FIELDS = (
    *("Id", "Name", "Email__c", WANTED, "Active__c", "Language__c", "Code__c"),
    *("Contact__r.Email", "Contact__r.HasOptedOutOfEmail"),
    *("User__r.Email", "User__r.IsActive"),
)


@dataclass(frozen=True)
class Referrer:
    """
    Who refers.

    Attributes:
        email: their own on the record, else the one of the contact or colleague that
            the record says they are; perhaps empty.
        silent: why nothing is sent to them; empty where they want to hear.
    """

    id: str
    name: str
    email: str
    language: str
    code: str
    silent: str = ""


def read(
    records: Records, connection_id: int, ids: Sequence[str]
) -> dict[str, Referrer]:
    """
    Read referrers by id; one that is gone is missing from the answer.

    Raises:
        Retryable, Permanent.
    """
    found = records.read(connection_id, OBJECT, ids, _FIELDS)
    return {id_: _referrer(row) for id_, row in found.items()}


def _referrer(row: Mapping[str, Any]) -> Referrer:
    contact: Mapping[str, Any] = row.get("Contact__r") or {}
    user: Mapping[str, Any] = row.get("User__r") or {}
    of_user = user.get("Email") if user.get("IsActive") else None
    email = row["Email__c"] or contact.get("Email") or of_user or ""
    return Referrer(
        id=row["Id"],
        name=row["Name"] or "",
        email=email,
        language=row["Language__c"] or "",
        code=row["Code__c"] or "",
        silent=_silent(row, contact, email),
    )


def _silent(row: Mapping[str, Any], contact: Mapping[str, Any], email: str) -> str:
    if not row[WANTED]:
        return "the referrer has not asked to be kept informed"
    if not row["Active__c"]:
        return "the referrer no longer takes part"
    if contact.get("HasOptedOutOfEmail"):
        return "the contact who is the referrer has opted out of e-mail"
    return "" if email else "the referrer has no e-mail address"
