"""A deployment's result in the order and the names of the WSDL, for SOAP and REST.

Source: DeployResult, DeployDetails, DeployMessage in the Metadata WSDL, API 66. Keys
whose value is None are left out of XML.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sidecar.devorg.metadata.deploy import Message
from sidecar.devorg.metadata.deployment import Deployment, Options
from sidecar.devorg.schema import Row


def result(
    deployment: Deployment, users: Mapping[str, Row], *, details: bool
) -> dict[str, object]:
    """
    Describe a deployment.

    Args:
        users: the records of User, for their names.
        details: list the components too.
    """
    outcome, options = deployment.outcome, deployment.options
    finished = deployment.done
    failed = len(outcome.failures) if finished else 0
    total = deployment.total if finished else 0
    by = deployment.cancelled_by
    return {
        "canceledBy": by,
        "canceledByName": _name(users, by) if by else None,
        "checkOnly": options.check_only,
        "completedDate": deployment.completed_at,
        "createdBy": deployment.user_id,
        "createdByName": _name(users, deployment.user_id),
        "createdDate": deployment.created_at,
        "details": _details(deployment) if details and finished else {},
        "done": finished,
        "errorMessage": deployment.error,
        "errorStatusCode": "UNKNOWN_EXCEPTION" if deployment.error else None,
        "id": deployment.id,
        "ignoreWarnings": options.ignore_warnings,
        "lastModifiedDate": deployment.completed_at
        or deployment.started_at
        or deployment.created_at,
        "numberComponentErrors": failed,
        "numberComponentsDeployed": total - failed,
        "numberComponentsTotal": total,
        "numberFiles": deployment.files,
        "numberTestErrors": 0,
        "numberTestsCompleted": 0,
        "numberTestsTotal": 0,
        "rollbackOnError": options.rollback_on_error,
        "runTestsEnabled": options.test_level not in {None, "NoTestRun"},
        "startDate": deployment.started_at,
        "stateDetail": None,
        "status": deployment.status,
        "success": deployment.success,
        "zipSize": len(deployment.data),
    }


def options_json(options: Options) -> dict[str, object]:
    """Return the options as the REST API repeats them."""
    return {
        "allowMissingFiles": False,
        "autoUpdatePackage": False,
        "checkOnly": options.check_only,
        "ignoreWarnings": options.ignore_warnings,
        "performRetrieve": False,
        "purgeOnDelete": options.purge_on_delete,
        "rollbackOnError": options.rollback_on_error,
        "runTests": list(options.run_tests) or None,
        "singlePackage": options.single_package,
        "testLevel": options.test_level,
    }


def _details(deployment: Deployment) -> dict[str, object]:
    outcome = deployment.outcome
    return {
        "componentFailures": [_message(each) for each in outcome.failures],
        "componentSuccesses": [_message(each) for each in outcome.successes],
        "runTestResult": {
            "apexLogId": None,
            "codeCoverage": [],
            "codeCoverageWarnings": [],
            "failures": [],
            "flowCoverage": [],
            "flowCoverageWarnings": [],
            "numFailures": 0,
            "numTestsRun": 0,
            "successes": [],
            "totalTime": 0.0,
        },
    }


def _message(message: Message) -> dict[str, object]:
    warning = message.success and message.problem
    return {
        "changed": message.changed,
        "columnNumber": 1 if message.line else None,
        "componentType": message.type,
        "created": message.created,
        "createdDate": message.at,
        "deleted": message.deleted,
        "fileName": message.file,
        "fullName": message.full_name,
        "id": message.id,
        "lineNumber": message.line,
        "problem": message.problem,
        "problemType": "Warning" if warning else "Error" if message.problem else None,
        "success": message.success,
    }


def as_json(value: object) -> object:
    """Return a result as JSON values; moments as the REST API writes them."""
    match value:
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%S}.000+0000"
        case dict():
            return {key: as_json(each) for key, each in value.items()}
        case list():
            return [as_json(each) for each in value]
        case _:
            return value


def _name(users: Mapping[str, Row], user_id: str) -> str:
    return str(users.get(user_id, {}).get("Name", ""))
