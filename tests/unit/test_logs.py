"""Logs: whatever a caller hands over, no secret is in the line that leaves."""

import json
import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.logs import MASK, configure, log, mask, redact, secret_name

SECRET = "Hush7hush8"
SESSION = f"00D000000000001!AQ{SECRET}.x_y"


@dataclass
class Login:
    username: str
    client_secret: str
    note: str


class Thing:
    """Something that nobody thought of, with words of its own."""

    def __init__(self, words: str) -> None:
        self._words = words

    def __str__(self) -> str:
        return self._words


class Row(NamedTuple):
    name: str
    access_token: str


@pytest.fixture
def quiet() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


# Texts in which secrets stand, as libraries, servers and people write them.
TELLING = [
    SESSION,
    f"Bearer {SESSION}",
    f"frontdoor with 00D000000000001EAA%21AQ{SECRET}",
    f"frontdoor.jsp?sid={SECRET}",
    f"<SessionId>00D000000000001&#33;AQ{SECRET}</SessionId>",
    f"POST /hooks/outbound/{SECRET}{SECRET} HTTP/1.1",
    f"https://example.com/hooks/outbound/{SECRET}{SECRET}?x=1",
    f"redis://:{SECRET}@127.0.0.1:6379/0 does not answer",
    f"postgresql://sidecar:{SECRET}@db.example/sidecar",
    f"postgresql://sidecar:a/b@{SECRET}@db.example/sidecar",
    f"smtp+starttls://rep@example.com:{SECRET}@mail.example.com:587",
    f"postgresql://db.example/sidecar?user=x&password={SECRET}",
    f"host=db.example password={SECRET} dbname=sidecar",
    f"Authorization: Basic {SECRET}==",
    f'{{"access_token": "{SECRET}", "id": "x"}}',
    f"{{'client_secret': '{SECRET}'}}",
    f"grant_type=refresh_token&refresh_token={SECRET}&client_id=x",
    f"assertion=eyJ.{SECRET}.x",
]
TEXTS = st.sampled_from(TELLING)
NAMES = st.sampled_from(
    [
        *("password", "SMTP_PASSWORD", "XBOAPassword__c", "token", "session_id"),
        *("SessionId", "client_secret", "Authorization", "api_key", "apikey"),
        *("hook_key", "private_key", "assertion", "keys", "key"),
    ]
)
HOLDERS = st.one_of(
    TEXTS,
    TEXTS.map(str.encode),
    TEXTS.map(ValueError),
    TEXTS.map(Thing),
    TEXTS.map(lambda text: {text: 1}),
    TEXTS.map(lambda text: {(1, text): 1}),
    TEXTS.map(lambda text: Login("x", SECRET, text)),
    st.just(Row("x", SECRET)),
    st.builds(lambda name: {name: SECRET}, NAMES),
    st.builds(lambda name: {name: [SECRET, {"x": SECRET}]}, NAMES),
    st.builds(lambda name: {name.encode(): SECRET.encode()}, NAMES),
)
NESTED = st.recursive(
    HOLDERS,
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.lists(below, max_size=3).map(tuple),
        st.lists(below, max_size=3).map(deque),
        st.dictionaries(st.text(max_size=3), below, max_size=3),
        st.dictionaries(st.text(max_size=3), below, max_size=3).map(MappingProxyType),
        st.dictionaries(st.text(max_size=3), below, max_size=3).map(dict.values),
        below.map(lambda value: {"error": ValueError(value)}),
    ),
    max_leaves=6,
)


@given(NESTED)
@example({"a": [{"b": ({"password": SECRET},)}]})
@example(frozenset({SESSION}))
def test_a_secret_is_blackened_wherever_it_stands(value: object) -> None:
    shown = json.dumps(redact(value))

    assert SECRET not in shown
    assert SECRET not in repr(redact(value))


@given(NESTED)
def test_what_is_blackened_is_not_blackened_further(value: object) -> None:
    once = redact(value)

    assert redact(once) == once


PLAIN = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from(
            [
                "the org rests",
                "https://example.com:8000/x?mail=a@example.com",
                "MALFORMED_QUERY: unexpected token: 'FROM'",
                *("00Q000000000001EAA", "Hello!", "ada@example.com", "a: b, c"),
            ]
        ),
    ),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.sampled_from(["reason", "status", "x"]), below, max_size=3),
    ),
)


@given(PLAIN)
def test_the_rest_stays_as_it_is(value: object) -> None:
    assert redact(value) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00+00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1.50"), "1.50"),
        (Path("/tmp/x"), "/tmp/x"),
        (b"text", "text"),
        (ValueError("no"), "no"),
        ({1: 2}, {"1": 2}),
        ((1, "a"), [1, "a"]),
        (range(3), [0, 1, 2]),
        (Row("x", ""), {"name": "x", "access_token": ""}),
        ({"password": None, "token": ""}, {"password": None, "token": ""}),
    ],
)
def test_any_value_becomes_what_json_can_hold(value: object, shown: object) -> None:
    assert redact(value) == shown


def test_a_value_that_holds_itself_is_no_endless_loop() -> None:
    value: list[object] = []
    value.append(value)

    assert MASK in repr(redact(value))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:pw@h/d", f"postgresql://u:{MASK}@h/d"),
        ("redis://:p@ss@h", f"redis://:{MASK}@h"),
        ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
        ("/hooks/outbound/abc/x", f"/hooks/outbound/{MASK}/x"),
        ("it was 00D!", "it was 00D!"),
    ],
)
def test_only_the_secret_part_is_blackened(text: str, shown: str) -> None:
    assert mask(text) == shown


@given(NAMES)
def test_names_of_secrets_are_known(name: str) -> None:
    assert secret_name(name)


@pytest.mark.parametrize("name", ["key_prefix", "referral_key", "status", "monkey"])
def test_other_names_are_no_secrets(name: str) -> None:
    assert not secret_name(name)


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_line_leaves_without_its_secrets(
    log_format: str, capsys: pytest.CaptureFixture[str], quiet: None
) -> None:
    configure(log_format)

    log().warning("told", token=SECRET, value=ValueError(SESSION), **{SESSION: 1})
    try:
        raise RuntimeError(f"redis://:{SECRET}@h")
    except RuntimeError:
        log().exception("broke")
    logging.getLogger("library").error("with %s", SESSION)
    try:
        raise RuntimeError(f"postgresql://u:{SECRET}@h")
    except RuntimeError:
        logging.getLogger("library").exception("broke too")

    printed = capsys.readouterr().err
    assert SECRET not in printed
    assert printed.count("Traceback") == 2
    for word in ("told", "broke", "with ***", "broke too"):
        assert word in printed


def test_json_lines_are_json_with_time_and_level(
    capsys: pytest.CaptureFixture[str], quiet: None
) -> None:
    configure("json")
    structlog.contextvars.bind_contextvars(org="00D")
    try:
        log().info("told", at=datetime(2026, 1, 2, tzinfo=UTC), ids=(1, 2))
        log().debug("not told")
    finally:
        structlog.contextvars.clear_contextvars()

    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert told.pop("timestamp")
    assert told == {
        "event": "told",
        "level": "info",
        "org": "00D",
        "at": "2026-01-02T00:00:00+00:00",
        "ids": [1, 2],
    }


def test_no_value_keeps_a_line_from_leaving(
    capsys: pytest.CaptureFixture[str], quiet: None
) -> None:
    configure("json")

    log().info("told", odd="\ud800", big=2**70, nan=float("nan"), **{"\udfff": 1})

    assert '"event":"told"' in capsys.readouterr().err.replace('": "', '":"')


@pytest.mark.parametrize(
    "text",
    [
        "https://hooks.slack.com/services/T1/B1/hidden",
        "Max retries exceeded with url: /services/T1/B1/hidden (Caused by x)",
        "https://a.environment.api.powerplatform.com/workflows/1?sp=%2F&sig=hidden",
    ],
)
def test_whoever_reads_a_log_cannot_post_to_a_channel(text: str) -> None:
    assert "hidden" not in mask(text)
    assert mask(text) != text
