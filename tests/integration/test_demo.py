"""What somebody sees who has just cloned this."""

import subprocess
import sys
from pathlib import Path

TOLD = "one task and one mail for each"


def _demo(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sidecar", "demo", "--once", "--leads", "3"]
    return subprocess.run(
        [*command, "--data", str(folder / "demo")],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_demo_ends_well_the_first_time_and_again(folder: Path) -> None:
    for _ in range(2):
        done = _demo(folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert TOLD in done.stdout
        rows = [line.split("│") for line in done.stdout.splitlines() if " 00T" in line]
        milestones = [cells[2].strip() for cells in rows]
        assert len(rows) == 15, done.stdout
        assert {*milestones} == {
            "submitted",
            "contacted",
            "qualified",
            "opportunity",
            "won",
        }
        assert all(float(cells[4]) > 0 for cells in rows)
