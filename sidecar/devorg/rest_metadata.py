"""Deployments over REST: ``metadata/deployRequest``.

Source: "Deploying Metadata with REST", Metadata API Developer Guide.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from sidecar.devorg.caller import admit, bearer_token
from sidecar.devorg.metadata.deployment import Deployment, Options, check_rights
from sidecar.devorg.metadata.result import as_json, options_json, result
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal, not_found

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# The names under which clients send the options' part.
_OPTION_PARTS = ("entity_content", "json")


def blueprint(org: Org) -> Blueprint:
    """Build the routes of one org."""
    routes = Blueprint("rest_metadata", __name__)
    base = "/services/data/v<version>/metadata/deployRequest"

    @routes.post(base)
    def start(version: str) -> Response:
        """Accept a zip, or the id of a validation to deploy."""
        return _answered(org, lambda access: _start(org, access, version))

    @routes.get(f"{base}/<deployment_id>")
    def status(version: str, deployment_id: str) -> Response:
        """Tell how far a deployment is."""
        details = request.args.get("includeDetails", "").lower() == "true"

        def act(access: Access) -> tuple[object, int]:
            check_rights(access)
            found = org.metadata.deployments.get(deployment_id)
            return _described(org, found, version, details=details), 200

        return _answered(org, act)

    @routes.patch(f"{base}/<deployment_id>")
    def cancel(version: str, deployment_id: str) -> Response:
        """Cancel a deployment that has not begun."""

        def act(access: Access) -> tuple[object, int]:
            check_rights(access)
            asked = _json(request.get_data()).get("deployResult")
            if not isinstance(asked, dict) or asked.get("status") != "Canceling":
                raise Refusal("INVALID_INPUT", "The status must be Canceling.")
            found = org.metadata.deployments.cancel(
                deployment_id, user_id=access.user_id
            )
            return _described(org, found, version, details=True), 202

        return _answered(org, act)

    return routes


def _answered(org: Org, act: Callable[[Access], tuple[object, int]]) -> Response:
    try:
        with org.work():
            token = bearer_token(request.headers.get("Authorization", ""))
            access = admit(org, token, f"{request.method} metadata/deployRequest")
            body, status = act(access)
    except Refusal as refusal:
        body, status = [refusal.as_rest()], refusal.status
    response = Response(
        json.dumps(as_json(body)),
        status=status,
        content_type="application/json;charset=UTF-8",
    )
    response.headers["Sforce-Limit-Info"] = org.limits.header()
    return response


def _start(org: Org, access: Access, version: str) -> tuple[object, int]:
    deployments = org.metadata.deployments
    if request.mimetype == "application/json":
        validation_id = _json(request.get_data()).get("validatedDeployRequestId")
        if not validation_id:
            raise Refusal("INVALID_INPUT", "validatedDeployRequestId is required")
        made = deployments.quick(access, str(validation_id))
        return _accepted(made, version, validated=str(validation_id)), 201
    if request.mimetype != "multipart/form-data":
        raise Refusal(
            "UNSUPPORTED_MEDIA_TYPE",
            "Content-Type header specified in HTTP request is not supported: "
            f"{request.mimetype}",
            status=415,
        )
    zip_part = request.files.get("file")
    if zip_part is None:
        raise Refusal("INVALID_INPUT", "Include the zip file in the part named file.")
    data = zip_part.read()
    made = deployments.start(access, data, options_from(_options_part()))
    return _accepted(made, version, validated=None), 201


def _options_part() -> Mapping[str, object]:
    for name in _OPTION_PARTS:
        text = request.form.get(name)
        if text is None and name in request.files:
            text = request.files[name].read().decode(errors="replace")
        if text is not None:
            options = _json(text.encode()).get("deployOptions", {})
            return options if isinstance(options, dict) else {}
    raise Refusal("INVALID_INPUT", "Include the deployOptions in a part of JSON.")


def options_from(asked: Mapping[str, object]) -> Options:
    """
    Read DeployOptions from JSON; an unknown option is refused.

    Raises:
        Refusal: JSON_PARSER_ERROR.
    """
    known = {
        "allowMissingFiles",
        "autoUpdatePackage",
        "checkOnly",
        "ignoreWarnings",
        "performRetrieve",
        "purgeOnDelete",
        "rollbackOnError",
        "runTests",
        "singlePackage",
        "testLevel",
    }
    if unknown := sorted(set(asked) - known):
        raise Refusal("JSON_PARSER_ERROR", f'Unrecognized field "{unknown[0]}"')
    tests = asked.get("runTests")
    level = asked.get("testLevel")
    return Options(
        check_only=bool(asked.get("checkOnly", False)),
        rollback_on_error=bool(asked.get("rollbackOnError", False)),
        single_package=bool(asked.get("singlePackage", False)),
        ignore_warnings=bool(asked.get("ignoreWarnings", False)),
        purge_on_delete=bool(asked.get("purgeOnDelete", False)),
        test_level=str(level) if level else None,
        run_tests=tuple(map(str, tests)) if isinstance(tests, list) else (),
    )


def _accepted(
    made: Deployment, version: str, *, validated: str | None
) -> dict[str, object]:
    return {
        "id": made.id,
        "url": _url(made, version),
        "validatedDeployRequestId": validated,
        "deployOptions": options_json(made.options),
        "deployResult": None,
    }


def _described(
    org: Org, found: Deployment, version: str, *, details: bool
) -> dict[str, object]:
    users = org.records.table("User").rows
    return {
        "id": found.id,
        "url": _url(found, version),
        "deployOptions": options_json(found.options),
        "deployResult": result(found, users, details=details),
    }


def _url(found: Deployment, version: str) -> str:
    return f"/services/data/v{version}/metadata/deployRequest/{found.id}"


def _json(data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data or b"{}")
    except ValueError as exc:
        raise Refusal("JSON_PARSER_ERROR", str(exc)) from exc
    if not isinstance(value, dict):
        raise not_found()
    return value
