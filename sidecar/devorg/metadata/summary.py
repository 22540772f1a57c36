"""Roll-up summary fields: what a master says of its details, computed when read.

Source: "Roll-Up Summary Field", Salesforce Help, and "CustomField", Metadata API
Developer Guide. A save of the master that a changed roll-up causes in Salesforce, with
its rules and flows, does not happen here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sidecar.devorg.metadata.element import Element, Problem, child, children, text
from sidecar.devorg.metadata.work import Work, missing
from sidecar.devorg.schema import Field, ObjectType, Row

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_SUMMABLE = frozenset(("double", "currency", "percent", "int"))
_COMPARABLE = _SUMMABLE | {"date", "datetime"}
# Master-details that Salesforce brings, beside those of custom objects.
_STANDARD_DETAILS = frozenset(
    (("Opportunity", "AccountId"), ("CampaignMember", "CampaignId"))
)


@dataclass(frozen=True)
class _Filter:
    field: Field
    operation: str
    values: tuple[str, ...]

    def accepts(self, row: Row) -> bool:
        kept = row.get(self.field.name)
        if self.field.compute is not None:
            kept = self.field.compute(row)
        match self.operation:
            case "equals":
                return any(_equal(kept, each) for each in self.values)
            case "notEqual":
                return not any(_equal(kept, each) for each in self.values)
            case "contains":
                return any(each in str(kept or "").lower() for each in self.values)
            case "notContain":
                return all(each not in str(kept or "").lower() for each in self.values)
            case "startsWith":
                return str(kept or "").lower().startswith(self.values)
            case _:
                return kept is not None and _ordered(
                    self.operation, kept, self.values[0]
                )


def _equal(kept: object, wanted: str) -> bool:
    if kept is None or kept == "":
        return wanted == ""
    if isinstance(kept, bool):
        return kept == (wanted in {"true", "1"})
    if isinstance(kept, (int, Decimal)):
        return bool(wanted) and Decimal(kept) == Decimal(wanted)
    return str(kept).lower() == wanted


def _ordered(operation: str, kept: object, wanted: str) -> bool:
    if isinstance(kept, (int, Decimal)):
        number, limit = Decimal(kept), Decimal(wanted)
        lower, higher = number < limit, number > limit
    else:
        moment = _moment(kept)
        lower, higher = moment < wanted, moment > wanted
    return {
        "lessThan": lower,
        "greaterThan": higher,
        "lessOrEqual": not higher,
        "greaterOrEqual": not lower,
    }[operation]


def _moment(kept: object) -> str:
    if isinstance(kept, datetime):
        return f"{kept:%Y-%m-%dT%H:%M:%S}.000Z".lower()
    return kept.isoformat() if isinstance(kept, date) else str(kept).lower()


def read(work: Work, type_: ObjectType, made: Field, element: Element) -> None:
    """
    Fill in a field of type Summary.

    Raises:
        Problem: Salesforce would refuse it.
    """
    operation = text(element, "summaryOperation")
    if operation is None:
        raise _needed("summaryOperation")
    detail, lookup = _detail(work, type_, text(element, "summaryForeignKey"))
    summarized = _summarized(detail, operation, text(element, "summarizedField"))
    made.createable = made.updateable = False
    made.precision, made.scale = 18, 0
    made.type = "double"
    if summarized is not None:
        made.type, made.scale = summarized.type, summarized.scale
    filters = [
        _filter(detail, each) for each in children(element, "summaryFilterItems")
    ]
    made.compute = _computed(
        work.org, detail.name, lookup, operation, summarized, filters
    )


def _needed(name: str) -> Problem:
    return Problem(f"Must specify '{name}' for a CustomField of type Summary")


def _detail(work: Work, type_: ObjectType, key: str | None) -> tuple[ObjectType, Field]:
    if key is None:
        raise _needed("summaryForeignKey")
    object_name, _, name = key.partition(".")
    detail = work.org.schema.get(object_name)
    lookup = detail.field(name) if detail else None
    if detail is None or lookup is None:
        raise missing("summaryForeignKey", "CustomField", key)
    master = lookup.custom and lookup.delete_constraint == "Cascade"
    if not (master or (detail.name, lookup.name) in _STANDARD_DETAILS) or (
        type_.name not in lookup.reference_to
    ):
        raise Problem(f"{key} is no master-detail relationship to {type_.name}")
    return detail, lookup


def _summarized(detail: ObjectType, operation: str, path: str | None) -> Field | None:
    if operation == "count":
        if path is not None:
            raise Problem(
                "Can not specify 'summarizedField' for a summary of type count"
            )
        return None
    if path is None:
        raise _needed("summarizedField")
    object_name, _, name = path.partition(".")
    found = detail.field(name) if object_name == detail.name else None
    if found is None:
        raise missing("summarizedField", "CustomField", path)
    if found.type not in (_SUMMABLE if operation == "sum" else _COMPARABLE):
        raise Problem(f"{path} can't be used in a summary of type {operation}")
    return found


def _filter(detail: ObjectType, element: Element) -> _Filter:
    path = text(element, "field") or ""
    object_name, _, name = path.partition(".")
    found = detail.field(name) if object_name == detail.name else None
    if found is None:
        raise missing("field", "CustomField", path)
    operation = text(element, "operation") or ""
    if operation in {"includes", "excludes", "within"}:
        raise Problem(f"{operation} can't be used in a summary filter")
    value = child(element, "value")
    words = ((value.text or "") if value is not None else "").split(",")
    return _Filter(found, operation, tuple(word.strip().lower() for word in words))


def _computed(
    org: Org,
    detail_name: str,
    lookup: Field,
    operation: str,
    summarized: Field | None,
    filters: Sequence[_Filter],
) -> Callable[[Row], object]:
    def compute(master: Row) -> object:
        table = org.records.table(detail_name)
        rows = [
            table.rows[record_id]
            for record_id in table.find(lookup, [master.get("Id")])
        ]
        kept = [row for row in rows if all(each.accepts(row) for each in filters)]
        if summarized is None:
            return Decimal(len(kept))
        given = [
            value for row in kept if (value := _value(summarized, row)) is not None
        ]
        if operation == "sum":
            numbers = [Decimal(str(each)) for each in given]
            return sum(numbers, Decimal(0)).quantize(
                Decimal(1).scaleb(-summarized.scale)
            )
        if not given:
            return None
        lowest = sorted(given, key=_rank)
        return lowest[0] if operation == "min" else lowest[-1]

    return compute


def _rank(value: object) -> Decimal | str:
    return Decimal(str(value)) if isinstance(value, (int, Decimal)) else _moment(value)


def _value(field: Field, row: Row) -> object:
    return field.compute(row) if field.compute else row.get(field.name)
