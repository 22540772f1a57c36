"""Drives fuzz targets by coverage, with atheris: ``scripts/fuzz`` calls this."""

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NEEDED = """\
scripts/fuzz needs atheris, which drives the targets by coverage. It comes compiled for
some versions of Python on Linux and macOS, so the tests do without it:

    .venv/bin/python -m pip install atheris

Without it, `scripts/test tests/fuzz` tries each target with hypothesis.
"""


def main() -> int:
    """Run one target in this process, or all of them one after the other."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("target", help="its name, or `all`; `list` names them")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--runs", type=int, default=-1, help="at most, for each target")
    parser.add_argument("--seed", type=int, default=0, help="1 or more repeats a run")
    parser.add_argument("--input", type=Path, help="only this file, as one was found")
    parser.add_argument(
        "--corpus",
        type=Path,
        default=ROOT / ".sidecar" / "fuzz",
        help="where what was found is kept, a folder for each target",
    )
    given = parser.parse_args()
    try:
        import atheris
    except ImportError:
        sys.stderr.write(NEEDED)
        return 2
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    with atheris.instrument_imports(include=["sidecar", "yaml", "celpy"]):
        from fuzz_targets import TARGETS
    if given.target == "list":
        sys.stdout.write("\n".join((*TARGETS, "")))
        return 0
    if given.target == "all":
        return _each(TARGETS)
    if given.target not in TARGETS:
        parser.error(f"{given.target!r} is none of {', '.join(TARGETS)}")
    target = TARGETS[given.target]
    corpus = given.corpus / given.target
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:20]).write_bytes(seed)
    options = [
        f"-max_total_time={given.seconds}",
        f"-runs={given.runs}",
        f"-seed={given.seed}",
        f"-artifact_prefix={given.corpus}/{given.target}-",
        *("-timeout=10", "-rss_limit_mb=2048", "-max_len=4096", "-print_final_stats=1"),
    ]
    if target.words:
        dictionary = given.corpus / f"{given.target}.words"
        dictionary.write_text("".join(map(_entry, target.words)))
        options.append(f"-dict={dictionary}")
    inputs = str(given.input or corpus)
    atheris.Setup([sys.argv[0], *options, inputs], target.run)
    atheris.Fuzz()  # it ends the process
    return 0


def _each(names: object) -> int:
    """A process for each: a fault ends the one that found it."""
    rest = sys.argv[1:]
    failed = []
    for name in names:  # type: ignore[attr-defined]
        sys.stderr.write(f"-- {name}\n")
        command = [name if word == "all" else word for word in rest]
        if subprocess.run([sys.executable, __file__, *command]).returncode:
            failed.append(name)
    if failed:
        sys.stderr.write(f"faults in: {', '.join(failed)}\n")
    return 1 if failed else 0


def _entry(word: bytes) -> str:
    """A line of libFuzzer's dictionaries."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n'


if __name__ == "__main__":
    sys.exit(main())
