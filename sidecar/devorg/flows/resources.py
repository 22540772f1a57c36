"""What a flow's elements may refer to, and of which type it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.flows.steps import Whole
from sidecar.devorg.formula import FormulaError, Type
from sidecar.devorg.metadata.formula_scope import (
    field_of,
    global_type,
    not_there,
    type_of,
)
from sidecar.devorg.schema import Field

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# Flow data type -> formula type. SObject is told apart by its object name.
DATA_TYPES = {
    "String": Type.TEXT,
    "Number": Type.NUMBER,
    "Currency": Type.NUMBER,
    "Boolean": Type.BOOLEAN,
    "Date": Type.DATE,
    "DateTime": Type.DATETIME,
    "Picklist": Type.TEXT,
    "Multipicklist": Type.TEXT,
}

_FLOW_GLOBALS = {
    "$flow.currentdate": Type.DATE,
    "$flow.currentdatetime": Type.DATETIME,
    "$flow.interviewstarttime": Type.DATETIME,
    "$flow.interviewguid": Type.TEXT,
    "$flow.faultmessage": Type.TEXT,
    "$flow.currentrecord": Type.TEXT,
    "$globalconstant.true": Type.BOOLEAN,
    "$globalconstant.false": Type.BOOLEAN,
    "$globalconstant.emptystring": Type.TEXT,
}


class Resources:
    """The names that one flow knows; they grow while it is read."""

    def __init__(self, org: Org, object_name: str) -> None:
        """``object_name``: whose records start the flow; "" for none."""
        self._org = org
        # Name -> type, for records -> object, for collections -> either.
        self.simple: dict[str, Type] = {}
        self.records: dict[str, str] = {}
        self.collections: dict[str, Type | str] = {}
        if object_name:
            self.records = {"$Record": object_name, "$Record__Prior": object_name}

    def add(self, name: str, of: Type | str, *, collection: bool) -> None:
        """Make a variable known."""
        if collection:
            self.collections[name] = of
        elif isinstance(of, Type):
            self.simple[name] = of
        else:
            self.records[name] = of

    def whole(self, path: str) -> Whole | None:
        """Return what a path means as a record or a collection, or None."""
        if path in self.collections:
            return Whole(path, self.collections[path], collection=True)
        if path in self.records:
            return Whole(path, self.records[path], collection=False)
        return None

    def type_of(self, path: str) -> Type:
        """
        Return the type of what a path leads to.

        Raises:
            FormulaError: it leads nowhere.
        """
        if path in self.simple:
            return self.simple[path]
        if (found := _FLOW_GLOBALS.get(path.lower())) is not None:
            return found
        if (field := self.field_of(path)) is not None:
            return type_of(field)
        if path.startswith("$"):
            return global_type(self._org, path)
        raise not_there(path)

    def field_of(self, path: str) -> Field | None:
        """
        Return the field that a path through a record leads to; None: no record's.

        Raises:
            FormulaError: the record has no such field.
        """
        root, _, rest = path.partition(".")
        if root not in self.records or not rest:
            return None
        type_ = self._org.schema[self.records[root]]
        try:
            return field_of(self._org.schema, type_, rest)
        except FormulaError as exc:
            raise FormulaError(str(exc).replace(rest, path, 1)) from exc

    def of_entry(self, path: str) -> Type:
        """
        Return the same for an entry condition formula, which knows less.

        A reference that may point at several objects is told not to exist, as
        Salesforce tells of OwnerId or WhoId there.

        Raises:
            FormulaError: it leads nowhere.
        """
        found = self.type_of(path)
        field = self.field_of(path)
        if field is not None and len(field.reference_to) > 1:
            raise not_there(path.partition(".")[2])
        return found
