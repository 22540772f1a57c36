"""Whatever is written to us, no reader raises what it does not promise."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from fuzz_targets import TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize("name", TARGETS)
def test_what_comes_is_read_or_refused(name: str) -> None:
    """A little of what ``scripts/fuzz`` does for long, by hypothesis."""
    target = TARGETS[name]
    seeds = list(target.seeds())
    inputs = st.binary(max_size=300)
    if seeds:
        inputs |= st.tuples(
            st.sampled_from(seeds),
            st.lists(
                st.tuples(
                    st.integers(0, 600),
                    st.integers(0, 9),
                    st.sampled_from(target.words) | st.binary(max_size=6)
                    if target.words
                    else st.binary(max_size=6),
                ),
                max_size=4,
            ),
        ).map(_changed)

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(inputs)
    def run(data: bytes) -> None:
        target.run(data)

    for seed in seeds:
        target.run(seed)
    run()


def _changed(given: tuple[bytes, list[tuple[int, int, bytes]]]) -> bytes:
    seed, changes = given
    made = bytearray(seed)
    for place, length, piece in changes:
        made[place : place + length] = piece
    return bytes(made)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")
@pytest.mark.parametrize("name", TARGETS)
def test_coverage_finds_nothing_more(name: str, tmp_path: Path) -> None:
    """The same 20,000 inputs each time, chosen by what they reach."""
    script = Path(__file__).with_name("fuzzing.py")
    options = ["--runs", "20000", "--seed", "1", "--seconds", "300"]
    ended = subprocess.run(
        [sys.executable, str(script), name, *options, "--corpus", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
