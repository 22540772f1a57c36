"""Fields that an org has only with a feature: currencies, person accounts.

Source: "CurrencyIsoCode" and "IsPersonAccount", Object Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.notation import fields_from

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_CURRENCY = """
CurrencyIsoCode picklist(USD*;EUR;GBP) defaulted open restricted | Currency ISO Code
"""
_PERSON = """
IsPersonAccount boolean readonly open | Is Person Account
PersonContactId reference(Contact) readonly open
PersonEmail email(80)
"""
_WITH_CURRENCY = ("Account", "Contact", "Lead", "Opportunity", "Campaign", "User")


def apply(org: Org) -> None:
    """Add what the org's features bring, or take it away."""
    features = org.metadata.features
    for type_ in list(org.schema):
        if type_.name in _WITH_CURRENCY or type_.name.endswith("__c"):
            _set(org, type_.name, _CURRENCY, on=features.multi_currency)
    _set(org, "Account", _PERSON, on=features.person_accounts)


def _set(org: Org, object_name: str, spec: str, *, on: bool) -> None:
    for field in fields_from(spec).values():
        there = org.schema[object_name].field(field.name) is not None
        if on and not there:
            org.schema.add_field(object_name, field)
        elif there and not on:
            org.schema.remove_field(object_name, field.name)
