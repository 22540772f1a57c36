"""Records of an org: tasks written, leads and users read, many in one call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simple_salesforce.api import Salesforce

from sidecar.errors import SidecarError
from sidecar.referral.follow_up import Task
from sidecar.salesforce import refusals
from sidecar.salesforce.ids import is_id
from sidecar.salesforce.session import Sessions

TASK_KEY = "Referral_Followup_Key__c"
"""The package's external id on Activity."""

BATCH = 200
"""sObject Collections take 200 records a call: REST API Developer Guide."""

_REP_KNOWN_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class Rep:
    """A user of the org, as a mail needs them."""

    id: str
    name: str
    email: str
    active: bool
    locale: str
    time_zone: str
    language: str = "en_US"


@dataclass
class Records:
    """Reads and writes through ``sessions``; what is known of reps is kept a while."""

    sessions: Sessions
    _reps: dict[tuple[int, str], tuple[datetime, Rep]] = field(default_factory=dict)

    def put_tasks(
        self, connection_id: int, tasks: Sequence[tuple[str, Task]]
    ) -> list[str | SidecarError]:
        """
        Create tasks, or find those that an earlier call created.

        Args:
            tasks: at most 200, each with its key.

        Returns:
            For each task its 18-character id, or why Salesforce refused this one.

        Raises:
            Retryable, Permanent: about the call as a whole.

        Source:
            "Upsert Multiple Records with Fewer Round-Trips", REST API Developer Guide:
            results come in the order of the records.
        """
        answers = self._upsert(connection_id, tasks)
        moved = self._converted(connection_id, tasks, answers)
        if moved:
            again = self._upsert(connection_id, list(moved.values()))
            for place, answer in zip(moved, again, strict=True):
                answers[place] = answer
        now = self.sessions.now()
        return [
            str(answer["id"])
            if answer["success"]
            else refusals.of_errors(answer["errors"], now)
            for answer in answers
        ]

    def _upsert(
        self, connection_id: int, tasks: Sequence[tuple[str, Task]]
    ) -> list[Mapping[str, Any]]:
        body = {
            "allOrNone": False,
            "records": [_task(key, task) for key, task in tasks],
        }
        path = f"composite/sobjects/Task/{TASK_KEY}"
        return list(
            self.sessions.call(
                connection_id,
                lambda client: client.restful(path, method="PATCH", json=body),
            )
            or []
        )

    def _converted(
        self,
        connection_id: int,
        tasks: Sequence[tuple[str, Task]],
        answers: Sequence[Mapping[str, Any]],
    ) -> dict[int, tuple[str, Task]]:
        """
        Point what was meant for a lead, converted in the meantime, at what it became.

        A converted lead takes no more tasks; a rep converts within seconds of a
        milestone, before the task for it is there.
        """
        late = {
            place: tasks[place]
            for place, answer in enumerate(answers)
            if refusals.CONVERTED in refusals.codes(answer.get("errors"))
        }
        leads = sorted({task.who_id for _, task in late.values() if task.who_id})
        if not leads:
            return {}
        became = self.read(connection_id, "Lead", leads, CONVERTED)
        return {
            place: (
                key,
                replace(
                    task,
                    who_id=became[task.who_id]["ConvertedContactId"],
                    what_id=became[task.who_id]["ConvertedOpportunityId"],
                ),
            )
            for place, (key, task) in late.items()
            if task.who_id in became
        }

    def read(
        self,
        connection_id: int,
        object_type: str,
        ids: Sequence[str],
        fields: Sequence[str],
    ) -> dict[str, Mapping[str, Any]]:
        """
        Read records by id; one that is gone is missing from the answer.

        So is what is no id at all: messages may hold anything, and Salesforce would
        refuse the whole call because of it.

        Args:
            ids: any number; 200 are asked for in a call.

        Raises:
            Retryable, Permanent.
        """
        found: dict[str, Mapping[str, Any]] = {}
        known = [id_ for id_ in ids if is_id(id_)]
        for start in range(0, len(known), BATCH):
            listed = ", ".join(f"'{id_}'" for id_ in known[start : start + BATCH])
            soql = (
                f"SELECT {', '.join(fields)} FROM {object_type} "  # noqa: S608
                f"WHERE Id IN ({listed})"
            )
            answer = self.sessions.call(connection_id, _query(soql))
            found |= {record["Id"]: record for record in answer["records"]}
        return found

    def reps(self, connection_id: int, user_ids: Sequence[str]) -> dict[str, Rep]:
        """
        Find users; what was read in the last ten minutes is not read again.

        Raises:
            Retryable, Permanent.
        """
        now = self.sessions.now()
        known = {
            id_: rep
            for id_ in user_ids
            if (kept := self._reps.get((connection_id, id_)))
            for until, rep in [kept]
            if until > now
        }
        missing = sorted(set(user_ids) - set(known))
        if missing:
            for id_, row in self.read(connection_id, "User", missing, _USER).items():
                known[id_] = _rep(row)
                self._reps[connection_id, id_] = (now + _REP_KNOWN_FOR, known[id_])
        return known


def _query(soql: str) -> Callable[[Salesforce], Any]:
    return lambda client: client.query_all(soql)


CONVERTED = ("Id", "ConvertedContactId", "ConvertedOpportunityId")
_USER = (
    "Id",
    "Name",
    "Email",
    "IsActive",
    "LocaleSidKey",
    "TimeZoneSidKey",
    "LanguageLocaleKey",
)


def _zone(name: str | None) -> str:
    """Give a user's time zone; of one that nobody here knows, UTC has to do."""
    try:
        return ZoneInfo(name or "UTC").key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def _rep(row: Mapping[str, Any]) -> Rep:
    return Rep(
        id=row["Id"],
        name=row["Name"] or "",
        email=row["Email"] or "",
        active=bool(row["IsActive"]),
        locale=row["LocaleSidKey"] or "en_US",
        time_zone=_zone(row["TimeZoneSidKey"]),
        language=row["LanguageLocaleKey"] or "en_US",
    )


def _task(key: str, task: Task) -> dict[str, Any]:
    """No Status: the org's default is right, and a repeat must not reopen a task."""
    fields: dict[str, Any] = {
        "attributes": {"type": "Task"},
        TASK_KEY: key,
        "Subject": task.subject,
        "Description": task.description,
        "ActivityDate": task.due_on,
        "Priority": task.priority,
        "OwnerId": task.owner_id,
        "WhoId": task.who_id,
        "WhatId": task.what_id,
    }
    return {name: value for name, value in fields.items() if value is not None}
