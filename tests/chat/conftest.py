"""A peer that stands for Slack and Teams."""

from collections.abc import Iterator

import pytest
from chat.chat_peer import Peer, listening


@pytest.fixture
def peer() -> Iterator[Peer]:
    """Slack and Teams."""
    with listening() as found:
        yield found
