"""What may be set from outside: one frozen value, a field per environment variable.

Nothing else in the product reads the environment.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path

from sidecar.errors import Permanent


class WrongSetting(Permanent):
    """A setting is missing or cannot be used; the text names the variable."""


@dataclass(frozen=True)
class Settings:
    """The service's settings. Each field is the variable ``SIDECAR_<FIELD>``."""

    database_url: str = ""
    """libpq address of the PostgreSQL database (``postgresql://...``)."""

    redis_url: str = "redis://127.0.0.1:6379/0"
    """The doorbell; ``redis://``, ``rediss://`` or ``unix://``."""

    public_url: str = "http://127.0.0.1:8000"
    """Where Salesforce and people reach this service, without a trailing slash."""

    keys: tuple[str, ...] = ()
    """Fernet keys, newest first, comma-separated; the first one seals."""

    keys_file: Path | None = None
    """The same, one key a line; for secrets that are mounted as files."""

    pubsub_address: str = "api.pubsub.salesforce.com:7443"
    """``host:port`` of the Pub/Sub API; some regions have one of their own."""

    smtp_url: str = "smtp://127.0.0.1:25"
    """``smtp://`` (STARTTLS where offered), ``smtp+starttls://`` or ``smtps://``."""

    mail_from: str = "Referrals <referrals@localhost>"
    """The sender of every mail."""

    bounce_mailbox: str = field(default="", repr=False)
    """Where mail servers send back what they could not deliver; ``imaps://``."""

    mails_an_hour: int = 10
    """So many a rep gets one by one; more of them become one mail. 0 for any number."""

    ca_file: Path | None = None
    """Certificates trusted beside the usual ones, for Salesforce and SMTP."""

    demo: bool = False
    """A dev org on this machine may be connected, and keys may be left out."""

    max_message_bytes: int = 10 * 1024 * 1024
    """An outbound message may be this long: 100 full records are below 1 MB."""

    events_per_minute: int = 3000
    """Messages that each web process takes at a connection's events door."""

    tls_certificate_file: Path | None = None
    """Our certificate and what leads to its root; the web then speaks TLS itself."""

    tls_key_file: Path | None = None
    """The private key to it."""

    client_ca_file: Path | None = None
    """Who may have issued the certificate that Salesforce shows; without it none is
    asked for."""

    client_names: tuple[str, ...] = ("proxy.salesforce.com",)
    """Whose certificate it must be, comma-separated; any of them will do."""

    client_certificate_header: str = ""
    """Where a proxy that ends TLS puts the certificate that it was shown."""

    trusted_proxies: tuple[str, ...] = ()
    """Addresses or ranges of proxies before us, comma-separated: they alone may say
    who called and with which certificate."""

    ip_ranges_file: Path | None = None
    """From where outbound messages come: Salesforce's ip-ranges.json."""

    ip_ranges_mode: str = "warn"
    """``warn`` of other addresses, or ``enforce``: refuse them."""

    lease_seconds: int = 120
    """After so long without a word, an attempt counts as broken off."""

    sweep_seconds: int = 15
    """How often the clock rings for what is due."""

    keep_events_days: int = 30
    """For so long an event that is done or dead keeps what it said of people."""

    keep_quarantine_days: int = 30
    """For so long a refused message is kept, from when it last came."""

    keep_follow_ups_days: int = 400
    """For so long a follow-up that is over keeps its words."""

    keep_deliveries_days: int = 30
    """For so long the ids of signed messages are kept, against repeats."""

    admin_token: str = field(default="", repr=False)
    """Access token of the admin who installs, or has the org's certificate read."""

    log_format: str = "json"
    """``json`` for machines, ``text`` for people."""

    @property
    def speaks_tls(self) -> bool:
        """Whether the web ends TLS itself. Raises WrongSetting: one half is missing."""
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise WrongSetting(
                "SIDECAR_TLS_CERTIFICATE_FILE and SIDECAR_TLS_KEY_FILE belong together"
            )
        return self.tls_certificate_file is not None


def from_environ(environ: Mapping[str, str] = os.environ) -> Settings:
    """
    Read ``SIDECAR_*``.

    Raises:
        WrongSetting: a value cannot be used, or a ``SIDECAR_`` variable is unknown
            (most often a slip of the pen that would otherwise pass unnoticed).
    """
    known = {f"SIDECAR_{field.name.upper()}": field for field in fields(Settings)}
    given: dict[str, object] = {}
    for name, value in environ.items():
        if not name.startswith("SIDECAR_") or name in _NOT_OURS:
            continue
        if name not in known:
            raise WrongSetting(
                f"{name} is no setting of the sidecar. Known: {', '.join(known)}"
            )
        field = known[name]
        if value != "":
            given[field.name] = _value(name, field.name, value)
    return Settings(**given)  # type: ignore[arg-type]


_LEAST = {
    "max_message_bytes": 1024,
    "events_per_minute": 1,
    "mails_an_hour": 0,
    "lease_seconds": 5,
    "sweep_seconds": 1,
    "keep_events_days": 1,
    "keep_quarantine_days": 1,
    "keep_follow_ups_days": 1,
    "keep_deliveries_days": 1,
}

# Read by the test suite alone; not a setting of the service.
_NOT_OURS = {"SIDECAR_CORPUS"}


_ADDRESSES = {
    "database_url": ("postgresql", "postgres"),
    "redis_url": ("redis", "rediss", "unix"),
    "smtp_url": ("smtp", "smtp+starttls", "smtps"),
    "bounce_mailbox": ("imaps",),
}


def _value(name: str, field: str, value: str) -> object:
    match field:
        case "keys":
            keys = tuple(key.strip() for key in value.split(",") if key.strip())
            if not all(re.fullmatch("[A-Za-z0-9_-]{43}=", key) for key in keys):
                # Which one, and how it reads, is nobody's business.
                raise WrongSetting(f"{name} takes what `sidecar keys new` prints")
            return keys
        case (
            "keys_file"
            | "ca_file"
            | "tls_certificate_file"
            | "tls_key_file"
            | "client_ca_file"
            | "ip_ranges_file"
        ):
            path = Path(value)
            if "\0" in value or not path.is_file():
                raise WrongSetting(f"{name}: there is no file {value}")
            return path
        case "demo":
            if value.lower() not in {"1", "0", "true", "false"}:
                raise WrongSetting(f"{name} is {value!r}; it takes true or false")
            return value.lower() in {"1", "true"}
        case (
            "max_message_bytes"
            | "events_per_minute"
            | "mails_an_hour"
            | "lease_seconds"
            | "sweep_seconds"
            | "keep_events_days"
            | "keep_quarantine_days"
            | "keep_follow_ups_days"
            | "keep_deliveries_days"
        ):
            least = _LEAST[field]
            if not re.fullmatch("[0-9]{1,12}", value) or int(value) < least:
                raise WrongSetting(
                    f"{name} is {value!r}; it takes a whole number, {least} or more"
                )
            return int(value)
        case "admin_token":
            if not re.fullmatch(r"[\x21-\x7e]+", value):
                raise WrongSetting(f"{name} takes an access token, and nothing else")
            return value
        case "client_names":
            names = tuple(part.strip().lower() for part in value.split(","))
            if not all(re.fullmatch(r"[a-z0-9._-]+", name) for name in names):
                raise WrongSetting(f"{name} is {value!r}; it takes host names")
            return names
        case "client_certificate_header":
            if not re.fullmatch(r"[A-Za-z0-9-]+", value):
                raise WrongSetting(f"{name} is {value!r}; it takes a header's name")
            return value
        case "trusted_proxies":
            ranges = tuple(part.strip() for part in value.split(","))
            for part in ranges:
                try:
                    ip_network(part, strict=False)
                except ValueError as exc:
                    raise WrongSetting(
                        f"{name}: {part!r} is neither an address nor a range"
                    ) from exc
            return ranges
        case "ip_ranges_mode":
            if value not in {"warn", "enforce"}:
                raise WrongSetting(f"{name} is {value!r}; it takes warn or enforce")
            return value
        case "log_format":
            if value not in {"json", "text"}:
                raise WrongSetting(f"{name} is {value!r}; it takes json or text")
            return value
        case "pubsub_address":
            if not re.fullmatch(r"[A-Za-z0-9.-]+:[0-9]{1,5}", value):
                raise WrongSetting(f"{name} is {value!r}; it takes host:port")
            return value
        case "public_url":
            if not _PUBLIC.fullmatch(value):
                raise WrongSetting(f"{name} is {value!r}; it takes an https address")
            return value.rstrip("/")
        case "mail_from":
            if not re.fullmatch(r"[^@\r\n]*[^@\s]@[^@\s]+", value):
                raise WrongSetting(
                    f"{name} is {value!r}; it takes Some Name <name@example.com>"
                )
            return value
        case _:
            # Its password, if it has one, is not repeated.
            schemes = _ADDRESSES[field]
            if value.partition("://")[0] not in schemes or "\0" in value:
                known = " or ".join(f"{scheme}://" for scheme in schemes)
                raise WrongSetting(f"{name} takes an address with {known}")
            return value


# No query, no fragment, no login: paths are put behind it.
_PUBLIC = re.compile(
    r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[\w.~/-]*)?",
    re.ASCII,
)
