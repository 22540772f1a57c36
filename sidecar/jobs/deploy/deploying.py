"""Deploy: validate, keep what is there, hand the zip over, wait for the end.

The id that the org gives is kept before anybody asks after it. Between its answer and
our commit a process may still die, or the answer may get lost:

- a validation is simply started once more; it changes nothing;
- a deployment is looked for among those that the org has begun since, waited for, and
  then the plan is made anew: what is in the org decides whether anything is left to do.
  Where the org does not say, the zip is handed over once more: it runs after the first
  one, finds everything as it wants it, and ends as the first one did.

Source: "Deploy Metadata with Apex Testing Using REST", "Running Tests in a Deployment",
Metadata API Developer Guide.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sidecar.errors import Permanent, Uncertain
from sidecar.jobs.deploy import looking, planning
from sidecar.jobs.deploy.turn import Step, Turn, again, go
from sidecar.package import archive, causes
from sidecar.package import plan as plans
from sidecar.package.org_answers import Facts
from sidecar.package.read import Tree
from sidecar.salesforce import metadata, org_facts, tooling
from sidecar.salesforce.deployment import Deployment
from sidecar.salesforce.metadata import Options

_CLOCKS_APART = timedelta(minutes=2)


def validate(turn: Turn) -> Step:
    """Let the org check everything without changing anything."""
    content = planning.made_plan(turn).archive
    id_ = start(turn, content, check_only=True)
    return again(
        turn,
        stage="validating",
        async_id=id_,
        evidence=turn.evidence(validation_id=id_),
    )


def validating(turn: Turn) -> Step:
    """Wait for the org's verdict."""
    told = _status(turn)
    if not told.done:
        return again(turn, progress=progress("validating", told))
    if not told.success:
        return failed(
            turn, told, "the org would refuse the package; nothing was changed"
        )
    return go("look_again", progress=progress("validated", told))


def compare(turn: Turn) -> Step:
    """
    Keep what is there now, unless somebody edited it since the plan was made.

    Then the plan is stale: another one is made of what is there, and shown.
    """
    files = looking.fetched(turn)
    if isinstance(files, Step):
        return files
    made = planning.made_plan(turn)
    if edited := plans.changed_since(made, files):
        step = planning.planned(turn, files, stale=edited)
        return replace(step, files={**step.files, "org": files})
    return go("deploy", files={"before": files})


def deploy(turn: Turn) -> Step:
    """Hand the zip over, once."""
    sent = turn.deployment.evidence.get("sent_at")
    if sent and (found := _begun(turn, sent)):
        return again(
            turn,
            stage="deploying",
            async_id=found,
            evidence=turn.evidence(deployment_id=found, found_again=True),
        )
    now = turn.now()
    evidence = turn.evidence(sent_at=sent or now.isoformat())
    turn.write({"evidence": evidence})
    content = turn.files("archive")
    try:
        id_ = start(turn, content, check_only=False)
    except Uncertain as exc:
        words = f"the answer to the deployment got lost ({exc}); looking for it"
        return again(turn, evidence=evidence, progress={"words": words})
    # Nothing between the org's answer and this line: whoever goes on finds the id.
    turn.write({"async_id": id_, "stage": "deploying"})
    return again(
        turn,
        stage="deploying",
        async_id=id_,
        evidence={**evidence, "deployment_id": id_},
    )


def deploying(turn: Turn) -> Step:
    """Wait for the org; the moment it is done, remember what is installed."""
    told = _status(turn)
    if not told.done:
        return again(turn, progress=progress("deploying", told))
    if turn.deployment.evidence.get("found_again"):
        # It is ours in all likelihood, no more: what is in the org decides.
        evidence = turn.evidence(sent_at=None, found_again=None)
        return go("look_again", evidence=evidence, progress=progress("done", told))
    if not told.success:
        words = "the org rolled the deployment back; nothing was changed"
        return failed(turn, told, words)
    made = planning.made_plan(turn)
    evidence = turn.evidence(
        deployed={
            "id": told.id,
            "components": told.components_deployed,
            "tests": told.tests_completed,
        }
    )
    return go(
        "grant",
        evidence=evidence,
        progress=progress("deployed", told),
        then=lambda db: planning.remember(db, turn, made, turn.files("before")),
    )


def failed(turn: Turn, told: Deployment, words: str) -> Step:
    """End, with each refused component in our file and line, and the likely cause."""
    if told.state == "Canceled":
        words = "cancelled; nothing was changed"
    failures = [
        causes.told(
            turn.bundle.tree,
            file=each.file,
            component_type=each.component_type,
            name=each.name,
            line=each.line,
            problem=each.problem,
        )
        for each in told.failures
        if not each.warning
    ]
    tests = [
        {
            "component": f"{each.name}.{each.method}",
            "problem": each.problem,
            "cause": "an Apex test fails",
            "remedy": "the test's owner has to repair it",
        }
        for each in told.failed_tests
    ]
    first = next((f": {each['component']}: {each['problem']}" for each in failures), "")
    reason = f": {told.error}" if told.error and not first else first
    return go(
        "report",
        evidence=turn.evidence(
            failure=f"{words}{reason}", failures=[*failures, *tests]
        ),
        progress=progress("failed", told),
    )


def start(turn: Turn, content: Tree, *, check_only: bool) -> str:
    """
    Hand files over to the org.

    Raises:
        LoggedOut, Retryable, Permanent, Uncertain: as ``metadata.start``.
    """
    caller = turn.admin
    facts = {k: v for k, v in turn.deployment.facts.items() if k != "at"}
    options = options_for(content, check_only=check_only, production=_production(facts))
    return metadata.start(
        caller.http, archive=archive.pack(content), options=options, **caller.where
    )


def options_for(content: Tree, *, check_only: bool, production: bool) -> Options:
    """
    Choose the test level: production tests whatever Apex it is given.

    Our own tests are named, so that the customer's cannot stop the install; nothing
    is asked for where no Apex is deployed.
    """
    tests = sorted(
        path.removeprefix("classes/").removesuffix(".cls")
        for path, text in content.items()
        if path.endswith(".cls") and re.search(rb"@istest", text, re.IGNORECASE)
    )
    apex = any(path.startswith(("classes/", "triggers/")) for path in content)
    if production and apex and tests:
        return Options(check_only, "RunSpecifiedTests", tuple(tests))
    return Options(check_only)


def _production(facts: Mapping[str, Any]) -> bool:
    return Facts(**facts).production if facts else True


def _status(turn: Turn) -> Deployment:
    caller, id_ = turn.admin, turn.deployment.async_id
    if id_ is None:
        raise Permanent("no deployment was started")
    return metadata.status(caller.http, deployment_id=id_, **caller.where)


def _begun(turn: Turn, since: str) -> str | None:
    """Look for the deployment whose answer nobody heard."""
    caller = turn.admin
    try:
        user_id = org_facts.me(caller, ()).user_id
        moment = datetime.fromisoformat(since) - _CLOCKS_APART
        return tooling.deployment_since(caller, user_id=user_id, since=moment)
    except Permanent:
        return None


def progress(words: str, told: Deployment) -> dict[str, Any]:
    """Give what people see of a deployment that is on its way."""
    waiting = told.state == "Pending"
    queue = "waits in the org's queue, another deployment may be running"
    return {
        "words": f"{words}: {queue}" if waiting else f"{words} {told.detail}".strip(),
        "state": told.state,
        "components": [told.components_deployed, told.components_total],
        "tests": [told.tests_completed, told.tests_total],
        "errors": told.components_failed + told.tests_failed,
    }
