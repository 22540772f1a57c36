"""Several calls in one: composite, batch, tree.

Source: "Composite Resources", REST API Developer Guide. A sub-request may use the
answers of earlier ones as ``@{reference.path}``; a tree is created whole or not at
all; the parts of a batch know nothing of each other.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from sidecar.devorg.refusal import Refusal
from sidecar.devorg.rest.calls import Answer, Call, Route, refused, split_url
from sidecar.devorg.schema import ObjectType

MAX_SUBREQUESTS = 25
MAX_TREE_RECORDS = 200

Dispatch = Callable[[Call], Answer]
_REFERENCE = re.compile(r"@\{([^}]+)\}")


class _Halted(Exception):
    pass


def routes(dispatch: Dispatch) -> tuple[Route, ...]:
    """Return the composite resources; ``dispatch`` answers a nested call."""
    return (
        ("POST", "composite", lambda call: composite(call, dispatch)),
        ("POST", "composite/batch", lambda call: batch(call, dispatch)),
        ("POST", "composite/tree/{type}", tree),
    )


def composite(call: Call, dispatch: Dispatch) -> Answer:
    """Answer up to 25 calls in order, each of which may use those before it."""
    body = call.json_object()
    requests = _requests(body, "compositeRequest")
    for request in requests:
        if not re.fullmatch(r"[A-Za-z0-9]\w*", str(request.get("referenceId", ""))):
            raise Refusal(
                "JSON_PARSER_ERROR",
                f"Provided referenceId ('{request.get('referenceId')}') must start "
                "with a letter or a number, and it can contain only letters, numbers "
                "and underscores ('_').",
            )
    all_or_none = body.get("allOrNone") is True
    answers: list[dict[str, object]] = []
    bodies: dict[str, object] = {}
    try:
        with call.org.journal.savepoint():
            for request in requests:
                answer = _subrequest(call, dispatch, request, bodies)
                answers.append(_composed(answer, request))
                if answer.status >= 300 and all_or_none:
                    raise _Halted
                if answer.status < 300:
                    bodies[str(request.get("referenceId"))] = answer.body
    except _Halted:
        failed = answers[-1]
        answers = [
            failed
            if request.get("referenceId") == failed["referenceId"]
            else _composed(_halted(), request)
            for request in requests
        ]
    return Answer(body={"compositeResponse": answers})


def _requests(body: dict[str, object], name: str) -> list[dict[str, object]]:
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(r, dict) for r in found):
        raise Refusal(
            "JSON_PARSER_ERROR", f"Missing required field {name} at [line:1, column:1]"
        )
    if len(found) > MAX_SUBREQUESTS:
        raise Refusal(
            "LIMIT_EXCEEDED",
            f"The composite request has {len(found)} subrequests; the limit is "
            f"{MAX_SUBREQUESTS}",
        )
    return found


def _subrequest(
    call: Call,
    dispatch: Dispatch,
    request: Mapping[str, object],
    bodies: Mapping[str, object],
) -> Answer:
    try:
        url = str(_filled(request.get("url", ""), bodies))
        body = _filled(request.get("body"), bodies)
        nested = _nested(call, url, str(request.get("method", "GET")), body)
        with call.org.journal.savepoint():
            return dispatch(nested)
    except Refusal as refusal:
        return refused(refusal)


def _nested(call: Call, url: str, method: str, body: object) -> Call:
    version, segments, query = split_url(url)
    if version is None:
        # In a batch the path begins with the version alone.
        version, segments, query = split_url(f"/services/data/{url.lstrip('/')}")
    if version is None:
        raise Refusal("NOT_FOUND", "The requested resource does not exist", status=404)
    return replace(
        call,
        version=version,
        method=method.upper(),
        segments=segments,
        query=query,
        body=b"" if body is None else body,
    )


def _filled(value: object, bodies: Mapping[str, object]) -> object:
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        if whole:
            return _lookup(whole[1], bodies)
        return _REFERENCE.sub(lambda match: str(_lookup(match[1], bodies)), value)
    if isinstance(value, dict):
        return {key: _filled(each, bodies) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, bodies) for each in value]
    return value


def _lookup(path: str, bodies: Mapping[str, object]) -> object:
    reference, *steps = re.findall(r"\w+", path)
    try:
        value = bodies[reference]
        for step in steps:
            value = value[int(step)] if isinstance(value, list) else value[step]  # type: ignore[index]
    except (KeyError, IndexError, TypeError, ValueError) as exc:
        raise Refusal(
            "PROCESSING_HALTED",
            f"Invalid reference specified. No value for {path} found in {reference}.",
        ) from exc
    return value


def _composed(answer: Answer, request: Mapping[str, object]) -> dict[str, object]:
    return {
        "body": answer.body,
        "httpHeaders": answer.headers,
        "httpStatusCode": answer.status,
        "referenceId": str(request.get("referenceId")),
    }


def _halted() -> Answer:
    return refused(
        Refusal(
            "PROCESSING_HALTED",
            "The transaction was rolled back since another operation in the same "
            "transaction failed.",
        )
    )


def batch(call: Call, dispatch: Dispatch) -> Answer:
    """Answer up to 25 independent calls."""
    body = call.json_object()
    halt = body.get("haltOnError") is True
    results: list[dict[str, object]] = []
    failed = False
    for request in _requests(body, "batchRequests"):
        if failed and halt:
            answer = refused(
                Refusal(
                    "BATCH_PROCESSING_HALTED",
                    "Batch processing halted per request",
                    status=412,
                )
            )
        else:
            inner = {**request, "body": request.get("richInput")}
            answer = _subrequest(call, dispatch, inner, {})
        failed = failed or answer.status >= 300
        results.append({"statusCode": answer.status, "result": answer.body})
    return Answer(body={"hasErrors": failed, "results": results})


def tree(call: Call, type: str) -> Answer:
    """Create records with their children, all or none."""
    type_ = call.type(type)
    created: list[dict[str, object]] = []
    errors: list[dict[str, object]] = []
    records = call.json_object().get("records")
    try:
        with call.org.journal.savepoint():
            _plant(call, type_, records, {}, created, errors)
            if errors:
                raise _Halted
    except _Halted:
        return Answer(400, {"hasErrors": True, "results": errors})
    return Answer(201, {"hasErrors": False, "results": created})


def _plant(
    call: Call,
    type_: ObjectType,
    records: object,
    parent: dict[str, object],
    created: list[dict[str, object]],
    errors: list[dict[str, object]],
) -> None:
    if not isinstance(records, list):
        raise Refusal(
            "JSON_PARSER_ERROR", "Missing required field records at [line:1, column:1]"
        )
    for each in records:
        if len(created) + len(errors) >= MAX_TREE_RECORDS:
            raise Refusal(
                "INVALID_INPUT",
                f"Number of records in this call exceeds {MAX_TREE_RECORDS}",
            )
        attributes = each.get("attributes") if isinstance(each, dict) else None
        reference = (
            attributes.get("referenceId") if isinstance(attributes, dict) else None
        )
        if not isinstance(reference, str):
            raise Refusal(
                "INVALID_INPUT",
                "Include a reference ID for each record in the request.",
            )
        values, children = _split_tree(each)
        try:
            with call.org.journal.savepoint():
                record_id = call.org.records.create(
                    call.access, type_, {**values, **parent}
                )
        except Refusal as refusal:
            errors.append(
                {"referenceId": reference, "errors": [refusal.as_save_error()]}
            )
            continue
        created.append({"referenceId": reference, "id": record_id})
        for name, inner in children.items():
            child, field = _child(call, type_, name)
            _plant(call, child, inner, {field: record_id}, created, errors)


def _split_tree(
    each: dict[str, object],
) -> tuple[dict[str, object], dict[str, object]]:
    children = {
        name: value["records"]
        for name, value in each.items()
        if isinstance(value, dict) and "records" in value
    }
    return {k: v for k, v in each.items() if k not in children}, children


def _child(call: Call, type_: ObjectType, name: str) -> tuple[ObjectType, str]:
    for child, field in call.org.schema.children(type_.name):
        if (field.child_relationship_name or "").lower() == name.lower():
            return child, field.name
    raise Refusal(
        "INVALID_FIELD", f"No such column '{name}' on sobject of type {type_.name}"
    )
