"""What referrals have come to, for those who count: no name, no address."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Connection, Select, select

from sidecar.keyring import Keyring
from sidecar.referral.journey import Milestone
from sidecar.referral.metrics import Course
from sidecar.referral.playbook import Stage
from sidecar.referral.response_clock import Kind, State
from sidecar.store import persons
from sidecar.store.connections import OrgConnection
from sidecar.store.tables import reached, referral, response_clock

_BROKEN = frozenset({Stage.DUE, Stage.OVERDUE, Stage.BACKUP, Stage.MANAGER})


def since(
    db: Connection,
    connection: OrgConnection,
    starts: datetime,
    *,
    keyring: Keyring,
) -> list[Course]:
    """
    Give all referrals of a connection that have moved since a moment, by key.

    Each with its whole past. Those of persons who are erased are counted as well;
    what they were worth was theirs, and is gone.
    """
    moved = select(reached.c.referral_key).where(
        reached.c.connection_id == connection.id, reached.c.reached_at >= starts
    )
    rows = db.execute(
        select(reached.c.referral_key, reached.c.status, reached.c.reached_at).where(
            reached.c.connection_id == connection.id,
            reached.c.referral_key.in_(moved),
        )
    )
    pasts: dict[str, dict[Milestone, datetime]] = {}
    for key, status, at in rows:
        if (milestone := connection.statuses.get(status)) is None:
            continue
        past = pasts.setdefault(key, {})
        past[milestone] = min(at, past.get(milestone, at))
    kept = _kept(db, connection, moved)
    known = _known(db, connection, moved, keyring)
    return [
        Course(
            key=key,
            owner_id=owner_id,
            team="",
            kind=details.get("type", ""),
            reached=past,
            kept=kept.get(key),
            amount=_amount(details.get("amount", "")),
        )
        for key, past in sorted(pasts.items())
        for owner_id, details in [known.get(key, (None, {}))]
    ]


def _kept(
    db: Connection, connection: OrgConnection, keys: Select[Any]
) -> dict[str, bool]:
    """Say whether first responses came as promised; the undecided are missing."""
    rows = db.execute(
        select(
            response_clock.c.referral_key,
            response_clock.c.state,
            response_clock.c.told,
        ).where(
            response_clock.c.connection_id == connection.id,
            response_clock.c.referral_key.in_(keys),
            response_clock.c.kind == Kind.PROMISE,
            response_clock.c.milestone == Milestone.SUBMITTED,
        )
    )
    kept: dict[str, bool] = {}
    for key, state, told in rows:
        if _BROKEN & set(told):
            kept[key] = False
        elif state == State.DONE:
            kept.setdefault(key, True)
    return kept


def _known(
    db: Connection,
    connection: OrgConnection,
    keys: Select[Any],
    keyring: Keyring,
) -> dict[str, tuple[str | None, Mapping[str, str]]]:
    """Give owners, and what is known beside; of the erased only the owner."""
    query = select(referral).where(
        referral.c.org_id == connection.org_id, referral.c.key.in_(keys)
    )
    return {
        row.key: (row.owner_id, json.loads(persons.opened(row, keyring) or "{}"))
        for row in db.execute(persons.with_keys(query, referral))
    }


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
