"""A dev org as a process of its own, for tests and the demo."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sidecar.devorg.serve import INFO_FILE

_START_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Running:
    """How to reach a running org; the fields of ``devorg.json``."""

    base_url: str
    ca_file: str | None
    org_id: str
    admin_token: str
    refresh_token: str
    consumer_key: str
    consumer_secret: str
    jwt_key_file: str
    admin: str
    integration_user: str
    reps: list[str]
    user_ids: dict[str, str]
    pubsub: str


def read_info(directory: Path) -> Running:
    """Read ``devorg.json``."""
    return Running(**json.loads((directory / INFO_FILE).read_text()))


@contextmanager
def running(
    directory: Path, *, speed: float = 1.0, plain: bool = False, port: int = 0
) -> Iterator[Running]:
    """
    Run an org until the context is left.

    Raises:
        RuntimeError: it did not come up.
    """
    command = [sys.executable, "-m", "sidecar.devorg", "--dir", str(directory)]
    command += ["--port", str(port), "--speed", str(speed)]
    command += ["--plain"] if plain else []
    directory.mkdir(parents=True, exist_ok=True)
    (directory / INFO_FILE).unlink(missing_ok=True)
    process = subprocess.Popen(command)
    try:
        _wait(process, directory / INFO_FILE)
        yield read_info(directory)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], info: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    while not info.exists():
        if process.poll() is not None:
            raise RuntimeError(f"the dev org ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise RuntimeError("the dev org did not start in time")
        time.sleep(0.02)
