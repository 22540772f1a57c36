"""Queries, page by page.

Source: "Query", "QueryAll" and "Query Options Header", REST API Developer Guide.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sidecar.devorg.refusal import Refusal
from sidecar.devorg.rest.calls import Answer, Call, Route
from sidecar.devorg.rest.columns import columns
from sidecar.devorg.schema import Row
from sidecar.devorg.soql.run import Result, run

_DEFAULT_PAGE, _SMALLEST_PAGE = 2000, 200
# Salesforce keeps the ten newest cursors of a user; here, of everyone.
_KEPT_CURSORS = 50


@dataclass(slots=True)
class Cursor:
    """A query's rows as they were when it ran."""

    user_id: str
    rows: Sequence[Row]
    show: Callable[[Row], dict[str, object]]
    page: int


class Cursors:
    """The queries whose answers did not fit one page."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Cursor] = OrderedDict()

    def keep(self, cursor_id: str, cursor: Cursor) -> None:
        """Remember a cursor, and forget the oldest."""
        self._open[cursor_id] = cursor
        while len(self._open) > _KEPT_CURSORS:
            self._open.popitem(last=False)

    def find(self, cursor_id: str, user_id: str) -> Cursor:
        """
        Return a user's cursor.

        Raises:
            Refusal: INVALID_QUERY_LOCATOR.
        """
        cursor = self._open.get(cursor_id)
        if cursor is None or cursor.user_id != user_id:
            raise Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
        return cursor


def routes() -> tuple[Route, ...]:
    """Return the query resources, with cursors of their own."""
    cursors = Cursors()

    def query(call: Call) -> Answer:
        return _first_page(call, cursors)

    def query_all(call: Call) -> Answer:
        return _first_page(call, cursors, all_rows=True)

    def tooling_query(call: Call) -> Answer:
        return _first_page(call, cursors, tooling=True)

    def more(call: Call, locator: str) -> Answer:
        match = re.fullmatch(r"(\w{18})-(\d+)", locator)
        if match is None:
            raise Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
        cursor = cursors.find(match[1], call.access.user_id)
        return Answer(body=_page(call, match[1], cursor, int(match[2])))

    return (
        ("GET", "query", query),
        ("GET", "query/{locator}", more),
        ("GET", "queryAll", query_all),
        ("GET", "queryAll/{locator}", more),
        ("GET", "tooling/query", tooling_query),
        ("GET", "tooling/query/{locator}", more),
    )


def _first_page(
    call: Call, cursors: Cursors, *, all_rows: bool = False, tooling: bool = False
) -> Answer:
    text = call.query.get("q", "")
    if not text.strip():
        raise Refusal("MALFORMED_QUERY", "unexpected token: <EOF>")
    result = run(
        call.org,
        call.access,
        text,
        version=call.version,
        all_rows=all_rows,
        tooling=tooling,
    )
    if call.flag("columns"):
        return Answer(body=columns(result))
    page = _page_size(call)
    if len(result.rows) <= page:
        return Answer(body=_whole(result))
    cursor = Cursor(call.access.user_id, result.rows, result.show, page)
    cursor_id = call.org.ids.new("01g")
    cursors.keep(cursor_id, cursor)
    return Answer(body=_page(call, cursor_id, cursor, 0))


def _whole(result: Result) -> dict[str, object]:
    return {
        "totalSize": result.total,
        "done": True,
        "records": [result.show(row) for row in result.rows],
    }


def _page(call: Call, cursor_id: str, cursor: Cursor, start: int) -> dict[str, object]:
    end = min(start + cursor.page, len(cursor.rows))
    answer: dict[str, object] = {
        "totalSize": len(cursor.rows),
        "done": end == len(cursor.rows),
        "records": [cursor.show(row) for row in cursor.rows[start:end]],
    }
    if not answer["done"]:
        answer["nextRecordsUrl"] = f"{call.base}/query/{cursor_id}-{end}"
    return answer


def _page_size(call: Call) -> int:
    options = call.headers.get("sforce-query-options", "")
    match = re.search(r"batchSize\s*=\s*(\d+)", options)
    wanted = int(match[1]) if match else _DEFAULT_PAGE
    return min(max(wanted, _SMALLEST_PAGE), _DEFAULT_PAGE)
