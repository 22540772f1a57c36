"""Fields that an org has only with a feature: currencies, person accounts, states.

Source: "CurrencyIsoCode", "IsPersonAccount" and "State and Country/Territory
Picklists", Object Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.notation import fields_from

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# The first is the company's own.
CURRENCIES = ("USD", "EUR", "GBP")
_OTHERS = ";".join(CURRENCIES[1:])
_CURRENCY = (
    f"CurrencyIsoCode picklist({CURRENCIES[0]}*;{_OTHERS}) defaulted open restricted"
    " | Currency ISO Code"
)
_PERSON = """
IsPersonAccount boolean readonly open | Is Person Account
PersonContactId reference(Contact) readonly open
PersonEmail email(80)
"""
_ADDRESSES = {
    "Account": ("Billing", "Shipping"),
    "Contact": ("Mailing", "Other"),
    "Lead": ("",),
}
_WITH_CURRENCY = ("Account", "Contact", "Lead", "Opportunity", "Campaign", "User")


def apply(org: Org) -> None:
    """Add what the org's features bring, or take it away."""
    features = org.metadata.features
    for type_ in list(org.schema):
        if type_.name in _WITH_CURRENCY or type_.name.endswith("__c"):
            _set(org, type_.name, _CURRENCY, on=features.multi_currency)
    _set(org, "Account", _PERSON, on=features.person_accounts)
    for object_name, prefixes in _ADDRESSES.items():
        for prefix in prefixes:
            spec = f"""
            {prefix}StateCode picklist(BE;BY;CA;NY;TX) restricted
            {prefix}CountryCode picklist(US;AT;CH;DE;FR;GB) restricted
            """
            _set(org, object_name, spec, on=features.state_country_picklists)


def _set(org: Org, object_name: str, spec: str, *, on: bool) -> None:
    for field in fields_from(spec).values():
        there = org.schema[object_name].field(field.name) is not None
        if on and not there:
            org.schema.add_field(object_name, field)
        elif there and not on:
            org.schema.remove_field(object_name, field.name)
