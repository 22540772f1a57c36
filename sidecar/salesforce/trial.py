"""One connection on trial: each thing that can be wrong, looked at by itself."""

import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from sidecar.errors import Permanent, Retryable
from sidecar.salesforce.session import API_VERSION

_SKEW_S = 120
"""Salesforce's own samples let an assertion live for 180 seconds."""

_FIELD = "Referral_Status__c"


class Step(NamedTuple):
    """One thing looked at; ``seen`` says with its remedy what is wrong."""

    part: str
    well: bool
    seen: str


def run(
    http: requests.Session,
    *,
    login_url: str,
    instance_url: str,
    username: str,
    fetch: Callable[[], str],
    now: Callable[[], datetime],
) -> Iterator[Step]:
    """
    Look at a connection, from the outside in; the first thing wrong is the last told.

    Args:
        http: with time-outs.
        fetch: asks for a new access token, and keeps what has to be kept; refuses a
            token of another org.
        username: expected; empty where the flow names none.
    """
    for url in dict.fromkeys((login_url, instance_url)):
        reached = _host(http, url, now)
        yield reached
        if not reached.well:
            return
    try:
        token = fetch()
    except (Permanent, Retryable) as exc:
        yield Step("login", False, str(exc))
        return
    yield Step("login", True, "the org gives an access token, and it is the right org")
    yield from _access(http, instance_url, token, username)


def _host(http: requests.Session, url: str, now: Callable[[], datetime]) -> Step:
    host = urlsplit(url).hostname or ""
    part = f"host {host}"
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return Step(part, False, "no such host: compare it with Setup, My Domain")
    try:
        answer = http.get(f"{url}/services/data")
    except requests.exceptions.SSLError as exc:
        return Step(
            part,
            False,
            "its certificate is not trusted; if a proxy in between has a CA of its "
            f"own, name that in SIDECAR_CA_FILE: {exc}",
        )
    except requests.RequestException as exc:
        return Step(part, False, f"no answer: {exc}; does a firewall stand between?")
    try:
        versions = answer.json()
    except ValueError:
        versions = None
    if not isinstance(versions, list):
        return Step(part, False, f"answers {answer.status_code}, not like Salesforce")
    return _clock(part, answer, now())


def _clock(part: str, answer: requests.Response, now: datetime) -> Step:
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return Step(part, True, "answers")
    ahead = (now - theirs).total_seconds()
    if abs(ahead) <= _SKEW_S:
        return Step(part, True, "answers; the clocks agree")
    direction = "ahead of" if ahead > 0 else "behind"
    told = f"this machine's clock is {abs(ahead):.0f} s {direction} Salesforce's"
    return Step(part, False, f"{told}: logins by assertion fail; set it by NTP")


def _access(
    http: requests.Session, instance_url: str, token: str, username: str
) -> Iterator[Step]:
    def get(path: str) -> requests.Response:
        bearer = {"Authorization": f"Bearer {token}"}
        return http.get(f"{instance_url}{path}", headers=bearer)

    try:
        limits = get(f"/services/data/v{API_VERSION}/limits")
        if limits.status_code != 200:
            yield Step(
                "API",
                False,
                f"{limits.text[:200]}; the app needs the scope api, and the user the "
                "permission API Enabled",
            )
            return
        yield Step("API", True, _calls_left(limits))
        told = get("/services/oauth2/userinfo")
        name = told.json().get("preferred_username", "") if told.ok else ""
        right = not username or not name or name.lower() == username.lower()
        seen = f"works as {name or 'a user that it may not name'}"
        yield Step("user", right, seen if right else f"{seen}, not as {username}")
        lead = get(f"/services/data/v{API_VERSION}/sobjects/Lead/describe")
        fields = lead.json().get("fields", []) if lead.ok else []
    except (requests.RequestException, ValueError) as exc:
        yield Step("API", False, f"no answer: {exc}")
        return
    visible = any(field.get("name") == _FIELD for field in fields)
    yield Step(
        "fields",
        visible,
        "the referral fields are visible"
        if visible
        else f"Lead.{_FIELD} is not visible to this user: install the package, and "
        "assign the permission set Referral_Integration",
    )


def _calls_left(answer: requests.Response) -> str:
    daily = answer.json().get("DailyApiRequests", {})
    return f"{daily.get('Remaining')} of {daily.get('Max')} calls are left today"
