"""What a column of a report holds for one row, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sidecar.devorg.metadata.report_columns import Column, Reportable
from sidecar.devorg.metadata.report_type import follow
from sidecar.devorg.permissions import Access
from sidecar.devorg.schema import Field, ObjectType, Row
from sidecar.devorg.soql.resolve import parent_row, value_of

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# One row of a report: a record of each of its objects, None where there is none.
Joined = tuple[Row | None, ...]
NUMBERS = frozenset(("int", "double", "currency", "percent"))


@dataclass(frozen=True)
class Bucket:
    """A column that puts a source's values together under other names."""

    name: str
    label: str
    source: str
    names: Mapping[str, str]
    other: str | None


class Columns:
    """The columns of one report, as one user sees them."""

    def __init__(
        self,
        org: Org,
        access: Access,
        reportable: Reportable,
        buckets: Mapping[str, Bucket],
    ) -> None:
        self._org = org
        self._access = access
        self._reportable = reportable
        self._buckets = buckets

    def find(self, name: str) -> Column | None:
        """Return what a column means, or None; of a bucket, its source."""
        bucket = self._buckets.get(name)
        return self._reportable.column(
            self._org.schema, bucket.source if bucket else name
        )

    def seen(self, name: str) -> bool:
        """Tell whether the user may see every field on the way to a column."""
        column = self.find(name)
        if column is None:
            return False
        type_: ObjectType | None = self._type(column)
        for step in column.path.split("."):
            field = _field(type_, step) if type_ else None
            if (
                type_ is None
                or field is None
                or not self._access.may("Read", type_)
                or field.key not in self._access.readable(type_)
            ):
                return False
            target = field.reference_to[0] if field.reference_to else ""
            type_ = self._org.schema.get(target)
        return True

    def label(self, name: str) -> str:
        """Return how people call a column."""
        if name in self._buckets:
            return self._buckets[name].label
        column = self.find(name)
        return name if column is None else column.field.label

    def type(self, name: str) -> str:
        """Return a column's data type as the Reports API calls it."""
        column = self.find(name)
        if column is None or name in self._buckets:
            return "string"
        if column.field.reference_to:
            return "id" if column.field.type == "id" else "string"
        return column.field.type

    def value(self, name: str, joined: Joined) -> object:
        """Return what a column holds; of a bucket, the bucket's name."""
        column = self.find(name)
        if column is None:
            return None
        _, value = self._at(column, joined)
        bucket = self._buckets.get(name)
        if bucket is None:
            return value
        return bucket.names.get("" if value is None else str(value), bucket.other)

    def identity(self, name: str, joined: Joined) -> object:
        """Return which record a column is about, None where there is none."""
        column = self.find(name)
        row = None if column is None else joined[column.table]
        return None if row is None else row["Id"]

    def shown(self, name: str, joined: Joined) -> dict[str, object]:
        """Return the cell of a column: label and value."""
        column = self.find(name)
        value = self.value(name, joined)
        if column is None or value is None or name in self._buckets:
            return {"label": "-" if value is None else str(value), "value": value}
        row, _ = self._at(column, joined)
        if column.field.reference_to:
            return {
                "label": self._name(column.field, row) or str(value),
                "value": value,
                "recordId": value,
            }
        if column.field.name_field and row is not None:
            return {"label": str(value), "value": row["Id"], "recordId": row["Id"]}
        return cell(column.field, value)

    def sortable(self, name: str, joined: Joined) -> object:
        """Return what rows are sorted by: the name, where there is one."""
        column = self.find(name)
        value = self.value(name, joined)
        if column is not None and column.field.reference_to and value is not None:
            row, _ = self._at(column, joined)
            return self._name(column.field, row)
        return value

    def _type(self, column: Column) -> ObjectType:
        return self._org.schema[self._reportable.tables[column.table].object_name]

    def _at(self, column: Column, joined: Joined) -> tuple[Row | None, object]:
        """Return the record at the end of a path, and its value there."""
        type_, row = self._type(column), joined[column.table]
        steps = column.path.split(".")
        for step in steps[:-1]:
            reference = _field(type_, step)
            if row is None or reference is None:
                return None, None
            row = parent_row(self._org, reference, row)
            type_ = self._org.schema[reference.reference_to[0]]
        field = follow(self._org.schema, type_, steps[-1])
        if row is None or field is None:
            return None, None
        return row, value_of(field, row)

    def _name(self, reference: Field, row: Row | None) -> str | None:
        parent = None if row is None else parent_row(self._org, reference, row)
        if parent is None:
            return None
        type_ = self._org.schema.of_id(str(parent["Id"]))
        field = type_.name_field if type_ else None
        return None if field is None else str(parent.get(field.name, ""))


def _field(type_: ObjectType, step: str) -> Field | None:
    return type_.field(step) or type_.relationship(step)


def cell(field: Field, value: object) -> dict[str, object]:
    """Return label and value of a plain value, in the locale en_US."""
    match value:
        case bool():
            return {"label": str(value).lower(), "value": value}
        case Decimal() | int() if field.type == "currency":
            amount = float(value)
            return {
                "label": money(amount),
                "value": {"amount": amount, "currency": None},
            }
        case Decimal() | int():
            return {"label": number(field.type, float(value)), "value": float(value)}
        case datetime():
            hour = value.hour % 12 or 12
            label = f"{value.month}/{value.day}/{value.year}, {hour}:{value:%M %p}"
            return {"label": label, "value": f"{value:%Y-%m-%dT%H:%M:%S}Z"}
        case date():
            return {"label": day(value), "value": value.isoformat()}
    labels = {each.value: each.label for each in field.values}
    return {"label": labels.get(str(value), str(value)), "value": value}


def day(value: date) -> str:
    """Write a date as en_US does."""
    return f"{value.month}/{value.day}/{value.year}"


def money(amount: float) -> str:
    """Write an amount in the org's only currency."""
    return f"${amount:,.2f}" if amount >= 0 else f"(${-amount:,.2f})"


def number(kind: str, value: float) -> str:
    """Write a number: of a percent with its sign, a whole one without fraction."""
    plain = f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{plain}%" if kind == "percent" else plain
