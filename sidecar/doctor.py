"""The doctor: is every part well, and if not, what helps."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from sidecar.errors import SidecarError
from sidecar.jobs import pace
from sidecar.jobs.pace import Sender
from sidecar.jobs.reconcile import EVERY
from sidecar.logs import mask
from sidecar.mail import bounce_mailbox
from sidecar.referral.pace import Meaning, Silence
from sidecar.store import (
    connections,
    database,
    follow_ups,
    inbox,
    mail_preferences,
    reached,
    reconciliations,
    webhook_secrets,
)
from sidecar.store.connections import OrgConnection
from sidecar.store.webhook_secrets import ANNOUNCED, Kind
from sidecar.wiring import Wiring

_COUNTED = timedelta(days=7)
_IN_USE, _SOON = timedelta(hours=1), timedelta(hours=6)
"""A replaced secret used so lately, and ending so soon, will be missed."""


class Finding(NamedTuple):
    """One part, whether it is well, and what was seen."""

    part: str
    well: bool
    seen: str


class _NotWell(Exception):
    """A part answers, and what it says is not well."""


def examine(wiring: Wiring) -> list[Finding]:
    """Look at every part; a part that breaks is a finding, never an exception."""
    findings = [
        _look("key ring", lambda: bool(wiring.keyring) and "keys can be read"),
        _look("database", lambda: _database(wiring)),
        _look("Redis", lambda: _redis(wiring)),
        _look("mail server", lambda: _mail(wiring)),
    ]
    if wiring.settings.bounce_mailbox:
        look = partial(_bounce_mailbox, wiring)
        findings.append(_look("bounce mailbox", look))
    if not findings[1].well:
        return findings
    with wiring.engine.connect() as db:
        known = connections.listing(db)
        dead_events = inbox.count(db).get("dead", 0)
        ends = follow_ups.count(db)
        senders = pace.senders(db, now=wiring.now())
        old = connections.old_addresses(db)
        suppressed = len(mail_preferences.listing(db, keyring=wiring.keyring))
    findings += [
        _look(f"org {item.name}", partial(_org, wiring, item.id)) for item in known
    ]
    findings += [
        _look(f"completeness of {item.name}", partial(_completeness, wiring, item))
        for item in known
    ]
    names = {item.id: item.name for item in known}
    findings += [
        _pace(sender, names.get(sender.connection_id, str(sender.connection_id)))
        for sender in senders
    ]
    findings += _secrets(wiring, names)
    findings += [_old_address(names[id_], used) for id_, used in old.items()]
    if suppressed:
        told = f"{suppressed} take no mail: `sidecar mail suppressed`"
        findings.append(Finding("mail addresses", True, told))
    given_up = ends.get("dead", 0) + ends.get("uncertain", 0)
    findings.append(Finding("inbox", not dead_events, f"{dead_events} dead events"))
    findings.append(
        Finding("follow-ups", not given_up, f"{given_up} dead or uncertain follow-ups")
    )
    return findings


def _redis(wiring: Wiring) -> str:
    try:
        wiring.redis.ping()
    except RedisError as exc:
        where = "SIDECAR_REDIS_URL says where it is; `sidecar up` brings one along"
        raise _NotWell(f"{mask(str(exc))} {where}") from exc
    return "answers"


def _look(part: str, look: Callable[[], str | bool]) -> Finding:
    try:
        seen = look()
    except SidecarError as exc:
        return Finding(part, False, str(exc))
    except _NotWell as exc:
        return Finding(part, False, str(exc))
    except Exception as exc:  # noqa: BLE001 a broken part is what we are looking for
        return Finding(part, False, f"{type(exc).__name__}: {exc}".splitlines()[0])
    return Finding(part, bool(seen), str(seen))


def _pace(sender: Sender, connection: str) -> Finding:
    """Say whether an action has fallen silent, and how to find what was missed."""
    part = f"messages of {connection}, action {sender.action_id}, {sender.object_type}"
    quiet = sender.silence
    if quiet is None:
        return Finding(part, True, f"the last came at {sender.last:%Y-%m-%d %H:%M}Z")
    usual = max(1, round(quiet.usual.total_seconds() / 60))
    told = f"silent since {quiet.since:%Y-%m-%d %H:%M}Z; usually {usual} min at most. "
    match sender.meaning:
        case Meaning.QUIET:
            told += "Nothing has changed there since: the org's own records say so"
            return Finding(part, True, told)
        case Meaning.LOSING:
            told += (
                f"{sender.untold} changes since then reached us by reconciliation "
                "alone: look at the flow and at Setup, Outbound Messages"
            )
        case _:
            told += _window(quiet, sender.connection_id, sender.object_type)
    return Finding(part, False, told)


def _window(quiet: Silence, connection_id: int, object_type: str) -> str:
    """Say what may be lost, and what finds it."""
    if quiet.dropped_until is None:
        return "Salesforce keeps what has no Ack for 24 h: nothing is lost yet"
    query = f"SELECT Id FROM {object_type} WHERE SystemModstamp >= "  # noqa: S608
    since = f"{quiet.since:%Y-%m-%dT%H:%M:%SZ}"
    return (
        f"Messages queued before {quiet.dropped_until:%Y-%m-%d %H:%M}Z may have been "
        f"dropped. `sidecar reconcile {connection_id} --since {since}` closes the gap; "
        f"this finds them: {query}{since}"
    )


def _completeness(wiring: Wiring, connection: OrgConnection) -> str:
    now = wiring.now()
    with wiring.engine.connect() as db:
        regular = reconciliations.regular(db, connection.id)
        if regular is None:
            return "not yet compared with the org's own records"
        since = max(now - _COUNTED, regular.covers_from)
        days = reached.count(db, connection.id, since=since, now=now)
    if regular.error:
        raise _NotWell(f"not compared with the org's own records: {regular.error}")
    if now - (regular.done_at or regular.created_at) > 4 * EVERY:
        last = f"{regular.done_at:%Y-%m-%d %H:%M}Z" if regular.done_at else "never"
        raise _NotWell(
            f"last compared with the org's own records: {last}. Do clock and workers "
            f"run? `sidecar reconcile {connection.id}` does it now"
        )
    expected, unexplained = (
        sum(day.expected for day in days),
        sum(day.unexplained for day in days),
    )
    if unexplained:
        raise _NotWell(
            f"{unexplained} of {expected} changes of the last {_COUNTED.days} days are "
            "unexplained: `sidecar events list --state dead` says why"
        )
    recovered = sum(day.recovered for day in days)
    return (
        f"{expected} changes in {_COUNTED.days} days, {recovered} of them recovered, "
        "none unexplained"
    )


def _secrets(wiring: Wiring, names: Mapping[int, str]) -> list[Finding]:
    """Say of each secret that ends, and of the certificates that callers showed."""
    now = wiring.now()
    with wiring.engine.connect() as db:
        listed = webhook_secrets.listing(db)
        shown = webhook_secrets.certificates(db)
    findings = []
    for row in listed:
        part = f"secret {row['id']} of {names[row['connection_id']]}"
        if row["retires_at"] is not None:
            if row["retires_at"] > now:
                findings.append(_replaced(part, row, now))
        elif row["kind"] == Kind.ORG_CERTIFICATE:
            findings.append(_certificate(part, row, now))
    for row in shown:
        part = f"client certificate shown to {names[row['connection_id']]}"
        ends, last = row["not_after"], row["last_seen_at"]
        told = f"{row['subject']}, issued by {row['issuer']}, ends on {ends:%Y-%m-%d}"
        told += f"; seen last at {last:%Y-%m-%d %H:%M}Z"
        findings.append(Finding(part, ends > now, told))
    return findings


def _certificate(part: str, row: Mapping[str, Any], now: datetime) -> Finding:
    left = row["not_after"] - now
    told = f"the org's certificate ends on {row['not_after']:%Y-%m-%d}"
    if left <= timedelta():
        told += ": its events are refused"
    if left <= ANNOUNCED:
        told += (
            ". Create a new one in Setup, Certificate and Key Management, and let "
            f"`sidecar secrets rotate {row['id']} --from-org NAME` read it"
        )
    return Finding(part, left > ANNOUNCED, told)


def _old_address(connection: str, used: datetime | None) -> Finding:
    last = f"{used:%Y-%m-%d %H:%M}Z" if used else "never since it was replaced"
    told = (
        f"taken still; used last: {last}. When nothing comes there any more, "
        f"`sidecar connections end-address {connection}` ends it"
    )
    return Finding(f"old address of {connection}", True, told)


def _replaced(part: str, row: Mapping[str, Any], now: datetime) -> Finding:
    used, ends = row["last_used_at"], row["retires_at"]
    last = f"{used:%Y-%m-%d %H:%M}Z" if used else "never"
    told = f"replaced; taken until {ends:%Y-%m-%d %H:%M}Z, used last: {last}"
    missed = used is not None and used > now - _IN_USE and ends < now + _SOON
    return Finding(part, not missed, told + ("; its sender has no other" * missed))


def _database(wiring: Wiring) -> str:
    if not database.is_current(wiring.engine):
        raise _NotWell("the tables are not up to date: run `sidecar db upgrade`")
    return "answers; the tables are up to date"


def _mail(wiring: Wiring) -> str:
    mailer = wiring.mailer
    try:
        with mailer.connection() as connection:
            return connection.greet()
    except SidecarError as exc:
        where = "SIDECAR_SMTP_URL says where it is, and as whom we log in"
        raise _NotWell(f"{exc}. {where}") from exc


def _bounce_mailbox(wiring: Wiring) -> str:
    return bounce_mailbox.greet(wiring.bounce_mailbox)


def _org(wiring: Wiring, connection_id: int) -> str:
    used = wiring.sessions.call(connection_id, lambda client: client.limits())
    daily = used["DailyApiRequests"]
    return f"answers; {daily['Remaining']} of {daily['Max']} API calls are left today"
