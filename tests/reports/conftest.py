"""A connection whose reports run, and a mail server on loopback."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from aiosmtpd.controller import Controller
from reports_house import MANAGER, House, Post, Users, plain_report

from sidecar.jobs.reports.kinds import Reports
from sidecar.wiring import Wiring


class _OnAFreePort(Controller):
    def _trigger_server(self) -> None:
        # The port that the system chose.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def post(wiring: Wiring) -> Iterator[Post]:
    """A mail server on loopback, for the wiring to send to."""
    post = Post()
    controller = _OnAFreePort(post, hostname="127.0.0.1", port=0)
    controller.start()
    address = f"smtp://127.0.0.1:{controller.port}"
    wiring.settings = replace(wiring.settings, smtp_url=address)
    yield post
    controller.stop()


@pytest.fixture
def house(wiring, connect, post) -> Callable[..., House]:
    """Make a house where a moment is now; by default, it has one weekly report."""

    def make(at: datetime, reports: Reports | None = None, **given: object) -> House:
        connection, _ = connect(**{"time_zone": "Europe/Berlin", **given})
        users = Users()
        users.add(MANAGER, "Maria Manager")
        if reports is None:
            reports = {"weekly": plain_report()}
        return House(wiring, connection, users, post, at, reports)

    return make
