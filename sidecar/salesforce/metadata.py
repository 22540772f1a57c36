"""Deployments, through the Metadata API's REST resource ``deployRequest``.

Each function is one call: whoever deploys keeps the id and asks again later, so that
a deployment survives the process that started it.

Source: "Deploy Metadata with Apex Testing Using REST", "Check Deployment Status using
REST" and "Cancel a Deployment in Progress Using REST", Metadata API Developer Guide.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import requests
import urllib3.exceptions

from sidecar.errors import Permanent, Retryable, SidecarError, Uncertain, Unreadable
from sidecar.salesforce import deployment, refusals
from sidecar.salesforce.deployment import Deployment
from sidecar.salesforce.refusals import LoggedOut


@dataclass(frozen=True)
class Options:
    """How to deploy. An error always rolls everything back."""

    check_only: bool = False
    """Validate and change nothing."""
    test_level: str | None = None
    """NoTestRun, RunLocalTests...; None leaves it to the org, as production needs."""
    run_tests: tuple[str, ...] = ()
    """Apex test classes; only with the test level RunSpecifiedTests."""
    ignore_warnings: bool = False


def start(
    session: requests.Session,
    *,
    base_url: str,
    api_version: str,
    archive: bytes,
    options: Options,
) -> str:
    """
    Hand a zip to the org; the work there only begins with this.

    Args:
        session: carries authorisation and time-outs.
        base_url: the org's own, such as ``https://example.my.salesforce.com``.
        api_version: such as ``62.0``.
        archive: the zip, with package.xml at its root; at most 39 MB.
        options: how to deploy.

    Returns:
        The deployment's id, ``0Af...``.

    Raises:
        LoggedOut: the org refuses the token; as in every function here.
        Retryable: the org did not take it, and may later.
        Permanent: the org refuses it.
        Uncertain: the connection or the gateway failed after the zip was sent. The
            org may be deploying; to deploy the same zip again does no harm.
    """
    deploy_options: dict[str, object] = {
        "checkOnly": options.check_only,
        "ignoreWarnings": options.ignore_warnings,
        "rollbackOnError": True,
        "singlePackage": True,
    }
    if options.test_level is not None:
        deploy_options["testLevel"] = options.test_level
    if options.run_tests:
        deploy_options["runTests"] = list(options.run_tests)
    content = json.dumps({"deployOptions": deploy_options})
    try:
        response = session.post(
            f"{base_url}/services/data/v{api_version}/metadata/deployRequest",
            files=[
                ("entity_content", (None, content, "application/json")),
                ("file", ("package.zip", archive, "application/zip")),
            ],
        )
    except requests.RequestException as exc:
        if _never_sent(exc):
            raise Retryable(f"Salesforce cannot be reached: {exc}") from exc
        raise Uncertain(f"no answer to the deployment: {exc}") from exc
    if response.status_code >= 500 and not _errors(response):
        raise Uncertain(f"HTTP {response.status_code} in answer to the deployment")
    return deployment.identity(_answer(response))


def status(
    session: requests.Session, *, base_url: str, api_version: str, deployment_id: str
) -> Deployment:
    """
    Ask once how a deployment stands.

    Args: as ``start``; ``deployment_id`` is what it returned.

    Raises:
        Retryable: no answer this time.
        Permanent: the org knows no such deployment, or does not let us see it.
    """
    url = f"{base_url}/services/data/v{api_version}/metadata/deployRequest"
    try:
        response = session.get(
            f"{url}/{deployment_id}", params={"includeDetails": "true"}
        )
    except requests.RequestException as exc:
        raise Retryable(f"no answer from Salesforce: {exc}") from exc
    return deployment.read(_answer(response))


def cancel(
    session: requests.Session, *, base_url: str, api_version: str, deployment_id: str
) -> Deployment:
    """
    Ask the org to stop a deployment; to ask twice does no harm.

    Returns:
        The deployment, Canceling or already Canceled; ``status`` tells how it ends.

    Raises:
        Retryable: no answer this time.
        Permanent: the org refuses, as for a deployment that is over or that it is
            already committing.
    """
    url = f"{base_url}/services/data/v{api_version}/metadata/deployRequest"
    try:
        response = session.patch(
            f"{url}/{deployment_id}", json={"deployResult": {"status": "Canceling"}}
        )
    except requests.RequestException as exc:
        raise Retryable(f"no answer from Salesforce: {exc}") from exc
    return deployment.read(_answer(response))


def _never_sent(exc: requests.RequestException) -> bool:
    """Whether the connection was not even made."""
    if isinstance(exc, requests.ConnectTimeout | requests.exceptions.SSLError):
        return True
    reason = getattr(exc.args[0] if exc.args else None, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


# Answers that pass although the status is 4xx.
# Source: "Status Codes and Error Responses", REST API Developer Guide, and "Core Data
# Types Used in API Calls: StatusCode", SOAP API Developer Guide.
_PASSING = {
    "REQUEST_LIMIT_EXCEEDED",
    "SERVER_UNAVAILABLE",
    "API_CURRENTLY_DISABLED",
    "UNABLE_TO_LOCK_ROW",
    "ALREADY_IN_PROCESS",
}


def _answer(response: requests.Response) -> Mapping[str, object]:
    """Give the JSON object of an answer that says yes; raise any other."""
    if not response.ok:
        raise _refusal(response)
    try:
        body = response.json()
    except ValueError as exc:
        raise Unreadable(f"Salesforce's answer is not JSON: {exc}") from exc
    if not isinstance(body, dict):
        raise Unreadable("Salesforce's answer is not a JSON object")
    return body


def _refusal(response: requests.Response) -> SidecarError:
    errors = _errors(response)
    words = refusals.words(errors) if errors else f"HTTP {response.status_code}"
    codes = {str(error["errorCode"]) for error in errors}
    if refusals.EXPIRED in codes or response.status_code == 401:
        return LoggedOut(words)
    if codes & _PASSING or response.status_code in {408, 429}:
        return Retryable(words)
    return Retryable(words) if response.status_code >= 500 else Permanent(words)


def _errors(response: requests.Response) -> list[dict[str, object]]:
    """List Salesforce's own errors; empty when somebody else answers."""
    try:
        body = response.json()
    except ValueError:
        return []
    entries = body if isinstance(body, list) else [body]
    return [
        entry for entry in entries if isinstance(entry, dict) and "errorCode" in entry
    ]
