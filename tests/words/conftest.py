"""A referrer, their referrals, and everything that mails them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from programme import HERE, Programme

from sidecar.web import create_app


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory, machine) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("mail")
    command = [sys.executable, "-m", "sidecar.demo.mailbox", "--folder", str(folder)]
    process = subprocess.Popen(command, env=os.environ)
    machine.wait_for("mailbox", (folder / "port").exists)
    yield folder
    process.send_signal(signal.SIGTERM)
    process.wait(10)


@pytest.fixture
def programme(wiring, org, linked, mailbox) -> Iterator[Programme]:
    for path in mailbox.glob("*.eml"):
        path.unlink()
    wiring.settings = replace(
        wiring.settings,
        public_url=HERE,
        smtp_url=f"smtp://127.0.0.1:{(mailbox / 'port').read_text()}",
    )
    with create_app(wiring).test_client() as phone:
        found = Programme(wiring, org, linked, mailbox, phone)
        yield found
        found.backdoor("DELETE", "faults")
