"""A deployment's result in the order and the names of the WSDL, for SOAP and REST.

Source: DeployResult, DeployDetails, DeployMessage in the Metadata WSDL, API 66. Keys
whose value is None are left out of XML.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sidecar.devorg.metadata.deploy import Message
from sidecar.devorg.metadata.deployment import Deployment, Options
from sidecar.devorg.metadata.test_run import Test, TestRun
from sidecar.devorg.schema import Row
from sidecar.devorg.soap.envelope import NIL, Nil

# Tests that this org cannot run have no records.
_NO_ID = "000000000000000AAA"


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
    handled = deployment.total - failed if finished else deployment.handled
    tests = deployment.test_run or TestRun()
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
        "numberComponentsDeployed": handled,
        "numberComponentsTotal": deployment.total,
        "numberFiles": deployment.files,
        "numberTestErrors": len(tests.failed),
        "numberTestsCompleted": len(tests.tests) - len(tests.failed),
        "numberTestsTotal": len(tests.tests),
        "rollbackOnError": options.rollback_on_error,
        "runTestsEnabled": tests.level != "NoTestRun",
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
        "runTestResult": _tests(deployment.test_run or TestRun()),
    }


def _tests(made: TestRun) -> dict[str, object]:
    return {
        "apexLogId": None,
        "codeCoverage": [],
        "codeCoverageWarnings": [
            {
                "id": _NO_ID,
                "message": each.message,
                "name": each.name or NIL,
                "namespace": NIL,
            }
            for each in made.warnings
        ],
        "failures": [_failure(each) for each in made.failed],
        "flowCoverage": [],
        "flowCoverageWarnings": [],
        "numFailures": len(made.failed),
        "numTestsRun": len(made.tests),
        "successes": [_success(each) for each in made.tests if each.passed],
        "totalTime": float(len(made.tests)),
    }


def _failure(test: Test) -> dict[str, object]:
    return {
        "id": _NO_ID,
        "message": test.message,
        "methodName": test.method,
        "name": test.class_name,
        "namespace": NIL,
        "packageName": test.class_name,
        "seeAllData": False,
        "stackTrace": f"Class.{test.class_name}.{test.method}: line 1, column 1",
        "time": 1.0,
        "type": "Class",
    }


def _success(test: Test) -> dict[str, object]:
    return {
        "id": _NO_ID,
        "methodName": test.method,
        "name": test.class_name,
        "namespace": NIL,
        "seeAllData": False,
        "time": 1.0,
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
        case Nil():
            return None
        case list():
            return [as_json(each) for each in value]
        case _:
            return value


def _name(users: Mapping[str, Row], user_id: str) -> str:
    return str(users.get(user_id, {}).get("Name", ""))
