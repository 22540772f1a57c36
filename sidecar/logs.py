"""Structured lines; ids from context; redaction by construction.

Whatever a caller hands over, a line leaves only after ``redact`` has looked at every
key and every text in it: a secret cannot be logged by forgetting something.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

MASK = "***"

_SECRET_NAME = re.compile(
    r"passw|secret|token|session|authorization|api_?key|hook_?key|assertion|private",
    re.IGNORECASE,
)
# A Salesforce session: the org's id, an exclamation mark, the secret part.
_SESSION = re.compile(r"00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{8,}")
_HOOK_PATH = re.compile(r"(/hooks/[a-z]+/)[^/\s?#\"']+")
_URL_LOGIN = re.compile(r"(://[^/:@\s]*:)[^/@\s]+@")


def secret_name(name: str) -> bool:
    """Tell whether a field of this name is likely to hold a secret."""
    return bool(_SECRET_NAME.search(name))


def mask(text: str) -> str:
    """Blacken sessions, hook keys and passwords inside a text."""
    text = _SESSION.sub(MASK, text)
    text = _HOOK_PATH.sub(rf"\g<1>{MASK}", text)
    return _URL_LOGIN.sub(rf"\g<1>{MASK}@", text)


def redact(value: Any) -> Any:
    """Blacken secrets in a value of any shape, at any depth."""
    match value:
        case str():
            return mask(value)
        case Mapping():
            return {
                key: MASK if secret_name(str(key)) and item else redact(item)
                for key, item in value.items()
            }
        case list() | tuple() | set():
            return [redact(item) for item in value]
        case _:
            return value


def _redact_line(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    redacted: dict[str, Any] = redact(event)
    return redacted


def configure(log_format: str = "json", *, level: int = logging.INFO) -> None:
    """Send our lines, and those of the libraries from WARNING on, to stderr."""
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(message)s", force=True
    )
    renderer: Any = (
        structlog.processors.JSONRenderer()
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


def log() -> Any:
    """The logger; call it where a line is written, not at import."""
    return structlog.get_logger()
