"""Setup records that a deployment writes, as the platform itself does."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.devorg.metadata.work import Work
from sidecar.devorg.schema import Row


def keep_row(
    work: Work, type_name: str, record_id: str | None, values: Mapping[str, object]
) -> str:
    """
    Create a setup record, or put it in the place of its earlier self.

    Args:
        record_id: None for a new one.
        values: by field; None is left out.

    Returns:
        The record's id.
    """
    org = work.org
    type_ = org.schema[type_name]
    table = org.records.table(type_name)
    record_id = record_id or org.ids.new(type_.key_prefix or "000")
    now = org.clock.second()
    before = table.rows.get(record_id)
    row: Row = {
        "Id": record_id,
        "IsDeleted": False,
        "CreatedDate": before["CreatedDate"] if before else now,
        "CreatedById": before["CreatedById"] if before else work.user_id,
        "LastModifiedDate": now,
        "LastModifiedById": work.user_id,
        "SystemModstamp": now,
    }
    for field in type_.fields.values():
        if field.default is not None:
            row.setdefault(field.name, field.default)
    row.update({name: value for name, value in values.items() if value is not None})
    table.put(record_id, row)
    return record_id


def forget_rows(work: Work, type_name: str, field: str, value: object) -> None:
    """Delete the setup records whose ``field`` has this value."""
    table = work.org.records.table(type_name)
    for record_id, row in list(table.rows.items()):
        if row.get(field) == value:
            table.delete(record_id)
