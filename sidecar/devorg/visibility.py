"""When a change can be found: at once by id, by its time a little later.

Source: "SystemModstamp" in "System Fields", Object Reference (it is updated by a
deletion, too); "Sync Data" in the SOAP API Developer Guide asks replicating clients to
allow for changes that are committed late.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from sidecar.devorg.schema import ObjectType, Row
from sidecar.devorg.soql.ast import (
    And,
    Comparison,
    Condition,
    FieldRef,
    Not,
    Or,
)

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_STAMP = "SystemModstamp"


class Visibility:
    """How far filters by time lag behind. Callers hold the org's lock."""

    def __init__(self, org: Org) -> None:
        """Hooks itself into the org's deletions."""
        self._org = org
        self.lag = timedelta()
        org.records.after_delete.append(self._date)
        org.on_reset.append(self._reset)

    def found(self, where: Condition | None) -> Callable[[Row], bool] | None:
        """Return what tells whether a row can be found yet; None: every row can."""
        if not self.lag or where is None or not _by_time(where):
            return None
        newest = self._org.clock.now() - self.lag
        return lambda row: row.get(_STAMP, newest) <= newest  # type: ignore[operator]

    def _date(self, type_: ObjectType, row: Row, _user_id: str) -> None:
        bin_ = self._org.records.table(type_.name).bin
        record_id = str(row["Id"])
        if _STAMP in row and record_id in bin_:
            bin_[record_id] = {**bin_[record_id], _STAMP: self._org.clock.second()}

    def _reset(self) -> None:
        self.lag = timedelta()


def add_routes(routes: Blueprint, org: Org) -> None:
    """
    Add the routes to the back door of one org.

    POST /devorg/visibility  {"lag_s": 120}: changes are found by their time only after
                             so many seconds of the org's.
    """

    @routes.post("/visibility")
    def set_lag() -> Response:
        """Let filters by time lag behind."""
        with org.lock:
            org.visibility.lag = timedelta(seconds=float(request.get_json()["lag_s"]))
        return jsonify({"lag_s": org.visibility.lag.total_seconds()})


def _by_time(condition: Condition) -> bool:
    match condition:
        case And(parts) | Or(parts):
            return any(_by_time(part) for part in parts)
        case Not(part):
            return _by_time(part)
        case Comparison(left=FieldRef(path=path)):
            return path[-1].lower() == _STAMP.lower()
        case _:
            return False
