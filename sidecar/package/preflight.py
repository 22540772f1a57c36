"""What speaks against an install: facts of an org in, findings out; nothing is asked.

Sources of the rules: "Salesforce Editions and Features", "Provide Individualized Views
of a Dashboard" and "Integration User License", Salesforce Help; "Metadata API Edit" and
"Modify Metadata" permissions, Metadata API Developer Guide.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sidecar.package.fitting import Fit
from sidecar.package.org_answers import Facts, Finding, Level
from sidecar.package.read import Tree

VALID_FOR = timedelta(minutes=30)
"""An org changes: what was found counts for so long."""

_WITHOUT_API = {"Base Edition", "Personal Edition", "Contact Manager Edition"}
_SMALL = {"Group Edition", "Essentials", "Professional Edition", "Starter Edition"}
_DYNAMIC_DASHBOARDS = {
    "Enterprise Edition": 5,
    "Unlimited Edition": 10,
    "Performance Edition": 10,
    "Developer Edition": 3,
}
OUR_DASHBOARDS = frozenset({"Referral_Performance"})
_FEW_CALLS, _SCARCE_CALLS = 300, 2_000


def judge(
    facts: Facts, *, ours: Tree, api_version: str, grants: Collection[str] = ()
) -> list[Finding]:
    """
    Say what speaks against installing ``ours`` into this org.

    Args:
        ours: in Metadata API format.
        api_version: in which it is written.
        grants: user names that are to be given permission sets.

    Returns:
        What blocks first, then what warns, then what informs.
    """
    found = [
        *_kind_of_org(facts, api_version),
        *_rights(facts, grants),
        *_users(facts),
        *_features(facts, ours),
        *_dashboards(facts, ours),
        *_neighbours(facts, ours),
        *_own_rules(facts),
    ]
    order: Sequence[Level] = ("blocks", "warns", "informs")
    return sorted(found, key=lambda finding: order.index(finding.level))


def blocked(findings: Collection[Mapping[str, Any]]) -> list[str]:
    """Give the messages of what blocks."""
    return [each["message"] for each in findings if each["level"] == "blocks"]


def warned(findings: Collection[Mapping[str, Any]]) -> list[str]:
    """Give the messages of what needs a yes."""
    return [each["message"] for each in findings if each["level"] == "warns"]


def _kind_of_org(facts: Facts, api_version: str) -> Iterator[Finding]:
    if facts.edition in _WITHOUT_API:
        yield Finding(
            "blocks",
            "edition",
            f"{facts.edition} has no API",
            "the package needs Enterprise, Performance, Unlimited or Developer Edition",
        )
    elif facts.edition in _SMALL:
        yield Finding(
            "warns",
            "edition",
            f"{facts.edition} has an API and record-triggered flows only as add-ons",
            "the validation before the deployment shows whether they are there",
        )
    if float(facts.newest_api) < float(api_version):
        yield Finding(
            "blocks",
            "api_version",
            f"the org speaks API {facts.newest_api} at most, the package {api_version}",
            "wait for the org's next release",
        )
    if facts.trial_ends:
        yield Finding(
            "informs", "trial", f"the org is a trial until {facts.trial_ends}"
        )
    if facts.calls_left < _FEW_CALLS:
        yield Finding(
            "blocks",
            "api_calls",
            f"{facts.calls_left} of {facts.calls_a_day} API calls are left; an install "
            f"takes up to {_FEW_CALLS}",
            "wait: the count is over the last 24 hours",
        )
    elif facts.calls_left < _SCARCE_CALLS:
        yield Finding(
            "warns",
            "api_calls",
            f"only {facts.calls_left} of {facts.calls_a_day} API calls are left",
            "install at a quieter hour",
        )
    for question, words in sorted(facts.unanswered.items()):
        yield Finding(
            "informs", "unanswered", f"the org does not tell us its {question}: {words}"
        )


def _rights(facts: Facts, grants: Collection[str]) -> Iterator[Finding]:
    has = set(facts.permissions)
    if not has & {"ModifyAllData", "ModifyMetadata"}:
        yield Finding(
            "blocks",
            "rights",
            f"{facts.username} may not deploy: neither Modify All Data nor Modify "
            "Metadata Through Metadata API Functions",
            "let a system administrator install",
        )
    elif "ModifyAllData" not in has and "CustomizeApplication" not in has:
        yield Finding(
            "warns",
            "rights",
            f"{facts.username} has Modify Metadata but not Customize Application",
            "some components may be refused; a system administrator can deploy all",
        )
    if grants and not has & {"AssignPermissionSets", "ManageUsers"}:
        yield Finding(
            "blocks",
            "rights_to_grant",
            f"{facts.username} may not assign permission sets",
            "without them nobody sees a field of the package: let a system "
            "administrator install",
        )


def _users(facts: Facts) -> Iterator[Finding]:
    if not facts.integration_user:
        yield Finding(
            "blocks",
            "integration_user",
            "the connection's integration user is not a user of this org",
            "connect the org with its integration user: `sidecar connections add "
            "--username`",
        )
    elif not facts.integration_active:
        yield Finding(
            "blocks",
            "integration_user",
            f"{facts.integration_user} is inactive",
            "activate the user",
        )
    for name in facts.missing_users:
        yield Finding(
            "blocks",
            "grant",
            f"there is no active user {name}",
            "correct the name, or leave it out and grant later",
        )
    licence = facts.licences.get("Salesforce Integration")
    if licence is not None and licence[0] <= licence[1]:
        yield Finding(
            "informs",
            "licences",
            f"all {licence[0]} Salesforce Integration licences are in use",
        )


def _features(facts: Facts, ours: Tree) -> Iterator[Finding]:
    # What an org does not tell is not held against it: the validation finds out.
    if not fit(facts).paths:
        yield Finding(
            "informs",
            "path",
            "Path is switched off: the paths of the package are left out",
            "Setup, Path Settings, Enable; then install again",
        )
    workbench = facts.settings.get("Language", {}).get("enableTranslationWorkbench")
    if _any(ours, "objectTranslations/", "translations/") and workbench == "false":
        yield Finding(
            "blocks",
            "translations",
            "the Translation Workbench is switched off",
            "Setup, Translation Language Settings, Enable; or install without the "
            "module translations",
        )
    scheduled = [
        path
        for path, text in ours.items()
        if _flow(path) and b"<scheduledPaths>" in text
    ]
    if scheduled:
        yield Finding(
            "warns",
            "default_workflow_user",
            "flows with scheduled paths need a default workflow user; no API tells it",
            "Setup, Process Automation Settings, Default Workflow User",
        )
    active = facts.settings.get("Flow", {}).get("enableFlowDeployAsActiveEnabled")
    if facts.production and active != "true" and any(map(_flow, ours)):
        yield Finding(
            "informs",
            "flows_inactive",
            "flows arrive inactive in this org; they are activated afterwards",
        )
    for on, name in (
        (facts.multi_currency, "several currencies"),
        (facts.person_accounts, "person accounts"),
        (facts.state_picklists, "state and country picklists"),
    ):
        if on:
            yield Finding("informs", "feature", f"the org has {name}")
    if facts.production and _any(ours, "classes/", "triggers/"):
        yield Finding(
            "informs",
            "apex",
            "the package brings Apex: its own tests run in the deployment",
        )


def _dashboards(facts: Facts, ours: Tree) -> Iterator[Finding]:
    if fit(facts).running_user and _any(ours, "dashboards/"):
        yield Finding(
            "warns",
            "dynamic_dashboards",
            f"all {len(facts.dynamic_dashboards)} dynamic dashboards that "
            f"{facts.edition} allows are in use: ours will show everybody what "
            f"{facts.username} may see",
            "let one of the org's run as a named user, and install again",
        )


def fit(facts: Facts) -> Fit:
    """Say how the package is to be cut for an org."""
    allowed = _DYNAMIC_DASHBOARDS.get(facts.edition)
    others = [name for name in facts.dynamic_dashboards if name not in OUR_DASHBOARDS]
    full = allowed is not None and len(others) >= allowed
    path = facts.settings.get("PathAssistant", {}).get("pathAssistantEnabled")
    return Fit(paths=path != "false", running_user=facts.username if full else "")


def _neighbours(facts: Facts, ours: Tree) -> Iterator[Finding]:
    if "Referral" in facts.objects:
        yield Finding(
            "informs",
            "standard_referral",
            "the org has Salesforce's own object Referral; the package leaves it alone "
            "and keeps its referrals on Lead, Contact and Opportunity",
        )
    mine = set(_fields(ours))
    alike = [
        name
        for name in facts.custom_fields
        if re.search(r"refer(r|al|red)", name, re.IGNORECASE) and name not in mine
    ]
    if alike:
        yield Finding(
            "informs",
            "similar_fields",
            f"the org has fields of its own about referrals: {_listed(alike)}",
            "they stay; their values can be copied later",
        )
    packages = [name for name in facts.packages if re.search("refer", name, re.I)]
    if packages:
        yield Finding(
            "informs",
            "similar_packages",
            f"the org has other packages about referrals: {_listed(packages)}",
        )


def _own_rules(facts: Facts) -> Iterator[Finding]:
    if facts.required_fields:
        yield Finding(
            "informs",
            "required_fields",
            "the org requires fields of its own; the self-test fills them, "
            f"referrals that come in must bring them: {_listed(facts.required_fields)}",
        )
    if facts.validation_rules:
        yield Finding(
            "informs",
            "validation_rules",
            "the org's own validation rules apply to referrals, and to the self-test: "
            f"{_listed(facts.validation_rules)}",
        )


def _fields(ours: Tree) -> Iterator[str]:
    for path, content in ours.items():
        if path.startswith("objects/") and path.endswith(".object"):
            name = path.removeprefix("objects/").removesuffix(".object")
            for found in re.finditer(
                rb"<fullName>([A-Za-z0-9_]+__c)</fullName>", content
            ):
                yield f"{name}.{found[1].decode()}"


def _any(ours: Tree, *folders: str) -> bool:
    return any(path.startswith(folders) for path in ours)


def _flow(path: str) -> bool:
    return path.startswith("flows/")


def _listed(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(sorted(names)[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
