"""Sends letters through one SMTP server, and names what its answers mean."""

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sidecar.errors import Permanent, Retryable, SidecarError, Uncertain
from sidecar.mail.letters import Letter
from sidecar.mail.message import Message, build
from sidecar.mail.pool import IDLE_SECONDS, Away, Idle, Rest
from sidecar.mail.server import Server
from sidecar.mail.values import one_line

# smtplib's own errors are OSErrors too: one ``except`` meets both.


def _nothing() -> None:
    pass


class Mailer:
    """
    Sends through one server; shared by threads.

    A connection that was used lately is used again. A server that cannot be reached, or
    sends us away, is left in peace: for longer each time, until it takes a letter.
    """

    def __init__(
        self,
        server: Server,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """
        Args:
            now: the clock, aware.
            idle_seconds: for so long a connection is kept that nobody uses.

        Raises:
            Permanent: ``server.ca_file`` cannot be read.
        """
        self._server = server
        self._rest = Rest(now)
        self._idle = Idle(idle_seconds)
        try:
            self._tls = ssl.create_default_context(cafile=server.ca_file)
        except (OSError, ssl.SSLError) as exc:
            raise Permanent(f"CA file {server.ca_file}: {exc}") from exc

    @contextmanager
    def connection(self) -> Iterator["Connection"]:
        """
        Lend one connection for a batch; a new one opens with the first letter.

        Raises:
            Away: the server is left in peace.
        """
        self._rest.check()
        smtp = self._idle.take()
        connection = Connection(self._server, self._tls, rest=self._rest, kept=smtp)
        try:
            yield connection
        finally:
            connection.leave(self._idle)

    def close(self) -> None:
        """Say goodbye on every connection that nobody uses."""
        self._idle.close()


class Connection:
    """One batch's connection; for one thread."""

    def __init__(
        self,
        server: Server,
        tls: ssl.SSLContext,
        *,
        rest: Rest,
        kept: smtplib.SMTP | None = None,
    ) -> None:
        self._server = server
        self._tls = tls
        self._rest = rest
        self._smtp = kept

    def send(
        self,
        letter: Letter,
        *,
        confirm: Callable[[], None] = _nothing,
        meanwhile: Callable[[], None] = _nothing,
    ) -> str:
        """
        Hand over one letter.

        Args:
            confirm: called before the letter itself goes out; where it raises a
                SidecarError the letter is not sent, and that is raised.
            meanwhile: called once, when all is sent, before the answer is waited for.

        Returns:
            The server's own words of acceptance, such as ``250 2.0.0 queued as 1``.

        Raises:
            Away: the server cannot be reached, lets us not in, or sends us away.
            Retryable: not taken, for now; the letter was not delivered.
            Permanent: not taken, and never will be as it is.
            Uncertain: all of it was sent and no answer came.
        """
        message = build(letter, sender=self._server.sender)
        try:
            accepted = self._transfer(message, confirm, meanwhile)
        except Away as exc:
            self._drop()
            exc.retry_at = self._rest.begin(str(exc))
            raise
        except SidecarError:
            self._reset()
            raise
        except BaseException:
            # Interrupted anywhere: QUIT might be read as part of the letter, and then
            # be waited for in vain.
            self._drop()
            raise
        self._rest.end()
        return accepted

    def greet(self) -> str:
        """
        Connect and log in, and send nothing.

        Returns:
            What was reached, and how.

        Raises:
            Retryable, Permanent: as ``send``.
        """
        self._smtp = self._smtp or _connect(self._server, self._tls)
        server = self._server
        return f"{server.host}:{server.port} answers ({server.security})"

    def leave(self, idle: Idle) -> None:
        """Keep the connection for the next batch."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            idle.give(smtp)

    def _transfer(
        self,
        message: Message,
        confirm: Callable[[], None],
        meanwhile: Callable[[], None],
    ) -> str:
        smtp = self._open_envelope(message)
        try:
            _expect(smtp.rcpt(message.recipient), 250, 251, 252)
        except OSError as exc:
            raise Retryable(
                f"connection lost before the letter: {_words(exc)}"
            ) from exc
        confirm()
        try:
            _expect(smtp.docmd("DATA"), 354)
        except OSError as exc:
            raise Retryable(
                f"connection lost before the letter: {_words(exc)}"
            ) from exc
        # A dot at the start of a line is doubled, the line of one dot is the end
        # (RFC 5321, section 4.5.2).
        stuffed = message.data.replace(b"\r\n.", b"\r\n..") + b".\r\n"
        try:
            smtp.send(stuffed)
        except OSError as exc:
            # The end did not leave, and without it nothing may be delivered
            # (RFC 5321, section 4.1.1.4).
            raise Retryable(f"connection lost in the letter: {_words(exc)}") from exc
        meanwhile()
        try:
            answer = smtp.getreply()
        except OSError as exc:
            raise Uncertain(f"all was sent, no answer came: {_words(exc)}") from exc
        if answer[0] not in range(200, 300) and answer[0] not in range(400, 600):
            raise Uncertain(f"all was sent, the answer is none: {_said(answer)}")
        _expect(answer, *range(200, 300))
        return _said(answer)

    def _open_envelope(self, message: Message) -> smtplib.SMTP:
        """Say MAIL FROM, on a new connection where the kept one died meanwhile."""
        if self._smtp is not None:
            try:
                _mail_from(self._smtp, message)
            except _GoneError:
                self._drop()
            else:
                return self._smtp
        try:
            self._smtp = _connect(self._server, self._tls)
        except SidecarError as exc:
            # A wrong password is no fault of the letter either: it waits.
            raise Away(str(exc)) from exc
        try:
            _mail_from(self._smtp, message)
        except _GoneError as exc:
            raise Away(str(exc)) from exc
        return self._smtp

    def _reset(self) -> None:
        """After a refusal: a clean connection for the next letter, or none."""
        if self._smtp is None:
            return
        try:
            clean = self._smtp.rset()[0] == 250
        except OSError:
            clean = False
        if not clean:
            self._drop()

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()


class _GoneError(Exception):
    """The server has left; nothing of the letter was handed over."""


def _mail_from(smtp: smtplib.SMTP, message: Message) -> None:
    options: list[str] = []
    if message.international:
        if not smtp.has_extn("smtputf8"):
            raise Permanent(
                f"{message.recipient}: the mail server takes no address beyond ASCII"
                " (it does not offer SMTPUTF8)"
            )
        options = ["SMTPUTF8", "BODY=8BITMIME"]
    try:
        answer = smtp.mail(message.sender, options)
    except OSError as exc:
        raise _GoneError(f"connection lost before the letter: {_words(exc)}") from exc
    if answer[0] == 421:
        raise _GoneError(_said(answer))
    _expect(answer, 250)


def _connect(server: Server, tls: ssl.SSLContext) -> smtplib.SMTP:
    place = f"mail server {server.host}:{server.port}"
    try:
        return _dial(server, tls)
    except smtplib.SMTPAuthenticationError as exc:
        if exc.smtp_code < 500:
            raise Retryable(f"{place}: {_words(exc)}") from exc
        raise Permanent(
            f"{place} refused the login: {_words(exc)}. Check the user name and the"
            " password; some providers want a password made for applications"
        ) from exc
    except smtplib.SMTPResponseException as exc:
        kind = Permanent if exc.smtp_code >= 500 else Retryable
        raise kind(f"{place}: {_words(exc)}") from exc
    except (smtplib.SMTPServerDisconnected, ConnectionError, TimeoutError) as exc:
        raise Retryable(f"{place}: {_words(exc)}") from exc
    except smtplib.SMTPException as exc:
        # What we insist on is not offered: STARTTLS, or a way to log in.
        raise Permanent(f"{place}: {_words(exc)}") from exc
    except ssl.SSLCertVerificationError as exc:
        raise Permanent(
            f"{place}: its certificate is not trusted: {exc.verify_message}. If it"
            " is your own, name the CA that signed it"
        ) from exc
    except OSError as exc:
        raise Retryable(f"{place}: {_words(exc)}") from exc
    except UnicodeError as exc:
        raise Permanent(
            f"{place}: the host, the user name or the password has a character that"
            " SMTP cannot carry"
        ) from exc


def _dial(server: Server, tls: ssl.SSLContext) -> smtplib.SMTP:
    smtp: smtplib.SMTP
    if server.security == "tls":
        smtp = smtplib.SMTP_SSL(
            server.host, server.port, timeout=server.timeout_s, context=tls
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
    try:
        if server.security == "starttls":
            smtp.starttls(context=tls)
        smtp.ehlo_or_helo_if_needed()
        if server.username:
            smtp.login(server.username, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _expect(answer: tuple[int, bytes], *codes: int) -> None:
    """
    Raise what an answer means, unless it is one of those hoped for.

    Source:
        RFC 5321, section 4.2.1: 4yz may pass, 5yz will not.
    """
    if answer[0] == 421:
        # The service closes, whatever was asked of it: RFC 5321, section 3.8.
        raise Away(_said(answer), costs=True)
    if answer[0] not in codes:
        refused = answer[0] in range(500, 600)
        raise (Permanent if refused else Retryable)(_said(answer))


def _said(answer: tuple[int, bytes]) -> str:
    return one_line(f"{answer[0]} {answer[1].decode('utf-8', 'replace')}")


def _words(exc: OSError) -> str:
    if isinstance(exc, smtplib.SMTPResponseException):
        error = exc.smtp_error
        return _said(
            (exc.smtp_code, error if isinstance(error, bytes) else error.encode())
        )
    return one_line(str(exc)) or type(exc).__name__
