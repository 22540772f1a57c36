"""An org where things happen, a door that hears of some of them, and the truth."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import select

from sidecar.demo import stage
from sidecar.devorg.process import Running
from sidecar.jobs.reconcile import EVERY
from sidecar.referral.follow_up import follow_up_key
from sidecar.salesforce import lead_conversion
from sidecar.salesforce.caller import caller_for
from sidecar.salesforce.records import TASK_KEY
from sidecar.store import follow_ups, inbox, reached, reconciliations
from sidecar.store.connections import OrgConnection
from sidecar.store.reached import Day
from sidecar.store.reconciliations import Reconciliation
from sidecar.store.tables import event, referral
from sidecar.wiring import Wiring

ACTIONS = {
    "Submitted": "call-prospect",
    "Contacted": "qualify-prospect",
    "Qualified": "make-offer",
    "Opportunity": "advance-opportunity",
    "Won": "thank-referrer",
    "Lost": "tell-referrer",
}


Deed = tuple[str, str, str]
"""Task or mail, the referral's key, the status."""


@dataclass
class Life:
    """What happens in the org, and what we make of it."""

    wiring: Wiring
    connection: OrgConnection
    org: Running
    mails: list[str]
    """The Message-IDs of the mails sent."""
    truth: dict[str, list[str]] = field(default_factory=dict)
    """Lead id, which is the referral's key, to the statuses that it has reached."""
    opportunities: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.admin = stage.client(self.org)
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(self.org.ca_file)

    # --- the org ---------------------------------------------------------------------

    def door(self, method: str, path: str, /, **body: object) -> Any:
        """Ask the org's back door."""
        answer = self.http.request(
            method, f"{self.org.base_url}/devorg{path}", json=body, timeout=30
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def misfortunes(self, **switches: object) -> None:
        """Set what outbound messages suffer."""
        self.door("POST", "/outbound", **switches)

    def lag(self, seconds: float) -> None:
        """Let changes be found by their time only so much later."""
        self.door("POST", "/visibility", lag_s=seconds)

    def refer(self, count: int, **more: object) -> list[str]:
        """Create referred leads."""
        rows = [
            {
                "attributes": {"type": "Lead"},
                "FirstName": "Ada",
                "LastName": f"Example {number}",
                "Company": "Example Ltd",
                "Referrer_Name__c": "Mira Sample",
                "Referral_Status__c": "Submitted",
                "OwnerId": self.org.user_ids[self.org.reps[number % 3]],
                **more,
            }
            for number in range(count)
        ]
        ids = [str(answer["id"]) for answer in self._save("POST", rows)]
        first = str(more.get("Referral_Status__c", "Submitted"))
        self.truth |= {id_: [first] for id_ in ids}
        return ids

    def move(self, wanted: Mapping[str, str]) -> None:
        """Change statuses, by lead id; of a converted lead, its opportunity's."""
        rows = []
        for id_, status in wanted.items():
            record_id = self.opportunities.get(id_, id_)
            kind = "Opportunity" if id_ in self.opportunities else "Lead"
            attributes = {"attributes": {"type": kind}}
            rows.append({**attributes, "Id": record_id, "Referral_Status__c": status})
            if status not in self.truth[id_]:
                self.truth[id_].append(status)
        self._save("PATCH", rows)

    def change(self, ids: Iterable[str], **values: object) -> None:
        """Change leads otherwise."""
        self._save(
            "PATCH",
            [{"attributes": {"type": "Lead"}, "Id": id_, **values} for id_ in ids],
        )

    def convert(self, id_: str) -> None:
        """Convert a lead: the flow makes an opportunity of the referral."""
        caller = caller_for(
            self.org.base_url, self.org.admin_token, ca_file=Path(str(self.org.ca_file))
        )
        became = lead_conversion.convert(
            caller,
            id_,
            status=lead_conversion.converted_status(caller),
            opportunity_name="Example",
        )
        self.opportunities[id_] = became.opportunity_id
        self.truth[id_].append("Opportunity")

    def delete(self, id_: str) -> None:
        """Delete a lead."""
        self.admin.restful(f"sobjects/Lead/{id_}", method="DELETE")
        self.deleted.add(id_)

    def _save(self, method: str, rows: Sequence[Mapping[str, object]]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(rows), 200):
            body = {"records": rows[start : start + 200]}
            found += self.admin.restful("composite/sobjects", method=method, json=body)
        assert all(answer["success"] for answer in found), found
        return found

    # --- time and work -----------------------------------------------------------------

    def sync(self) -> None:
        """Set our clock by the org's."""
        there = datetime.fromisoformat(self.door("GET", "")["now"])
        self.wiring.now.move(seconds=(there - self.wiring.now()).total_seconds())

    def pass_time(self, **by: float) -> None:
        """Let time pass, there and here."""
        self.door("POST", "/clock", advance_s=timedelta(**by).total_seconds())
        self.sync()

    def hear(self) -> None:
        """Wait until the org has nothing left to say now."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            told = self.door("GET", "/outbound?limit=500")
            now = datetime.fromisoformat(self.door("GET", "")["now"])
            due = [
                each
                for each in told["waiting"]
                if datetime.fromisoformat(each["due_at"]) <= now
            ]
            if not due and not told["under_way"]:
                return
            time.sleep(0.05)
        raise AssertionError("messages wait for ever")

    def work(self) -> None:
        """Do all that is due, as workers would."""
        for _ in range(200):
            with self.wiring.engine.connect() as db:
                events = inbox.due(db, now=self.wiring.now())
                waiting = follow_ups.due(db, now=self.wiring.now())
            for ids in events.values():
                self.wiring.process(ids)
            for connection_id, kind in waiting:
                self.wiring.deliver(connection_id, kind)
            if not events and not waiting:
                return
        raise AssertionError(f"work without end: {events or waiting}")

    def reconcile(self) -> Reconciliation:
        """Do what the clock and a worker do about reconciliation, and its work."""
        with self.wiring.engine.begin() as db:
            reconciliations.set_up(db, now=self.wiring.now(), first_after=EVERY)
            due = reconciliations.due(db, now=self.wiring.now())
        for id_ in due:
            self.wiring.reconcile(id_)
        self.work()
        return self.regular()

    def regular(self) -> Reconciliation:
        """The regular reconciliation."""
        with self.wiring.engine.connect() as db:
            found = reconciliations.regular(db, self.connection.id)
        assert found is not None
        assert found.error is None, found.error
        return found

    def live(self, **by: float) -> None:
        """Let time pass, hear, work, and reconcile where it is due."""
        self.pass_time(**by)
        self.hear()
        self.work()
        self.reconcile()

    def settle(self) -> None:
        """Let all that is under way come to its end, twice over."""
        for _ in range(3):
            self.live(minutes=16)

    # --- what is, and what should be ---------------------------------------------------

    def living(self) -> dict[str, list[str]]:
        """The truth about the leads that are still there."""
        return {k: v for k, v in self.truth.items() if k not in self.deleted}

    def wanted(self) -> Counter[Deed]:
        """What should have been done: a task and a mail for each status."""
        return Counter(
            (kind, key, status)
            for key, statuses in self.living().items()
            for status in statuses
            for kind in ("task", "mail")
        )

    def done(self) -> Counter[Deed]:
        """What has been done; of deleted leads nothing is asked."""
        names: dict[str, Deed] = {}
        for key, statuses in self.truth.items():
            for status in statuses:
                names[self._key(key, status, ACTIONS[status])] = ("task", key, status)
                names[self._key(key, status, "tell-owner")] = ("mail", key, status)
        rows = self.admin.query_all(
            f"SELECT {TASK_KEY} FROM Task WHERE {TASK_KEY} != null"
        )["records"]
        found = Counter(
            names.get(key, ("unknown", key, ""))
            for key in (*(row[TASK_KEY] for row in rows), *self.mails)
        )
        return Counter({k: v for k, v in found.items() if k[1] not in self.deleted})

    def _key(self, key: str, status: str, action: str) -> str:
        return follow_up_key(self.org.org_id, key, status.lower(), action)

    def known(self) -> dict[str, tuple[str, str, str | None]]:
        """What we know of referrals: object, record, status."""
        with self.wiring.engine.connect() as db:
            rows = db.execute(select(referral))
            return {
                row.key: (row.object_type, row.record_id, row.status) for row in rows
            }

    def as_they_are(self) -> dict[str, tuple[str, str, str | None]]:
        """What the org knows of them."""
        found: dict[str, tuple[str, str, str | None]] = {}
        for kind in ("Lead", "Contact", "Opportunity"):
            rows = self.admin.query_all(
                f"SELECT Id, Referral_Key__c, Referral_Status__c FROM {kind} "
                "WHERE Referral_Key__c != null"
            )["records"]
            for row in rows:
                found[row["Referral_Key__c"]] = (
                    kind,
                    row["Id"],
                    row["Referral_Status__c"],
                )
        return found

    def days(self) -> list[Day]:
        """The counts of completeness."""
        with self.wiring.engine.connect() as db:
            return reached.recorded(db, since=datetime(2000, 1, 1, tzinfo=UTC).date())

    def count(self, name: str) -> int:
        """One of the counts, over all days."""
        return sum(getattr(day, name) for day in self.days())

    def events(self, *columns: Any, source: str | None = None) -> list[Any]:
        """Columns of the inbox."""
        query = select(*columns).order_by(event.c.id)
        if source:
            query = query.where(event.c.source == source)
        with self.wiring.engine.connect() as db:
            return [tuple(row) for row in db.execute(query)]

    def calls(self, what: Callable[[], object]) -> int:
        """Count the API calls that something makes."""
        before = self.door("GET", "/calls")
        what()
        after = self.door("GET", "/calls")
        return sum(after.values()) - sum(before.values())


def a_while(life: Life, rng: random.Random, *, leads: int, rounds: int) -> None:
    """Let an office work: refer, call, qualify, convert, win, lose, edit, delete."""
    for number in range(rounds):
        if number % 2 == 0:
            life.refer(leads // ((rounds + 1) // 2))
        for _ in range(rng.randint(1, 3)):
            # Statuses have whole seconds; several changes may share one message.
            life.pass_time(seconds=rng.randint(2, 40))
            _one_move_each(life, rng)
        life.live(minutes=rng.randint(1, 12))


def _one_move_each(life: Life, rng: random.Random) -> None:
    moves: dict[str, str] = {}
    for id_, statuses in life.living().items():
        chance = rng.random()
        following = _next(statuses[-1], chance)
        if statuses[-1] == "Qualified" and 0.2 < chance < 0.35:
            life.convert(id_)
        elif following and (following != "Opportunity" or id_ in life.opportunities):
            moves[id_] = following
        elif chance > 0.985 and id_ not in life.opportunities:
            life.delete(id_)
        elif chance > 0.9 and id_ not in life.opportunities:
            life.change([id_], Phone="+1 555 0100")
    if moves:
        life.move(moves)


def _next(status: str, chance: float) -> str | None:
    if status in {"Won", "Lost"} or chance > 0.35:
        return None
    if chance < 0.04:
        return "Lost"
    return {
        "Submitted": "Contacted",
        "Contacted": "Qualified",
        "Qualified": None,
        "Opportunity": "Won",
    }[status]
