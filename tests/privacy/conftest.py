"""A service with two or more people in it."""

from collections.abc import Callable

import pytest
from people_house import House

from sidecar.store.connections import OrgConnection
from sidecar.wiring import Wiring


@pytest.fixture
def house(wiring: Wiring, connect: Callable[..., tuple[OrgConnection, str]]) -> House:
    return House(wiring, connect()[0])
