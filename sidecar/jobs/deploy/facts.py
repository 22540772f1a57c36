"""The preflight's questions, put to an org; none of them changes anything."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sidecar.errors import Permanent
from sidecar.jobs.deploy.turn import Turn
from sidecar.package.org_answers import OBJECTS, PERMISSIONS, SETTINGS, Facts
from sidecar.package.read import Tree
from sidecar.salesforce import access, org_facts, retrieval
from sidecar.salesforce.access import Member, Seen
from sidecar.salesforce.caller import Caller
from sidecar.salesforce.retrieval import Listed

T = TypeVar("T")


@dataclass
class _Questions:
    """Asks; what an org refuses to tell is noted instead of ending the install."""

    unanswered: dict[str, str] = field(default_factory=dict)

    def ask(self, what: str, how: Callable[[], T], otherwise: T) -> T:
        try:
            return how()
        except Permanent as exc:
            self.unanswered[what] = str(exc)[:300]
            return otherwise


def gather(turn: Turn, caller: Caller) -> Facts:
    """
    Ask the org everything that the preflight judges by.

    Raises:
        LoggedOut, Retryable, Permanent: the last where not even the org's kind, the
            caller's rights or the users can be read.
    """
    questions = _Questions()
    organisation = org_facts.organisation(caller)
    me = org_facts.me(caller, PERMISSIONS)
    left, daily = org_facts.calls_left(caller)
    people, integration = _people(turn, caller)
    fields = {name: _described(questions, caller, name) for name in OBJECTS}
    listed = _listed(questions, caller)
    return Facts(
        org_name=organisation.name,
        edition=organisation.edition,
        sandbox=organisation.sandbox,
        trial_ends=organisation.trial_ends,
        newest_api=organisation.newest_api,
        username=me.username,
        permissions=sorted(me.permissions),
        multi_currency=me.multi_currency,
        person_accounts=me.person_accounts,
        state_picklists="StateCode" in fields["Lead"],
        calls_left=left,
        calls_a_day=daily,
        integration_user=integration.username if integration else "",
        integration_active=bool(integration and integration.active),
        missing_users=sorted(
            name for name, found in people.items() if found is None or not found.active
        ),
        licences=_licences(questions, caller),
        objects=sorted(
            questions.ask("objects", lambda: access.objects(caller), set[str]())
        ),
        custom_fields=_names(listed, "CustomField"),
        packages=_names(listed, "InstalledPackage"),
        dynamic_dashboards=questions.ask(
            "dashboards", lambda: org_facts.dynamic_dashboards(caller), list[str]()
        ),
        settings=questions.ask(
            "settings",
            lambda: org_facts.settings(caller, SETTINGS),
            dict[str, dict[str, str]](),
        ),
        required_fields=sorted(
            f"{name}.{each}"
            for name, described in fields.items()
            for each, seen in described.items()
            if seen.custom and seen.required
        ),
        validation_rules=_rules(questions, caller, turn.everything().files),
        unanswered=questions.unanswered,
    )


def _people(
    turn: Turn, caller: Caller
) -> tuple[dict[str, Member | None], Member | None]:
    """Find those who are to be given permission sets, and the integration user."""
    wanted = [name for name, _ in turn.deployment.options.get("grants", [])]
    username = turn.connection.username or _integration_username(turn)
    found = access.users(caller, {username, *wanted} - {""})
    return {name: found.get(name) for name in wanted}, found.get(username)


def _integration_username(turn: Turn) -> str:
    """Ask the connection itself: not every login flow is told a user name."""
    try:
        return turn.as_integration(lambda caller: org_facts.me(caller, ())).username
    except Permanent:
        return ""


def _described(questions: _Questions, caller: Caller, name: str) -> dict[str, Seen]:
    return questions.ask(
        f"fields of {name}", lambda: access.described(caller, name), dict[str, Seen]()
    )


def _listed(questions: _Questions, caller: Caller) -> list[Listed]:
    asked = [("CustomField", None), ("InstalledPackage", None)]
    return questions.ask(
        "components", lambda: retrieval.list_metadata(caller, asked), list[Listed]()
    )


def _names(listed: list[Listed], kind: str) -> list[str]:
    return sorted(each.full_name for each in listed if each.type == kind)


def _licences(questions: _Questions, caller: Caller) -> dict[str, list[int]]:
    found = questions.ask(
        "licences", lambda: org_facts.licences(caller), list[org_facts.Licence]()
    )
    return {each.name: [each.total, each.used] for each in found}


def _rules(questions: _Questions, caller: Caller, ours: Tree) -> list[str]:
    found = questions.ask(
        "validation rules",
        lambda: org_facts.active_validation_rules(caller, OBJECTS),
        list[tuple[str, str]](),
    )
    return sorted(
        f"{name}.{rule}"
        for name, rule in found
        if f"<fullName>{rule}</fullName>".encode()
        not in ours.get(f"objects/{name}.object", b"")
    )
