"""The embedded PostgreSQL comes up, whoever else is starting one."""

import subprocess

import pytest

from sidecar import machine
from sidecar.machine import Machine


def test_who_loses_the_race_for_the_databases_user_starts_all_the_same(
    tmp_path_factory, monkeypatch: pytest.MonkeyPatch
):
    """Two first starts as root at once: ``useradd`` fails for one of them."""
    lost = [subprocess.CalledProcessError(9, ["useradd", "-s", "/bin/bash", "x"])]
    started = machine.get_server

    def get_server(*args, **kwargs):
        if lost:
            raise lost.pop()
        return started(*args, **kwargs)

    monkeypatch.setattr(machine, "get_server", get_server)
    computer = Machine(tmp_path_factory.mktemp("machine"))
    try:
        assert computer.start_postgres().startswith("postgresql://")
    finally:
        computer.stop()


def test_what_else_breaks_a_start_is_told(
    tmp_path_factory, monkeypatch: pytest.MonkeyPatch
):
    def get_server(*args, **kwargs):
        raise subprocess.CalledProcessError(1, ["initdb"])

    monkeypatch.setattr(machine, "get_server", get_server)
    with pytest.raises(subprocess.CalledProcessError):
        Machine(tmp_path_factory.mktemp("machine")).start_postgres()
