"""Which field of a lead goes to which field of what it is converted into.

Source: "Lead Conversion Field Mapping", Salesforce Help; the customer's own fields
follow the LeadConvertSettings that were deployed.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from sidecar.devorg.metadata.lead_convert import NAME, LeadConversion
from sidecar.devorg.schema import Row

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_ADDRESS = (
    "Street",
    "City",
    "State",
    "PostalCode",
    "Country",
    "Latitude",
    "Longitude",
    "GeocodeAccuracy",
)
_SAME = {
    "Account": (
        "AnnualRevenue",
        "Fax",
        "Industry",
        "NumberOfEmployees",
        "Phone",
        "Rating",
        "Website",
    ),
    "Contact": (
        "Description",
        "DoNotCall",
        "Email",
        "Fax",
        "FirstName",
        "HasOptedOutOfEmail",
        "HasOptedOutOfFax",
        "LastName",
        "LeadSource",
        "MobilePhone",
        "Phone",
        "Salutation",
        "Title",
    ),
    "Opportunity": ("LeadSource",),
}
_RENAMED = {
    "Account": (
        ("Company", "Name"),
        ("LeadSource", "AccountSource"),
        *((part, f"Billing{part}") for part in _ADDRESS),
    ),
    "Contact": tuple((part, f"Mailing{part}") for part in _ADDRESS),
    "Opportunity": (),
}
_LONGEST_NAME = 80


def carried(org: Org, target: str, lead: Row) -> dict[str, object]:
    """Return what a lead hands on to a new ``target`` or an emptier one."""
    return {
        into: lead[name]
        for name, into in _pairs(org, target)
        if lead.get(name) is not None
    }


def _pairs(org: Org, target: str) -> Iterator[tuple[str, str]]:
    yield from ((name, name) for name in _SAME[target])
    yield from _RENAMED[target]
    component = org.metadata.components.get("LeadConvertSettings", NAME)
    if component is not None and isinstance(component.value, LeadConversion):
        yield from component.value.mappings.get(target, ())


def opportunity_basics(org: Org, lead: Row, name: str) -> dict[str, object]:
    """
    Return what a new opportunity needs and no lead has.

    It closes at the end of the quarter, in the first stage; without a name it is
    called after the lead's company.
    """
    stages = org.schema["Opportunity"].fields["stagename"].values
    stage = next((each for each in stages if each.default), stages[0])
    return {
        "Name": (name or str(lead.get("Company", "")))[:_LONGEST_NAME],
        "StageName": stage.value,
        "CloseDate": _end_of_quarter(org.clock.now().date()),
    }


def _end_of_quarter(day: date) -> date:
    month = (day.month + 2) // 3 * 3
    return date(day.year, month, calendar.monthrange(day.year, month)[1])
