"""Sealing anew whatever an older key has sealed, while everything goes on working."""

from collections.abc import Iterator

from sqlalchemy import (
    Column,
    ColumnElement,
    Engine,
    Table,
    and_,
    select,
    tuple_,
    update,
)

from sidecar.keyring import Keyring
from sidecar.store.tables import metadata

_BATCH = 500


def sealed_columns() -> list[tuple[Table, Column[str]]]:
    """List the sealed columns: by the convention of ``tables``, by their names."""
    return [
        (table, column)
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name == "sealed" or column.name.endswith("_sealed")
    ]


def rotate(engine: Engine, keyring: Keyring) -> Iterator[tuple[str, int, int]]:
    """
    Seal every value of an older key with the newest, 500 rows a transaction.

    A row that somebody changes meanwhile is left alone: what they wrote is sealed with
    the newest key as soon as their process knows it.

    Yields:
        For each column its name, the values looked at, and those sealed anew.

    Raises:
        Permanent: no key of the ring opens a value.
    """
    for table, column in sealed_columns():
        looked = renewed = 0
        for batch in _batches(engine, table, column):
            looked += len(batch)
            renewed += _renew(engine, table, column, batch, keyring)
        yield f"{table.name}.{column.name}", looked, renewed


def _by_the_ring(table: Table, column: Column[str]) -> list[ColumnElement[bool]]:
    """What the ring itself has sealed: of a person's texts, it has sealed the key."""
    wanted = [column.is_not(None), column != ""]
    if "person_id" in table.columns:
        wanted.append(table.c.person_id.is_(None))
    return wanted


_Batch = list[tuple[tuple[object, ...], str]]  # primary key, sealed value


def _batches(engine: Engine, table: Table, column: Column[str]) -> Iterator[_Batch]:
    """Walk along the primary key; no transaction stays open in between."""
    keys = list(table.primary_key.columns)
    order = tuple_(*keys)
    last: tuple[object, ...] | None = None
    while True:
        asked = select(*keys, column).where(*_by_the_ring(table, column))
        asked = asked.order_by(*keys)
        if last is not None:
            asked = asked.where(order > tuple_(*last))
        with engine.connect() as db:
            rows = db.execute(asked.limit(_BATCH)).all()
        if not rows:
            return
        batch = [(tuple(row[:-1]), str(row[-1])) for row in rows]
        last = batch[-1][0]
        yield batch


def _renew(
    engine: Engine, table: Table, column: Column[str], batch: _Batch, keyring: Keyring
) -> int:
    keys = list(table.primary_key.columns)
    renewed = 0
    with engine.begin() as db:
        for key, sealed in batch:
            if (anew := keyring.renewed(sealed)) is None:
                continue
            same_row = [known == value for known, value in zip(keys, key, strict=True)]
            changed = db.execute(
                update(table)
                .where(and_(*same_row, column == sealed))
                .values({column: anew})
            )
            renewed += changed.rowcount
    return renewed
