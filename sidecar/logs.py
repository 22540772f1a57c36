"""Structured lines; ids from context; redaction by construction.

Whatever a caller hands over, a line leaves only after ``redact`` has looked at every
key and every text in it: a secret cannot be logged by forgetting something.
"""

import json
import logging
import re
import sys
from collections import deque
from collections.abc import Mapping, MutableMapping, Set, ValuesView
from dataclasses import fields, is_dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import orjson
import structlog

MASK = "***"

_SECRET_NAME = re.compile(
    r"passw|secret|token|session|authorization|api_?key|hook_?key|assertion|private"
    r"|^keys?$",
    re.IGNORECASE,
)
# A Salesforce session: the org's id, an exclamation mark, the secret part; also as
# addresses and markup write the mark.
_SESSION = re.compile(
    r"00D[A-Za-z0-9]{12,15}(?:!|%21|&#33;|&#[xX]21;|\+ACE-)[A-Za-z0-9._]{8,}"
)
# Slack's and Teams' webhooks: whoever knows the address may post.
_WEBHOOK = re.compile(r"(/services/(?=T)|[?&]sig=)[^\s\"'<>&)]+")
_HOOK_PATH = re.compile(r"(/hooks/[a-z]+/)[^/\s?#\"']+")
# Up to the last @: passwords and user names may hold one. A port is no password.
_URL_LOGIN = re.compile(
    r"(://[^/:\s\[]{0,256}:)(?![0-9]{1,5}(?:[/?#\s]|\Z))[^\s\"'<>]{1,256}@"
)
_BEARER = re.compile(
    r"(\b(?:Bearer|Basic|OAuth) )[A-Za-z0-9._~+/!=-]{8,}", re.IGNORECASE
)
# password=... and "client_secret": "..."
_NAMED = re.compile(
    r"((?:passw(?:or)?d|secret|token|assertion|api_?key|session_?id|\bsid)"
    r"(?:=[\"']?|[\"']\s?:\s?[\"']))[^\s&\"'<>,;]+",
    re.IGNORECASE,
)
# Most texts have none of what the patterns above need.
_HINT = re.compile(
    r"00D|/hooks/|/services/|://|=|[\"']\s?:|bearer|basic|oauth", re.IGNORECASE
)
_DEEPEST = 20


def secret_name(name: str) -> bool:
    """Tell whether a field of this name is likely to hold a secret."""
    return bool(_SECRET_NAME.search(name))


def mask_sessions(text: str) -> str:
    """Blacken Salesforce sessions inside a text and leave the rest as it is."""
    return _SESSION.sub(MASK, text) if "00D" in text else text


def mask(text: str) -> str:
    """Blacken sessions, hook keys, tokens and passwords inside a text."""
    if _HINT.search(text) is None:
        return text
    text = mask_sessions(text)
    text = _HOOK_PATH.sub(rf"\g<1>{MASK}", text)
    text = _WEBHOOK.sub(rf"\g<1>{MASK}", text)
    text = _URL_LOGIN.sub(rf"\g<1>{MASK}@", text)
    text = _BEARER.sub(rf"\g<1>{MASK}", text)
    return _NAMED.sub(rf"\g<1>{MASK}", text)


@lru_cache(maxsize=4096)
def _name(name: str) -> tuple[str, bool]:
    """A field's name as it may be shown, and whether its value may not."""
    return mask(name), secret_name(name)


def redact(value: Any, depth: int = 0) -> Any:
    """
    Blacken secrets in a value of any shape.

    What comes back is what JSON can hold: of whatever is neither number, text nor
    collection, the text that it makes of itself, blackened too.
    """
    match value:
        case None | bool() | int() | float():
            return value
        case str() | bytes() | bytearray():
            return mask(_text(value))
        case date():
            return value.isoformat()
        case _ if depth == _DEEPEST:
            return MASK
        case Mapping():
            redacted = {}
            for key, item in value.items():
                name, secret = _name(_text(key))
                redacted[name] = MASK if secret and item else redact(item, depth + 1)
            return redacted
        case tuple() if hasattr(value, "_asdict"):
            return redact(value._asdict(), depth)
        case list() | tuple() | Set() | deque() | ValuesView() | range():
            return [redact(item, depth + 1) for item in value]
        case BaseException() if not all(isinstance(arg, str) for arg in value.args):
            return redact(value.args, depth)
        case _ if is_dataclass(value) and not isinstance(value, type):
            shown = {field.name: getattr(value, field.name) for field in fields(value)}
            return redact(shown, depth)
        case _:
            return mask(_text(value))


def _text(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    return str(value)


def _redact_line(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    redacted: dict[str, Any] = redact(event)
    return redacted


class _Masked(logging.Formatter):
    """Lines of libraries, tracebacks included, with their secrets blackened."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


def configure(log_format: str = "json", *, level: int = logging.INFO) -> None:
    """Send our lines, and those of the libraries from WARNING on, to stderr."""
    theirs = logging.StreamHandler(sys.stderr)
    theirs.setFormatter(_Masked("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[theirs], force=True)
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=_json)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_line,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def _json(line: Any, **_options: Any) -> str:
    try:
        return orjson.dumps(line, default=str).decode()
    except TypeError:
        # Half a character, or a number beyond 64 bits: a line leaves all the same.
        return json.dumps(line, default=str)


def log() -> Any:
    """The logger; call it where a line is written, not at import."""
    return structlog.get_logger()
