"""What Salesforce's refusals mean: its answer in, one of our errors out.

Sources: "Status Codes and Error Responses", REST API Developer Guide; "Core Data Types
Used in API Calls: StatusCode", SOAP API Developer Guide; "API Request Limits and
Allocations", Salesforce Developer Limits.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import requests
from simple_salesforce.exceptions import (
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceMoreThanOneRecord,
)

from sidecar.errors import Permanent, Retryable, SidecarError

# Worth another attempt although the request itself was fine.
_PASSING = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",  # somebody holds a related record
        "SERVER_UNAVAILABLE",
        "REQUEST_RUNNING_TOO_LONG",
        "API_CURRENTLY_DISABLED",  # maintenance, or an admin who will turn it on again
        "UNKNOWN_EXCEPTION",  # Salesforce's own fault; it asks to try again
        "TXN_SECURITY_METERING_ERROR",
    }
)

# Everybody of this org should keep still for a while. The daily limit is a rolling
# window of 24 hours without a Retry-After: a look every quarter of an hour is enough.
_EXHAUSTED = frozenset({"REQUEST_LIMIT_EXCEEDED", "EXCEEDED_MAX_CONCURRENT_REQUESTS"})
PAUSE = timedelta(minutes=15)

EXPIRED = "INVALID_SESSION_ID"
CONVERTED = "CANNOT_UPDATE_CONVERTED_LEAD"


class LoggedOut(Retryable):
    """The org refuses the access token; with another one the same call may pass."""


class Converted(Permanent):
    """The lead was converted in the meantime: what is meant is what it became."""


def of_exception(exc: Exception, now: datetime) -> SidecarError:
    """
    Say what a failed call means; for calls that may be repeated without harm.

    Args:
        exc: from simple-salesforce or requests.
    """
    match exc:
        case requests.RequestException():
            # It may have been carried out: that is why everything is an upsert.
            return Retryable(f"no answer from Salesforce: {exc}")
        case SalesforceExpiredSession():
            return Permanent(f"reconnect needed: {words(exc.content)}")
        case SalesforceMoreThanOneRecord():
            return Permanent("several records have this external id; it is not unique")
        case SalesforceError():
            return of_errors(exc.content, now, status=exc.status)
        case _:
            return Permanent(f"{type(exc).__name__}: {exc}")


def of_errors(content: Any, now: datetime, *, status: int = 400) -> SidecarError:
    """
    Say what Salesforce's list of errors means.

    Args:
        content: ``[{"errorCode" or "statusCode", "message", "fields"}]``, or whatever
            else came instead.
        status: of the HTTP answer.
    """
    given = codes(content)
    told = words(content) or f"Salesforce answered {status} without a word"
    if given & _EXHAUSTED:
        return Retryable(told, retry_at=now + PAUSE, pauses_org=True)
    if given & _PASSING or status >= 500 or status == 429:
        return Retryable(told)
    return Converted(told) if CONVERTED in given else Permanent(told)


def codes(content: Any) -> set[str]:
    """List the codes of an answer's errors."""
    return {_code(item) for item in _items(content)}


def words(content: Any) -> str:
    """Salesforce's own words, with the fields that it names."""
    said = []
    for item in _items(content):
        text = f"{_code(item)}: {item.get('message', '')}"
        fields = item.get("fields")
        if fields and isinstance(fields, list):
            text += f" [{', '.join(map(str, fields))}]"
        said.append(text)
    return "; ".join(said) or str(content)[:500]


def _items(content: Any) -> Sequence[Mapping[str, Any]]:
    if isinstance(content, dict) and _code(content):
        return (content,)
    if not isinstance(content, list):
        return ()
    return [item for item in content if isinstance(item, dict)]


def _code(item: Mapping[str, Any]) -> str:
    return str(item.get("errorCode") or item.get("statusCode") or "")
