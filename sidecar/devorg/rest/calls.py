"""One REST call and its answer, apart from HTTP, so that composites can nest them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal, not_found
from sidecar.devorg.schema import ObjectType
from sidecar.devorg.values import Unparsable

if TYPE_CHECKING:
    from sidecar.devorg.org import Org


@dataclass(slots=True)
class Call:
    """
    One request, addressed below ``/services/data/vN/``.

    ``segments`` are the parts of its path, decoded; ``query`` its parameters,
    ``headers`` the headers by lower-case name;
    ``body`` is bytes from the wire, or the value a composite carried.
    """

    org: Org
    access: Access
    version: str
    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = b""

    @property
    def base(self) -> str:
        """The path that this call's siblings are under."""
        return f"/services/data/v{self.version}"

    def json(self) -> object:
        """
        Return the body; numbers with a fraction are Decimal.

        Raises:
            Refusal: JSON_PARSER_ERROR.
        """
        if not isinstance(self.body, bytes):
            return self.body
        if not self.body.strip():
            raise Refusal(
                "JSON_PARSER_ERROR",
                "The HTTP entity body is required, but this request has no entity "
                "body.",
            )
        try:
            return json.loads(self.body, parse_float=Decimal)
        except ValueError as exc:
            line, column = getattr(exc, "lineno", 1), getattr(exc, "colno", 1)
            raise Refusal(
                "JSON_PARSER_ERROR",
                f"{getattr(exc, 'msg', 'Invalid UTF-8')} at "
                f"[line:{line}, column:{column}]",
            ) from exc

    def json_object(self) -> dict[str, object]:
        """Return the body, which has to be a JSON object."""
        value = self.json()
        if not isinstance(value, dict):
            raise Refusal(
                "JSON_PARSER_ERROR",
                "Cannot deserialize instance of SObject from START_ARRAY value [ or "
                "request may be missing a required field at [line:1, column:1]",
            )
        return value

    def type(self, name: str) -> ObjectType:
        """
        Return an object type that the path names.

        Raises:
            Refusal: 404 NOT_FOUND, it does not exist for this user.
        """
        found = self.org.schema.get(name)
        if found is None or found.tooling or not self.access.may("Read", found):
            raise not_found()
        return found

    def flag(self, name: str) -> bool:
        """Return a true-or-false query parameter; absent is false."""
        return self.query.get(name, "").lower() == "true"


@dataclass(slots=True)
class Answer:
    """Status and JSON body; None is an empty body, bytes go out as they are."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[..., Answer]
# Method, path below the version with {names} for what varies, and who answers.
Route = tuple[str, str, Handler]


class Router:
    """Finds who answers a call; fixed words win over names."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [
            (method, tuple(path.split("/")), handler)
            for method, path, handler in routes
        ]

    def answer(self, call: Call) -> Answer:
        """
        Let the right handler answer.

        Raises:
            Refusal: NOT_FOUND, METHOD_NOT_ALLOWED, or what the handler refuses.
        """
        matches = [
            (sum(part.startswith("{") for part in path), method, path, handler)
            for method, path, handler in self._routes
            if _fits(path, call.segments)
        ]
        if not matches:
            raise not_found()
        fewest = min(names for names, *_ in matches)
        best = [match[1:] for match in matches if match[0] == fewest]
        for method, path, handler in best:
            if method == call.method:
                given = {
                    name[1:-1]: value
                    for name, value in zip(path, call.segments, strict=True)
                    if name.startswith("{")
                }
                return handler(call, **given)
        methods = sorted({method for method, _, _ in best})
        allowed = ",".join((["HEAD"] if "GET" in methods else []) + methods)
        raise Refusal(
            "METHOD_NOT_ALLOWED",
            f"HTTP Method '{call.method}' not allowed. Allowed are {allowed}",
            status=405,
        )


def _fits(path: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    return len(path) == len(segments) and all(
        part.startswith("{") or part.lower() == segment.lower()
        for part, segment in zip(path, segments, strict=True)
    )


def split_url(url: str) -> tuple[str | None, tuple[str, ...], dict[str, str]]:
    """
    Take apart a path with query: version, segments below it, parameters.

    The version is None when the path is not below ``/services/data/vN``.
    """
    # The official CLI doubles the first slash, which is no host's name.
    parts = urlsplit("/" + url.lstrip("/"))
    match = re.match(r"/services/data/v(\d+\.\d+)(/|$)", parts.path)
    if match is None:
        return None, (), {}
    rest = parts.path[match.end() :].strip("/")
    segments = tuple(unquote(each) for each in rest.split("/")) if rest else ()
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return match[1], segments, query


def refused(refusal: Refusal, raw: object = b"") -> Answer:
    """Return the answer to a refused request; ``raw`` is the body it came with."""
    error = refusal.as_rest()
    if isinstance(refusal, Unparsable):
        line, column = _place(raw, refusal.field_name)
        error["message"] = f"{refusal.message} at [line:{line}, column:{column}]"
    return Answer(refusal.status, [error])


def _place(raw: object, field_name: str) -> tuple[int, int]:
    if not isinstance(raw, bytes):
        return 1, 1
    text = raw.decode(errors="replace")
    match = re.search(f'"{re.escape(field_name)}"\\s*:\\s*', text, re.IGNORECASE)
    at = match.end() if match else 0
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
