"""From status changes to tasks and mails: rates for one worker, and calls made."""

import tempfile
import time
from pathlib import Path

import requests
from rich.console import Console
from simple_salesforce.api import Salesforce
from sqlalchemy import func, select

from sidecar.demo.play import read_mails
from sidecar.demo.stage import Stage, build
from sidecar.store.tables import event, follow_up

_PATIENCE_SECONDS = 300.0


def measure(console: Console, changes: int) -> None:
    """Let so many leads change their status at once, and watch one worker."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        Path(folder).chmod(0o755)
        stage = build(Path(folder), tell=lambda _part: None, workers=1)
        try:
            _measure(console, stage, changes)
        finally:
            stage.machine.stop()


def _measure(console: Console, stage: Stage, changes: int) -> None:
    admin = stage.admin()
    ids = leads(admin, stage, changes)
    backdoor(stage, "post", "outbound", {"paused": True})
    for start in range(0, changes, 200):
        records = [
            {
                "attributes": {"type": "Lead"},
                "Id": id_,
                "Referral_Status__c": "Submitted",
            }
            for id_ in ids[start : start + 200]
        ]
        admin.restful("composite/sobjects", method="PATCH", json={"records": records})
    backdoor(stage, "delete", "calls")
    started = time.perf_counter()
    backdoor(stage, "post", "outbound", {"paused": False})
    moments: dict[str, float] = {}
    while len(moments) < 3 and time.perf_counter() - started < _PATIENCE_SECONDS:
        for name, number in _done(stage).items():
            if number >= changes and name not in moments:
                moments[name] = time.perf_counter() - started
        time.sleep(0.05)
    calls = backdoor(stage, "get", "calls")
    console.print(f"{changes:,} status changes at once, one worker process:")
    for name, seconds in moments.items():
        console.print(
            f"  {name}: all after {seconds:.2f} s, {changes / seconds:,.0f}/s"
        )
    total = sum(calls.values())
    console.print(
        f"  Salesforce calls: {total} = {total / changes * 1000:.1f} per 1,000 changes "
        f"({', '.join(f'{kind} {number}' for kind, number in calls.items())})"
    )
    console.print(f"  mails on the server: {len(read_mails(stage.mail_folder)):,}")


def leads(admin: Salesforce, stage: Stage, number: int) -> list[str]:
    """Create leads without a referral status; their ids."""
    ids: list[str] = []
    for start in range(0, number, 200):
        records = [
            {
                "attributes": {"type": "Lead"},
                "LastName": f"Example {place}",
                "Company": "Example Ltd",
                "Referrer_Name__c": "Mira Sample",
                "OwnerId": stage.org.user_ids[stage.org.reps[place % 3]],
            }
            for place in range(start, min(start + 200, number))
        ]
        body = {"records": records}
        results = admin.restful("composite/sobjects", method="POST", json=body)
        ids += [result["id"] for result in results or []]
    return ids


def _done(stage: Stage) -> dict[str, int]:
    with stage.wiring.engine.connect() as db:
        events = db.execute(
            select(func.count()).select_from(event).where(event.c.state == "done")
        ).scalar_one()
        kinds = db.execute(
            select(follow_up.c.kind, func.count())
            .where(follow_up.c.state == "done")
            .group_by(follow_up.c.kind)
        )
        ended = {row[0]: row[1] for row in kinds}
    return {
        "events processed": int(events),
        "tasks in Salesforce": ended.get("task", 0),
        "mails accepted": ended.get("email", 0),
    }


def backdoor(
    stage: Stage, method: str, path: str, body: dict[str, object] | None = None
) -> dict[str, int]:
    """Use the dev org's back door."""
    answer = requests.request(
        method,
        f"{stage.org.base_url}/devorg/{path}",
        json=body,
        verify=stage.org.ca_file,
        timeout=30,
    )
    answer.raise_for_status()
    return dict(answer.json()) if answer.content else {}
