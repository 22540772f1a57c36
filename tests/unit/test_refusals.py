"""Refusals: what Salesforce's answers mean for the next attempt."""

from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from simple_salesforce.exceptions import (
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from sidecar.errors import Permanent, Retryable, SidecarError
from sidecar.salesforce.refusals import PAUSE, of_errors, of_exception, words

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
URL = "https://example.my.salesforce.com/services/data/v62.0/composite"


def refused(
    code: str, message: str = "its words", *fields: str
) -> list[dict[str, Any]]:
    """A list of errors as REST answers carry it."""
    return [{"errorCode": code, "message": message, "fields": list(fields)}]


def of_answer(status: int, content: Any) -> SidecarError:
    """What an answer means that simple-salesforce has made an exception of."""
    kinds: dict[int, type[SalesforceError]] = {
        300: SalesforceMoreThanOneRecord,
        400: SalesforceMalformedRequest,
        401: SalesforceExpiredSession,
        403: SalesforceRefusedRequest,
        404: SalesforceResourceNotFound,
    }
    kind = kinds.get(status, SalesforceGeneralError)
    return of_exception(kind(URL, status, "composite", content), NOW)


def test_a_locked_row_is_tried_again() -> None:
    error = of_answer(400, refused("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive"))

    assert isinstance(error, Retryable)
    assert not error.pauses_org
    assert "unable to obtain exclusive" in str(error)


@pytest.mark.parametrize(
    "code", ["REQUEST_LIMIT_EXCEEDED", "EXCEEDED_MAX_CONCURRENT_REQUESTS"]
)
def test_a_used_up_limit_pauses_the_whole_org(code: str) -> None:
    error = of_answer(403, refused(code))

    assert isinstance(error, Retryable)
    assert error.pauses_org
    assert error.retry_at == NOW + PAUSE


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
@pytest.mark.parametrize(
    "content",
    [
        refused("SERVER_UNAVAILABLE"),
        refused("UNKNOWN_EXCEPTION"),
        "<html>down for maintenance</html>",
        "",
    ],
)
def test_a_server_in_trouble_is_tried_again(status: int, content: Any) -> None:
    assert isinstance(of_answer(status, content), Retryable)


@pytest.mark.parametrize(
    "exc",
    [
        requests.ConnectTimeout("timed out"),
        requests.ReadTimeout("timed out"),
        requests.ConnectionError("reset by peer"),
        requests.exceptions.ChunkedEncodingError("cut short"),
    ],
)
def test_no_answer_is_tried_again_because_everything_is_an_upsert(
    exc: requests.RequestException,
) -> None:
    error = of_exception(exc, NOW)

    assert isinstance(error, Retryable)
    assert str(exc) in str(error)


def test_a_session_refused_twice_needs_a_person() -> None:
    """The one refresh is made where the call is made."""
    error = of_answer(401, refused("INVALID_SESSION_ID", "Session expired or invalid"))

    assert isinstance(error, Permanent)
    assert "reconnect needed" in str(error)
    assert "Session expired or invalid" in str(error)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "DUPLICATES_DETECTED"),
        (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        (400, "REQUIRED_FIELD_MISSING"),
        (400, "STRING_TOO_LONG"),
        (400, "INVALID_FIELD"),
        (400, "ENTITY_IS_DELETED"),
        (404, "NOT_FOUND"),
        (403, "INSUFFICIENT_ACCESS_OR_READONLY"),
        (400, "A_CODE_THAT_NOBODY_KNOWS"),
    ],
)
def test_what_stays_wrong_is_a_dead_letter_with_salesforces_words(
    status: int, code: str
) -> None:
    error = of_answer(status, refused(code, "Phone is needed", "Phone", "Email"))

    assert isinstance(error, Permanent)
    assert str(error) == f"{code}: Phone is needed [Phone, Email]"


def test_an_external_id_that_several_records_have_is_told() -> None:
    error = of_answer(300, ["/services/data/v62.0/sobjects/Task/00T000000000001AAA"])

    assert isinstance(error, Permanent)
    assert "not unique" in str(error)


def test_a_result_within_a_collection_speaks_of_a_status_code() -> None:
    errors = [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "busy", "fields": []}]

    error = of_errors(errors, NOW)

    assert isinstance(error, Retryable)
    assert str(error) == "UNABLE_TO_LOCK_ROW: busy"


def test_of_several_errors_all_words_are_kept_and_the_weightiest_counts() -> None:
    errors = refused("INVALID_FIELD", "one") + refused("REQUEST_LIMIT_EXCEEDED", "two")

    error = of_errors(errors, NOW)

    assert str(error) == "INVALID_FIELD: one; REQUEST_LIMIT_EXCEEDED: two"
    assert isinstance(error, Retryable)
    assert error.pauses_org


def test_a_single_error_that_is_no_list_is_understood_too() -> None:
    (single,) = refused("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    error = of_errors(single, NOW, status=403)

    assert isinstance(error, Retryable)
    assert error.pauses_org
    assert words(single).startswith("REQUEST_LIMIT_EXCEEDED: Total")


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(
            st.sampled_from(["errorCode", "statusCode", "message", "fields", "x"]),
            below,
        ),
    ),
)


@given(content=JSON, status=st.sampled_from([300, 400, 401, 403, 404, 409, 500, 503]))
def test_whatever_the_answer_it_means_one_of_our_errors(
    content: Any, status: int
) -> None:
    error = of_answer(status, content)

    assert isinstance(error, Retryable if status >= 500 else SidecarError)
    assert str(error)
