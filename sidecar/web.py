"""Entry for the web: Flask for people and programs, one short road for Salesforce."""

import ssl
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from sidecar import logs, settings
from sidecar.api import description
from sidecar.console import pages
from sidecar.intake import bounced, door, webhook
from sidecar.intake.rates import Rates
from sidecar.settings import Settings
from sidecar.store import database
from sidecar.wiring import Wiring

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def gunicorn(
    app: str,
    *,
    bind: str,
    processes: int,
    threads: int,
    tls: Settings | None = None,
) -> list[str]:
    """
    Give the command that serves an application as ours is served.

    Args:
        app: as gunicorn takes it, ``module:name``.
        bind: host and port.
        tls: where they name a certificate, TLS is spoken; and where they name who may
            have issued a caller's, each caller is asked for his, and may have none:
            who must have one is the business of the doors.
    """
    command = [sys.executable, "-m", "gunicorn", app, "--bind", bind]
    command += ["--workers", str(processes), "--threads", str(threads)]
    command += ["--worker-class", "sidecar.intake.listening.Listener"]
    # Below the 1,024 files that a process may commonly open.
    command += ["--worker-connections", "800"]
    # Salesforce keeps its connections; the heartbeat file belongs into memory.
    shared = Path("/dev/shm")  # noqa: S108 gunicorn makes its own file in it
    command += ["--keep-alive", "75"]
    command += ["--worker-tmp-dir", str(shared)] if shared.is_dir() else []
    if tls is not None and tls.tls_certificate_file is not None:
        command += ["--certfile", str(tls.tls_certificate_file)]
        command += ["--keyfile", str(tls.tls_key_file)]
        if tls.client_ca_file is not None:
            command += ["--ca-certs", str(tls.client_ca_file)]
            command += ["--cert-reqs", str(int(ssl.CERT_OPTIONAL))]
    return [*command, "--log-level", "warning", "--no-control-socket"]


def from_environ() -> Flask:
    """Build the application from ``SIDECAR_*``; what gunicorn is pointed at."""
    given = settings.from_environ()
    logs.configure(given.log_format)
    return create_app(Wiring(given))


def doors(wiring: Wiring) -> "dict[str, WSGIApplication]":
    """Build the doors that stand before Flask's, by the start of their addresses."""
    rate = wiring.settings.events_per_minute
    return {
        door.PREFIX: door.application(
            wiring,
            max_bytes=wiring.settings.max_message_bytes,
            now=wiring.now,
            require_sender=wiring.marks.require if wiring.marks else None,
        ),
        webhook.PREFIX: webhook.application(
            wiring,
            webhook.Limits(Rates(per_second=rate / 60, burst=max(1, rate // 15))),
            now=wiring.now,
            proxies=wiring.proxies,
        ),
        bounced.PREFIX: webhook.application(
            wiring,
            webhook.Limits(Rates(per_second=rate / 60, burst=max(1, rate // 15))),
            now=wiring.now,
            proxies=wiring.proxies,
            prefix=bounced.PREFIX,
            receive=bounced.receiver(wiring.take_bounces),
        ),
    }


def create_app(wiring: Wiring) -> Flask:
    """Build the application around its adapters."""
    app = Flask(__name__, static_folder=None)
    known = doors(wiring)
    inside = app.wsgi_app

    def entrance(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Salesforce's own doors stand before Flask's; see ``intake.door``."""
        for prefix, application in known.items():
            if environ["PATH_INFO"].startswith(prefix):
                return application(environ, start)
        return inside(environ, start)

    app.wsgi_app = entrance  # type: ignore[assignment, method-assign]

    pages.add_pages(app, wiring)
    app.register_blueprint(description.blueprint())

    @app.get("/healthz")
    def alive() -> Response:
        """Say that the process answers."""
        return jsonify(status="ok")

    @app.get("/readyz")
    def ready() -> tuple[Response, int]:
        """Say whether a message could be kept now. Redis is no part of that."""
        try:
            current = database.is_current(wiring.engine)
        except SQLAlchemyError:
            return jsonify(status="the database is away"), 503
        if not current:
            return jsonify(status="run `sidecar db upgrade`"), 503
        return jsonify(status="ready"), 200

    return app
