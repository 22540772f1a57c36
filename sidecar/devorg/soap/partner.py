"""The Partner API: what clients use to look around, and lead conversion.

Source: the Partner WSDL, API 66; the order of elements in answers is its.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sidecar.devorg.describe import describe, describe_global
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.soap.conversion import convert_lead
from sidecar.devorg.soap.envelope import NIL, Raw, Request, xml
from sidecar.devorg.soql.run import run

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# Elements in the WSDL's order; `?` may be missing, others are nil when null.
_GLOBAL = """
activateable associateEntityType associateParentEntity createable custom
customSetting deepCloneable deletable deprecatedAndHidden feedEnabled hasSubtypes
idEnabled isInterface isSubtype keyPrefix label labelPlural layoutable mergeable
mruEnabled name queryable replicateable retrieveable searchable triggerable
undeletable updateable
"""
_OBJECT = """
activateable associateEntityType associateParentEntity childRelationships
compactLayoutable createable custom customSetting deepCloneable
defaultImplementation deletable deprecatedAndHidden feedEnabled fields hasSubtypes
idEnabled implementedBy implementsInterfaces isInterface isSubtype keyPrefix label
labelPlural layoutable mergeable mruEnabled name networkScopeFieldName queryable
recordTypeInfos replicateable retrieveable searchLayoutable? searchable
supportedScopes triggerable? undeletable updateable urlDetail urlEdit urlNew
"""
_FIELD = """
aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula?
cascadeDelete? caseSensitive compoundFieldName? controllerName? createable custom
defaultValueFormula? defaultedOnCreate dependentPicklist? deprecatedAndHidden digits
displayLocationInDecimal? encrypted? externalId? extraTypeInfo? filterable
formulaTreatNullNumberAsZero? groupable highScaleNumber? htmlFormatted? idLookup
inlineHelpText? label length mask? maskType? name nameField namePointing? nillable
permissionable picklistValues? polymorphicForeignKey precision queryByDistance
referenceTargetField? referenceTo? relationshipName? relationshipOrder?
restrictedDelete? restrictedPicklist scale searchPrefilterable soapType sortable?
type unique updateable writeRequiresMasterRead?
"""
_CHILD = """
cascadeDelete childSObject deprecatedAndHidden field junctionIdListNames?
junctionReferenceTo? relationshipName? restrictedDelete?
"""
_CHOICE = "active defaultValue label validFor? value"
_RECORD_TYPE = """
active available defaultRecordTypeMapping developerName master name recordTypeId
"""
_SCOPE = "label name"
_NESTED = {
    "fields": _FIELD,
    "childRelationships": _CHILD,
    "picklistValues": _CHOICE,
    "recordTypeInfos": _RECORD_TYPE,
    "supportedScopes": _SCOPE,
}


# What REST calls one thing and the WSDL another.
_SPELLED = {"urn:address": "tns:address"}


def _ordered(value: Mapping[str, object], order: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for word in order.split():
        name = word.rstrip("?")
        given = value.get(name)
        if isinstance(given, list):
            nested = _NESTED.get(name)
            found[name] = [
                _ordered(each, nested) if nested and isinstance(each, dict) else each
                for each in given
            ]
        elif given is None:
            found[name] = None if word.endswith("?") else NIL
        else:
            found[name] = _SPELLED.get(str(given), given)
    return found


def _get_user_info(org: Org, access: Access, _request: Request, _version: str) -> str:
    user = org.records.table("User").rows[access.user_id]
    company = org.records.table("Organization").rows[org.id]
    return xml(
        "result",
        {
            "accessibilityMode": False,
            "chatterExternal": False,
            "currencySymbol": "$",
            "orgAttachmentFileSizeLimit": 26214400,
            "orgDefaultCurrencyIsoCode": "USD",
            "orgDefaultCurrencyLocale": "en_US",
            "orgDisallowHtmlAttachments": False,
            "orgHasPersonAccounts": org.metadata.features.person_accounts,
            "organizationId": org.id,
            "organizationMultiCurrency": org.metadata.features.multi_currency,
            "organizationName": company.get("Name", ""),
            "profileId": user.get("ProfileId", ""),
            "roleId": user.get("UserRoleId") or NIL,
            "sessionSecondsValid": int(org.sessions.lifetime.total_seconds()),
            "userDefaultCurrencyIsoCode": NIL,
            "userEmail": user.get("Email", ""),
            "userFullName": user.get("Name", ""),
            "userId": access.user_id,
            "userLanguage": user.get("LanguageLocaleKey", "en_US"),
            "userLocale": user.get("LocaleSidKey", "en_US"),
            "userName": user.get("Username", ""),
            "userTimeZone": user.get("TimeZoneSidKey", "GMT"),
            "userType": user.get("UserType", "Standard"),
            "userUiSkin": "Theme3",
        },
    )


def _get_server_timestamp(
    org: Org, _access: Access, _request: Request, _version: str
) -> str:
    return xml("result", {"timestamp": org.clock.second()})


def _describe_global(org: Org, access: Access, _request: Request, version: str) -> str:
    found = describe_global(org, access, version)
    objects = found["sobjects"]
    assert isinstance(objects, list)  # noqa: S101 - describe's own shape
    return xml(
        "result",
        {
            "encoding": found["encoding"],
            "maxBatchSize": found["maxBatchSize"],
            "sobjects": [_ordered({**e, "idEnabled": True}, _GLOBAL) for e in objects],
        },
    )


def _describe_s_object(org: Org, access: Access, request: Request, version: str) -> str:
    name = request.text("sObjectType")
    type_ = org.schema.get(name)
    if type_ is None or not access.may("Read", type_):
        raise Refusal(
            "INVALID_TYPE",
            f"sObject type '{name}' is not supported. If you are attempting to use a "
            "custom object, be sure to append the '__c' after the entity name.",
        )
    found = describe(org, access, type_, version)
    urls = {
        "urlDetail": f"{org.base_url}/{{ID}}",
        "urlEdit": f"{org.base_url}/{{ID}}/e",
        "urlNew": f"{org.base_url}/{type_.key_prefix}/e",
    }
    return xml("result", _ordered({**found, **urls, "idEnabled": True}, _OBJECT))


def _query(org: Org, access: Access, request: Request, version: str) -> str:
    found = run(org, access, request.text("queryString"), version=version)
    records = [_record(found.show(row)) for row in found.rows]
    return xml(
        "result",
        {
            "done": True,
            "queryLocator": NIL,
            "records": records,
            "size": found.total,
        },
    )


def _record(shown: Mapping[str, object]) -> Raw:
    """Type and id come first, and the id is there even if nobody asked for it."""
    attributes = shown.get("attributes")
    type_ = attributes.get("type") if isinstance(attributes, Mapping) else ""
    parts = [xml("sf:type", type_), xml("sf:Id", shown.get("Id") or NIL)]
    for name, value in shown.items():
        if name in {"attributes", "Id"}:
            continue
        if isinstance(value, Mapping):
            value = _record(value)
        parts.append(xml(f"sf:{name}", NIL if value is None else value))
    return Raw(
        "".join(parts),
        ' xsi:type="sf:sObject" xmlns:sf="urn:sobject.partner.soap.sforce.com"',
    )


OPERATIONS = {
    "getUserInfo": _get_user_info,
    "getServerTimestamp": _get_server_timestamp,
    "describeGlobal": _describe_global,
    "describeSObject": _describe_s_object,
    "query": _query,
    "convertLead": convert_lead,
}
