"""Connections: our authorised links to orgs, with their secrets sealed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, true, update

from sidecar.keyring import Keyring, fingerprint
from sidecar.referral.journey import STANDARD_STATUSES, Milestone
from sidecar.store.tables import connection


@dataclass(frozen=True)
class NewConnection:
    """What an admin gives to connect an org; secrets in the clear."""

    name: str
    org_id: str
    hook_key: str
    flow: str
    login_url: str
    instance_url: str
    client_id: str
    secret: str
    client_secret: str = ""
    username: str = ""
    time_zone: str = "UTC"
    fallback_owner_id: str | None = None
    status_map: Mapping[str, str] | None = None
    playbook: str | None = None


@dataclass(frozen=True)
class OrgConnection:
    """One connection without its secrets."""

    id: int
    name: str
    org_id: str
    flow: str
    login_url: str
    instance_url: str
    client_id: str
    username: str
    time_zone: str
    fallback_owner_id: str | None
    playbook: str | None
    status_map: Mapping[str, str]
    field_lists: Mapping[str, list[str]]
    paused_until: datetime | None
    pause_reason: str | None
    integration_user_id: str | None = None
    """As whom we write, 18 characters; None before the first login."""
    calendar: str | None = None
    """YAML; None for office hours in ``time_zone``."""

    @property
    def statuses(self) -> Mapping[str, Milestone]:
        """The org's status values and their milestones."""
        if not self.status_map:
            return STANDARD_STATUSES
        return {name: Milestone(value) for name, value in self.status_map.items()}


@dataclass(frozen=True)
class Login:
    """What it takes to get an access token."""

    flow: str
    login_url: str
    instance_url: str
    client_id: str
    username: str
    secret: str
    client_secret: str
    access_token: str | None


def add(db: Connection, new: NewConnection, *, keyring: Keyring) -> int:
    """Add a connection; its id."""
    return int(
        db.execute(
            insert(connection)
            .values(
                name=new.name,
                org_id=new.org_id,
                hook_key_hash=fingerprint(new.hook_key),
                hook_key_sealed=keyring.seal(new.hook_key),
                flow=new.flow,
                login_url=new.login_url,
                instance_url=new.instance_url,
                client_id=new.client_id,
                username=new.username,
                secret_sealed=keyring.seal(new.secret),
                client_secret_sealed=keyring.seal(new.client_secret)
                if new.client_secret
                else None,
                time_zone=new.time_zone,
                fallback_owner_id=new.fallback_owner_id,
                status_map=dict(new.status_map or {}),
                playbook=new.playbook,
            )
            .returning(connection.c.id)
        ).scalar_one()
    )


def listing(db: Connection) -> list[OrgConnection]:
    """All connections, oldest first."""
    return [_value(row) for row in db.execute(_SELECT.order_by(connection.c.id))]


def find(db: Connection, connection_id: int) -> OrgConnection | None:
    """One connection; None where there is none."""
    row = db.execute(_SELECT.where(connection.c.id == connection_id)).one_or_none()
    return _value(row) if row else None


def by_hook_key(db: Connection, hook_key: str) -> OrgConnection | None:
    """
    Find whom a hook key belongs to, the present one or the one before it.

    The look-up is by the key's hash: how long it takes says nothing about the key.
    """
    given = fingerprint(hook_key)
    known = or_(
        connection.c.hook_key_hash == given, connection.c.old_hook_key_hash == given
    )
    row = db.execute(_SELECT.where(known)).one_or_none()
    return _value(row) if row else None


def readdress(
    db: Connection, connection_id: int, hook_key: str, *, keyring: Keyring
) -> bool:
    """
    Give a connection a new hook key; the one before it is taken as well from now on.

    Returns:
        False where there is an older one still, which has to be ended first.
    """
    changed = db.execute(
        update(connection)
        .where(
            connection.c.id == connection_id, connection.c.old_hook_key_hash.is_(None)
        )
        .values(
            old_hook_key_hash=connection.c.hook_key_hash,
            old_hook_key_used_at=None,
            hook_key_hash=fingerprint(hook_key),
            hook_key_sealed=keyring.seal(hook_key),
        )
    )
    return changed.rowcount == 1


def end_old_address(db: Connection, connection_id: int) -> bool:
    """Take the old hook key no longer; False where there is none."""
    ended = db.execute(
        update(connection)
        .where(
            connection.c.id == connection_id,
            connection.c.old_hook_key_hash.is_not(None),
        )
        .values(old_hook_key_hash=None, old_hook_key_used_at=None)
    )
    return ended.rowcount == 1


def address_used(db: Connection, hook_key: str, *, at: datetime) -> None:
    """Remember that an old address was used, unless somebody holds the row."""
    old = connection.c.old_hook_key_hash == fingerprint(hook_key)
    free = select(connection.c.id).where(old).with_for_update(skip_locked=True)
    db.execute(
        update(connection)
        .where(connection.c.id.in_(free))
        .values(old_hook_key_used_at=at)
    )


def old_addresses(db: Connection) -> dict[int, datetime | None]:
    """List the connections whose old address is taken, and when it was used last."""
    rows = db.execute(
        select(connection.c.id, connection.c.old_hook_key_used_at).where(
            connection.c.old_hook_key_hash.is_not(None)
        )
    )
    return {row[0]: row[1] for row in rows}


def hook_key(db: Connection, connection_id: int, *, keyring: Keyring) -> str | None:
    """
    Give the connection's hook key, for the installer to write into the org.

    None for a connection of the time when only its hash was kept.
    """
    sealed = db.execute(
        select(connection.c.hook_key_sealed).where(connection.c.id == connection_id)
    ).scalar_one_or_none()
    return keyring.open(sealed) if sealed else None


def set_field_list(
    db: Connection, connection_id: int, object_type: str, names: list[str]
) -> None:
    """Remember which fields the org's outbound message sends of an object."""
    row = find(db, connection_id)
    known = dict(row.field_lists) if row else {}
    db.execute(
        update(connection)
        .where(connection.c.id == connection_id)
        .values(field_lists={**known, object_type: names})
    )


def set_calendar(db: Connection, connection_id: int, text: str | None) -> None:
    """Count working time by this YAML from now on; None for office hours."""
    db.execute(
        update(connection).where(connection.c.id == connection_id).values(calendar=text)
    )


def login(db: Connection, connection_id: int, *, keyring: Keyring) -> Login:
    """Open what it takes to call the org."""
    row = db.execute(select(connection).where(connection.c.id == connection_id)).one()
    return _login(row, keyring)


def renew_token(
    db: Connection,
    connection_id: int,
    stale: str | None,
    fetch: Callable[[Login], tuple[str, str | None]],
    *,
    keyring: Keyring,
) -> str:
    """
    Replace an access token, one worker at a time.

    Args:
        stale: the token that the org refused; None for the first one. Whoever comes
            second finds that it was replaced meanwhile, and takes the new one.
        fetch: asks the org; gives the access token and, where the org rotates them,
            the new refresh token.

    Returns:
        The access token to use from now on.
    """
    row = db.execute(
        select(connection).where(connection.c.id == connection_id).with_for_update()
    ).one()
    known = _login(row, keyring)
    if known.access_token is not None and known.access_token != stale:
        return known.access_token
    access_token, refresh_token = fetch(known)
    values = {"access_token_sealed": keyring.seal(access_token)}
    if refresh_token is not None:
        values["secret_sealed"] = keyring.seal(refresh_token)
    db.execute(
        update(connection).where(connection.c.id == connection_id).values(**values)
    )
    return access_token


def write_as(db: Connection, connection_id: int, user_id: str) -> None:
    """Remember as whom we write in the org, to know our own changes again."""
    db.execute(
        update(connection)
        .where(connection.c.id == connection_id)
        .values(integration_user_id=user_id)
    )


def replace_login(
    db: Connection,
    connection_id: int,
    *,
    secret: str,
    client_secret: str,
    access_token: str,
    keyring: Keyring,
) -> bool:
    """Log in from now on with what an admin has just allowed; False: it is removed."""
    replaced = db.execute(
        update(connection)
        .where(connection.c.id == connection_id)
        .values(
            flow="refresh_token",
            secret_sealed=keyring.seal(secret),
            client_secret_sealed=keyring.seal(client_secret) if client_secret else None,
            access_token_sealed=keyring.seal(access_token),
        )
    )
    return replaced.rowcount == 1


def pause(db: Connection, connection_id: int, *, until: datetime, why: str) -> None:
    """Let nothing be asked of the org before ``until``."""
    db.execute(
        update(connection)
        .where(connection.c.id == connection_id)
        .values(paused_until=until, pause_reason=why)
    )


def take_lane(
    db: Connection,
    connection_id: int,
    *,
    now: datetime,
    until: datetime,
    kind: str = "task",
) -> bool:
    """
    Become the one who does this org's follow-ups of a kind; False where somebody is.

    One writer of tasks a time bundles what comes meanwhile into its next call, and
    keeps tasks on the same record from locking each other out. One of mails sees all
    that goes to a rep: in its order, and together where it is much.
    """
    lane = _LANES[kind]
    free = or_(lane.is_(None), lane < now)
    taken = db.execute(
        update(connection)
        .where(connection.c.id == connection_id, free)
        .values({lane: until})
    )
    return taken.rowcount == 1


def keep_lane(
    db: Connection, connection_id: int, *, since: datetime, until: datetime, kind: str
) -> bool:
    """
    Stay the one for longer; False where somebody else has become it.

    Args:
        since: until when it was ours.
    """
    lane = _LANES[kind]
    kept = db.execute(
        update(connection)
        .where(connection.c.id == connection_id, lane == since)
        .values({lane: until})
    )
    return kept.rowcount == 1


def leave_lane(
    db: Connection,
    connection_id: int,
    *,
    kind: str = "task",
    since: datetime | None = None,
) -> None:
    """Let the next one do it; ``since`` as above: another's lane is left alone."""
    lane = _LANES[kind]
    ours = lane == since if since is not None else true()
    db.execute(
        update(connection)
        .where(connection.c.id == connection_id, ours)
        .values({lane: None})
    )


_LANES = {
    "task": connection.c.task_lane_until,
    "email": connection.c.mail_lane_until,
    "word": connection.c.word_lane_until,
}
_NAMES = tuple(OrgConnection.__dataclass_fields__)
_SELECT = select(*(connection.c[name] for name in _NAMES))


def _value(row: Row[Any]) -> OrgConnection:
    return OrgConnection(**{name: getattr(row, name) for name in _NAMES})


def _login(row: Row[Any], keyring: Keyring) -> Login:
    token, app_secret = row.access_token_sealed, row.client_secret_sealed
    return Login(
        flow=row.flow,
        login_url=row.login_url,
        instance_url=row.instance_url,
        client_id=row.client_id,
        username=row.username,
        secret=keyring.open(row.secret_sealed),
        client_secret=keyring.open(app_secret) if app_secret else "",
        access_token=keyring.open(token) if token else None,
    )
