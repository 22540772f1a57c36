"""The Metadata API over SOAP: deployments and retrievals.

Source: the Metadata WSDL, API 66; the order of elements in answers is its.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from sidecar.devorg.metadata.deployment import Deployment, Options, check_rights
from sidecar.devorg.metadata.element import NAMESPACE, NOT_AVAILABLE
from sidecar.devorg.metadata.result import result
from sidecar.devorg.metadata.retrieval import PREFIX as RETRIEVAL
from sidecar.devorg.metadata.retrieval import Asked, Retrieval
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.soap import components
from sidecar.devorg.soap.envelope import (
    NIL,
    Element,
    Request,
    child,
    children,
    xml,
)

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

__all__ = ["NAMESPACE", "OPERATIONS"]


def _deploy(org: Org, access: Access, request: Request, _version: str) -> str:
    try:
        data = base64.b64decode(request.text("ZipFile"), validate=False)
    except (binascii.Error, ValueError) as exc:
        raise Refusal("INVALID_TYPE", "ZipFile is not base64") from exc
    options = child(request.body, "DeployOptions")
    made = org.metadata.deployments.start(access, data, _options(options))
    return _accepted(made)


def _options(element: Element | None) -> Options:
    """Read DeployOptions in any order; some clients leave them out altogether."""

    def flag(name: str, *, default: bool = False) -> bool:
        found = None if element is None else child(element, name)
        if found is None:
            return default
        # simple-salesforce writes Python's True and False.
        return (found.text or "").strip().lower() in {"true", "1"}

    level = None if element is None else child(element, "testLevel")
    tests = [] if element is None else children(element, "runTests")
    return Options(
        check_only=flag("checkOnly"),
        rollback_on_error=flag("rollbackOnError"),
        single_package=flag("singlePackage"),
        ignore_warnings=flag("ignoreWarnings"),
        purge_on_delete=flag("purgeOnDelete"),
        test_level=None if level is None else (level.text or "").strip() or None,
        run_tests=tuple((each.text or "").strip() for each in tests),
    )


def _accepted(made: Deployment) -> str:
    return xml("result", {"done": False, "id": made.id, "state": "Queued"})


def _check_deploy_status(
    org: Org, access: Access, request: Request, _version: str
) -> str:
    check_rights(access)
    deployment_id = request.text("asyncProcessId") or request.text("id")
    found = org.metadata.deployments.get(deployment_id)
    details = request.text("includeDetails").lower() in {"true", "1"}
    users = org.records.table("User").rows
    return xml("result", result(found, users, details=details))


def _check_status(org: Org, access: Access, request: Request, _version: str) -> str:
    """The operation of old clients: how far an asynchronous call is."""
    check_rights(access)
    process_id = request.text("asyncProcessId")
    found: Deployment | Retrieval
    if process_id.startswith(RETRIEVAL):
        found = org.metadata.retrievals.check(access, process_id)
    else:
        found = org.metadata.deployments.get(process_id)
    state = "Completed" if found.done else "InProgress"
    return xml("result", {"done": found.done, "id": found.id, "state": state})


def _cancel_deploy(org: Org, access: Access, request: Request, _version: str) -> str:
    check_rights(access)
    deployment_id = request.text("String") or request.text("id")
    found = org.metadata.deployments.cancel(deployment_id, user_id=access.user_id)
    return xml("result", {"done": found.done, "id": found.id})


def _deploy_recent_validation(
    org: Org, access: Access, request: Request, _version: str
) -> str:
    made = org.metadata.deployments.quick(access, request.text("validationId"))
    return xml("result", made.id)


def _retrieve(org: Org, access: Access, request: Request, version: str) -> str:
    # The WSDL says retrieveRequest, the official CLI request.
    asked = next((e for e in request.body if child(e, "apiVersion") is not None), None)
    asked = request.body if asked is None else asked
    for name in ("packageNames", "specificFiles"):
        if child(asked, name) is not None:
            raise Refusal("INVALID_OPERATION", f"{name}: {NOT_AVAILABLE}")
    package = child(asked, "unpackaged")
    members: dict[str, list[str]] = {}
    for types in () if package is None else children(package, "types"):
        name = _text(types, "name")
        members.setdefault(name, []).extend(
            (each.text or "").strip() for each in children(types, "members")
        )
    if not members:
        raise Refusal("INVALID_OPERATION", "Nothing specified to retrieve")
    made = org.metadata.retrievals.start(
        access,
        Asked(
            members,
            single=_text(asked, "singlePackage").lower() in {"true", "1"},
            version=float(_text(asked, "apiVersion") or version),
        ),
    )
    return xml("result", {"done": False, "id": made.id, "state": "Queued"})


def _check_retrieve_status(
    org: Org, access: Access, request: Request, _version: str
) -> str:
    found = org.metadata.retrievals.check(access, request.text("asyncProcessId"))
    with_zip = request.text("includeZip").lower() not in {"false", "0"}
    data = base64.b64encode(found.data).decode() if found.done and with_zip else ""
    return xml(
        "result",
        {
            "done": found.done,
            "fileProperties": found.properties,
            "id": found.id,
            "messages": [
                {"fileName": file, "problem": problem}
                for file, problem in found.messages
            ],
            "status": found.status,
            "success": found.done,
            "zipFile": data if data else NIL,
        },
    )


def _text(element: Element, name: str) -> str:
    found = child(element, name)
    return "" if found is None else (found.text or "").strip()


OPERATIONS = {
    "deploy": _deploy,
    "checkDeployStatus": _check_deploy_status,
    "checkStatus": _check_status,
    "cancelDeploy": _cancel_deploy,
    "deployRecentValidation": _deploy_recent_validation,
    "retrieve": _retrieve,
    "checkRetrieveStatus": _check_retrieve_status,
    **components.OPERATIONS,
}
