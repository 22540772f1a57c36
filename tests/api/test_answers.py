"""Whatever is asked of a door, it answers as it is described, and never with a 5xx."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from messages import lead, message, notification
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sidecar.api import description
from sidecar.errors import Unreadable
from sidecar.intake import door, strict_json

TRUE = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
OPERATIONS = sorted(
    operation["operationId"]
    for operations in description.document()["paths"].values()
    for method, operation in operations.items()
    if method != "parameters"
)
# A string is all that the description says of an outbound message.
MESSAGES = st.one_of(
    st.text(),
    st.lists(st.integers(0, 9), max_size=3).map(
        lambda numbers: message(notification(n, lead(n)) for n in numbers).decode()
    ),
    st.just(message([], org_id="00D000000000002EAA").decode()),
)


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_a_door_answers_as_it_is_described(service, described, operation_id) -> None:
    _try(service, described, operation_id, examples=15)


@pytest.mark.slow
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_a_door_answers_as_it_is_described_however_often(
    service, described, operation_id
) -> None:
    _try(service, described, operation_id, examples=300)


SIGNED = {"receiveEvents", "receiveBounces"}


def _try(service, described, operation_id: str, *, examples: int) -> None:
    operation = described.find_operation_by_id(operation_id)

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(GenerationMode), st.data())
    def run(mode: GenerationMode, data: st.DataObject) -> None:
        given = _known(service, operation, data)
        case = data.draw(operation.as_strategy(mode, **given))
        headers: dict[str, str] = {}
        checks = TRUE
        if operation_id in SIGNED and data.draw(st.integers(0, 3)):
            headers["Authorization"] = f"Bearer {service.token}"
            if mode is GenerationMode.POSITIVE and operation_id == "receiveEvents":
                assume(_kept_whole(case.body))
                checks = [*TRUE, positive_data_acceptance]
        case.call_and_validate(headers=headers, checks=checks)

    run()


def _known(service, operation, data: st.DataObject) -> dict[str, Any]:
    """What no description can tell: keys that open doors, messages as they are."""
    given: dict[str, Any] = {}
    keys = service.keys.get(operation.path)
    if keys is not None and data.draw(st.integers(0, 3)):
        name = operation.path.rpartition("{")[2].rstrip("}")
        given["path_parameters"] = {name: data.draw(st.sampled_from(keys()))}
    if operation.path.startswith(door.PREFIX):
        given |= {"body": data.draw(MESSAGES), "media_type": "text/xml"}
    return given


def _kept_whole(value: Any) -> bool:
    """Whether its numbers are such as the description's words allow."""
    try:
        strict_json.read(json.dumps(value).encode())
    except Unreadable:
        return False
    return True
