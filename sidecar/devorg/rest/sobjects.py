"""Single records: create, read, change, delete, by id or by external id.

Source: "sObject Rows" and "sObject Rows by External ID", REST API Developer Guide.
"""

from datetime import UTC, datetime

from sidecar.devorg.describe import describe, describe_global, describe_short
from sidecar.devorg.ids import full_id
from sidecar.devorg.permissions import Access
from sidecar.devorg.references import key_field
from sidecar.devorg.refusal import Refusal, not_found
from sidecar.devorg.rest.calls import Answer, Call, Route
from sidecar.devorg.schema import Field, ObjectType, Row
from sidecar.devorg.soql.resolve import value_of
from sidecar.devorg.values import shown, typed


def list_objects(call: Call) -> Answer:
    """List every object the user may read."""
    return Answer(body=describe_global(call.org, call.access, call.version))


def show_object(call: Call, type: str) -> Answer:
    """Describe an object in short."""
    found = call.type(type)
    return Answer(
        body={
            "objectDescribe": describe_short(found, call.access, call.version),
            "recentItems": [],
        }
    )


def describe_object(call: Call, type: str) -> Answer:
    """Describe an object in full."""
    return Answer(body=describe(call.org, call.access, call.type(type), call.version))


def create(call: Call, type: str) -> Answer:
    """Create one record."""
    found = call.type(type)
    record_id = call.org.records.create(call.access, found, call.json_object())
    return Answer(
        201,
        {"id": record_id, "success": True, "errors": []},
        {"Location": f"{call.base}/sobjects/{found.name}/{record_id}"},
    )


def get(call: Call, type: str, id: str) -> Answer:
    """Return one record, all fields or those of ``fields``."""
    found = call.type(type)
    full = full_id(id)
    if full is None:
        raise _no_key(id)
    row = call.org.records.table(found.name).rows.get(full)
    if row is None:
        raise not_found()
    return Answer(body=record(call.access, found, row, call, _wanted(call, found)))


def update(call: Call, type: str, id: str) -> Answer:
    """Change one record."""
    found = call.type(type)
    values = call.json_object()
    if any(name.lower() == "id" for name in values):
        raise Refusal(
            "INVALID_FIELD", "The Id field should not be specified in the sobject data."
        )
    call.org.records.update(call.access, found, id, values)
    return Answer(204)


def delete(call: Call, type: str, id: str) -> Answer:
    """Delete one record."""
    call.org.records.delete(call.access, call.type(type), id)
    return Answer(204)


def get_by_key(call: Call, type: str, field: str, key: str) -> Answer:
    """Return the record with this external id."""
    found = call.type(type)
    matches = _matches(call, found, external_field(call, found, field), key)
    if not matches:
        raise not_found()
    if len(matches) > 1:
        return _several(call, found, matches)
    row = call.org.records.table(found.name).rows[matches[0]]
    return Answer(body=record(call.access, found, row, call, _wanted(call, found)))


def upsert(call: Call, type: str, field: str, key: str) -> Answer:
    """Change the record with this external id, or create it."""
    found = call.type(type)
    by = external_field(call, found, field)
    values = call.json_object()
    for name in values:
        if name.lower() in {"id", by.key}:
            raise Refusal(
                "INVALID_FIELD",
                f"The {name} field should not be specified in the sobject data.",
            )
    matches = _matches(call, found, by, key)
    if len(matches) > 1:
        return _several(call, found, matches)
    if not matches and (by.type == "id" or call.flag("updateOnly")):
        raise not_found()
    record_id, created = call.org.records.upsert(
        call.access, found, by, typed(by, _text_key(by, key)), values
    )
    if not created and float(call.version) < 46:
        return Answer(204)
    return Answer(
        201 if created else 200,
        {"id": record_id, "success": True, "errors": [], "created": created},
    )


def delete_by_key(call: Call, type: str, field: str, key: str) -> Answer:
    """Delete the record with this external id."""
    found = call.type(type)
    matches = _matches(call, found, external_field(call, found, field), key)
    if not matches:
        raise not_found()
    if len(matches) > 1:
        return _several(call, found, matches)
    call.org.records.delete(call.access, found, matches[0])
    return Answer(204)


def updated(call: Call, type: str) -> Answer:
    """List the ids of records changed between ``start`` and ``end``."""
    found = call.type(type)
    start, end = _period(call)
    ids = [
        row["Id"]
        for row in call.org.records.table(found.name).rows.values()
        if start <= _stamp(row) < end
    ]
    return Answer(body={"ids": ids, "latestDateCovered": shown(end)})


def deleted(call: Call, type: str) -> Answer:
    """List the records deleted between ``start`` and ``end``."""
    found = call.type(type)
    start, end = _period(call)
    gone = [
        {"id": row["Id"], "deletedDate": shown(row["SystemModstamp"])}
        for row in call.org.records.table(found.name).bin.values()
        if start <= _stamp(row) < end
    ]
    return Answer(
        body={
            "deletedRecords": gone,
            "earliestDateAvailable": shown(start),
            "latestDateCovered": shown(end),
        }
    )


def record(
    access: Access,
    type_: ObjectType,
    row: Row,
    call: Call,
    fields: list[Field] | None = None,
) -> dict[str, object]:
    """Return a record as the API shows it; ``fields`` None means all."""
    wanted = fields or list(access.readable(type_).values())
    url = f"{call.base}/sobjects/{type_.name}/{row['Id']}"
    answer: dict[str, object] = {"attributes": {"type": type_.name, "url": url}}
    for field in wanted:
        answer[field.name] = shown(value_of(field, row))
    call.org.usage.read(access, type_, [field.name for field in wanted])
    return answer


def named_fields(access: Access, type_: ObjectType, names: list[str]) -> list[Field]:
    """
    Return the fields of these names.

    Raises:
        Refusal: INVALID_FIELD.
    """
    readable = access.readable(type_)
    for name in names:
        if name.lower() not in readable:
            raise Refusal(
                "INVALID_FIELD",
                f"No such column '{name}' on entity '{type_.name}'. If you are "
                "attempting to use a custom field, be sure to append the '__c' after "
                "the custom field name. Please reference your WSDL or the describe "
                "call for the appropriate names.",
            )
    return [readable[name.lower()] for name in names]


def external_field(call: Call, type_: ObjectType, name: str) -> Field:
    """
    Return the field that a path finds records by.

    Raises:
        Refusal: NOT_FOUND, no such field for this user, or not an external id.
    """
    field = call.access.readable(type_).get(name.lower())
    if field is None or not key_field(field):
        raise _no_key(name)
    return field


def _no_key(name: str) -> Refusal:
    return Refusal(
        "NOT_FOUND",
        f"Provided external ID field does not exist or is not accessible: {name}",
        status=404,
    )


def _wanted(call: Call, type_: ObjectType) -> list[Field] | None:
    names = [name.strip() for name in call.query.get("fields", "").split(",")]
    names = [name for name in names if name]
    return named_fields(call.access, type_, names) if names else None


def _matches(call: Call, type_: ObjectType, field: Field, key: str) -> list[str]:
    return call.org.records.matches(type_, field, typed(field, _text_key(field, key)))


def _text_key(field: Field, key: str) -> object:
    # A key in a path is text whatever the field's type; numbers parse from text.
    return full_id(key) or key if field.type == "id" else key


def _several(call: Call, type_: ObjectType, ids: list[str]) -> Answer:
    return Answer(300, [f"{call.base}/sobjects/{type_.name}/{each}" for each in ids])


def _stamp(row: Row) -> datetime:
    stamp = row["SystemModstamp"]
    if not isinstance(stamp, datetime):
        raise TypeError(stamp)
    return stamp


def _period(call: Call) -> tuple[datetime, datetime]:
    try:
        # A plus sign that was not encoded arrives as a space.
        start, end = (
            datetime.fromisoformat(call.query[name].replace(" ", "+"))
            for name in ("start", "end")
        )
    except (KeyError, ValueError) as exc:
        raise Refusal(
            "INVALID_REPLICATION_DATE", "start and end must be date-times"
        ) from exc
    start, end = (
        each.replace(tzinfo=each.tzinfo or UTC, microsecond=0, second=0)
        for each in (start, end)
    )
    if start >= end:
        raise Refusal(
            "INVALID_REPLICATION_DATE", "startDate should be before the endDate"
        )
    return start, end


ROUTES: tuple[Route, ...] = (
    ("GET", "sobjects", list_objects),
    ("GET", "sobjects/{type}", show_object),
    ("POST", "sobjects/{type}", create),
    ("GET", "sobjects/{type}/describe", describe_object),
    ("GET", "sobjects/{type}/updated", updated),
    ("GET", "sobjects/{type}/deleted", deleted),
    ("GET", "sobjects/{type}/{id}", get),
    ("PATCH", "sobjects/{type}/{id}", update),
    ("DELETE", "sobjects/{type}/{id}", delete),
    ("GET", "sobjects/{type}/{field}/{key}", get_by_key),
    ("PATCH", "sobjects/{type}/{field}/{key}", upsert),
    ("DELETE", "sobjects/{type}/{field}/{key}", delete_by_key),
)
