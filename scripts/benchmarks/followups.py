"""From a status change to the task in Salesforce and the mail, at a steady rate.

Changes are made in the dev org on a timetable, whether or not the service keeps up:
a moment counts from when its change was due, so a stall is not hidden by the changes
that it held up. What `mails.py` measures comes after it.
"""

import argparse
import logging
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import mails
import structlog
from followthrough import backdoor, leads
from rich.console import Console
from rich.table import Table
from simple_salesforce.api import Salesforce
from sqlalchemy import func, select

from sidecar.demo.stage import Stage, build
from sidecar.store.tables import event, follow_up

_TICK_SECONDS = 0.1
_QUIET_SECONDS = 2.0
_PATIENCE_SECONDS = 120.0
_KINDS = {"task": "task in Salesforce", "email": "mail accepted"}
_HEARD = "message kept"


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="scripts/bench followups")
    parser.add_argument("--rates", type=int, nargs="+", default=[10, 50, 100])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each rate")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--mails", type=int, default=1000, help="of each mail round")
    parser.add_argument("--rounds", type=int, default=3, help="of the mails")
    given = parser.parse_args()
    console = Console(width=110)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        Path(folder).chmod(0o755)
        stage = build(Path(folder), tell=lambda _part: None, workers=given.workers)
        try:
            _rates(console, stage, given.rates, given.seconds)
        finally:
            stage.machine.stop()
    if given.mails:
        mails.drain(given.mails, given.rounds)


def _rates(
    console: Console, stage: Stage, rates: Sequence[int], seconds: float
) -> None:
    table = Table("changes/s", "until", "p50 ms", "p95 ms", "p99 ms", "missing")
    table.add_column("calls / 1,000 changes")
    for rate in rates:
        changed_at, calls = _steadily(stage, rate, seconds)
        ends = _ends(stage, changed_at)
        told = f"{calls / len(changed_at) * 1000:.0f}"
        for name, moments in ends.items():
            took = sorted(
                (at - changed_at[key]).total_seconds() * 1000
                for key, at in moments.items()
            )
            table.add_row(
                str(rate),
                name,
                *(_part(took, part) for part in (50, 95, 99)),
                str(len(changed_at) - len(took)),
                told,
            )
            told = ""
    console.print(
        f"changes made in the dev org at a steady rate for {seconds:.0f} s each; dev "
        "org, PostgreSQL, Redis, mail server and service share the machine"
    )
    console.print(table)


def _part(took: Sequence[float], part: int) -> str:
    return f"{took[min(len(took) - 1, len(took) * part // 100)]:.0f}" if took else "-"


def _steadily(
    stage: Stage, rate: int, seconds: float
) -> tuple[dict[str, datetime], int]:
    """Change as many statuses a second; when each was due, and the calls we made."""
    admin = stage.admin()
    ids = leads(admin, stage, int(rate * seconds))
    time.sleep(_QUIET_SECONDS)  # what creating them set going is over
    backdoor(stage, "delete", "calls")
    began = datetime.now(UTC) + timedelta(seconds=_TICK_SECONDS)
    due = {id_: began + timedelta(seconds=n / rate) for n, id_ in enumerate(ids)}
    threads = []
    for start in range(0, len(ids), step := max(1, int(rate * _TICK_SECONDS))):
        some = ids[start : start + step]
        # A tick goes out when its last change is due.
        time.sleep(max(0.0, (due[some[-1]] - datetime.now(UTC)).total_seconds()))
        thread = threading.Thread(target=_submit, args=(admin, some))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    _settled(stage, ids)
    calls = backdoor(stage, "get", "calls")
    return due, sum(calls.values()) - len(threads)  # those that made the changes


def _submit(admin: Salesforce, ids: Sequence[str]) -> None:
    records = [
        {"attributes": {"type": "Lead"}, "Id": id_, "Referral_Status__c": "Submitted"}
        for id_ in ids
    ]
    admin.restful("composite/sobjects", method="PATCH", json={"records": records})


def _settled(stage: Stage, ids: Sequence[str]) -> None:
    """Wait until all of it is done; what is not is told as missing."""
    wanted = len(ids) * len(_KINDS)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    done = select(func.count()).where(
        follow_up.c.referral_key.in_(ids), follow_up.c.state == "done"
    )
    while time.monotonic() < deadline:
        with stage.wiring.engine.connect() as db:
            if (db.scalar(done) or 0) >= wanted:
                return
        time.sleep(0.2)


def _ends(
    stage: Stage, changed_at: Mapping[str, datetime]
) -> dict[str, dict[str, datetime]]:
    """How far it came, to the referrals' keys and when each came so far."""
    with stage.wiring.engine.connect() as db:
        rows = db.execute(
            select(
                follow_up.c.kind,
                follow_up.c.referral_key,
                follow_up.c.settled_at,
                event.c.received_at,
            )
            .join(event, event.c.id == follow_up.c.event_id)
            .where(
                follow_up.c.referral_key.in_(list(changed_at)),
                follow_up.c.state == "done",
            )
        ).all()
    ends: dict[str, dict[str, datetime]] = {_HEARD: {}}
    for kind, key, at, heard_at in rows:
        ends[_HEARD][key] = heard_at
        ends.setdefault(_KINDS[kind], {})[key] = at
    return ends


if __name__ == "__main__":
    main()
