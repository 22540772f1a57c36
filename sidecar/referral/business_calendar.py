"""The business calendar: who works when, and who stands in for whom."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from sidecar.referral.working_time import WorkingWeek


@dataclass(frozen=True)
class Team:
    """
    People who work at the same times.

    Attributes:
        name: empty for everybody who is in no other team.
        members: user ids, 18 characters.
        roles: names of roles in the org; whoever has one of them is in the team.
        backup: user id of who takes over from a silent owner.
        manager: user id; None where the org says whose manager is who.
    """

    name: str
    week: WorkingWeek
    members: AbstractSet[str] = frozenset()
    roles: AbstractSet[str] = frozenset()
    backup: str | None = None
    manager: str | None = None


@dataclass(frozen=True)
class Colleague:
    """What the org says of a user."""

    role: str = ""
    manager_id: str | None = None
    active: bool = True


NOBODY = Colleague()


@dataclass(frozen=True)
class Calendar:
    """The teams of one connection; whoever is in none of them is in ``everybody``."""

    everybody: Team
    teams: Mapping[str, Team] = field(default_factory=dict)

    def team_of(self, owner_id: str | None, colleague: Colleague = NOBODY) -> Team:
        """Find an owner's team: named themselves, or by their role."""
        for team in self.teams.values():
            if owner_id in team.members:
                return team
        for team in self.teams.values():
            if colleague.role and colleague.role in team.roles:
                return team
        return self.everybody

    def named(self, name: str) -> Team:
        """Find a team; one that is there no longer was everybody's."""
        return self.teams.get(name, self.everybody)


@dataclass(frozen=True)
class Recipients:
    """Who gets what a playbook addresses to them; user ids."""

    owner: str | None
    backup: str | None = None
    manager: str | None = None

    def of(self, to: str) -> str | None:
        """Give the user behind ``owner``, ``backup`` or ``manager``."""
        return {"owner": self.owner, "backup": self.backup, "manager": self.manager}[to]


def person(owner_id: str | None) -> str | None:
    """A user's id starts with 005; a queue (00G) reads no mail and does no task."""
    return owner_id if owner_id and owner_id.startswith("005") else None


@dataclass(frozen=True)
class Staff:
    """A connection's people: the calendar, and what the org says of its users."""

    calendar: Calendar
    colleagues: Mapping[str, Colleague] = field(default_factory=dict)
    fallback_owner_id: str | None = None

    def colleague(self, owner_id: str | None) -> Colleague:
        """Give what the org says of a user; nothing where nobody has asked yet."""
        return self.colleagues.get(owner_id or "", NOBODY)

    def team(self, owner_id: str | None) -> Team:
        """Find the team of an owner."""
        return self.calendar.team_of(owner_id, self.colleague(owner_id))

    def recipients(self, owner_id: str | None) -> Recipients:
        """
        Say who acts, who stands in, and who is told last.

        What nobody is named for goes to the fallback owner, so that it is read.
        """
        colleague = self.colleague(owner_id)
        # What belongs to somebody who has left is the fallback owner's.
        owner = person(owner_id) if colleague.active else None
        team = self.team(owner_id)
        manager = team.manager or colleague.manager_id or self.fallback_owner_id
        return Recipients(
            owner or self.fallback_owner_id,
            team.backup or self.fallback_owner_id or manager,
            manager,
        )
