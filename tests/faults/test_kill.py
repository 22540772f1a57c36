"""Kill anything at any moment: nothing is lost, nothing is done twice."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import func, select

from sidecar.demo.play import read_mails
from sidecar.demo.stage import Stage, build
from sidecar.referral.follow_up import follow_up_key
from sidecar.salesforce.records import TASK_KEY
from sidecar.store.tables import event, follow_up

MESSAGES = 2000
STATUSES = ("Submitted", "Contacted", "Qualified", "Won")
ACTIONS = ("call-prospect", "qualify-prospect", "make-offer", "thank-referrer")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    built = build(
        tmp_path,
        tell=lambda part: None,
        # Time is real here: a lease that ends soon makes the test short.
        settings={"SIDECAR_LEASE_SECONDS": "8", "SIDECAR_SWEEP_SECONDS": "2"},
    )
    yield built
    built.machine.stop()


class Killer:
    """Kills a process of the stage with SIGKILL, and starts it again."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._random = random.Random(seed)
        self.killed: Counter[str] = Counter()

    def strike(self, *names: str) -> None:
        """Kill one of those whose name begins so."""
        victims = [
            child
            for child in self._stage.machine.children
            if child.name.startswith(names)
        ]
        victim = self._random.choice(victims)
        assert victim.process is not None
        # A session of its own: gunicorn's workers die with their master.
        os.killpg(victim.process.pid, signal.SIGKILL)
        victim.process.wait()
        self.killed[victim.name.partition("-")[0]] += 1
        self._stage.machine.start(victim)


def _outcome(stage: Stage, ids: list[str]) -> tuple[Counter[str], Counter[str]]:
    """How often each task and each mail (by Message-ID) that we want is there."""
    tasks = Counter(
        row[TASK_KEY]
        for row in stage.admin().query_all(
            f"SELECT Id, {TASK_KEY} FROM Task WHERE {TASK_KEY} != null"
        )["records"]
    )
    mails = Counter({str(mail["Message-ID"]) for mail in read_mails(stage.mail_folder)})
    return tasks, mails


def _open(stage: Stage) -> int:
    with stage.wiring.engine.connect() as db:
        events = db.execute(
            select(func.count()).select_from(event).where(event.c.state == "waiting")
        ).scalar_one()
        follow_ups = db.execute(
            select(func.count())
            .select_from(follow_up)
            .where(follow_up.c.state.in_(("waiting", "sending")))
        ).scalar_one()
    return int(events) + int(follow_ups)


def test_web_worker_and_redis_are_killed_in_the_middle_of_2000_messages(
    stage: Stage,
) -> None:
    """Exactly one task and, counted by Message-ID, one mail for each milestone."""
    leads = MESSAGES // len(STATUSES)
    admin = stage.admin()
    killer = Killer(stage, seed=MESSAGES)
    _backdoor(stage, batch_size=1, duplicate=0.1, lose_answer=0.05)
    ids: list[str] = []
    for number, status in enumerate(STATUSES):
        ids = _set_status(admin, stage, leads, ids, status)
        # Each message carries one notification: they take a while, and meanwhile
        # everything that is ours dies at least once.
        for victims in (("web",), ("worker",), ("redis",), ("worker", "clock")):
            time.sleep(0.3)
            killer.strike(*victims)
        stage.wiring.redis.flushall()
        _until_kept(stage, leads * (number + 1))
    deadline = time.monotonic() + 120
    while _open(stage) and time.monotonic() < deadline:
        time.sleep(0.5)

    tasks, mails = _outcome(stage, ids)
    org_id = stage.org.org_id
    domain = "sidecar.example"
    wanted = [
        (id_, status.lower(), action)
        for id_ in ids
        for status, action in zip(STATUSES, ACTIONS, strict=True)
    ]
    assert tasks == Counter(
        follow_up_key(org_id, id_, milestone, action)
        for id_, milestone, action in wanted
    )
    assert mails == Counter(
        f"<{follow_up_key(org_id, id_, milestone, 'tell-owner')}@{domain}>"
        for id_, milestone, _ in wanted
    )
    assert (
        set(killer.killed) == {"web", "worker", "redis", "clock"}
        or len(killer.killed) >= 3
    )


def _set_status(admin, stage: Stage, leads: int, ids: list[str], status: str):
    records = [
        {
            "attributes": {"type": "Lead"},
            "Referral_Status__c": status,
            **(
                {"Id": ids[number]}
                if ids
                else {
                    "LastName": f"Example {number}",
                    "Company": "Example Ltd",
                    "Referrer_Name__c": "Mira Sample",
                    "OwnerId": stage.org.user_ids[stage.org.reps[number % 3]],
                }
            ),
        }
        for number in range(leads)
    ]
    made = list(ids)
    if ids:
        time.sleep(1.1)  # an org's times have whole seconds
    for start in range(0, leads, 200):
        method = "PATCH" if ids else "POST"
        body = {"records": records[start : start + 200]}
        results = admin.restful("composite/sobjects", method=method, json=body)
        assert all(result["success"] for result in results)
        if not ids:
            made += [result["id"] for result in results]
    return made


def _until_kept(stage: Stage, wanted: int) -> None:
    """Wait until every change is in the inbox, however often it had to be sent."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        _backdoor(stage, retry_now=True)
        with stage.wiring.engine.connect() as db:
            kept = db.execute(select(func.count()).select_from(event)).scalar_one()
        if kept >= wanted:
            return
        time.sleep(0.3)
    raise AssertionError(f"{kept} of {wanted} messages arrived")


def _backdoor(stage: Stage, **wishes: object) -> None:
    base = f"{stage.org.base_url}/devorg/outbound"
    if wishes.pop("retry_now", False):
        requests.post(f"{base}/retry", verify=stage.org.ca_file, timeout=10)
    if wishes:
        answer = requests.post(base, json=wishes, verify=stage.org.ca_file, timeout=10)
        assert answer.ok, answer.text
