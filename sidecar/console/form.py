"""The form that a page sends back, read within bounds before it is interpreted."""

from collections.abc import Mapping
from io import BytesIO

from flask import abort, request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from sidecar.intake import request as bounded

LONGEST = 64 * 1024
"""Bytes. A note of 2,000 characters has 24,000 at most, as a form writes them."""


def fields(longest: int = LONGEST) -> Mapping[str, str]:
    """
    Give what came, by field.

    Only a page that has let its caller in asks, or one that exists and is let in to by
    a field: a stranger's body stays unread.

    Raises:
        HTTPException: 413 or 400; the connection ends with the answer.
    """
    try:
        body = bounded.body(request.environ, longest)
    except bounded.TooLong:
        abort(_hung_up(RequestEntityTooLarge()))
    except bounded.CutShort:
        abort(_hung_up(BadRequest()))
    request.environ["wsgi.input"] = BytesIO(body)
    request.environ["CONTENT_LENGTH"] = str(len(body))
    return request.form


def _hung_up(exc: HTTPException) -> Response:
    """Refuse; what is left of the body must not be taken for another request."""
    bounded.close_unread(request.environ)
    answer = exc.get_response(request.environ)
    answer.headers["Connection"] = "close"
    return answer
