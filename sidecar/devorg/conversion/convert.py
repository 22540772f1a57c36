"""Converting one lead, all or nothing.

Source: "convertLead()" and "LeadConvert", SOAP API Developer Guide; "Considerations
for Converting Leads", Salesforce Help. Validation rules and flows run, as "Require
Validation for Converted Leads" has it in every org made since 2009.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sidecar.devorg.checks import converted_lead
from sidecar.devorg.conversion import following
from sidecar.devorg.conversion.mapping import carried, opportunity_basics
from sidecar.devorg.ids import full_id
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import ObjectType, Row

if TYPE_CHECKING:
    from sidecar.devorg.org import Org


@dataclass(frozen=True)
class LeadConvert:
    """What is asked for; ids as they came, "" for what was left out."""

    lead_id: str
    converted_status: str
    account_id: str = ""
    contact_id: str = ""
    owner_id: str = ""
    opportunity_name: str = ""
    do_not_create_opportunity: bool = False
    overwrite_lead_source: bool = False


@dataclass(frozen=True)
class Converted:
    """What a lead has become; no opportunity is None."""

    lead_id: str
    account_id: str
    contact_id: str
    opportunity_id: str | None


def convert(org: Org, access: Access, asked: LeadConvert) -> Converted:
    """
    Convert one lead in a user's name.

    Raises:
        Refusal: it may not be, or a rule or flow forbids it; nothing has happened.
    """
    _check_rights(org, access, asked)
    lead = _lead(org, asked)
    _check_status(org, asked.converted_status)
    owner_id = _owner(org, asked, lead)
    with org.journal.savepoint():
        system = org.system(access.user_id)
        account_id = _account(org, system, asked, lead, owner_id)
        contact_id = _contact(org, system, asked, lead, owner_id, account_id)
        opportunity_id = None
        if not asked.do_not_create_opportunity:
            opportunity_id = _opportunity(
                org, system, asked, lead, owner_id, account_id, contact_id
            )
        made = Converted(str(lead["Id"]), account_id, contact_id, opportunity_id)
        org.records.amend(
            system,
            "Lead",
            made.lead_id,
            {
                "Status": asked.converted_status,
                "IsConverted": True,
                "ConvertedDate": org.clock.now().date(),
                "ConvertedAccountId": account_id,
                "ConvertedContactId": contact_id,
                "ConvertedOpportunityId": opportunity_id,
                "IsUnreadByOwner": False,
            },
        )
        following.move(org, made)
    return made


def _check_rights(org: Org, access: Access, asked: LeadConvert) -> None:
    wanted = [("Edit", "Lead")]
    for name, existing in (
        ("Account", asked.account_id),
        ("Contact", asked.contact_id),
    ):
        wanted.append(("Edit" if existing else "Create", name))
    if not asked.do_not_create_opportunity:
        wanted.append(("Create", "Opportunity"))
    org.usage.permission(access, "ConvertLeads")
    if not access.has("ConvertLeads") or not all(
        access.may(action, org.schema[name]) for action, name in wanted
    ):
        raise Refusal(
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "insufficient access rights on object id",
            fields=[],
        )


def _lead(org: Org, asked: LeadConvert) -> Row:
    lead = _existing(org, org.schema["Lead"], asked.lead_id)
    if lead.get("IsConverted"):
        raise converted_lead()
    return lead


def _existing(org: Org, type_: ObjectType, record_id: str) -> Row:
    full = full_id(record_id)
    row = org.records.table(type_.name).rows.get(full) if full else None
    if row is None and full in org.records.table(type_.name).bin:
        raise Refusal("ENTITY_IS_DELETED", "entity is deleted", fields=[])
    if row is None:
        raise Refusal(
            "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[]
        )
    return row


def _check_status(org: Org, status: str) -> None:
    if not status:
        raise Refusal(
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [convertedStatus]",
            fields=["convertedStatus"],
        )
    known = org.records.table("LeadStatus").rows.values()
    if not any(each["ApiName"] == status and each["IsConverted"] for each in known):
        raise Refusal("INVALID_STATUS", f"invalid convertedStatus: {status}", fields=[])


def _owner(org: Org, asked: LeadConvert, lead: Row) -> str:
    given = asked.owner_id or str(lead.get("OwnerId"))
    owner_id = full_id(given)
    user = org.records.table("User").rows.get(owner_id) if owner_id else None
    if owner_id is None or user is None:
        raise Refusal(
            "INVALID_ID_FIELD",
            "Converted objects can only be owned by users. If the lead is not owned by "
            "a user, you must specify a user for the Owner field.",
            fields=["ownerId"],
        )
    return owner_id


def _account(
    org: Org, system: Access, asked: LeadConvert, lead: Row, owner_id: str
) -> str:
    values = carried(org, "Account", lead)
    if not asked.account_id:
        with _about("Account"):
            return org.records.create(system, "Account", values | {"OwnerId": owner_id})
    account = _existing(org, org.schema["Account"], asked.account_id)
    with _about("Account"):
        _fill(org, system, "Account", account, values)
    return str(account["Id"])


def _contact(
    org: Org,
    system: Access,
    asked: LeadConvert,
    lead: Row,
    owner_id: str,
    account_id: str,
) -> str:
    values = carried(org, "Contact", lead)
    if not asked.contact_id:
        own = {"OwnerId": owner_id, "AccountId": account_id}
        with _about("Contact"):
            return org.records.create(system, "Contact", values | own)
    contact = _existing(org, org.schema["Contact"], asked.contact_id)
    if not asked.account_id or contact.get("AccountId") not in {None, account_id}:
        raise Refusal(
            "INVALID_CROSS_REFERENCE_KEY",
            "The contact has to belong to the account that is specified",
            fields=["contactId"],
        )
    source = lead.get("LeadSource") if asked.overwrite_lead_source else None
    changes = {"AccountId": account_id} | ({"LeadSource": source} if source else {})
    with _about("Contact"):
        _fill(org, system, "Contact", contact, values, changes)
    return str(contact["Id"])


def _fill(
    org: Org,
    system: Access,
    name: str,
    row: Row,
    values: dict[str, object],
    changes: dict[str, object] | None = None,
) -> None:
    """Give an existing record what it lacks; what it has stays."""
    empty = {k: v for k, v in values.items() if row.get(k) in {None, False}}
    given = {k: v for k, v in (empty | (changes or {})).items() if row.get(k) != v}
    if given:
        org.records.update(system, name, str(row["Id"]), given)


def _opportunity(
    org: Org,
    system: Access,
    asked: LeadConvert,
    lead: Row,
    owner_id: str,
    account_id: str,
    contact_id: str,
) -> str:
    values = carried(org, "Opportunity", lead)
    values |= opportunity_basics(org, lead, asked.opportunity_name)
    values |= {"OwnerId": owner_id, "AccountId": account_id}
    if campaign := following.newest_campaign(org, str(lead["Id"])):
        values["CampaignId"] = campaign
    with _about("Opportunity"):
        made = org.records.create(system, "Opportunity", values)
    role = {"OpportunityId": made, "ContactId": contact_id, "IsPrimary": True}
    org.records.create(system, "OpportunityContactRole", role)
    return made


@contextmanager
def _about(name: str) -> Iterator[None]:
    """Say of a validation rule's refusal which of the new records it is about."""
    try:
        yield
    except Refusal as exc:
        if exc.error_code != "FIELD_CUSTOM_VALIDATION_EXCEPTION":
            raise
        raise Refusal(
            exc.error_code,
            f"Validation error on {name}: {exc.message}",
            fields=exc.fields,
        ) from exc
