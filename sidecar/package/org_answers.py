"""What an org answers before an install, and what may come of it."""

from dataclasses import asdict, dataclass, field
from typing import Literal

Level = Literal["blocks", "warns", "informs"]

PERMISSIONS = (
    "ApiEnabled",
    "AssignPermissionSets",
    "ConvertLeads",
    "CustomizeApplication",
    "ManageUsers",
    "ModifyAllData",
    "ModifyMetadata",
)
"""What has to be known of the deploying user."""

SETTINGS = ("PathAssistant", "Language", "Flow")
"""What has to be read of the org's settings."""

OBJECTS = ("Lead", "Contact", "Account", "Opportunity")
"""Whose required fields and rules a referral meets on its way."""


@dataclass(frozen=True)
class Finding:
    """One thing that an admin should know before anything changes."""

    level: Level
    code: str
    """Short and stable: ``edition``, ``required_fields``."""
    message: str
    remedy: str = ""

    def to_dict(self) -> dict[str, str]:
        """Give JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True)
class Facts:
    """What an org answered; JSON-ready by ``asdict``, and back by keywords."""

    org_name: str
    edition: str
    sandbox: bool
    trial_ends: str
    newest_api: str
    username: str
    permissions: list[str]
    multi_currency: bool
    person_accounts: bool
    state_picklists: bool
    calls_left: int
    calls_a_day: int
    integration_user: str
    """User name of the one who will run; empty where the org has no such user."""
    integration_active: bool
    missing_users: list[str] = field(default_factory=list)
    """Of those who are to be given permission sets."""
    licences: dict[str, list[int]] = field(default_factory=dict)
    """Name to total and used."""
    objects: list[str] = field(default_factory=list)
    custom_fields: list[str] = field(default_factory=list)
    """All of the org, visible or not: ``Lead.Region__c``."""
    packages: list[str] = field(default_factory=list)
    """Namespaces of managed packages."""
    dynamic_dashboards: list[str] = field(default_factory=list)
    settings: dict[str, dict[str, str]] = field(default_factory=dict)
    required_fields: list[str] = field(default_factory=list)
    validation_rules: list[str] = field(default_factory=list)
    """The customer's own, active: ``Lead.Needs_A_Region``."""
    unanswered: dict[str, str] = field(default_factory=dict)
    """Question to the org's words."""

    @property
    def production(self) -> bool:
        """Whether the stricter rules of production hold."""
        return not self.sandbox and self.edition != "Developer Edition"
