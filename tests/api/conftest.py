"""The web application with something behind each door, and its description."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import schemathesis
from flask import Flask

from sidecar.console import authorize
from sidecar.intake import bounced, door, webhook
from sidecar.keyring import fingerprint
from sidecar.mail import links
from sidecar.mail.links import Act, Link
from sidecar.store import webhook_secrets
from sidecar.store.connections import OrgConnection
from sidecar.store.webhook_secrets import Kind, NewSecret
from sidecar.web import create_app
from sidecar.wiring import Wiring

TOKEN = "a-bearer-token-for-tests"
REP = "005000000000001AAA"


@dataclass
class Service:
    """An application and what opens its doors."""

    app: Flask
    wiring: Wiring
    connection: OrgConnection
    key: str
    token: str = TOKEN

    def link(self, act: Act, *, days: int = 1) -> str:
        """Make the token of a link in a mail."""
        until = (self.wiring.now() + timedelta(days=days)).replace(microsecond=0)
        link = Link(act, self.connection.id, REP, "de_DE", until, 5, "00Q")
        return links.token(link, self.wiring.keyring)

    def ticket(self) -> str:
        """Make the last part of a link to authorize."""
        link = authorize.begin(
            self.wiring,
            name="acme",
            login_url="https://127.0.0.1:1",
            client_id="key",
            client_secret="secret",
        )
        return link.rpartition("/")[2]

    @property
    def keys(self) -> dict[str, Callable[[], list[str]]]:
        """What may stand in a path's last part, by the path."""
        acts = (Act.PREFERENCES, Act.STOP, Act.UPDATE)
        return {
            f"{door.PREFIX}{{hook_key}}": lambda: [self.key],
            f"{webhook.PREFIX}{{hook_key}}": lambda: [self.key],
            f"{bounced.PREFIX}{{hook_key}}": lambda: [self.key],
            f"{links.PREFIX}{{token}}": lambda: [
                *(self.link(act) for act in acts),
                self.link(Act.PREFERENCES, days=-1),
            ],
            "/canvas/{connection_id}": lambda: [str(self.connection.id)],
            "/oauth/start/{ticket}": lambda: [self.ticket()],
        }


@pytest.fixture
def service(
    wiring: Wiring, connect: Callable[..., tuple[OrgConnection, str]]
) -> Iterator[Service]:
    """A service with one connection that takes a bearer token, and has a canvas app."""
    connection, key = connect()
    with wiring.engine.begin() as db:
        for kind, value in (
            (Kind.BEARER, fingerprint(TOKEN)),
            (Kind.CANVAS, "a-consumer-secret"),
        ):
            webhook_secrets.add(
                db,
                NewSecret(connection.id, kind, value),
                now=wiring.now(),
                keyring=wiring.keyring,
            )
    return Service(create_app(wiring), wiring, connection, key)


@pytest.fixture
def described(service: Service) -> schemathesis.BaseSchema:
    """What the application says of itself."""
    return schemathesis.openapi.from_wsgi("/openapi.json", service.app)
