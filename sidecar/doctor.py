"""The doctor: is every part well, and if not, what helps."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from sidecar.errors import SidecarError
from sidecar.referral.pace import silence
from sidecar.store import connections, database, follow_ups, inbox
from sidecar.wiring import Wiring

_LOOK_BACK = timedelta(days=30)


class Finding(NamedTuple):
    """One part, whether it is well, and what was seen."""

    part: str
    well: bool
    seen: str


def examine(wiring: Wiring) -> list[Finding]:
    """Look at every part; a part that breaks is a finding, never an exception."""
    findings = [
        _look("key ring", lambda: bool(wiring.keyring) and "keys can be read"),
        _look("database", lambda: _database(wiring)),
        _look("Redis", lambda: bool(wiring.redis.ping()) and "answers"),
        _look("mail server", lambda: _mail(wiring)),
    ]
    if not findings[1].well:
        return findings
    with wiring.engine.connect() as db:
        known = connections.listing(db)
        dead_events = inbox.count(db).get("dead", 0)
        ends = follow_ups.count(db)
        arrivals = inbox.arrivals_by_action(db, since=wiring.now() - _LOOK_BACK)
    findings += [
        _look(f"org {item.name}", partial(_org, wiring, item.id)) for item in known
    ]
    names = {item.id: item.name for item in known}
    findings += [
        _pace(names.get(id_, str(id_)), action, object_type, moments, wiring.now())
        for (id_, action, object_type), moments in sorted(arrivals.items())
    ]
    given_up = ends.get("dead", 0) + ends.get("uncertain", 0)
    findings.append(Finding("inbox", not dead_events, f"{dead_events} dead events"))
    findings.append(
        Finding("follow-ups", not given_up, f"{given_up} dead or uncertain follow-ups")
    )
    return findings


def _look(part: str, look: Callable[[], str | bool]) -> Finding:
    try:
        seen = look()
    except SidecarError as exc:
        return Finding(part, False, str(exc))
    except Exception as exc:  # noqa: BLE001 a broken part is what we are looking for
        return Finding(part, False, f"{type(exc).__name__}: {exc}".splitlines()[0])
    return Finding(part, bool(seen), str(seen))


def _pace(
    connection: str,
    action_id: str,
    object_type: str,
    arrivals: Sequence[datetime],
    now: datetime,
) -> Finding:
    """Say whether an action has fallen silent, and how to find what was missed."""
    part = f"messages of {connection}, action {action_id}, {object_type}"
    quiet = silence(arrivals, now)
    if quiet is None:
        return Finding(part, True, f"the last came at {max(arrivals):%Y-%m-%d %H:%M}Z")
    usual = max(1, round(quiet.usual.total_seconds() / 60))
    told = f"silent since {quiet.since:%Y-%m-%d %H:%M}Z; usually {usual} min at most. "
    if quiet.dropped_until is None:
        told += "Salesforce keeps what has no Ack for 24 h: nothing is lost yet"
    else:
        query = f"SELECT Id FROM {object_type} WHERE SystemModstamp >= "  # noqa: S608
        told += (
            f"Messages queued before {quiet.dropped_until:%Y-%m-%d %H:%M}Z may have "
            f"been dropped. This finds them: {query}{quiet.since:%Y-%m-%dT%H:%M:%SZ}"
        )
    return Finding(part, False, told)


def _database(wiring: Wiring) -> str:
    if not database.is_current(wiring.engine):
        raise LookupError("the tables are not up to date: run `sidecar db upgrade`")
    return "answers; the tables are up to date"


def _mail(wiring: Wiring) -> str:
    with wiring.mailer.connection() as connection:
        return connection.greet()


def _org(wiring: Wiring, connection_id: int) -> str:
    used = wiring.sessions.call(connection_id, lambda client: client.limits())
    daily = used["DailyApiRequests"]
    return f"answers; {daily['Remaining']} of {daily['Max']} API calls are left today"
