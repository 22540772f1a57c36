"""Up to 200 records in one call, each with its own result.

Source: "sObject Collections", REST API Developer Guide. A record of the wrong shape
(unknown column, wrong JSON type) refuses the whole request; a record that cannot be
saved fails alone, or takes all with it when ``allOrNone`` is set.
"""

from collections.abc import Callable, Sequence

from sidecar.devorg.ids import full_id
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.rest.calls import Answer, Call, Route
from sidecar.devorg.rest.sobjects import external_field, named_fields, record
from sidecar.devorg.schema import Field, ObjectType
from sidecar.devorg.values import Typed, deserialise

MAX_RECORDS = 200
MAX_RETRIEVED = 2000

Result = dict[str, object]
# Saves one record and returns what its result says besides success.
Saving = Callable[[], Result]


class _RolledBack(Exception):
    def __init__(self, results: list[Result]) -> None:
        super().__init__()
        self.results = results


def create(call: Call) -> Answer:
    """Create records, of one object or several."""
    records, all_or_none = _records(call)

    def saving(type_: ObjectType, values: Typed) -> Saving:
        return lambda: {"id": call.org.records.create(call.access, type_, values)}

    ready = [saving(*_typed(call, each)) for each in records]
    return Answer(body=_save_all(call, ready, all_or_none=all_or_none))


def update(call: Call) -> Answer:
    """Change records, each named by its ``id``."""
    records, all_or_none = _records(call)

    def saving(record_id: object, type_: ObjectType, values: Typed) -> Saving:
        def save() -> Result:
            if not isinstance(record_id, str) or not record_id:
                raise Refusal(
                    "MISSING_ARGUMENT", "Id not specified in an update call", fields=[]
                )
            call.org.records.update(call.access, type_, record_id, values)
            return {"id": full_id(record_id) or record_id}

        return save

    ready = [saving(_take_id(each), *_typed(call, each)) for each in records]
    return Answer(body=_save_all(call, ready, all_or_none=all_or_none))


def upsert(call: Call, type: str, field: str) -> Answer:
    """Change or create records, each found by its external id."""
    type_ = call.type(type)
    by = external_field(call, type_, field)
    records, all_or_none = _records(call)
    typed = [_typed(call, each, only=type_)[1] for each in records]
    seen: set[object] = set()
    ready = [_upserting(call, type_, by, values, seen) for values in typed]
    return Answer(body=_save_all(call, ready, all_or_none=all_or_none))


def _upserting(
    call: Call, type_: ObjectType, by: Field, values: Typed, seen: set[object]
) -> Saving:
    rest = Typed((k, v) for k, v in values.items() if k != by.name)
    key = values.get(by.name)

    def save() -> Result:
        if key is None and by.type != "id":
            raise Refusal("MISSING_ARGUMENT", f"{by.name} not specified", fields=[])
        folded = key.lower() if isinstance(key, str) and by.type != "id" else key
        if key is not None and folded in seen:
            raise Refusal(
                "DUPLICATE_VALUE",
                f"Duplicate external id specified: {key}",
                fields=[by.name],
            )
        seen.add(folded)
        if by.type == "id":
            return _upsert_by_id(call, type_, key, rest)
        record_id, created = call.org.records.upsert(call.access, type_, by, key, rest)
        return {"id": record_id, "created": created}

    return save


def _upsert_by_id(call: Call, type_: ObjectType, key: object, rest: Typed) -> Result:
    if key is None:
        record_id = call.org.records.create(call.access, type_, rest)
        return {"id": record_id, "created": True}
    call.org.records.update(call.access, type_, str(key), rest)
    return {"id": full_id(str(key)), "created": False}


def delete(call: Call) -> Answer:
    """Delete the records of ``ids``."""
    ids = [each.strip() for each in call.query.get("ids", "").split(",")]
    _at_most(MAX_RECORDS, ids)

    def deleting(record_id: str) -> Saving:
        def save() -> Result:
            type_ = call.org.schema.of_id(record_id)
            if type_ is None or full_id(record_id) is None:
                raise Refusal("MALFORMED_ID", f"malformed id {record_id}", fields=[])
            call.org.records.delete(call.access, type_, record_id)
            return {"id": full_id(record_id)}

        return save

    ready = [deleting(each) for each in ids]
    return Answer(body=_save_all(call, ready, all_or_none=call.flag("allOrNone")))


def retrieve(call: Call, type: str) -> Answer:
    """Return records by id, in the order asked; null where there is none."""
    type_ = call.type(type)
    if call.method == "POST":
        asked = call.json_object()
        ids, names = _strings(asked.get("ids")), _strings(asked.get("fields"))
    else:
        ids = call.query.get("ids", "").split(",")
        names = call.query.get("fields", "").split(",")
    _at_most(MAX_RETRIEVED, ids)
    fields = named_fields(call.access, type_, [name.strip() for name in names if name])
    rows = call.org.records.table(type_.name).rows
    found = [rows.get(full_id(each.strip()) or "") for each in ids]
    return Answer(
        body=[
            None if row is None else record(call.access, type_, row, call, fields)
            for row in found
        ]
    )


def _strings(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _records(call: Call) -> tuple[list[dict[str, object]], bool]:
    body = call.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise Refusal(
            "JSON_PARSER_ERROR",
            "Cannot deserialize request: records is missing or not a list of records "
            "at [line:1, column:1]",
        )
    _at_most(MAX_RECORDS, records)
    return records, body.get("allOrNone") is True


def _at_most(number: int, items: Sequence[object]) -> None:
    if len(items) > number:
        raise Refusal(
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {number} records into "
            "this call",
        )


def _typed(
    call: Call, payload: dict[str, object], *, only: ObjectType | None = None
) -> tuple[ObjectType, Typed]:
    attributes = payload.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if name is None and only is not None:
        return only, deserialise(call.access, only, payload)
    type_ = call.org.schema.get(str(name))
    if type_ is None or not call.access.may("Read", type_):
        raise Refusal("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    if only is not None and type_ is not only:
        raise Refusal("INVALID_TYPE", f"record type {name} does not match {only.name}")
    return type_, deserialise(call.access, type_, payload)


def _take_id(payload: dict[str, object]) -> object:
    name = next((each for each in payload if each.lower() == "id"), None)
    return None if name is None else payload.pop(name)


def _save_all(call: Call, ready: list[Saving], *, all_or_none: bool) -> list[Result]:
    try:
        with call.org.journal.savepoint():
            results = [_save(call, each) for each in ready]
            if all_or_none and not all(result["success"] for result in results):
                raise _RolledBack(results)
    except _RolledBack as rolled_back:
        return [_undone(result) for result in rolled_back.results]
    return results


def _save(call: Call, saving: Saving) -> Result:
    try:
        with call.org.journal.savepoint():
            said = saving()
    except Refusal as refusal:
        return {"success": False, "errors": [refusal.as_save_error()]}
    return {"id": said["id"], "success": True, "errors": [], **said}


def _undone(result: Result) -> Result:
    if not result["success"]:
        return result
    return {
        "success": False,
        "errors": [
            {
                "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                "message": "Record rolled back because not all records were valid and "
                "the request was using AllOrNone header",
                "fields": [],
            }
        ],
    }


ROUTES: tuple[Route, ...] = (
    ("POST", "composite/sobjects", create),
    ("PATCH", "composite/sobjects", update),
    ("DELETE", "composite/sobjects", delete),
    ("PATCH", "composite/sobjects/{type}/{field}", upsert),
    ("GET", "composite/sobjects/{type}", retrieve),
    ("POST", "composite/sobjects/{type}", retrieve),
)
