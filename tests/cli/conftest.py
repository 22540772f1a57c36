"""The ``sidecar`` command as people run it, against real pieces."""

import logging
import os
import socket
from collections.abc import Callable, Iterator

import pytest
import structlog
from click.testing import CliRunner, Result

from sidecar.cli import cli
from sidecar.wiring import Wiring

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the command without any settings but the given ones."""

    def become(path: str, _arguments: list[str]) -> None:
        raise AssertionError(f"would have become {path}")

    monkeypatch.setattr(os, "execv", become)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    runner = CliRunner()

    def invoke(*args: object, given: str | None = None, **environ: str) -> Result:
        result = runner.invoke(cli, [*map(str, args)], input=given, env=environ)
        # A bug is shown as itself; a person must never see one.
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    yield invoke
    # The command logs to what was stderr while it ran.
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def nobody() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def sidecar(run: Run, wiring: Wiring, nobody: int) -> Run:
    """Run the command on a fresh database and an empty Redis."""
    environ = {
        "SIDECAR_DATABASE_URL": wiring.settings.database_url,
        "SIDECAR_REDIS_URL": wiring.settings.redis_url,
        "SIDECAR_SMTP_URL": f"smtp://127.0.0.1:{nobody}",
        "SIDECAR_PUBLIC_URL": "https://sidecar.example.com",
        "SIDECAR_DEMO": "true",
    }

    def invoke(*args: object, given: str | None = None, **more: str) -> Result:
        return run(*args, given=given, **(environ | more))

    return invoke
