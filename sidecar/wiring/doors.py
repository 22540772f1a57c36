"""What the doors need."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy.exc import SQLAlchemyError

from sidecar import keyring
from sidecar.errors import Permanent, Retryable
from sidecar.intake import sender, signatures
from sidecar.intake.peer import Network, networks
from sidecar.intake.sender import Sender
from sidecar.intake.signatures.credentials import Credential
from sidecar.logs import log
from sidecar.store import (
    connections,
    quarantine,
    webhook_secrets,
)
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival
from sidecar.store.quarantine import Refused
from sidecar.store.scribe import Delivery
from sidecar.store.webhook_secrets import SeenCertificate
from sidecar.wiring.orgs import Orgs
from sidecar.wiring.servers import words_of

_KNOWN_SECONDS = 10
"""How long a door remembers a connection: a revoked hook key works no longer."""
_USED_SECONDS = 60
"""How exactly the last use of a secret is known: one write a minute, at most."""


@dataclass
class Doors(Orgs):
    """Who calls, what proves it, and where it is kept."""

    _known: dict[str, tuple[float, OrgConnection]] = field(default_factory=dict)
    _credentials: dict[int, tuple[float, Sequence[Credential]]] = field(
        default_factory=dict
    )
    _used: dict[int, float] = field(default_factory=dict)
    _certificates: dict[tuple[int, str], float] = field(default_factory=dict)

    def connection_of(self, hook_key: str) -> OrgConnection | None:
        """Find whose address this is; remembered for some seconds."""
        fingerprint = keyring.fingerprint(hook_key)
        kept = self._known.get(fingerprint)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        try:
            with self.engine.begin() as db:
                found = connections.by_hook_key(db, hook_key)
                if found is not None:
                    connections.address_used(db, hook_key, at=self.now())
        except SQLAlchemyError as exc:
            raise Retryable(f"the database is away: {words_of(exc)}") from exc
        if found is not None:
            self._known[fingerprint] = (time.monotonic() + _KNOWN_SECONDS, found)
        return found

    @cached_property
    def proxies(self) -> Sequence[Network]:
        """Proxies of ours, who may say who called."""
        return networks(self.settings.trusted_proxies)

    @cached_property
    def marks(self) -> Sender | None:
        """What an outbound message's sender must show beside the secret address."""
        return sender.asked_for(self.settings, now=self.now, seen=self.certificate_seen)

    def certificate_seen(self, connection_id: int, seen: SeenCertificate) -> None:
        """Remember a client certificate; to the minute, and in nobody's way."""
        place = (connection_id, seen.fingerprint)
        if self._certificates.get(place, 0.0) > time.monotonic():
            return
        self._certificates[place] = time.monotonic() + _USED_SECONDS
        try:
            with self.engine.begin() as db:
                webhook_secrets.certificate_seen(db, connection_id, seen, at=self.now())
        except SQLAlchemyError as exc:
            log().warning("outbound.certificate_not_kept", reason=words_of(exc))

    def credentials_of(self, connection_id: int) -> Sequence[Credential]:
        """Give what a connection's events door accepts; remembered for some seconds."""
        kept = self._credentials.get(connection_id)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        try:
            with self.engine.connect() as db:
                known = webhook_secrets.accepted(
                    db, connection_id, now=self.now(), keyring=self.keyring
                )
            ready = tuple(map(signatures.credential, known))
        except SQLAlchemyError as exc:
            raise Retryable(f"the database is away: {words_of(exc)}") from exc
        except Permanent as exc:
            # Ours to mend; the sender may come again.
            raise Retryable(str(exc)) from exc
        self._credentials[connection_id] = (time.monotonic() + _KNOWN_SECONDS, ready)
        return ready

    def secret_used(self, secret_id: int) -> None:
        """Remember that a sender used a secret; to the minute, and never in his way."""
        if self._used.get(secret_id, 0.0) > time.monotonic():
            return
        self._used[secret_id] = time.monotonic() + _USED_SECONDS
        try:
            with self.engine.begin() as db:
                webhook_secrets.used(db, secret_id, at=self.now())
        except SQLAlchemyError as exc:
            log().warning("events.use_not_kept", reason=words_of(exc))

    def keep(
        self, arrivals: Sequence[Arrival], delivery: Delivery | None = None
    ) -> list[int]:
        """Commit what came in."""
        return self.scribe.keep(arrivals, delivery)

    def refuse(self, refused: Refused) -> None:
        """Keep what is refused."""
        try:
            with self.engine.begin() as db:
                quarantine.keep(db, refused, now=self.now(), keyring=self.keyring)
        except SQLAlchemyError as exc:
            raise Retryable(f"the database is away: {words_of(exc)}") from exc

    def ring(self, event_ids: Sequence[int]) -> None:
        """Tell the workers."""
        self.doorbell.ring_later(event_ids)
