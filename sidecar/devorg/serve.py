"""Serve one org on loopback, and write down how to reach it."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from sidecar.devorg.app import create_app
from sidecar.devorg.certificates import Tls, make_signer, make_tls
from sidecar.devorg.clock import OrgClock
from sidecar.devorg.events import server as events
from sidecar.devorg.founding import ADMIN, AUTOMATED, INTEGRATION, REPS
from sidecar.devorg.org import DAILY_LIMIT, Org
from sidecar.devorg.sessions import App

# Written when the org can be called; whoever started it waits for this file.
INFO_FILE = "devorg.json"
_THREADS = 16


def serve(
    *,
    port: int,
    directory: Path,
    speed: float = 1.0,
    plain: bool = False,
    daily_limit: int = DAILY_LIMIT,
    seed: int | None = None,
) -> None:
    """
    Serve a fresh org until the process is told to stop.

    Args:
        port: on 127.0.0.1; 0 takes a free one.
        directory: for certificates, the JWT key and ``devorg.json``.
        speed: org seconds per real second.
        plain: http instead of https.
        daily_limit: API calls in 24 hours.
        seed: of the org's ids; None draws one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / INFO_FILE).unlink(missing_ok=True)
    tls = None if plain else make_tls(directory)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1024)
    org = Org.fresh(seed=seed, clock=OrgClock(speed=speed), daily_limit=daily_limit)
    scheme = "http" if plain else "https"
    org.base_url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
    info = _prepare(org, directory, tls)
    _Server(org, listener, tls, directory / INFO_FILE, info).run()


def _prepare(org: Org, directory: Path, tls: Tls | None) -> dict[str, object]:
    """Set up an app and tokens; return what a client has to know."""
    key_file = directory / "jwt.key"
    users = {
        name: org.user_named(name) for name in (ADMIN, INTEGRATION, *REPS, AUTOMATED)
    }
    app = App(
        name="Referral Sidecar",
        consumer_key=f"3MVG9{secrets.token_urlsafe(48)}",
        consumer_secret=secrets.token_hex(32).upper(),
        certificate=make_signer(key_file),
        run_as=users[INTEGRATION],
        authorised={str(users[ADMIN]), str(users[INTEGRATION])},
    )
    org.apps[app.consumer_key] = app
    admin = str(users[ADMIN])
    return {
        "base_url": org.base_url,
        "ca_file": str(tls.ca) if tls else None,
        "org_id": org.id,
        "admin_token": org.sessions.open(admin, app=app.consumer_key, endless=True),
        "refresh_token": org.sessions.grant(admin, app=app.consumer_key),
        "consumer_key": app.consumer_key,
        "consumer_secret": app.consumer_secret,
        "jwt_key_file": str(key_file),
        "admin": ADMIN,
        "integration_user": INTEGRATION,
        "reps": list(REPS),
        "user_ids": users,
    }


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with one threaded worker: the org lives in its memory."""

    def __init__(
        self,
        org: Org,
        listener: socket.socket,
        tls: Tls | None,
        info_file: Path,
        info: Mapping[str, object],
    ) -> None:
        self._org, self._listener, self._tls = org, listener, tls
        self._info_file, self._info = info_file, info
        self._app = create_app(org)
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, object] = {
            "bind": f"fd://{self._listener.detach()}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": _THREADS,
            # Clients keep connections for as long as they please.
            "keepalive": 300,
            "timeout": 0,
            "graceful_timeout": 1,
            "limit_request_line": 0,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_worker_init": self._ready,
        }
        if self._tls is not None:
            settings["certfile"] = str(self._tls.chain)
            settings["keyfile"] = str(self._tls.key)
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app

    def _ready(self, _: object) -> None:
        self._org.start()
        # After the fork: gRPC's threads do not survive one.
        self._streams, port = events.serve(self._org, self._tls)
        self._streams.start()
        info = {**self._info, "pubsub": f"127.0.0.1:{port}"}
        unfinished = self._info_file.with_suffix(".part")
        # It holds an admin's token: for nobody but who started the org.
        unfinished.touch(mode=0o600)
        unfinished.chmod(0o600)
        unfinished.write_text(json.dumps(info, indent=2))
        unfinished.replace(self._info_file)
