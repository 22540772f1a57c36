"""All pages of one application, with what is true of each of them."""

from typing import Protocol

from flask import Blueprint, Flask, Response

from sidecar.console import act, act_desk, authorize, canvas

# Nothing from elsewhere, nothing inline, in nobody's frame.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class Desk(authorize.Desk, act_desk.Desk, canvas.Desk, Protocol):
    """What all pages together need of the service."""


def add_pages(app: Flask, desk: Desk) -> None:
    """Add the pages to an application."""
    app.register_blueprint(
        Blueprint(
            "console",
            __name__,
            url_prefix="/console",
            static_folder="static",
            template_folder="templates",
        )
    )
    app.register_blueprint(authorize.blueprint(desk))
    app.register_blueprint(act.blueprint(desk))
    app.register_blueprint(canvas.blueprint(desk))
    # An address is taken as it is, or not at all.
    app.url_map.merge_slashes = False

    tls = desk.settings.public_url.startswith("https:")

    @app.after_request
    def harden(response: Response) -> Response:
        """Say to the browser what no page of ours needs."""
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("Cache-Control", "no-store")
        if tls:
            response.headers.setdefault(
                "Strict-Transport-Security", "max-age=31536000; includeSubDomains"
            )
        return response
