"""One org: everything it holds, and the lock that makes a request one transaction."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from sidecar.devorg import founding, licences, tracking
from sidecar.devorg.authorize import Codes
from sidecar.devorg.clock import OrgClock
from sidecar.devorg.events.runtime import Events
from sidecar.devorg.faults import Faults
from sidecar.devorg.ids import Ids
from sidecar.devorg.journal import Journal
from sidecar.devorg.limits import Limits
from sidecar.devorg.metadata.runtime import Metadata
from sidecar.devorg.outbound.sender import Outbound
from sidecar.devorg.permissions import Access
from sidecar.devorg.records import Records
from sidecar.devorg.schema import Schema
from sidecar.devorg.sessions import App, Sessions
from sidecar.devorg.standard_objects import standard_types
from sidecar.devorg.tooling import mirrors
from sidecar.devorg.tooling.objects import mirror_types
from sidecar.devorg.usage import Usage
from sidecar.devorg.visibility import Visibility

# A Developer Edition's calls in 24 hours.
DAILY_LIMIT = 15_000
SESSION_LIFETIME = timedelta(hours=2)


class Org:
    """
    A Salesforce org in memory.

    Work on it happens inside ``work()``: one thread at a time, and all or
    nothing. What goes out into the world is put off with ``journal.on_commit``.
    """

    def __init__(
        self, *, seed: int, clock: OrgClock, daily_limit: int = DAILY_LIMIT
    ) -> None:
        """``seed`` decides the ids, so that two orgs can be told apart."""
        self.clock = clock
        self.ids = Ids(seed=seed)
        self.id = self.ids.new("00D")
        # Where clients reach it; set by who serves it, without a slash at the end.
        self.base_url = "https://localhost"
        self.lock = threading.RLock()
        self.journal = Journal()
        self.schema = Schema([*standard_types(), *mirror_types()])
        self.records = Records(self)
        self.sessions = Sessions(org_id=self.id, clock=clock, lifetime=SESSION_LIFETIME)
        self.apps: dict[str, App] = {}
        self.codes = Codes()
        self.limits = Limits(clock=clock, daily=daily_limit)
        self.usage = Usage()
        self.faults = Faults()
        self.outbound = Outbound(self, seed=seed)
        # Threads that work beside the requests, started by ``start``.
        self.background: list[Callable[[threading.Event], None]] = []
        # Called when the back door empties the org; whoever keeps state adds to it.
        self.on_reset: list[Callable[[], None]] = [self.outbound.reset]
        self.metadata: Metadata = Metadata(self)
        mirrors.install(self)
        licences.install(self)
        self.events: Events = Events(self)
        self.visibility: Visibility = Visibility(self)
        tracking.install(self)
        self.on_reset.append(self.events.bus.empty)
        self._stop = threading.Event()
        self._access: dict[str, Access] = {}
        self._access_version = (0, 0)
        self._permissions_version = 0

    @classmethod
    def fresh(
        cls,
        *,
        seed: int | None = None,
        clock: OrgClock | None = None,
        daily_limit: int = DAILY_LIMIT,
    ) -> Org:
        """
        Return an org with its standard objects, profiles and users.

        Args:
            seed: of its ids; None draws one.
            clock: the org's time; None means the wall's.
            daily_limit: API calls in 24 hours.
        """
        number = random.SystemRandom().randrange(2**32) if seed is None else seed
        org = cls(seed=number, clock=clock or OrgClock(), daily_limit=daily_limit)
        with org.work():
            founding.found(org)
        return org

    @contextmanager
    def work(self) -> Iterator[None]:
        """Hold the lock; keep what was done, or on an exception nothing of it."""
        with self.lock:
            try:
                yield
            except BaseException:
                self.journal.rollback()
                raise
            self.journal.commit()

    def access(self, user_id: str) -> Access:
        """Return what a user may do, from the grants as they are now."""
        version = (self.schema.version, self._permissions_version)
        if version != self._access_version:
            self._access.clear()
            self._access_version = version
        known = self._access.get(user_id)
        if known is None:
            known = self._access[user_id] = Access(self, user_id)
        return known

    def system(self, user_id: str) -> Access:
        """Return access to everything, in the name of a user, as flows have it."""
        return Access(self, user_id, system=True)

    def permissions_changed(self) -> None:
        """Forget what users may do: a grant was made or withdrawn."""
        self._permissions_version += 1

    def user_named(self, username: str) -> str | None:
        """Return the id of the user with this username, in any case."""
        field = self.schema["User"].fields["username"]
        found = self.records.table("User").find(field, [username])
        return found[0] if found else None

    def empty(self) -> None:
        """
        Forget all data, faults and counts, as if the org had just been set up.

        Users, permission sets and deployed metadata stay.
        """
        with self.work():
            for type_ in self.schema:
                if not type_.setup:
                    self.records.table(type_.name).clear()
        self.faults.clear()
        self.limits.reset()
        for forget in self.on_reset:
            forget()

    def start(self) -> None:
        """Start the background threads. Once, in the process that serves."""
        for work in self.background:
            threading.Thread(target=work, args=(self._stop,), daemon=True).start()

    def stop(self) -> None:
        """Ask the background threads to end."""
        self._stop.set()
        self.outbound.close()
        self.events.bus.close()
        self.clock.nudge()
