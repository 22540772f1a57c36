"""Data that would go with the package, written to CSV files before it goes."""

import csv
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sidecar.salesforce.caller import Caller, pages


def export(
    directory: Path,
    *,
    wanted: Mapping[str, Sequence[str]],
    as_integration: Callable[[Callable[[Caller], int]], int],
) -> dict[str, int]:
    """
    Write one file for each object, as the integration user sees it.

    Args:
        directory: made where it is not there; files in it are replaced.
        wanted: object to fields, as the removal's plan names them.

    Returns:
        File to number of records.

    Raises:
        Retryable, Permanent: what is written by then is complete, object by object.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    for name, fields in wanted.items():
        file = directory / f"{name}.csv"
        columns = list(dict.fromkeys(["Id", *fields]))
        write = partial(_write, name=name, columns=columns, file=file)
        written[file.name] = as_integration(write)
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
