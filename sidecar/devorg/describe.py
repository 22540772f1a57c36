"""How the org describes itself: objects, fields, child relationships.

Source: "sObject Describe" and "Describe Global", REST API Developer Guide;
DescribeSObjectResult, SOAP API Developer Guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.permissions import Access
from sidecar.devorg.references import key_field
from sidecar.devorg.schema import NUMBER_TYPES, PICKLIST_TYPES, Field, ObjectType
from sidecar.devorg.values import shown

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "address": "urn:address",
    **dict.fromkeys(NUMBER_TYPES, "xsd:double"),
}


def describe_global(
    org: Org, access: Access, version: str, *, tooling: bool = False
) -> dict[str, object]:
    """Return all objects the user may read, in short."""
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [
            describe_short(each, access, version)
            for each in sorted(org.schema, key=lambda each: each.name)
            if each.tooling is tooling and access.may("Read", each)
        ],
    }


def describe_short(
    type_: ObjectType, access: Access, version: str
) -> dict[str, object]:
    """Return what is said of an object in a list of objects."""
    base = f"/services/data/v{version}/sobjects/{type_.name}"
    writes = type_.updateable and access.may("Edit", type_)
    deletes = type_.deletable and access.may("Delete", type_)
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": type_.createable and access.may("Create", type_),
        "custom": type_.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": deletes,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": type_.key_prefix,
        "label": type_.label,
        "labelPlural": type_.plural,
        "layoutable": not type_.setup,
        "mergeable": type_.name in {"Account", "Contact", "Lead"},
        "mruEnabled": not type_.setup,
        "name": type_.name,
        "queryable": type_.queryable,
        "replicateable": True,
        "retrieveable": True,
        "searchable": not type_.setup,
        "triggerable": not type_.setup,
        "undeletable": deletes,
        "updateable": writes,
        "urls": {
            "rowTemplate": f"{base}/{{ID}}",
            "describe": f"{base}/describe",
            "sobject": base,
        },
    }


def describe(
    org: Org, access: Access, type_: ObjectType, version: str
) -> dict[str, object]:
    """Return everything about an object that this user may know."""
    return describe_short(type_, access, version) | {
        "actionOverrides": [],
        "childRelationships": [
            {
                "cascadeDelete": field.delete_constraint == "Cascade",
                "childSObject": child.name,
                "deprecatedAndHidden": False,
                "field": field.name,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": field.child_relationship_name,
                "restrictedDelete": field.delete_constraint == "Restrict",
            }
            for child, field in org.schema.children(type_.name)
            if access.may("Read", child) and field.key in access.readable(child)
        ],
        "compactLayoutable": not type_.setup,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [
            describe_field(field, type_, access)
            for field in access.readable(type_).values()
        ],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [
            {
                "active": True,
                "available": True,
                "defaultRecordTypeMapping": True,
                "developerName": "Master",
                "master": True,
                "name": "Master",
                "recordTypeId": "012000000000000AAA",
                "urls": {},
            }
        ],
        "searchLayoutable": not type_.setup,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [
            {"label": f"All {type_.plural.lower()}", "name": "everything"},
            {"label": f"My {type_.plural.lower()}", "name": "mine"},
        ],
    }


def describe_field(
    field: Field, type_: ObjectType, access: Access
) -> dict[str, object]:
    """Return everything about one field."""
    writes = access.edits(type_, field) and field.compute is None
    long_text = field.type == "textarea" and field.length > 255
    plain = field.type != "address" and not long_text
    picklist = field.type in PICKLIST_TYPES
    return {
        "aggregatable": plain,
        "aiPredictionField": False,
        "autoNumber": False,
        "byteLength": field.length * (1 if field.type in {"id", "reference"} else 3),
        "calculated": field.compute is not None and field.custom,
        "calculatedFormula": field.formula,
        "cascadeDelete": field.delete_constraint == "Cascade",
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": None,
        "controllerName": None,
        "createable": field.createable and writes,
        "custom": field.custom,
        "defaultValue": shown(field.default) if not picklist else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": field.defaulted,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": 8 if field.type == "int" else 0,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": field.external_id,
        "extraTypeInfo": "plaintextarea" if long_text else None,
        "filterable": plain,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": plain
        and field.type not in NUMBER_TYPES | {"datetime", "time", "multipicklist"},
        "highScaleNumber": False,
        "htmlFormatted": field.html,
        "idLookup": key_field(field),
        "inlineHelpText": field.help_text,
        "label": field.label,
        "length": field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": len(field.reference_to) > 1,
        "nillable": field.nillable,
        "permissionable": field.permissionable,
        "picklistValues": [
            {
                "active": value.active,
                "defaultValue": value.default,
                "label": value.label,
                "validFor": None,
                "value": value.value,
            }
            for value in field.values
        ],
        "polymorphicForeignKey": len(field.reference_to) > 1,
        "precision": field.precision,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship_name,
        "relationshipOrder": None,
        "restrictedDelete": field.delete_constraint == "Restrict",
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "searchPrefilterable": False,
        "soapType": _SOAP_TYPES.get(field.type, "xsd:string"),
        "sortable": plain and field.type != "multipicklist",
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable and writes,
        "writeRequiresMasterRead": False,
    }
