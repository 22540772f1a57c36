"""The audit trail: who did what, appended and chained, never changed.

Each entry carries the hash of the one before it: whoever changes, removes or slips in
an entry breaks the chain from there on. Who, what and ids stand in it; names and
addresses of people do not, so that nothing in it ever has to be erased.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from sidecar.store.tables import audit

_LOCK = 0x5EFE44A1
"""Of the one who appends: two entries must not follow the same one."""
_FIRST = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One entry as it stands in the trail."""

    id: int
    at: datetime
    who: str
    what: str
    about: str
    details: Mapping[str, Any]
    hash: str


def note(
    db: Connection,
    *,
    who: str,
    what: str,
    about: str = "",
    details: Mapping[str, Any] | None = None,
    now: datetime,
) -> str:
    """
    Append an entry; its hash. It is there if the caller's transaction is.

    Args:
        what: a verb of ours, as ``connections.add``.
        about: what it was done to, as ``connection 1``.
    """
    db.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    last = db.scalar(select(audit.c.hash).order_by(audit.c.id.desc()).limit(1))
    at = now.astimezone(UTC)
    given = dict(details or {})
    digest = _digest(last or _FIRST, at, who, what, about, given)
    db.execute(
        insert(audit).values(
            at=at, who=who, what=what, about=about, details=given, hash=digest
        )
    )
    return digest


def listing(db: Connection, *, limit: int) -> list[Entry]:
    """List the newest entries, newest first."""
    rows = db.execute(select(audit).order_by(audit.c.id.desc()).limit(limit))
    return [Entry(**row._mapping) for row in rows]


def broken(db: Connection) -> Iterator[Entry]:
    """Find the entries at which the chain breaks; none in a trail left alone."""
    last = _FIRST
    for row in db.execute(select(audit).order_by(audit.c.id)):
        entry = Entry(**row._mapping)
        expected = _digest(
            last, entry.at, entry.who, entry.what, entry.about, entry.details
        )
        if expected != entry.hash:
            yield entry
        last = entry.hash


def _digest(
    last: str,
    at: datetime,
    who: str,
    what: str,
    about: str,
    details: Mapping[str, Any],
) -> str:
    moment = at.astimezone(UTC).isoformat()
    entry = json.dumps(
        [last, moment, who, what, about, details], sort_keys=True, ensure_ascii=True
    )
    return hashlib.sha256(entry.encode()).hexdigest()
