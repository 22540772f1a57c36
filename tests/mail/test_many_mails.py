"""Ten thousand mails: all of them arrive once, and the worker does not grow."""

import gc
from pathlib import Path

import pytest

BATCHES, EACH = 5, 2_000


class Forgetful(list):
    """Counts the letters that a server took, and keeps none."""

    taken = 0

    def append(self, _envelope: object) -> None:
        self.taken += 1

    def __len__(self) -> int:
        return self.taken


def resident_mb() -> float:
    gc.collect()
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.slow
def test_ten_thousand_mails_drain_without_growing_memory(office) -> None:
    office.peer.received = Forgetful()
    seen = []
    for batch in range(BATCHES):
        for start in range(0, EACH, 500):
            office.plan(*(f"Ada {batch} {start + n}" for n in range(500)))
        assert office.deliver(an_hour=0) == EACH
        seen.append(resident_mb())

    assert len(office.peer.received) == BATCHES * EACH
    assert set(office.column("state")) == {"done"}
    # The first batches fill caches; after them a mail of 11 kB leaves nothing behind.
    assert seen[-1] - seen[1] < 0.25 * (BATCHES - 2) * EACH * 11 / 1024
