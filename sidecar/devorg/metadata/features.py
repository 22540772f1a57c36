"""What an org has switched on: the answer to "not available for this organization"."""

from __future__ import annotations

from dataclasses import dataclass, field

# Dynamic dashboards that an edition allows.
# Source: "Provide Individualized Views of a Dashboard", Salesforce Help.
DYNAMIC_DASHBOARDS = {
    "Developer Edition": 3,
    "Enterprise Edition": 5,
    "Unlimited Edition": 10,
    "Performance Edition": 10,
}


@dataclass
class ApexTests:
    """
    The customer's own Apex tests, which this org counts but cannot run.

    Attributes:
        count: how many there are.
        failing: names of those that fail, as ``OrderTest.testClosing``.
        coverage: percent of the customer's own Apex lines that they cover.
        package_coverage: percent that a package's tests cover of its own Apex.
    """

    count: int = 0
    failing: list[str] = field(default_factory=list)
    coverage: int = 100
    package_coverage: int = 100


@dataclass
class Features:
    """
    What the administrator and the contract have switched on.

    A fresh org is as its owner would have it for referrals: path and translations
    are on, everything that changes the data model is off.

    Attributes:
        path: Setup, Path Settings.
        languages: languages of the Translation Workbench; none when it is off.
        multi_currency, person_accounts, state_country_picklists: as named.
        dynamic_dashboards: how many are allowed; None takes the edition's number.
        default_workflow_user: username; None when Setup, Process Automation
            Settings names nobody.
        flows_deploy_active: "Deploy processes and flows as active".
        tests: the customer's Apex tests.
    """

    path: bool = True
    languages: list[str] = field(default_factory=lambda: ["de", "fr"])
    multi_currency: bool = False
    person_accounts: bool = False
    state_country_picklists: bool = False
    dynamic_dashboards: int | None = None
    default_workflow_user: str | None = None
    flows_deploy_active: bool = False
    tests: ApexTests = field(default_factory=ApexTests)

    def dashboards_allowed(self, edition: str) -> int:
        """Return how many dynamic dashboards an org of this edition may have."""
        if self.dynamic_dashboards is not None:
            return self.dynamic_dashboards
        return DYNAMIC_DASHBOARDS.get(edition, 0)
