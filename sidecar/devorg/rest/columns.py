"""What ``columns=true`` tells of a query instead of its records.

The resource is undocumented; the official CLI asks for it to draw its tables.
"""

from sidecar.devorg.schema import NUMBER_TYPES, Field
from sidecar.devorg.soql.ast import AllFields, Call, FieldRef, Query
from sidecar.devorg.soql.functions import AGGREGATES
from sidecar.devorg.soql.resolve import Scope
from sidecar.devorg.soql.run import Result

_APEX_TYPES = {
    "id": "Id",
    "reference": "Id",
    "boolean": "Boolean",
    "int": "Integer",
    "date": "Date",
    "datetime": "Datetime",
    "time": "Time",
    "address": "Address",
    **dict.fromkeys(NUMBER_TYPES, "Double"),
}


def columns(result: Result) -> dict[str, object]:
    """Return the columns of a query, in the order selected."""
    query, scope = result.query, result.scope
    names = [
        item.path[-1].lower() for item in query.select if isinstance(item, FieldRef)
    ]
    return {
        "columnMetadata": _columns(query, scope),
        "entityName": scope.type.name,
        "groupBy": bool(query.group_by),
        "idSelected": "id" in names,
        "keyPrefix": scope.type.key_prefix,
    }


def _columns(query: Query, scope: Scope) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    unnamed = 0
    for item in query.select:
        match item:
            case FieldRef():
                found.append(_field(item, scope))
            case AllFields():
                found += [
                    _column(field.name, field)
                    for field in scope.access.readable(scope.type).values()
                ]
            case Query():
                found.append(_subquery(item, scope))
            case Call():
                name = item.alias or f"expr{unnamed}"
                unnamed += item.alias is None
                found.append(_function(item, name, scope))
    return found


def _field(item: FieldRef, scope: Scope) -> dict[str, object]:
    resolved = scope.resolve(item)
    column = _column(item.alias or resolved.field.name, resolved.field)
    for parent in reversed(resolved.parents):
        name = str(parent.relationship_name)
        outer = _column(name, parent)
        outer |= {"apexType": "SObject", "foreignKeyName": None, "textType": False}
        outer["joinColumns"] = [column]
        column = outer
    return column


def _subquery(item: Query, scope: Scope) -> dict[str, object]:
    child, reference = scope.child(item.from_, item.from_at)
    name = str(reference.child_relationship_name)
    column = _column(name, Field(name, name, "reference", custom=reference.custom))
    inner = _columns(item, child)
    return column | {"aggregate": True, "apexType": "List", "joinColumns": inner}


def _function(item: Call, name: str, scope: Scope) -> dict[str, object]:
    kind = "int" if item.function.startswith("COUNT") else "double"
    if item.argument is not None and item.function not in AGGREGATES:
        kind = scope.resolve(item.argument).field.type
    column = _column(name, Field(name, name, kind))
    return column | {"aggregate": item.function in AGGREGATES, "displayName": name}


def _column(name: str, field: Field) -> dict[str, object]:
    numeric = field.type in NUMBER_TYPES or field.type == "int"
    return {
        "aggregate": False,
        "apexType": _APEX_TYPES.get(field.type, "String"),
        "booleanType": field.type == "boolean",
        "columnName": name,
        "custom": field.custom,
        "displayName": name,
        "foreignKeyName": field.relationship_name,
        "insertable": field.createable,
        "joinColumns": [],
        "numberType": numeric,
        "textType": not numeric and field.type not in {"boolean", "address"},
        "updatable": field.updateable,
    }
