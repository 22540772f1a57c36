"""Whatever gets lost, late, doubled or mixed up: in the end it is as it should be."""

import random

import pytest
from life import Life, a_while

MISFORTUNES = {
    "drop": 0.3,
    "delay": 0.3,
    "delay_seconds": 600,
    "duplicate": 0.3,
    "shuffle": True,
    "batch_size": 3,
}


def _judge(life: Life) -> None:
    life.misfortunes(drop=0.0, delay=0.0, duplicate=0.0, shuffle=False)
    life.settle()

    assert life.wanted() - life.done() == {}
    assert life.done() - life.wanted() == {}
    assert life.known() == life.as_they_are()
    assert life.count("unexplained") == 0
    assert life.count("in_hand") == 0
    assert life.count("recovered") > 0
    shown = sum(len(statuses) for statuses in life.living().values())
    gone = sum(len(life.truth[id_]) for id_ in life.deleted)
    assert shown <= life.count("expected") <= shown + gone


@pytest.mark.parametrize("seed", [1, 2])
def test_what_the_org_drops_delays_mixes_up_and_doubles_is_made_up_for(
    life: Life, seed: int
) -> None:
    life.misfortunes(**MISFORTUNES)
    life.lag(120)

    a_while(life, random.Random(seed), leads=32, rounds=8)

    _judge(life)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 16))
def test_so_it_is_in_a_longer_run(life: Life, seed: int) -> None:
    life.misfortunes(**MISFORTUNES)
    life.lag(120)

    a_while(life, random.Random(seed), leads=200, rounds=24)

    _judge(life)
