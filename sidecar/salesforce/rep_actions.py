"""What a rep does through a link: the record's status, and a word on its task.

We write as the integration user, so the note says in whose name. The change comes
back to us like any other, and only then counts.

Source: "Collections of sObjects" (PATCH, ``allOrNone``), REST API Developer Guide.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sidecar.errors import Permanent
from sidecar.salesforce import refusals
from sidecar.salesforce.records import TASK_KEY
from sidecar.salesforce.session import Sessions

STATUS = "Referral_Status__c"
REASON = "Referral_Lost_Reason__c"
_DESCRIPTION_LIMIT = 32_000  # Task.Description, Object Reference
_OBJECTS = frozenset({"Lead", "Contact", "Opportunity"})


@dataclass(frozen=True)
class Deed:
    """
    What a rep wants done.

    Attributes:
        seen: the status that the rep was shown; None where it does not matter.
        status: the new one; None to leave it.
        reason: why it is lost, as the org has it; None to leave it.
        note: lines for the task, the first of them with the rep's name.
        task_keys: external ids of tasks that the note may go to, the best first.
        new_task_key: external id of the task that is made where there is none.
        subject: of such a task.
        due_on: by when the task is due from now on; None to leave it.
        complete: whether the task is done.
    """

    object_type: str
    record_id: str
    owner_id: str
    note: str
    new_task_key: str
    subject: str
    seen: str | None = None
    status: str | None = None
    reason: str | None = None
    task_keys: tuple[str, ...] = ()
    due_on: date | None = None
    complete: bool = False


@dataclass(frozen=True)
class Stale:
    """The record is no longer as the rep saw it; nothing was changed."""

    status: str | None


def carry_out(sessions: Sessions, connection_id: int, deed: Deed) -> Stale | None:
    """
    Do it, all of it or nothing; to repeat it changes nothing more.

    Returns:
        None where it is done, or was already.

    Raises:
        Retryable, Permanent: with Salesforce's words.
    """
    status = deed.status
    if status is not None:
        found = _status(sessions, connection_id, deed)
        if found == status:
            status = None
        elif deed.seen is not None and found != deed.seen:
            return Stale(found)
    task = _task(sessions, connection_id, deed.task_keys)
    if task is None:
        _make_task(sessions, connection_id, deed)
    changes = [
        *([] if task is None else [_changed(task, deed)]),
        *([] if status is deed.reason is None else [_record(deed, status)]),
    ]
    if changes:
        _write(sessions, connection_id, "composite/sobjects", changes)
    return None


def _status(sessions: Sessions, connection_id: int, deed: Deed) -> str | None:
    if deed.object_type not in _OBJECTS or not deed.record_id.isalnum():
        raise Permanent(f"no referral status is kept on {deed.object_type}")
    soql = (
        f"SELECT {STATUS} FROM {deed.object_type} "  # noqa: S608
        f"WHERE Id = '{deed.record_id}'"
    )
    rows = _query(sessions, connection_id, soql)
    if not rows:
        raise Permanent("the record is no longer there, or hidden from us")
    status: str | None = rows[0][STATUS]
    return status


def _task(
    sessions: Sessions, connection_id: int, keys: tuple[str, ...]
) -> Mapping[str, Any] | None:
    """The first that is open, or else the first."""
    listed = ", ".join(f"'{key}'" for key in keys if key.isalnum())
    if not listed:
        return None
    soql = (
        f"SELECT Id, {TASK_KEY}, Description, IsClosed FROM Task "  # noqa: S608
        f"WHERE {TASK_KEY} IN ({listed})"
    )
    rows = _query(sessions, connection_id, soql)
    rows.sort(key=lambda row: (row["IsClosed"], keys.index(row[TASK_KEY])))
    return rows[0] if rows else None


def _changed(task: Mapping[str, Any], deed: Deed) -> dict[str, Any]:
    before = task["Description"] or ""
    said = before if deed.note in before else f"{before}\n\n{deed.note}".strip()
    values: dict[str, Any] = {"Description": said[-_DESCRIPTION_LIMIT:]}
    if not task["IsClosed"]:
        values |= _state(deed)
    return {"attributes": {"type": "Task"}, "Id": task["Id"], **values}


def _state(deed: Deed) -> dict[str, Any]:
    state: dict[str, Any] = {}
    if deed.due_on is not None:
        state["ActivityDate"] = deed.due_on.isoformat()
    if deed.complete:
        state["Status"] = "Completed"
    return state


def _make_task(sessions: Sessions, connection_id: int, deed: Deed) -> None:
    """Keep the note where no task can take it: one of its own, done unless due."""
    person = deed.object_type in {"Lead", "Contact"}
    task = {
        "attributes": {"type": "Task"},
        TASK_KEY: deed.new_task_key,
        "Subject": deed.subject[:255],
        "Description": deed.note,
        "OwnerId": deed.owner_id,
        "WhoId" if person else "WhatId": deed.record_id,
        **({} if deed.due_on else {"Status": "Completed"}),
        **_state(deed),
    }
    _write(sessions, connection_id, f"composite/sobjects/Task/{TASK_KEY}", [task])


def _record(deed: Deed, status: str | None) -> dict[str, Any]:
    kind = {"type": deed.object_type}
    told = {STATUS: status, REASON: deed.reason}
    values = {name: value for name, value in told.items() if value is not None}
    return {"attributes": kind, "Id": deed.record_id, **values}


def _write(
    sessions: Sessions, connection_id: int, path: str, records: list[dict[str, Any]]
) -> None:
    body = {"allOrNone": True, "records": records}
    answers = sessions.call(
        connection_id,
        lambda client: client.restful(path, method="PATCH", json=body),
    )
    refused = [
        error
        for answer in answers or []
        if not answer["success"]
        for error in answer["errors"]
        # What the others say where one has failed: "Record rolled back ...".
        if error.get("statusCode") != "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    ]
    if refused:
        raise refusals.of_errors(refused, sessions.now())


def _query(sessions: Sessions, connection_id: int, soql: str) -> list[dict[str, Any]]:
    answer = sessions.call(connection_id, lambda client: client.query_all(soql))
    return list(answer["records"])
