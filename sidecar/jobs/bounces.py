"""Mails that came back: an address that takes none is written to no more.

Whoever can write to the mailbox can forge a report. One about a letter that we did not
send, or about an address to which it did not go, changes nothing.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from sidecar.keyring import Keyring
from sidecar.logs import log
from sidecar.mail.bounces import Bounce
from sidecar.store import bounces as bounces_store
from sidecar.store import mail_preferences, persons

WITHOUT_NAME = timedelta(days=7)
"""A report that does not name its letter is believed for so long after the last one to
the address: servers give up after five days (RFC 5321, section 4.5.4.1)."""


@dataclass(frozen=True)
class Counted:
    """How many reports were about letters of ours, and addresses they ended."""

    ours: int = 0
    suppressed: int = 0


def take(
    told: Iterable[Bounce],
    *,
    engine: Engine,
    keyring: Keyring,
    domain: str,
    now: Callable[[], datetime],
    connection_id: int | None = None,
) -> Counted:
    """
    Act on what came back.

    A letter that will never arrive is a dead letter; its address is suppressed, unless
    it was about the letter itself. A delay is noted. Told again, nothing changes.

    Args:
        domain: the right part of our Message-IDs.
        connection_id: whose letters alone they may be; None for any.
    """
    ours = suppressed = 0
    for bounce in told:
        with engine.begin() as db:
            ids, address = _letter(
                db, bounce, keyring, domain, connection_id, since=now() - WITHOUT_NAME
            )
            if not ids:
                log().warning("bounce.not_ours", status=bounce.status)
                continue
            ours += 1
            suppressed += _act(db, bounce, ids, address, keyring, now())
    return Counted(ours, suppressed)


def _letter(
    db: Connection,
    bounce: Bounce,
    keyring: Keyring,
    domain: str,
    connection_id: int | None,
    *,
    since: datetime,
) -> tuple[list[int], str]:
    """Find the follow-ups, and the address to which they went."""
    digest = persons.digester(db, keyring)
    for address in bounce.recipients:
        digests = [digest(persons.EMAIL, address).digest]
        if bounce.message_id is None:
            ids = bounces_store.of_address(db, digests, connection_id, since=since)
        elif key := _key(bounce.message_id, domain):
            ids = bounces_store.of_letter(db, key, digests, connection_id)
        else:
            ids = []
        if ids:
            return ids, address
    return [], ""


def _key(message_id: str, domain: str) -> str | None:
    found = re.fullmatch(r"<([0-9a-f]{32})@(.+)>", message_id)
    return found[1] if found and found[2].lower() == domain.lower() else None


def _act(
    db: Connection,
    bounce: Bounce,
    ids: list[int],
    address: str,
    keyring: Keyring,
    now: datetime,
) -> bool:
    """Note it, and end mail to the address where it says so; whether that is new."""
    ended = False
    if bounce.is_final:
        why = f"it came back: {bounce.status} (RFC 3463)"
        bounces_store.failed(db, ids, why=why)
        if bounce.blames_address:
            ended = mail_preferences.suppress(
                db,
                address,
                reason=f"a mail came back: {bounce.status}",
                now=now,
                keyring=keyring,
            )
    else:
        what = f"{bounce.action}, {bounce.status}"
        bounces_store.noted(db, ids, what=what)
    log().warning(
        "bounce.taken",
        follow_ups=ids,
        action=bounce.action,
        status=bounce.status,
        suppressed=ended,
    )
    return ended
