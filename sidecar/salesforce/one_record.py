"""One record at a time: made, written, read, removed.

Source: "Work with Records", REST API Developer Guide.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sidecar.errors import Permanent
from sidecar.salesforce.caller import Caller, gone, query, quoted, rest


def create(caller: Caller, object_type: str, values: Mapping[str, Any]) -> str:
    """
    Create a record. To repeat it makes another: look for the first one before.

    Returns:
        Its id.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    return str(rest(caller, "POST", f"sobjects/{object_type}", json=dict(values))["id"])


def change(
    caller: Caller, object_type: str, record_id: str, values: Mapping[str, Any]
) -> None:
    """
    Change fields of a record.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    rest(caller, "PATCH", f"sobjects/{object_type}/{record_id}", json=dict(values))


def read(
    caller: Caller, object_type: str, record_id: str, fields: Collection[str]
) -> dict[str, Any] | None:
    """
    Read fields of a record; None where it is gone.

    Raises:
        LoggedOut, Retryable, Permanent: a field that the user may not see is unknown.
    """
    soql = (
        f"SELECT {', '.join(fields)} FROM {object_type} "  # noqa: S608
        f"WHERE Id = {quoted([record_id])}"
    )
    return next(iter(query(caller, soql)), None)


def remove(caller: Caller, object_type: str, record_id: str) -> None:
    """
    Delete a record; one that is gone already is fine.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    try:
        rest(caller, "DELETE", f"sobjects/{object_type}/{record_id}")
    except Permanent as exc:
        if not gone(exc):
            raise


def count(caller: Caller, object_type: str, where: str = "") -> int:
    """
    Count records.

    Args:
        where: a SOQL condition; none counts all.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    condition = f" WHERE {where}" if where else ""
    soql = f"SELECT COUNT() FROM {object_type}{condition}"  # noqa: S608
    return int(rest(caller, "GET", "query", params={"q": soql})["totalSize"])
