"""A connection with response clocks, and the road from a message to what is told."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from messages import lead, lead_id, message, notification
from sqlalchemy import select

from sidecar.errors import SidecarError
from sidecar.intake import arrivals, outbound_message
from sidecar.jobs import clock_records, clocks
from sidecar.jobs.process import process
from sidecar.store import response_clocks
from sidecar.store.connections import OrgConnection
from sidecar.store.tables import follow_up, response_clock, response_clock_note
from sidecar.wiring import Wiring

REP, OTHER = "005000000000001AAA", "005000000000002AAA"
QUEUE = "00G000000000001AAA"
BACKUP, MANAGER = "005000000000008AAA", "005000000000009AAA"

PLAYBOOK = """
version: clocks 1
milestones:
  submitted:
    - action: call
      task: {subject: "Call {prospect}"}
    - action: ask-again
      after: 2 working days
      task: {subject: "Ask again"}
clocks:
  first-response:
    milestones: [submitted]
    within: 8 working hours
    others:
      - {type: Partner, within: 4 working hours}
    rests_at: [Parked]
    writes_due: true
    at_risk:
      at: 75 %
      actions:
        - {action: remind, email: {template: new_referral}}
    overdue:
      after: 1 working hour
      actions:
        - {action: tell-owner, task: {subject: "Overdue: {prospect}", priority: High}}
    backup:
      after: 4 working hours
      actions:
        - {action: take-over, task: {subject: "Take over {prospect}", to: backup}}
    manager:
      after: 8 working hours
      actions:
        - {action: step-in, email: {template: new_referral, to: manager}}
"""
# The whole day on every day: so much working time is so much time.
ALWAYS = (
    "hours: {"
    + ", ".join(
        f"{day}: 00:00-24:00"
        for day in (
            *("monday", "tuesday", "wednesday", "thursday", "friday"),
            *("saturday", "sunday"),
        )
    )
    + f"}}\nbackup: {BACKUP}\nmanager: {MANAGER}\n"
)


class Org:
    """Records and users as the org has them; counts its calls."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.read_calls = 0
        self.updates: list[list[str]] = []
        self.failure: SidecarError | None = None
        self.refused: dict[str, SidecarError] = {}

    def read(
        self,
        connection_id: int,
        object_type: str,
        ids: Sequence[str],
        fields: Sequence[str],
    ) -> dict[str, Mapping[str, Any]]:
        self.read_calls += 1
        if self.failure:
            raise self.failure
        return {id_: self.rows[id_] for id_ in ids if id_ in self.rows}

    def update(
        self,
        connection_id: int,
        object_type: str,
        changes: Sequence[tuple[str, Mapping[str, Any]]],
    ) -> list[SidecarError | None]:
        if self.failure:
            raise self.failure
        self.updates.append([id_ for id_, _ in changes])
        for id_, fields in changes:
            if id_ not in self.refused:
                self.rows[id_].update(fields)
        return [self.refused.get(id_) for id_, _ in changes]


class Floor:
    """One connection whose referrals are told, and whose clocks are looked at."""

    def __init__(self, wiring: Wiring, connection: OrgConnection) -> None:
        self.wiring = wiring
        self.connection = connection
        self.org = Org()
        self.rung: list[tuple[int, str]] = []
        self.number = 0

    def hear(self, *told: Mapping[str, str]) -> None:
        """Messages come in and are decided about."""
        parts = []
        for fields in told:
            self.number += 1
            parts.append(notification(self.number, fields))
        read = outbound_message.read(
            message(parts, org_id=self.connection.org_id), field_lists={}
        )
        ids = self.wiring.scribe.keep(
            arrivals.of(read, self.connection, self.wiring.now())
        )
        process(
            ids,
            engine=self.wiring.engine,
            keyring=self.wiring.keyring,
            records=self.org,
            playbook_of=self.wiring.playbook_of,
            ring_to_deliver=lambda id_, kind: self.rung.append((id_, kind)),
            now=self.wiring.now,
        )

    def submit(self, number: int = 1, status: str = "Submitted", **more: str) -> None:
        """A lead's status is set just now."""
        at = self.wiring.now()
        self.org.rows.setdefault(lead_id(number), {"Id": lead_id(number)})
        moment = f"{at:%Y-%m-%dT%H:%M:%S}.000Z"
        self.hear(lead(number, status, **{"SystemModstamp": moment, **more}))

    def tell(self) -> int:
        return clocks.tell(
            self.connection.id,
            engine=self.wiring.engine,
            keyring=self.wiring.keyring,
            playbook_of=self.wiring.playbook_of,
            ring_to_deliver=lambda id_, kind: self.rung.append((id_, kind)),
            now=self.wiring.now,
        )

    def meet(self) -> int:
        return clock_records.meet(
            self.connection.id,
            engine=self.wiring.engine,
            records=self.org,
            now=self.wiring.now,
        )

    def write(self) -> int:
        return clock_records.write(
            self.connection.id,
            engine=self.wiring.engine,
            records=self.org,
            updates=self.org,
            lease=timedelta(seconds=120),
            now=self.wiring.now,
        )

    def actions(self) -> list[str]:
        """What was planned, in order."""
        with self.wiring.engine.connect() as db:
            return list(db.scalars(select(follow_up.c.action).order_by(follow_up.c.id)))

    def clock(self, name: str = "first-response", number: int = 1) -> Any:
        with self.wiring.engine.connect() as db:
            return db.execute(
                select(response_clock).where(
                    response_clock.c.name == name,
                    response_clock.c.referral_key == lead_id(number),
                )
            ).one()

    def notes(self, number: int = 1) -> list[tuple[str, str | None]]:
        with self.wiring.engine.connect() as db:
            rows = db.execute(
                select(response_clock_note.c.what, response_clock_note.c.stage)
                .join(response_clock)
                .where(
                    response_clock.c.name == "first-response",
                    response_clock.c.referral_key == lead_id(number),
                )
                .order_by(response_clock_note.c.id)
            )
            return [(row.what, row.stage) for row in rows]

    def lanes_due(self, at: datetime) -> list[int]:
        with self.wiring.engine.connect() as db:
            return response_clocks.lanes_due(db, now=at)
