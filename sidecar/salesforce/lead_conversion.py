"""Converting a lead, as a rep does in the browser.

REST has no resource for it. Source: "convertLead()", SOAP API Developer Guide; the
order of elements is the Partner WSDL's.
"""

from dataclasses import dataclass

from sidecar.errors import Permanent, Unreadable
from sidecar.salesforce import refusals
from sidecar.salesforce.caller import (
    PARTNER,
    Caller,
    query,
    quoted,
    soap,
    tags,
    text,
)


@dataclass(frozen=True)
class Converted:
    """What became of a lead; ids of 18 characters."""

    account_id: str
    contact_id: str
    opportunity_id: str
    """Empty where none was wanted."""


def converted_status(caller: Caller) -> str:
    """
    Give the lead status that this org sets at conversion.

    Raises:
        LoggedOut, Retryable, Permanent: the last also where the org has none.
    """
    soql = "SELECT ApiName FROM LeadStatus WHERE IsConverted = true"
    rows = query(caller, soql)
    if not rows:
        raise Permanent("no lead status of this org stands for a converted lead")
    return str(rows[0]["ApiName"])


def convert(
    caller: Caller, lead_id: str, *, status: str, opportunity_name: str
) -> Converted:
    """
    Convert a lead into an account, a contact and an opportunity.

    A lead that is converted already gives what it was converted into.

    Raises:
        LoggedOut, Retryable, Permanent: with the words of the org's own rules, where
            one of them forbids it.
    """
    if found := already(caller, lead_id):
        return found
    leads = tags(
        {
            "convertedStatus": status,
            "doNotCreateOpportunity": False,
            "leadId": lead_id,
            "opportunityName": opportunity_name,
            "overwriteLeadSource": False,
            "sendNotificationEmail": False,
        }
    )
    answer = soap(
        caller, PARTNER, "convertLead", f"<leadConverts>{leads}</leadConverts>"
    )
    result = answer.find("{*}result")
    if result is None:
        raise Unreadable("Salesforce's answer to convertLead holds no result")
    if text(result, "success") != "true":
        errors = [
            {"statusCode": text(each, "statusCode"), "message": text(each, "message")}
            for each in result.iterchildren("{*}errors")
        ]
        raise Permanent(f"the lead was not converted: {refusals.words(errors)}")
    return Converted(
        account_id=text(result, "accountId"),
        contact_id=text(result, "contactId"),
        opportunity_id=text(result, "opportunityId"),
    )


def already(caller: Caller, lead_id: str) -> Converted | None:
    """
    Tell what a lead was converted into; None where it was not, or is gone.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    soql = (
        "SELECT IsConverted, ConvertedAccountId, ConvertedContactId, "  # noqa: S608
        f"ConvertedOpportunityId FROM Lead WHERE Id = {quoted([lead_id])}"
    )
    for row in query(caller, soql):
        if row["IsConverted"]:
            return Converted(
                row["ConvertedAccountId"] or "",
                row["ConvertedContactId"] or "",
                row["ConvertedOpportunityId"] or "",
            )
    return None
