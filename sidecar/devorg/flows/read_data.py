"""From the XML of an element that works with stored records to its step."""

from __future__ import annotations

from sidecar.devorg.flows.model import BEFORE_SAVE
from sidecar.devorg.flows.names import Names, cannot_run, check_fit, written_as
from sidecar.devorg.flows.steps import (
    Query,
    RecordCreate,
    RecordDelete,
    RecordLookup,
    RecordUpdate,
    Step,
    Whole,
)
from sidecar.devorg.flows.wiring import name_of, target
from sidecar.devorg.formula import Type
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    child,
    children,
    flag,
    text,
    texts,
)


def read_lookup(names: Names, where: str, element: Element) -> Step:
    """Read a Get Records element."""
    query = names.query(where, element)
    first_only = flag(element, "getFirstRecordOnly")
    whole_to = text(element, "outputReference")
    stores_itself = flag(element, "storeOutputAutomatically")
    if whole_to:
        into = names.whole(where, whole_to)
        if into.of != query.object_name:
            raise Problem(f"{where} - {whole_to} holds records of another object.")
        # Into a collection goes all that is found, whatever else is said.
        first_only = not into.collection
    sort = text(element, "sortField")
    if sort:
        sort = names.field(where, query.object_name, sort).name
    limit = names.operand(where, child(element, "limit"))
    check_fit(where, "limit", Type.NUMBER, limit.type)
    return RecordLookup(
        name=name_of(element),
        query=query,
        first_only=first_only or not (stores_itself or whole_to),
        limit=None if limit.type is Type.NULL else limit,
        queried=tuple(
            names.field(where, query.object_name, each).name
            for each in texts(element, "queriedFields")
        ),
        sort_field=sort,
        descending=text(element, "sortOrder") == "Desc",
        stores_itself=stores_itself,
        whole_to=whole_to,
        outputs=_outputs(names, where, query, element),
        null_if_none=flag(element, "assignNullValuesIfNoRecordsFound"),
        target=target(element),
        fault=target(element, "faultConnector"),
    )


def _outputs(
    names: Names, where: str, query: Query, element: Element
) -> tuple[tuple[str, str], ...]:
    outputs = tuple(
        (text(each, "field") or "", text(each, "assignToReference") or "")
        for each in children(element, "outputAssignments")
    )
    for field, to in outputs:
        found = written_as(names.field(where, query.object_name, field))
        check_fit(where, to, names.type(where, to), found)
    return outputs


def read_update(names: Names, where: str, element: Element) -> Step:
    """Read an Update Records element."""
    given = text(element, "inputReference")
    filters = list(children(element, "filters"))
    held, query = None, None
    if given == "$Record":
        if filters:
            raise cannot_run(f"{where} - filters on $Record")
        object_name = _own_object(names, where)
    elif given:
        held = _held(names, where, given)
        object_name = str(held.of)
        if list(children(element, "inputAssignments")):
            raise Problem(f"{where} - Records at hand can't be given values here.")
    else:
        query = names.query(where, element)
        object_name = query.object_name
    if names.trigger == BEFORE_SAVE and given != "$Record":
        raise Problem(
            f"{where} - The element can't be used in flows with the trigger type "
            f"{BEFORE_SAVE}."
        )
    return RecordUpdate(
        name=name_of(element),
        query=query,
        held=held,
        values=names.values(where, object_name, element),
        target=target(element),
        fault=target(element, "faultConnector"),
    )


def read_create(names: Names, where: str, element: Element) -> Step:
    """Read a Create Records element."""
    held = None
    if given := text(element, "inputReference"):
        held = _held(names, where, given)
        object_name = str(held.of)
    else:
        object_name = names.object_named(where, text(element, "object") or "")
    id_to = text(element, "assignRecordIdToReference")
    if id_to:
        check_fit(where, id_to, names.type(where, id_to), Type.TEXT)
    return RecordCreate(
        name=name_of(element),
        object_name=object_name,
        held=held,
        values=names.values(where, object_name, element),
        id_to=id_to,
        stores_itself=flag(element, "storeOutputAutomatically"),
        target=target(element),
        fault=target(element, "faultConnector"),
    )


def read_delete(names: Names, where: str, element: Element) -> Step:
    """Read a Delete Records element."""
    given = text(element, "inputReference")
    held = _held(names, where, given) if given else None
    query = None if held else names.query(where, element)
    if query is not None and not query.filters:
        raise Problem(f"{where} - Set at least one filter condition.")
    return RecordDelete(
        name=name_of(element),
        query=query,
        held=held,
        target=target(element),
        fault=target(element, "faultConnector"),
    )


def _held(names: Names, where: str, path: str) -> Whole:
    found = names.whole(where, path)
    if isinstance(found.of, Type):
        raise Problem(f"{where} - {path} doesn't hold records.")
    return found


def _own_object(names: Names, where: str) -> str:
    if not names.object_name:
        raise Problem(f'{where} - The resource "$Record" doesn\'t exist.')
    return names.object_name
