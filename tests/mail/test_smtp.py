"""Sending: through real sockets, to a real server in every mood."""

import asyncio
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP
from smtp_peer import SENDER, WRITTEN_AT, Peer, letter, mailer, serving

from sidecar.errors import Permanent, Retryable, Uncertain
from sidecar.mail.letters import Address
from sidecar.mail.pool import Away, Rest
from sidecar.mail.server import Server, server_at
from sidecar.mail.smtp import Mailer


def test_a_letter_arrives_with_all_its_headers_and_both_its_parts(peer: Peer) -> None:
    with serving(peer) as port, mailer(port).connection() as smtp:
        receipt = smtp.send(letter(headers={"Reply-To": "owner@example.com"}))

    assert receipt == "250 2.0.0 queued as 1"
    envelope, mail = peer.received[0], peer.mails()[0]
    assert envelope.mail_from == "sidecar@example.com"
    assert envelope.rcpt_tos == ["rita@example.org"]
    assert mail["From"] == "Referral Sidecar <sidecar@example.com>"
    assert mail["To"] == "Rita Rep <rita@example.org>"
    assert mail["Subject"] == "New referral: Ada Example of Example GmbH"
    assert mail["Message-ID"] == "<key-1@example.com>"
    assert mail["Date"].datetime == WRITTEN_AT
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"] == "owner@example.com"
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert text.get_content().splitlines() == ["Ada Example", ".starts with a dot"]
    assert html.get_content_type() == "text/html"
    assert "<p>Ada Exämple</p>" in html.get_content()
    assert envelope.content.isascii()


def test_a_batch_travels_over_one_connection(peer: Peer) -> None:
    with serving(peer) as port, mailer(port).connection() as smtp:
        for number in range(5):
            smtp.send(letter(number))

    assert len(peer.connections) == 1
    assert [mail["Message-ID"] for mail in peer.mails()] == [
        f"<key-{number}@example.com>" for number in range(5)
    ]


def test_nothing_is_opened_for_a_batch_without_letters() -> None:
    with mailer(_closed_port()).connection():
        pass


def test_a_connection_dropped_between_two_letters_is_opened_again(peer: Peer) -> None:
    with serving(peer) as port, mailer(port).connection() as smtp:
        smtp.send(letter(1))
        peer.hang_up()
        smtp.send(letter(2))

    assert len(peer.connections) == 2
    assert len(peer.received) == 2


def test_a_server_that_ends_the_session_after_a_letter_is_dialled_again(
    peer: Peer,
) -> None:
    with serving(peer) as port, mailer(port).connection() as smtp:
        smtp.send(letter(1))
        peer.answers["MAIL"] = ["421 4.7.0 too many letters on this connection"]
        smtp.send(letter(2))

    assert len(peer.connections) == 2
    assert len(peer.received) == 2


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_passing_refusal_is_retryable_and_spares_the_next_letter(
    peer: Peer, command: str
) -> None:
    with serving(peer) as port, mailer(port).connection() as smtp:
        peer.answers[command] = ["451 4.3.0 try again later"]
        with pytest.raises(Retryable, match=r"^451 4\.3\.0 try again later$"):
            smtp.send(letter(1))
        smtp.send(letter(2))

    assert [mail["Message-ID"] for mail in peer.mails()] == ["<key-2@example.com>"]
    assert len(peer.connections) == 1


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_lasting_refusal_is_permanent_and_spares_the_next_letter(
    peer: Peer, command: str
) -> None:
    with serving(peer) as port, mailer(port).connection() as smtp:
        peer.answers[command] = ["550 5.1.1 no such user"]
        with pytest.raises(Permanent, match=r"^550 5\.1\.1 no such user$"):
            smtp.send(letter(1))
        smtp.send(letter(2))

    assert [mail["Message-ID"] for mail in peer.mails()] == ["<key-2@example.com>"]
    assert len(peer.connections) == 1


def test_a_first_greeting_of_421_is_retryable(peer: Peer) -> None:
    peer.answers["MAIL"] = ["421 4.3.2 shutting down"]
    with (
        serving(peer) as port,
        mailer(port).connection() as smtp,
        pytest.raises(Retryable, match=r"421 4\.3\.2 shutting down"),
    ):
        smtp.send(letter())


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"421 4.3.2 too busy\r\n", Retryable),
        (b"554 5.3.2 no mail here\r\n", Permanent),
        (b"hello\r\n", Retryable),
        (b"", Retryable),
    ],
)
def test_the_greeting_decides(greeting: bytes, error: type[Exception]) -> None:
    with (
        _answering(greeting) as port,
        mailer(port).connection() as smtp,
        pytest.raises(error),
    ):
        smtp.greet()


def test_a_server_that_takes_no_mail_at_all_loses_no_letter() -> None:
    with (
        _answering(b"554 5.3.2 no mail here\r\n") as port,
        mailer(port).connection() as smtp,
        pytest.raises(Away, match="no mail here"),
    ):
        smtp.send(letter())


def test_nobody_listening_is_retryable() -> None:
    with mailer(_closed_port()).connection() as smtp, pytest.raises(Retryable):
        smtp.send(letter())


def test_a_server_that_never_greets_is_retryable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with (
            mailer(port, timeout_s=0.1).connection() as smtp,
            pytest.raises(Retryable, match="timed out"),
        ):
            smtp.send(letter())


def test_a_connection_lost_before_the_letter_is_retryable(peer: Peer) -> None:
    class HangsUpOnData(SMTP):
        async def smtp_DATA(self, _: str) -> None:  # noqa: N802
            self.transport.abort()

    with (
        serving(peer, smtp_class=HangsUpOnData) as port,
        mailer(port).connection() as smtp,
        pytest.raises(Retryable, match="connection lost before the letter"),
    ):
        smtp.send(letter())


def test_a_connection_lost_inside_the_letter_is_retryable(peer: Peer) -> None:
    """The letter is larger than all buffers: its end cannot have left."""

    class HangsUpInside(SMTP):
        async def smtp_DATA(self, _: str) -> None:  # noqa: N802
            await self.push("354 go on")
            await self._reader.readexactly(100)
            self.transport.abort()

    with (
        serving(peer, smtp_class=HangsUpInside) as port,
        mailer(port).connection() as smtp,
        pytest.raises(Retryable, match="connection lost in the letter"),
    ):
        smtp.send(letter(text="sixteen letters\n" * 1_000_000))


def test_a_connection_lost_after_the_letter_is_uncertain(peer: Peer) -> None:
    peer.befall = lambda server: server.transport.abort()
    with serving(peer) as port, mailer(port).connection() as smtp:
        with pytest.raises(Uncertain, match="no answer came"):
            smtp.send(letter(1))
        assert len(peer.received) == 1
        peer.befall = None
        smtp.send(letter(2))

    assert len(peer.received) == 2


def test_no_answer_in_time_after_the_letter_is_uncertain(peer: Peer) -> None:
    class Silent(SMTP):
        async def push(self, status: str) -> None:
            if "queued" in str(status):
                await asyncio.sleep(30)
            await super().push(status)

    with (
        serving(peer, smtp_class=Silent) as port,
        mailer(port, timeout_s=0.3).connection() as smtp,
        pytest.raises(Uncertain, match="timed out"),
    ):
        smtp.send(letter())


def test_an_answer_after_the_letter_that_is_none_is_uncertain(peer: Peer) -> None:
    class Babbles(SMTP):
        async def push(self, status: str) -> None:
            await super().push("well done" if "queued" in str(status) else status)

    with (
        serving(peer, smtp_class=Babbles) as port,
        mailer(port).connection() as smtp,
        pytest.raises(Uncertain),
    ):
        smtp.send(letter())


def test_an_interrupted_letter_leaves_no_goodbye_in_its_text(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = smtplib.SMTP.send

    def interrupted(self: smtplib.SMTP, text: str | bytes) -> None:
        if len(text) < 200:
            return sent(self, text)
        sent(self, text[:100])
        raise KeyboardInterrupt

    with serving(peer) as port, mailer(port).connection() as smtp:
        smtp.send(letter(1))
        with monkeypatch.context() as patched:
            patched.setattr(smtplib.SMTP, "send", interrupted)
            with pytest.raises(KeyboardInterrupt):
                smtp.send(letter(2))
        smtp.send(letter(3))

    assert len(peer.connections) == 2
    assert [mail["Message-ID"] for mail in peer.mails()] == [
        "<key-1@example.com>",
        "<key-3@example.com>",
    ]


# --- encryption and login ---------------------------------------------------


def test_starttls_with_the_named_authority(
    peer: Peer, server_tls: ssl.SSLContext, certificate: Path
) -> None:
    with (
        serving(peer, tls_context=server_tls, require_starttls=True) as port,
        mailer(port, "starttls", ca_file=certificate).connection() as smtp,
    ):
        smtp.send(letter())

    assert peer.connections[0].session.ssl is not None
    assert len(peer.received) == 1


def test_tls_from_the_first_byte_with_the_named_authority(
    peer: Peer, server_tls: ssl.SSLContext, certificate: Path
) -> None:
    with (
        serving(peer, tls=server_tls) as port,
        mailer(port, "tls", ca_file=certificate).connection() as smtp,
    ):
        smtp.send(letter())

    assert len(peer.received) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_unknown_certificate_lets_letters_wait(
    peer: Peer, server_tls: ssl.SSLContext, security: str
) -> None:
    how = {"tls": server_tls} if security == "tls" else {"tls_context": server_tls}
    with (
        serving(peer, **how) as port,
        mailer(port, security).connection() as smtp,
        pytest.raises(Away, match="certificate is not trusted"),
    ):
        smtp.send(letter())

    assert peer.received == []


def test_a_server_without_starttls_gets_nothing_in_clear(peer: Peer) -> None:
    with (
        serving(peer) as port,
        mailer(port, "starttls").connection() as smtp,
        pytest.raises(Away, match="STARTTLS"),
    ):
        smtp.send(letter())

    assert peer.received == []


def test_a_login_is_made_once_for_a_batch(
    peer: Peer, server_tls: ssl.SSLContext, certificate: Path
) -> None:
    with serving(
        peer,
        tls_context=server_tls,
        authenticator=peer.authenticate,
        auth_required=True,
    ) as port:
        url = f"smtp+starttls://rita:s3cret%20pass%2Fword@127.0.0.1:{port}"
        server = server_at(url, sender=SENDER, ca_file=certificate)
        with Mailer(server).connection() as smtp:
            smtp.send(letter(1))
            smtp.send(letter(2))

    assert peer.logins == [(b"rita", b"s3cret pass/word")]
    assert len(peer.received) == 2


def test_a_refused_login_lets_letters_wait_and_says_what_to_do(peer: Peer) -> None:
    with serving(peer, authenticator=peer.authenticate, auth_require_tls=False) as port:
        unknown = mailer(port, username="rita", password="wrong")
        with (
            unknown.connection() as smtp,
            pytest.raises(Away, match=r"535 .*Check the user name"),
        ):
            smtp.send(letter())


def test_a_server_that_offers_no_login_lets_letters_wait(peer: Peer) -> None:
    with (
        serving(peer) as port,
        mailer(port, username="rita", password="x").connection() as smtp,
        pytest.raises(Away, match="AUTH"),
    ):
        smtp.send(letter())


def test_a_password_that_smtp_cannot_carry_lets_letters_wait(peer: Peer) -> None:
    with (
        serving(peer, authenticator=peer.authenticate, auth_require_tls=False) as port,
        mailer(port, username="rita", password="päss").connection() as smtp,
        pytest.raises(Away, match="cannot carry") as refused,
    ):
        smtp.send(letter())

    assert "päss" not in str(refused.value)


def test_a_missing_authority_file_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"absent\.pem"):
        mailer(25, "tls", ca_file=tmp_path / "absent.pem")


# --- connections are kept, and a server is left in peace ------------------------


def test_a_kept_connection_is_closed_when_nobody_wants_it(peer: Peer) -> None:
    closed = threading.Event()
    with serving(peer) as port:
        server = Server("127.0.0.1", port, "none", SENDER)
        brief = Mailer(server, idle_seconds=0.05)
        with brief.connection() as smtp:
            smtp.send(letter(1))
        peer.connections[0].connection_lost = lambda _: closed.set()
        assert closed.wait(10)
        with brief.connection() as smtp:
            smtp.send(letter(2))
        brief.close()

    assert len(peer.connections) == 2


def test_two_batches_one_after_the_other_share_a_connection(peer: Peer) -> None:
    with serving(peer) as port:
        sender = mailer(port)
        for number in range(3):
            with sender.connection() as smtp:
                smtp.send(letter(number))
        peer.hang_up()
        with sender.connection() as smtp:
            smtp.send(letter(3))
        sender.close()

    assert len(peer.connections) == 2
    assert len(peer.received) == 4


def test_a_rest_grows_to_ten_minutes_and_ends_with_the_first_letter() -> None:
    now = WRITTEN_AT
    rest = Rest(lambda: now)
    rests = [(rest.begin("away") - now).total_seconds() for _ in range(12)]

    assert 7 <= rests[0] <= 10
    assert rests[3] > rests[0]
    assert 450 <= rests[-1] <= 600
    with pytest.raises(Away, match="away"):
        rest.check()
    rest.end()
    rest.check()
    assert (rest.begin("away") - now).total_seconds() <= 10


def test_nobody_listening_is_asked_once_and_not_for_each_letter() -> None:
    sender = mailer(_closed_port())
    with sender.connection() as smtp, pytest.raises(Away) as refused:
        smtp.send(letter())
    assert refused.value.retry_at is not None
    assert not refused.value.costs
    with pytest.raises(Away), sender.connection():
        pass


def test_a_letter_that_is_not_confirmed_does_not_go_out(peer: Peer) -> None:
    def unwanted() -> None:
        raise Permanent("nobody wants it")

    with serving(peer) as port, mailer(port).connection() as smtp:
        with pytest.raises(Permanent, match="nobody wants it"):
            smtp.send(letter(1), confirm=unwanted)
        smtp.send(letter(2))

    assert [mail["Message-ID"] for mail in peer.mails()] == ["<key-2@example.com>"]
    assert len(peer.connections) == 1


# --- addresses beyond ASCII ---------------------------------------------------


def test_a_local_part_beyond_ascii_travels_where_smtputf8_is_offered(
    peer: Peer,
) -> None:
    with (
        serving(peer, enable_SMTPUTF8=True) as port,
        mailer(port).connection() as smtp,
    ):
        smtp.send(letter(to=Address("Jürgen", "jürgen@bücher.example")))

    envelope = peer.received[0]
    assert envelope.rcpt_tos == ["jürgen@xn--bcher-kva.example"]
    assert "SMTPUTF8" in envelope.mail_options
    assert peer.mails()[0]["To"] == "Jürgen <jürgen@xn--bcher-kva.example>"


def test_a_local_part_beyond_ascii_is_permanent_elsewhere(peer: Peer) -> None:
    with (
        serving(peer, enable_SMTPUTF8=False) as port,
        mailer(port).connection() as smtp,
    ):
        with pytest.raises(Permanent, match="SMTPUTF8"):
            smtp.send(letter(1, to=Address("", "jürgen@example.org")))
        smtp.send(letter(2))

    assert len(peer.received) == 1


# --- the server's address -------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://localhost", ("localhost", 25, "none", "", "")),
        ("smtp://127.0.0.1:1025", ("127.0.0.1", 1025, "none", "", "")),
        ("smtp+starttls://m.example.com", ("m.example.com", 587, "starttls", "", "")),
        (
            "smtps://a%40example.com:p%3A%40%2F@m.example.com",
            ("m.example.com", 465, "tls", "a@example.com", "p:@/"),
        ),
    ],
)
def test_a_server_is_read_from_its_address(
    url: str, expected: tuple[str, int, str, str, str]
) -> None:
    server = server_at(url, sender=SENDER)

    assert (
        server.host,
        server.port,
        server.security,
        server.username,
        server.password,
    ) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://mail.example.com:99999",
        "smtps://user:hunter2@[mail",
        "smtp://user:hunter2@mail.example.com",
    ],
)
def test_an_address_that_cannot_serve_is_refused_without_its_password(
    url: str,
) -> None:
    with pytest.raises(Permanent) as refused:
        server_at(url, sender=SENDER)

    assert "hunter2" not in str(refused.value)


def test_a_server_shows_no_password() -> None:
    server = server_at("smtps://user:hunter2@mail.example.com", sender=SENDER)

    assert isinstance(server, Server)
    assert "hunter2" not in repr(server)


# --- peers below SMTP ---------------------------------------------------------


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def _answering(greeting: bytes) -> Iterator[int]:
    """A listener that says one thing to the first caller, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(greeting)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()
