"""What a page of an org's records leaves behind: what nobody told, and what is known.

Everything here happens in a turn's transaction, and nobody else decides about the
connection meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from sidecar.intake import reconcile
from sidecar.intake.reconcile import SETTLED, Compared
from sidecar.jobs import reading
from sidecar.keyring import Keyring
from sidecar.referral.journey import STATIONS, Referral, advance
from sidecar.salesforce.changes import Page
from sidecar.salesforce.ids import to_18
from sidecar.store import inbox, reached, referrals
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival
from sidecar.store.reached import Expected, Known

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Desk:
    """
    Where a page is looked at.

    Attributes:
        covers_from: what was reached before then was never ours to tell.
        began: when the run began.
    """

    db: Connection
    connection: OrgConnection
    keyring: Keyring
    covers_from: datetime
    began: datetime
    now: datetime

    @property
    def org_id(self) -> str:
        """Of the org that the page is from."""
        return self.connection.org_id


def compare(desk: Desk, object_type: str, page: Page) -> list[int]:
    """
    Keep an event for all that a page shows and nobody told.

    Returns:
        The new events' ids.
    """
    there = _without_deleted(desk, page)
    keys = {reconcile.key_of(record) for record in there}
    known = referrals.load(desk.db, desk.org_id, keys, keyring=desk.keyring)
    heard: dict[str, dict[str, Known]] = {key: {} for key in keys}
    for (key, status), told in reached.known(desk.db, desk.org_id, keys).items():
        heard[key][status] = told
    arrivals: list[Arrival] = []
    expected: list[tuple[Expected, str]] = []
    quiet: list[Referral] = []
    for record in there:
        key = reconcile.key_of(record)
        found = reconcile.compare(
            record,
            object_type,
            statuses=desk.connection.statuses,
            referral=known.get(key),
            known=heard[key],
            covers_from=desk.covers_from,
            until=desk.now - SETTLED,
        )
        arrivals += [
            _arrival(desk, record, object_type, state) for state in found.missing
        ]
        expected += _expected(record, object_type, found, arrivals, heard[key])
        if found.differs:
            arrivals.append(_arrival(desk, record, object_type, None))
        elif found.newer and not found.missing:
            quiet += _as_read(desk, record, object_type, known.get(key))
    ids = inbox.keep(desk.db, arrivals, keyring=desk.keyring)
    reached.expect(
        desk.db,
        desk.org_id,
        desk.connection.id,
        [replace(item, event_id=ids.get(mark)) for item, mark in expected],
        now=desk.now,
    )
    referrals.remember(desk.db, desk.org_id, quiet, now=desk.now, keyring=desk.keyring)
    return list(ids.values())


def rebuild(desk: Desk, object_type: str, page: Page) -> None:
    """
    Write what is known of referrals anew; nothing follows from it.

    The objects furthest along come first; what this run has written of a referral
    leads, and earlier records add what they alone tell.
    """
    read = {
        item.key: item
        for record in _without_deleted(desk, page)
        for item in _as_read(desk, record, object_type, None)
    }
    known = referrals.load(desk.db, desk.org_id, read, keyring=desk.keyring)
    stale = referrals.untouched(desk.db, desk.org_id, read, since=desk.began)
    anew = [
        item if key in stale else _together(known.get(key), item)
        for key, item in read.items()
    ]
    referrals.remember(desk.db, desk.org_id, anew, now=desk.now, keyring=desk.keyring)


def _together(known: Referral | None, read: Referral) -> Referral:
    """Put together what two records tell; the one furthest along leads."""
    if known is None:
        return read
    ahead = STATIONS[read.object_type] >= STATIONS[known.object_type]
    first, second = (known, read) if ahead else (read, known)
    return replace(second, details={**first.details, **second.details})


def _without_deleted(desk: Desk, page: Page) -> list[Record]:
    """Forget referrals whose records are deleted; give the others."""
    deleted = {
        to_18(record["Id"]): reconcile.key_of(record)
        for record in page.records
        if record.get("IsDeleted")
    }
    if deleted:
        referrals.forget_deleted(desk.db, desk.org_id, deleted)
        reached.unexpect(desk.db, desk.org_id, deleted)
    return [record for record in page.records if not record.get("IsDeleted")]


def _expected(
    record: Record,
    object_type: str,
    found: Compared,
    arrivals: Sequence[Arrival],
    heard: dict[str, Known],
) -> list[tuple[Expected, str]]:
    """
    List what is to be noted as shown by the org, with the mark of its event.

    Notes it in ``heard``, too: another record of the page may show the same.
    """
    marks = {
        state.status: arrival.notification_id
        for state, arrival in zip(
            reversed(found.missing), reversed(arrivals), strict=False
        )
    }
    listed = []
    for state in found.expected:
        told = heard.get(state.status)
        mark = marks.get(state.status, "")
        if told is None or not told.confirmed:
            shown = Expected(
                referral_key=reconcile.key_of(record),
                status=state.status,
                object_type=object_type,
                record_id=to_18(record["Id"]),
                reached_at=state.at,
            )
            listed.append((shown, mark))
        heard[state.status] = Known(
            heard=told is not None and told.heard,
            sought=bool(mark) or (told is not None and told.sought),
            confirmed=True,
        )
    return listed


def _arrival(
    desk: Desk, record: Record, object_type: str, state: reconcile.State | None
) -> Arrival:
    return reconcile.arrival(record, object_type, state, desk.connection, desk.now)


def _as_read(
    desk: Desk, record: Record, object_type: str, known: Referral | None
) -> list[Referral]:
    """Give the referral that a record tells of, unless it is known to be just so."""
    seen = reading.seen(object_type, to_18(record["Id"]), record, read_back=True)
    after = advance(known, seen, desk.connection.statuses).referral
    if after is None or after == known:
        return []
    if known is not None and replace(after, changed_at=known.changed_at) == known:
        return []
    return [after]
