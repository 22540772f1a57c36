"""Drawing leaves nothing in anybody's home, and costs nothing where nobody draws."""

import os
import subprocess
import sys
from pathlib import Path

_DRAW = "from sidecar.mail import charts; print(len(charts.funnel([('a', 3)])))"
_LOOK = "import sys, sidecar.cli, sidecar.web; print('matplotlib' in sys.modules)"


def python(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {
        name: value for name, value in os.environ.items() if name != "MPLCONFIGDIR"
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        env=given | environ,
        capture_output=True,
        text=True,
        check=True,
    )


def test_who_draws_writes_into_no_home(tmp_path: Path) -> None:
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()

    drawn = python(_DRAW, HOME=str(home), TMPDIR=str(scratch))

    assert int(drawn.stdout) > 1000
    assert not list(home.rglob("*"))
    assert not list(scratch.rglob("*"))


def test_a_home_that_cannot_be_written_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    drawn = python(_DRAW, HOME=str(tmp_path / "file" / "home"))

    assert (int(drawn.stdout) > 1000, drawn.stderr) == (True, "")


def test_neither_a_command_nor_the_doors_load_what_draws() -> None:
    assert python(_LOOK).stdout == "False\n"
