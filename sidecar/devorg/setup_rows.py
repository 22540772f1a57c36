"""Back door for rows that no API makes: what Salesforce itself or Setup puts there.

POST /devorg/rows  {"object": "InstalledSubscriberPackage", "values": {...}} -> {"id"};
with an "id" the row is changed: an edition, a number of licences, a stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from sidecar.devorg.founding import ADMIN
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import ObjectType, Row
from sidecar.devorg.values import typed

if TYPE_CHECKING:
    from sidecar.devorg.org import Org


def add_routes(routes: Blueprint, org: Org) -> None:
    """Add the route of one org."""

    @routes.post("/rows")
    def put_row() -> tuple[Response, int] | Response:
        """Make a row of a setup object, or change one."""
        asked = request.get_json(silent=True)
        asked = asked if isinstance(asked, dict) else {}
        type_ = org.schema.get(str(asked.get("object", "")))
        values = asked.get("values")
        if type_ is None or not type_.setup or not isinstance(values, dict):
            return jsonify({"unknown": asked.get("object")}), 400
        unknown = sorted(name for name in values if type_.field(name) is None)
        if unknown:
            return jsonify({"unknown": unknown}), 400
        try:
            with org.work():
                record_id = _put(org, type_, asked.get("id"), values)
        except Refusal as exc:
            return jsonify(exc.as_rest()), 400
        return jsonify({"id": record_id})


def _put(
    org: Org, type_: ObjectType, record_id: object, values: Mapping[str, object]
) -> str:
    table, now = org.records.table(type_.name), org.clock.second()
    admin = org.user_named(ADMIN)
    known = table.rows.get(str(record_id)) if record_id else None
    row: Row = dict(known or {})
    if known is None:
        row = {
            "Id": org.ids.new(type_.key_prefix or "000"),
            "IsDeleted": False,
            "CreatedDate": now,
            "CreatedById": admin,
        }
        for field in type_.fields.values():
            if field.default is not None:
                row[field.name] = field.default
    row |= {"LastModifiedDate": now, "LastModifiedById": admin, "SystemModstamp": now}
    for name, value in values.items():
        field = type_.fields[name.lower()]
        kept = typed(field, value)
        if kept is None:
            row.pop(field.name, None)
        else:
            row[field.name] = kept
    table.put(str(row["Id"]), row)
    return str(row["Id"])
