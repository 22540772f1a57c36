"""What a flow's elements may refer to, and of which type it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.formula import FormulaError, Type
from sidecar.devorg.metadata.formula_scope import (
    field_of,
    global_type,
    not_there,
    type_of,
)

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
    "$flow.faultmessage": Type.TEXT,
    "$flow.currentrecord": Type.TEXT,
    "$globalconstant.true": Type.BOOLEAN,
    "$globalconstant.false": Type.BOOLEAN,
    "$globalconstant.emptystring": Type.TEXT,
}


class Resources:
    """The names that one flow knows; ``simple`` and ``records`` grow while reading."""

    def __init__(self, org: Org, object_name: str) -> None:
        """``object_name``: whose saving starts the flow."""
        self._org = org
        # Name -> type, and for records name -> object.
        self.simple: dict[str, Type] = {}
        self.records = {"$Record": object_name, "$Record__Prior": object_name}

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
        root, _, rest = path.partition(".")
        if root in self.records and rest:
            type_ = self._org.schema[self.records[root]]
            try:
                return type_of(field_of(self._org.schema, type_, rest))
            except FormulaError as exc:
                raise FormulaError(str(exc).replace(rest, path, 1)) from exc
        if path.startswith("$"):
            return global_type(self._org, path)
        raise not_there(path)

    def of_entry(self, path: str) -> Type:
        """
        Return the same for an entry condition formula, which knows less.

        A reference that may point at several objects is told not to exist, as
        Salesforce tells of OwnerId or WhoId there.

        Raises:
            FormulaError: it leads nowhere.
        """
        found = self.type_of(path)
        root, _, rest = path.partition(".")
        if root in self.records:
            type_ = self._org.schema[self.records[root]]
            if len(field_of(self._org.schema, type_, rest).reference_to) > 1:
                raise not_there(rest)
        return found
