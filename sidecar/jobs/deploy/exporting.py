"""Data that would go with the package, written to CSV files before it goes."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sidecar.errors import Permanent
from sidecar.salesforce import access, one_record
from sidecar.salesforce.caller import Caller, pages

_MARK = "Referral_Status__c"
"""A record of an object that stays holds data of ours where this field is filled."""


@dataclass(frozen=True)
class Data:
    """What a removal would take from people, beside metadata."""

    records: dict[str, int]
    """Object to the number of records that hold something of ours."""
    readable: dict[str, list[str]]
    """Object to the fields that can be exported."""
    unseen: tuple[str, ...]
    """Fields that nobody whom we can ask may read, as a warning each."""


def counted(caller: Caller, wanted: Mapping[str, Sequence[str]]) -> Data:
    """
    Count the records, and see which fields the caller can read.

    Args:
        wanted: object to fields, as the removal's plan names them.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    records: dict[str, int] = {}
    readable: dict[str, list[str]] = {}
    unseen: list[str] = []
    for name, fields in wanted.items():
        try:
            seen = access.described(caller, name)
        except Permanent:
            unseen.append(f"{name} cannot be read, and so not exported")
            continue
        readable[name] = [field for field in fields if field in seen]
        unseen += [
            f"{name}.{field} cannot be read, and so not exported"
            for field in fields
            if field not in seen
        ]
        if name.endswith("__c"):
            records[name] = one_record.count(caller, name)
        elif _MARK in seen and _MARK in fields:
            records[name] = one_record.count(caller, name, f"{_MARK} != null")
    return Data(records, readable, tuple(unseen))


def export(
    directory: Path, *, wanted: Mapping[str, Sequence[str]], caller: Caller
) -> dict[str, int]:
    """
    Write one file for each object, as the caller sees it.

    Args:
        directory: made where it is not there; files in it are replaced.
        wanted: object to fields, as ``counted`` found them readable.

    Returns:
        File to number of records.

    Raises:
        LoggedOut, Retryable, Permanent: what is written by then is whole.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    for name, fields in wanted.items():
        file = directory / f"{name}.csv"
        columns = list(dict.fromkeys(["Id", *fields]))
        written[file.name] = _write(caller, name=name, columns=columns, file=file)
    return written


def _write(caller: Caller, *, name: str, columns: list[str], file: Path) -> int:
    soql = f"SELECT {', '.join(columns)} FROM {name}"  # noqa: S608
    unfinished = file.with_suffix(".part")
    count = 0
    with unfinished.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(columns)
        for page in pages(caller, soql):
            writer.writerows(_row(record, columns) for record in page)
            count += len(page)
    unfinished.replace(file)
    return count


def _row(record: Mapping[str, Any], columns: list[str]) -> list[Any]:
    return ["" if record.get(name) is None else record[name] for name in columns]
