"""Orgs for the dev org's own tests."""

from collections.abc import Iterator

import pytest
from core_api import Api

from sidecar.devorg.founding import ADMIN, INTEGRATION, REPS
from sidecar.devorg.org import Org
from sidecar.devorg.process import Running, running


@pytest.fixture
def org() -> Org:
    """A fresh org in this process."""
    return Org.fresh(seed=7)


@pytest.fixture
def admin(org: Org) -> Api:
    """Its REST API, as the administrator."""
    return Api.of(org, ADMIN)


@pytest.fixture
def rep(org: Org) -> Api:
    """Its REST API, as a rep."""
    return Api.of(org, REPS[0])


@pytest.fixture
def integration(org: Org) -> Api:
    """Its REST API, as the integration user."""
    return Api.of(org, INTEGRATION)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A dev org as a process of its own, over TLS."""
    with running(tmp_path_factory.mktemp("devorg")) as org:
        yield org
