"""A real SMTP server to send to, on loopback, with the moods that servers have."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sidecar.mail.letters import Address, Letter, message_id
from sidecar.mail.server import Security, Server
from sidecar.mail.smtp import Mailer

SENDER = Address("Referral Sidecar", "sidecar@example.com")
WRITTEN_AT = datetime(2026, 3, 3, 14, 5, tzinfo=UTC)


def letter(number: int = 1, **changes: object) -> Letter:
    """One sendable letter, with what a test wants different."""
    values: dict[str, object] = {
        "to": Address("Rita Rep", "rita@example.org"),
        "subject": "New referral: Ada Example of Example GmbH",
        "text": "Ada Example\n.starts with a dot\n",
        "html": "<!DOCTYPE html><html><body><p>Ada Exämple</p></body></html>",
        "message_id": message_id(f"key-{number}", domain="example.com"),
        "written_at": WRITTEN_AT,
    }
    return Letter(**(values | changes))  # type: ignore[arg-type]


@dataclass
class Peer:
    """
    The server's handler: it keeps what it took, and says what a test tells it to.

    ``answers`` holds, per command, answers to give instead, first come first served;
    an exhausted list means the usual one. ``befall`` runs when a whole letter is in.
    """

    answers: dict[str, list[str]] = field(default_factory=dict)
    befall: Callable[[SMTP], None] | None = None
    received: list[Envelope] = field(default_factory=list)
    connections: list[SMTP] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    def mails(self) -> list[EmailMessage]:
        return [
            message_from_bytes(envelope.content, policy=SMTPUTF8)  # type: ignore[arg-type, misc]
            for envelope in self.received
        ]

    def hang_up(self) -> None:
        """Drop every connection, as a server does with idle ones."""

        async def abort(smtp: SMTP) -> None:
            smtp.transport.abort()
            await asyncio.sleep(0)  # the socket is closed one turn later
            await asyncio.sleep(0)

        for smtp in self.connections:
            asyncio.run_coroutine_threadsafe(abort(smtp), smtp.loop).result(5)

    def _instead(self, command: str) -> str | None:
        waiting = self.answers.get(command)
        return waiting.pop(0) if waiting else None

    async def handle_MAIL(  # noqa: N802
        self,
        _server: SMTP,
        _: Session,
        envelope: Envelope,
        sender: str,
        options: list[str],
    ) -> str:
        if answer := self._instead("MAIL"):
            return answer
        envelope.mail_from, envelope.mail_options = sender, options
        return "250 sender ok"

    async def handle_RCPT(  # noqa: N802
        self,
        _server: SMTP,
        _: Session,
        envelope: Envelope,
        to: str,
        _options: list[str],
    ) -> str:
        if answer := self._instead("RCPT"):
            return answer
        envelope.rcpt_tos.append(to)
        return "250 recipient ok"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _: Session, envelope: Envelope
    ) -> str:
        if answer := self._instead("DATA"):
            return answer
        self.received.append(envelope)
        if self.befall:
            self.befall(server)
        return f"250 2.0.0 queued as {len(self.received)}"

    def authenticate(
        self,
        _server: SMTP,
        _: Session,
        _envelope: Envelope,
        _how: str,
        data: LoginPassword,
    ) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(
            success=data == LoginPassword(b"rita", b"s3cret pass/word"), handled=False
        )


@contextmanager
def serving(
    peer: Peer,
    *,
    tls: ssl.SSLContext | None = None,
    smtp_class: type[SMTP] = SMTP,
    **settings: object,
) -> Iterator[int]:
    """Run the server on a free port; it is gone afterwards."""

    class Loopback(Controller):
        def factory(self) -> SMTP:
            smtp = smtp_class(self.handler, **self.SMTP_kwargs)
            peer.connections.append(smtp)
            return smtp

        def _trigger_server(self) -> None:
            # aiosmtpd connects to itself to see whether it is up: it must be told the
            # port that the system chose.
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    controller = Loopback(
        peer, hostname="127.0.0.1", port=0, ssl_context=tls, **settings
    )
    controller.start()
    peer.connections.clear()
    try:
        yield controller.port
    finally:
        controller.stop()


def mailer(
    port: int,
    security: Security = "none",
    *,
    sender: Address = SENDER,
    **changes: object,
) -> Mailer:
    settings: dict[str, object] = {"timeout_s": 5.0} | changes
    return Mailer(Server("127.0.0.1", port, security, sender, **settings))  # type: ignore[arg-type]
