"""Mails drained by one worker beside a bare smtplib loop, and the memory it takes.

The loop sends the very same bytes to the same server over one connection, in turns. The
server is aiosmtpd in a process of its own: once it throws everything away, once it has
each letter on the disk before it accepts it, as relays do.
"""

import argparse
import logging
import os
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import structlog

from sidecar import keyring
from sidecar.jobs.deliver.emails import deliver_emails
from sidecar.machine import Machine
from sidecar.mail.message import Message
from sidecar.mail.smtp import Connection
from sidecar.referral.follow_up import Email, FollowUp, follow_up_key
from sidecar.referral.journey import Milestone
from sidecar.salesforce.records import Rep
from sidecar.settings import Settings
from sidecar.store import connections, database, follow_ups
from sidecar.store.connections import NewConnection
from sidecar.wiring import Wiring

ORG_ID = "00D000000000001EAA"
_REPS = 20


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench mails")
    parser.add_argument("--mails", type=int, default=2000, help="of each round")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    drain(given.mails, given.rounds)


def drain(number: int, rounds: int) -> None:
    """Let one worker drain so many mails, in turns with the loop."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        Path(folder).chmod(0o755)
        spool = Path(folder) / "spool"
        spool.mkdir()
        machine = Machine(Path(folder))
        try:
            for told, handler in (
                ("a server that throws all away", ["aiosmtpd.handlers.Sink"]),
                ("a server that keeps what it takes", ["mail_spool.Spool", str(spool)]),
            ):
                print(told, flush=True)
                with _server(handler) as port:
                    _measure(machine, port, number, rounds)
        finally:
            machine.stop()


@contextmanager
def _server(handler: Sequence[str]) -> Iterator[int]:
    """Start aiosmtpd in a process of its own; its port."""
    port = _free_port()
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}"]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    server = subprocess.Popen([*command, "-c", *handler], env=environ)
    try:
        _wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait()


def _measure(machine: Machine, port: int, number: int, rounds: int) -> None:
    wiring = Wiring(
        Settings(
            database_url=machine.start_postgres(f"bench_{port}"),
            smtp_url=f"smtp://127.0.0.1:{port}",
            mail_from="Referrals <referrals@sidecar.example>",
            mails_an_hour=0,
            demo=True,
        )
    )
    database.upgrade(wiring.engine)
    connection_id = _connect(wiring)
    desk = replace(wiring.mail_desk, reps=_Staff())
    sent: list[Message] = []
    kept = Connection._transfer

    def remembered(self: Connection, message: Message, *more: Any) -> str:
        if len(sent) < number:
            sent.append(message)
        return kept(self, message, *more)

    Connection._transfer = remembered  # type: ignore[method-assign]
    ours, bare, ratios = [], [], []
    for turn in range(rounds):
        _plan(wiring, connection_id, number, turn)
        started = time.perf_counter()
        made = deliver_emails(connection_id, desk=desk, post=wiring.mailer.connection)
        ours.append(made / (time.perf_counter() - started))
        bare.append(_bare_loop(port, sent))
        ratios.append(ours[-1] / bare[-1])
        print(
            f"{made:,} mails: {ours[-1]:,.0f}/s, bare loop {bare[-1]:,.0f}/s, "
            f"ratio {ratios[-1]:.2f}; {_resident_mb():.1f} MB resident",
            flush=True,
        )
    print(
        f"medians: {median(ours):,.0f}/s, bare loop {median(bare):,.0f}/s, ratio "
        f"{median(ratios):.2f}"
    )


class _Staff:
    def reps(self, _connection_id: int, user_ids: Sequence[str]) -> dict[str, Rep]:
        return {
            id_: Rep(id_, "Rita Rep", "rita.rep@example.com", True, "en_GB", "UTC")
            for id_ in user_ids
        }


def _connect(wiring: Wiring) -> int:
    new = NewConnection(
        name="bench",
        org_id=ORG_ID,
        hook_key=keyring.new_hook_key(),
        flow="client_credentials",
        login_url="https://127.0.0.1:1",
        instance_url="https://127.0.0.1:1",
        client_id="key",
        secret="secret",
    )
    with wiring.engine.begin() as db:
        return connections.add(db, new, keyring=wiring.keyring)


def _plan(wiring: Wiring, connection_id: int, number: int, turn: int) -> None:
    planned = []
    for place in range(number):
        key = f"mail-{turn}-{place}"
        what = Email(
            "new_referral",
            f"005{place % _REPS:012}AAA",
            {"name": f"Ada Example {place}", "company": "Lighthouse Ltd"},
        )
        id_ = follow_up_key(ORG_ID, key, Milestone.SUBMITTED, "tell-owner")
        planned.append((0, key, FollowUp(id_, Milestone.SUBMITTED, "tell-owner", what)))
    for start in range(0, number, 500):
        some = planned[start : start + 500]
        with wiring.engine.begin() as db:
            follow_ups.add(
                db,
                some,
                connection_id=connection_id,
                org_id=ORG_ID,
                playbook_version="bench",
                record_ids={key: "00Q000000000001AAA" for _, key, _ in some},
                now=datetime.now(UTC),
                keyring=wiring.keyring,
            )


def _bare_loop(port: int, messages: Sequence[Message]) -> float:
    """Send what was sent, and nothing else; mails a second."""
    started = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for message in messages:
            smtp.sendmail(message.sender, [message.recipient], message.data)
    return len(messages) / (time.perf_counter() - started)


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("aiosmtpd does not come up")


if __name__ == "__main__":
    main()
