"""The records of one object, in memory, with the indexes that lookups need."""

from collections.abc import Callable, Iterable

from sidecar.devorg.journal import Journal
from sidecar.devorg.schema import Field, Row

Index = dict[object, dict[str, None]]


def index_key(field: Field, value: object) -> object:
    """Return ``value`` as equality compares it: text without regard to case."""
    if isinstance(value, str) and not (
        field.case_sensitive or field.type in {"id", "reference"}
    ):
        return value.lower()
    return value


class Table:
    """
    Rows by id, in order of creation. A row is never changed, only replaced.

    Indexes are made when first asked for and kept from then on. Deleted rows lie
    in ``bin``, where queryAll finds them.
    """

    def __init__(
        self,
        name: str,
        *,
        journal: Journal,
        touched: Callable[[], None] | None = None,
    ) -> None:
        """``touched`` is called after each change, and after its undoing."""
        self.name = name
        self.rows: dict[str, Row] = {}
        self.bin: dict[str, Row] = {}
        self._journal = journal
        self._touched = touched
        self._indexes: dict[str, tuple[Field, Index]] = {}

    def put(self, record_id: str, row: Row) -> None:
        """Add the row, or put it in the place of its earlier self."""
        before = self.rows.get(record_id)
        self._set(record_id, row)
        self._journal.undo(lambda: self._set(record_id, before))

    def delete(self, record_id: str) -> None:
        """Move the row to the bin."""
        row = self.rows[record_id]
        self._set(record_id, None)
        self.bin[record_id] = {**row, "IsDeleted": True}

        def undelete() -> None:
            self.bin.pop(record_id, None)
            self._set(record_id, row)

        self._journal.undo(undelete)

    def find(self, field: Field, values: Iterable[object]) -> list[str]:
        """Return the ids of the rows whose ``field`` equals one of ``values``."""
        index = self._index(field)
        found: dict[str, None] = {}
        for value in values:
            found.update(index.get(index_key(field, value), {}))
        return list(found)

    def clear(self) -> None:
        """Drop every row, for good."""
        self.rows.clear()
        self.bin.clear()
        self._indexes.clear()

    def forget_field(self, field: Field) -> None:
        """Erase the values of a removed field."""
        self._indexes.pop(field.key, None)
        for record_id, row in list(self.rows.items()):
            if field.name in row:
                rest = {k: v for k, v in row.items() if k != field.name}
                self.put(record_id, rest)

    def forget_indexes(self) -> None:
        """Drop every index: field definitions have changed."""
        self._indexes.clear()

    def _index(self, field: Field) -> Index:
        known = self._indexes.get(field.key)
        if known is not None and known[0] is field:
            return known[1]
        index: Index = {}
        self._indexes[field.key] = (field, index)
        for record_id, row in self.rows.items():
            if (value := row.get(field.name)) is not None:
                index.setdefault(index_key(field, value), {})[record_id] = None
        return index

    def _set(self, record_id: str, row: Row | None) -> None:
        before = self.rows.get(record_id)
        for field, index in self._indexes.values():
            old = None if before is None else before.get(field.name)
            new = None if row is None else row.get(field.name)
            if old == new:
                continue
            if old is not None:
                key = index_key(field, old)
                holders = index.get(key, {})
                holders.pop(record_id, None)
                if not holders:
                    index.pop(key, None)
            if new is not None:
                index.setdefault(index_key(field, new), {})[record_id] = None
        if row is None:
            self.rows.pop(record_id, None)
        else:
            self.rows[record_id] = row
        if self._touched is not None:
            self._touched()
