"""What the service stands on: its settings, its servers, its keys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from functools import cached_property

import psycopg
import redis
import requests
from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from sidecar import doorbell
from sidecar.chat.webhooks import Webhooks
from sidecar.doorbell import Doorbell
from sidecar.errors import Permanent
from sidecar.keyring import Keyring
from sidecar.mail import bounce_mailbox
from sidecar.mail.bounce_mailbox import Mailbox
from sidecar.mail.letters import Address
from sidecar.mail.render import names
from sidecar.mail.server import server_at
from sidecar.mail.smtp import Mailer
from sidecar.salesforce.hosts import checked
from sidecar.salesforce.session import http_session
from sidecar.settings import Settings, WrongSetting
from sidecar.store import (
    database,
)
from sidecar.store.scribe import Scribe
from sidecar.store.settler import Settler

_DEMO_KEY = "ZGVtby1rZXktZm9yLXRoZS1kZW1vLW9ubHktLS0tLS0="


def utc_now() -> datetime:
    """The clock of the whole service."""
    return datetime.now(UTC)


@dataclass
class Servers:
    """Servers and keys, each reached when it is first asked for."""

    settings: Settings
    now: Callable[[], datetime] = utc_now

    @cached_property
    def keyring(self) -> Keyring:
        """The key ring. Raises WrongSetting: there is none, outside the demo."""
        keys = list(self.settings.keys)
        if (path := self.settings.keys_file) is not None:
            try:
                keys += path.read_text("ascii").split()
            except (OSError, UnicodeDecodeError) as exc:
                raise WrongSetting(f"SIDECAR_KEYS_FILE cannot be read: {exc}") from exc
        if not keys and self.settings.demo:
            keys = [_DEMO_KEY]
        try:
            return Keyring(keys)
        except Permanent as exc:
            raise WrongSetting(str(exc)) from exc

    @cached_property
    def engine(self) -> Engine:
        """PostgreSQL."""
        if not self.settings.database_url:
            raise WrongSetting(
                "SIDECAR_DATABASE_URL is not set; `sidecar up` brings a database along"
            )
        try:
            return database.engine_for(self.settings.database_url)
        except (ValueError, ArgumentError):
            # What they say may hold a part of the password.
            raise WrongSetting(
                "SIDECAR_DATABASE_URL cannot be read; it takes "
                "postgresql://user:password@host:port/name, percent-encoded"
            ) from None

    @cached_property
    def redis(self) -> redis.Redis:
        """Redis, as the doorbell needs it."""
        try:
            return doorbell.redis_for(self.settings.redis_url)
        except ValueError:
            raise WrongSetting(
                "SIDECAR_REDIS_URL cannot be read; it takes "
                "redis://user:password@host:port/number, percent-encoded"
            ) from None

    @cached_property
    def doorbell(self) -> Doorbell:
        """The doorbell."""
        return Doorbell(self.redis)

    @cached_property
    def scribe(self) -> Scribe:
        """Who writes into the inbox."""
        return Scribe(self._own_connection, self.keyring)

    @cached_property
    def settler(self) -> Settler:
        """Who notes how mails ended."""
        return Settler(self._own_connection)

    @cached_property
    def mailer(self) -> Mailer:
        """The mail server."""
        return Mailer(
            server_at(
                self.settings.smtp_url,
                sender=self.sender,
                ca_file=self.settings.ca_file,
            ),
            now=self.now,
        )

    @cached_property
    def webhooks(self) -> Webhooks:
        """Chat channels' webhooks."""
        return Webhooks(self.http, self.now, demo=self.settings.demo)

    @cached_property
    def sender(self) -> Address:
        """Who our mails are from."""
        name, email = parseaddr(self.settings.mail_from)
        if "@" not in email:
            raise WrongSetting(f"SIDECAR_MAIL_FROM is {self.settings.mail_from!r}")
        return Address(name, email)

    @property
    def bounce_mailbox(self) -> Mailbox:
        """Where mails come back. Raises WrongSetting: it cannot be read."""
        try:
            return bounce_mailbox.mailbox_at(
                self.settings.bounce_mailbox, ca_file=self.settings.ca_file
            )
        except Permanent as exc:
            raise WrongSetting(f"SIDECAR_BOUNCE_MAILBOX: {exc}") from exc

    @property
    def lease(self) -> timedelta:
        """How long an attempt may take before another worker makes the next."""
        return timedelta(seconds=self.settings.lease_seconds)

    @property
    def templates(self) -> tuple[str, ...]:
        """The names of the mail templates."""
        return tuple(names())

    def host(self, url: str) -> str:
        """Give back an address that may be called."""
        return checked(url, demo=self.settings.demo)

    def http(self) -> requests.Session:
        """A session in which no call can hang."""
        return http_session(ca_file=self.settings.ca_file)

    def _own_connection(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            self.settings.database_url,
            autocommit=True,
            **database.CONNECT_ARGS,  # type: ignore[arg-type]
        )


def words_of(exc: SQLAlchemyError) -> str:
    """The database's own words, without the statement."""
    return str(getattr(exc, "orig", None) or exc).strip()
