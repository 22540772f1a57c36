"""The zip of a package beside Salesforce's own converter; plan and lint by size.

The converter is ``@salesforce/source-deploy-retrieve`` from npm, the library that the
``sf`` command converts with. Both sides are timed inside their process, from files on
disk to the bytes of the zip, so that neither pays for starting its language; in turns
within one run, and told as a ratio: the machine may be shared.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

import projects
from rich.console import Console
from rich.table import Table

from sidecar.package import archive, read
from sidecar.package import plan as planning
from sidecar.package.lint import checks
from sidecar.package.read import Tree

T = TypeVar("T")
Files = dict[str, bytes]

_BUILD = """
import sys
from pathlib import Path
from sidecar.package import archive, read
from sidecar.package import plan as planning
from sidecar.package.lint import checks
from sidecar.package.read import Tree
zipped = archive.build(read.load(Path(sys.argv[1])), values=None)
Path(sys.argv[2]).write_bytes(zipped)
"""

_CONVERT = """
const {ComponentSet, MetadataConverter} = require('@salesforce/source-deploy-retrieve');
const fs = require('fs'), path = require('path'), folder = process.argv[1];
const roots = JSON.parse(fs.readFileSync(path.join(folder, 'sfdx-project.json')))
    .packageDirectories.map((each) => path.join(folder, each.path));
(async () => {
  const began = process.hrtime.bigint();
  const all = ComponentSet.fromSource({fsPaths: roots});
  all.sourceApiVersion = '62.0';
  const made = await new MetadataConverter().convert(all, 'metadata', {type: 'zip'});
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  fs.writeFileSync(process.argv[2], made.zipBuffer);
  console.log(JSON.stringify({seconds}));
})();
"""


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="scripts/bench package")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--rounds", type=int, default=3, help="of each comparison")
    parser.add_argument(
        "--converter",
        type=Path,
        help="a node_modules with @salesforce/source-deploy-retrieve; left out without",
    )
    parser.add_argument("--node", default="node", help="Node 22 or newer")
    parser.add_argument(
        "--sf", help="the sf command; whole processes are left out without"
    )
    given = parser.parse_args()
    console = Console(width=110)
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        made = [(size, Path(folder) / str(size)) for size in given.sizes]
        sized = [(projects.write(_new(path), size), path) for size, path in made]
        _growth(console, sized, given)
        _zips(console, sized, given)
        if given.sf:
            _commands(console, sized, given)


def _new(path: Path) -> Path:
    path.mkdir()
    return path


def _growth(
    console: Console, sized: list[tuple[int, Path]], given: argparse.Namespace
) -> None:
    """Plan and lint by size: the time of one component should stay the same."""
    works: dict[str, Callable[[Tree, Files], object]] = {
        "plan, nothing there": lambda _, ours: planning.plan(ours, {}),
        "plan, all there": lambda _, ours: planning.plan(ours, ours, ours),
        "lint": lambda tree, _: list(checks.lint(tree)),
    }
    table = Table("", *(f"{size:,}, s" for size, _ in sized), "growth of one component")
    trees = [read.load(path) for _, path in sized]
    files = [archive.files(tree) for tree in trees]
    for name, work in works.items():
        taken: list[list[float]] = [[] for _ in sized]
        for _ in range(given.rounds):
            for place, (tree, ours) in enumerate(zip(trees, files, strict=True)):
                taken[place].append(timed(lambda t=tree, o=ours: work(t, o))[0])  # noqa: B023
        seconds = [median(some) for some in taken]
        each = [s / size for s, (size, _) in zip(seconds, sized, strict=True)]
        growth = f"{each[-1] / each[0]:.2f}"
        table.add_row(name, *(f"{some:.2f}" for some in seconds), growth)
    console.print("by size", table, sep="\n")


def _zips(
    console: Console, sized: list[tuple[int, Path]], given: argparse.Namespace
) -> None:
    table = Table("components", "ours, s", "official, s", "ratio", "the same files")
    for components, path in sized:
        ours, theirs, same = [], [], True
        for _ in range(given.rounds):
            seconds, zipped = timed(lambda p=path: _built(p))
            ours.append(seconds)
            if given.converter:
                seconds, official = _converted(path, given)
                theirs.append(seconds)
                same = same and _names(zipped) == _names(official)
        told = [f"{components:,}", f"{median(ours):.2f}", "", "", ""]
        if theirs:
            ratio = median(ours) / median(theirs)
            told[2:] = [
                f"{median(theirs):.2f}",
                f"{ratio:.3f}",
                "yes" if same else "NO",
            ]
        table.add_row(*told)
    console.print("zip from files on disk", table, sep="\n")


def _commands(
    console: Console, sized: list[tuple[int, Path]], given: argparse.Namespace
) -> None:
    """What a person waits for: the start of the language included."""
    table = Table("components", "ours, s", "sf project convert source, s", "ratio")
    for components, path in sized:
        ours, theirs = [], []
        for _ in range(given.rounds):
            with tempfile.TemporaryDirectory() as folder:
                zipped = Path(folder) / "made.zip"
                ours.append(_run([sys.executable, "-c", _BUILD, path, zipped], path))
                convert = [given.sf, "project", "convert", "source"]
                theirs.append(_run([*convert, "--output-dir", folder], path))
        ratio = median(ours) / median(theirs)
        told = (median(ours), median(theirs))
        table.add_row(
            f"{components:,}", *(f"{each:.2f}" for each in told), f"{ratio:.3f}"
        )
    console.print("the same as a command", table, sep="\n")


def _run(command: list[str | Path], folder: Path) -> float:
    return timed(
        lambda: subprocess.run(command, cwd=folder, capture_output=True, check=True)
    )[0]


def timed(act: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what came of it."""
    began = time.perf_counter()
    result = act()
    return time.perf_counter() - began, result


def _built(path: Path) -> bytes:
    return archive.build(read.load(path), values=None)


def _converted(path: Path, given: argparse.Namespace) -> tuple[float, bytes]:
    zipped = path.with_suffix(".zip")
    told = subprocess.run(
        [given.node, "-e", _CONVERT, str(path), str(zipped)],
        env={"NODE_PATH": str(given.converter)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(told.stdout)["seconds"], zipped.read_bytes()


def _names(zipped: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(zipped)) as opened:
        return {name for name in opened.namelist() if not name.endswith("/")}


if __name__ == "__main__":
    main()
