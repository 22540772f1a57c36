"""A connection with response clocks."""

from collections.abc import Callable

import pytest
from clock_floor import ALWAYS, PLAYBOOK, Floor

from sidecar.store import connections
from sidecar.store.connections import OrgConnection
from sidecar.wiring import Wiring


@pytest.fixture
def floor(
    wiring: Wiring, connect: Callable[..., tuple[OrgConnection, str]]
) -> Callable[..., Floor]:
    """Make a floor; by default everybody works always."""

    def make(calendar: str | None = ALWAYS, **given: object) -> Floor:
        values: dict[str, object] = {"playbook": PLAYBOOK, **given}
        connection, _ = connect(**values)
        with wiring.engine.begin() as db:
            connections.set_calendar(db, connection.id, calendar)
            found = connections.find(db, connection.id)
        assert found is not None
        return Floor(wiring, found)

    return make
