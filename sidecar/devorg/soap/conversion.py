"""convertLead of the Partner API.

Source: the Partner WSDL, API 66: LeadConvert, LeadConvertResult, in its order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.conversion.convert import LeadConvert, convert
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.soap.envelope import NIL, Element, Request, child, children, xml

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

MOST = 100
# What Salesforce knows and this org does not do.
_NOT_HERE = (
    "accountRecord",
    "contactRecord",
    "opportunityRecord",
    "opportunityId",
    "relatedPersonAccountId",
    "relatedPersonAccountRecord",
)


def convert_lead(org: Org, access: Access, request: Request, _version: str) -> str:
    """
    Convert up to 100 leads, each for itself unless AllOrNoneHeader says otherwise.

    Raises:
        Refusal: EXCEEDED_ID_LIMIT; or the whole call is more than this org can do.
    """
    asked = [_read(each) for each in children(request.body, "leadConverts")]
    if len(asked) > MOST:
        raise Refusal(
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {MOST} records in this "
            "operation",
        )
    results: list[dict[str, object]] = []
    failed = False
    try:
        with org.journal.savepoint():
            for each in asked:
                results.append(_result(org, access, each))
                failed = failed or results[-1]["success"] is False
            if failed and request.all_or_none:
                raise _TakenBack
    except _TakenBack:
        results = [_undone(each) for each in results]
    return xml("result", results)


class _TakenBack(Exception):
    """One lead failed, so none is to be converted."""


def _read(element: Element) -> LeadConvert:
    for name in _NOT_HERE:
        found = child(element, name)
        if found is not None and (len(found) or (found.text or "").strip()):
            raise Refusal(
                "FUNCTIONALITY_NOT_ENABLED", f"LeadConvert.{name} is not available"
            )

    def text(name: str) -> str:
        found = child(element, name)
        return "" if found is None else (found.text or "").strip()

    return LeadConvert(
        lead_id=text("leadId"),
        converted_status=text("convertedStatus"),
        account_id=text("accountId"),
        contact_id=text("contactId"),
        owner_id=text("ownerId"),
        opportunity_name=text("opportunityName"),
        do_not_create_opportunity=text("doNotCreateOpportunity") in {"true", "1"},
        overwrite_lead_source=text("overwriteLeadSource") in {"true", "1"},
    )


def _result(org: Org, access: Access, asked: LeadConvert) -> dict[str, object]:
    try:
        made = convert(org, access, asked)
    except Refusal as exc:
        return _failure(exc, asked.lead_id)
    return {
        "accountId": made.account_id,
        "contactId": made.contact_id,
        "leadId": made.lead_id,
        "opportunityId": made.opportunity_id or NIL,
        "success": True,
    }


def _failure(refusal: Refusal, lead_id: str) -> dict[str, object]:
    error = {
        "fields": refusal.fields or [],
        "message": refusal.message,
        "statusCode": refusal.error_code,
    }
    return {
        "accountId": NIL,
        "contactId": NIL,
        "errors": error,
        "leadId": lead_id or NIL,
        "opportunityId": NIL,
        "success": False,
    }


def _undone(result: dict[str, object]) -> dict[str, object]:
    if result["success"] is False:
        return result
    return _failure(
        Refusal(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was "
            "using AllOrNone header",
        ),
        str(result["leadId"]),
    )
