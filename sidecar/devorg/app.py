"""The org as a web application."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

from flask import Flask, Request, Response, jsonify, request

from sidecar.devorg import backdoor, oauth, rest_metadata
from sidecar.devorg.faults import Fault
from sidecar.devorg.refusal import Refusal, not_found
from sidecar.devorg.rest import blueprint as rest
from sidecar.devorg.soap import door as soap

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_STRUCK = "devorg.fault"


def create_app(org: Org) -> Flask:
    """Build the application that serves ``org``."""
    app = Flask("sidecar.devorg", static_folder=None)
    app.url_map.strict_slashes = False
    app.register_blueprint(oauth.blueprint(org, wall=time.time))
    app.register_blueprint(rest.blueprint(org))
    app.register_blueprint(rest_metadata.blueprint(org))
    app.register_blueprint(soap.blueprint(org))
    app.register_blueprint(backdoor.blueprint(org))

    @app.before_request
    def befall() -> Response | None:
        """Let a fault strike before the request is carried out."""
        if request.path.startswith(backdoor.PREFIX):
            return None
        fault = org.faults.strike(request.method, request.full_path)
        if fault is None:
            return None
        time.sleep(fault.delay_s)
        if fault.after_acting or (not fault.status and not fault.hang_up):
            request.environ[_STRUCK] = fault
            return None
        return _misfortune(fault, request)

    @app.after_request
    def befall_late(response: Response) -> Response:
        """Let a fault strike after the request was carried out."""
        fault = request.environ.pop(_STRUCK, None)
        if fault is None or not (fault.status or fault.hang_up):
            return response
        return _misfortune(fault, request)

    @app.errorhandler(404)
    def lost(_: Exception) -> tuple[Response, int]:
        """Answer a path that leads nowhere."""
        return jsonify([not_found().as_rest()]), 404

    return app


def _misfortune(fault: Fault, request: Request) -> Response:
    if fault.hang_up:
        connection = request.environ.get("gunicorn.socket")
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        return Response(status=500)
    if fault.body is not None:
        return Response(
            fault.body, status=fault.status, content_type=fault.content_type
        )
    refusal = Refusal(fault.error_code, fault.message)
    response = jsonify([refusal.as_rest()])
    response.status_code = fault.status
    return response
