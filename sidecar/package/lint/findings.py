"""What the linter says: one finding, and how grave it is."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How grave a finding is, in SARIF's words; in the order of gravity."""

    ERROR = "error"  # the deployment fails, or what was meant does not happen
    WARNING = "warning"  # it may fail in some orgs, or surprise somebody
    NOTE = "note"  # advice

    @property
    def gravity(self) -> int:
        """0 for advice, 2 for an error."""
        return 2 - list(Level).index(self)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong, and where."""

    file: str
    """Path relative to the project, with ``/``."""
    line: int
    """From 1."""
    rule: str
    """Such as ``reference/field``."""
    name: str
    """What is wrong: ``Lead.Referral_Key__c``; exemptions are stated by it."""
    message: str
    level: Level
    remedy: str
    doubtful: str = ""
    """Standard object that the project only adds to, or a type of which it may hold
    only some: what it refers to may well be in the org already. Empty where the
    project should know."""
