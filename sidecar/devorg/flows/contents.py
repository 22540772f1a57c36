"""What a flow's variables hold: values, records, and collections of either."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from sidecar.devorg.formula import Value
from sidecar.devorg.schema import Field, Row
from sidecar.devorg.values import Unparsable, typed

MERGE_FIELD = re.compile(r"\{!([^}]+)\}")


@dataclass
class Held:
    """
    A record in the hands of a flow, apart from the one that is stored.

    ``written`` names the fields that the flow has set.
    """

    object_name: str
    row: Row
    written: set[str] = field(default_factory=set)

    def copy(self) -> Held:
        """Return a record of its own: variables pass records by value."""
        return Held(self.object_name, dict(self.row), set(self.written))

    def set(self, into: Field, value: Value) -> None:
        """Give the record a value; null and the empty text leave it empty."""
        given = None if value == "" else kept(into, value)
        if given is None:
            self.row.pop(into.name, None)
        else:
            self.row[into.name] = given
        self.written.add(into.name)


Item = Value | Held
Content = Item | list[Item]


def copied(content: Content) -> Content:
    """Return the same content, so that a change to one does not touch the other."""
    if isinstance(content, list):
        return [each.copy() if isinstance(each, Held) else each for each in content]
    return content.copy() if isinstance(content, Held) else content


def as_items(content: Content) -> list[Item]:
    """Return a collection's items; null has none, anything else is one."""
    if content is None:
        return []
    return content if isinstance(content, list) else [content]


def kept(into: Field, value: Value) -> object:
    """Return one value as the org keeps values of a field."""
    if into.type == "int" and isinstance(value, Decimal):
        return int(value.to_integral_value(ROUND_HALF_UP))
    try:
        return typed(into, value)
    except Unparsable:
        return value
