"""The playbook: which follow-ups a milestone brings."""

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from sidecar.referral.business_calendar import Recipients, person
from sidecar.referral.conditions import Condition, holds
from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.working_time import Promise, WorkingWeek, due_at


@dataclass(frozen=True)
class TaskRule:
    """A task for somebody; texts may name ``PLACES``."""

    subject: str
    description: str
    due: Promise
    priority: str
    to: str = "owner"


@dataclass(frozen=True)
class EmailRule:
    """A mail to somebody, from one of the templates."""

    template: str
    to: str = "owner"


TO = ("owner", "backup", "manager")
"""Whom a rule may address: the record's owner, who stands in, who is above."""


@dataclass(frozen=True)
class Action:
    """
    One thing to do; its name is unique within its milestone, or its clock's stage.

    Attributes:
        when: what must be true of the referral then.
        later: how long after the milestone; None for at once. Forgotten when the
            referral moves on before.
    """

    name: str
    rule: TaskRule | EmailRule
    when: Condition | None = None
    later: Promise | timedelta | None = None


class Stage(StrEnum):
    """What happens to a response clock that nobody stops, in this order."""

    AT_RISK = "at_risk"  # most of the promised time is over
    DUE = "due"  # all of it is
    OVERDUE = "overdue"  # the promise is broken
    BACKUP = "backup"  # escalated to who stands in for the owner
    MANAGER = "manager"  # escalated once more


@dataclass(frozen=True)
class StageRule:
    """
    When a stage comes, and what it brings.

    ``at`` is a share of the promised time, in percent, for the stages up to ``due``,
    and working time after it for those that follow.
    """

    at: int | Promise
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True)
class Within:
    """Another promise for referrals of a type, or of a team; empty for any."""

    within: Promise
    type: str = ""
    team: str = ""


@dataclass(frozen=True)
class ClockRule:
    """
    A response clock: what is promised while a referral stands at a milestone.

    Attributes:
        name: unique within the playbook.
        milestones: at each of these one clock starts; it stops when the referral is
            there no longer.
        within: the promise; ``others`` come first where they fit.
        rests_at: the org's statuses at which no time counts.
        writes_due: the record is told by when the promise must be kept.
    """

    name: str
    milestones: tuple[Milestone, ...]
    within: Promise
    others: tuple[Within, ...] = ()
    stages: Mapping[Stage, StageRule] = field(default_factory=dict)
    rests_at: AbstractSet[str] = frozenset()
    writes_due: bool = False


Actions: TypeAlias = Mapping[Milestone, tuple[Action, ...]]


@dataclass(frozen=True)
class Playbook:
    """
    What to do at each milestone; a milestone without actions may be missing.

    ``types`` holds what referrals of a type bring instead, where it differs.
    """

    version: str
    actions: Actions
    types: Mapping[str, Actions] = field(default_factory=dict)
    clocks: tuple[ClockRule, ...] = ()

    def actions_for(self, referral: Referral) -> tuple[Action, ...]:
        """Give all actions of the milestone at which a referral stands."""
        if referral.milestone is None:
            return ()
        own = self.types.get(referral.details.get("type", ""), {})
        if referral.milestone in own:
            return own[referral.milestone]
        return self.actions.get(referral.milestone, ())


@dataclass(frozen=True)
class Task:
    """A task to be kept in Salesforce; ``due_on`` is a date in the team's zone."""

    subject: str
    description: str
    due_on: str
    priority: str
    owner_id: str | None
    who_id: str | None
    what_id: str | None


@dataclass(frozen=True)
class Email:
    """A mail to be rendered and sent to the user ``to_user_id``."""

    template: str
    to_user_id: str | None
    values: Mapping[str, str]


@dataclass(frozen=True)
class FollowUp:
    """One resulting action. ``key`` is the same whenever it is planned again."""

    key: str
    milestone: Milestone
    action: str
    what: Task | Email


# What a text of the playbook may name in braces.
PLACES = frozenset(
    {"prospect", "company", "referrer", "source", "code", "status", "milestone"}
)


def plan(
    playbook: Playbook,
    org_id: str,
    referral: Referral,
    *,
    now: datetime,
    week: WorkingWeek,
    fallback_owner_id: str | None = None,
    to: Recipients | None = None,
) -> list[FollowUp]:
    """
    List what the referral's milestone calls for at once.

    Args:
        org_id: 18 characters.
        referral: at the milestone that it has just reached.
        now: aware; due dates count from it.
        fallback_owner_id: the user who gets what belongs to a queue, or to nobody.
        to: who gets what; by default everything is the owner's.

    Returns:
        The follow-ups in the playbook's order; empty where it has none.
    """
    owner = person(referral.owner_id) or fallback_owner_id
    to = to or Recipients(owner, fallback_owner_id, fallback_owner_id)
    return [
        follow_up(action, org_id, referral, now=now, week=week, to=to)
        for action in playbook.actions_for(referral)
        if action.later is None and holds(action.when, referral).yes
    ]


def follow_up(
    action: Action,
    org_id: str,
    referral: Referral,
    *,
    now: datetime,
    week: WorkingWeek,
    to: Recipients,
    within: str = "",
) -> FollowUp:
    """
    Make the follow-up of an action whose time has come.

    Args:
        referral: at a milestone.
        within: ``clock.stage`` to which the action belongs; empty for a milestone's.
    """
    if referral.milestone is None:
        raise ValueError(f"referral {referral.key} is at no milestone")
    name = f"{within}.{action.name}" if within else action.name
    match action.rule:
        case TaskRule() as rule:
            who_id, what_id = _about(referral)
            places = places_of(referral)
            what: Task | Email = Task(
                # Salesforce takes 255 characters of a subject.
                subject=rule.subject.format(**places)[:255],
                description=rule.description.format(**places),
                due_on=due_at(now, rule.due, week).date().isoformat(),
                priority=rule.priority,
                owner_id=to.of(rule.to),
                who_id=who_id,
                what_id=what_id,
            )
        case EmailRule() as rule:
            what = Email(rule.template, to.of(rule.to), _told(referral))
    key = follow_up_key(org_id, referral.key, referral.milestone, name)
    return FollowUp(key, referral.milestone, name, what)


def follow_up_key(org_id: str, referral_key: str, milestone: str, action: str) -> str:
    """
    The key by which Salesforce and mail servers know a follow-up: 32 characters.

    It is computed, not drawn: whoever plans the same follow-up again, even with an
    empty database, finds the task that the first one made.
    """
    name = "\n".join((org_id, referral_key, milestone, action))
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def places_of(referral: Referral) -> dict[str, str]:
    """What each of ``PLACES`` says for this referral; never empty where it is read."""
    known = referral.details
    name = _name(known)
    company = known.get("company", "")
    code = known.get("code", "")
    return {
        "prospect": name or company or "the referred prospect",
        "company": company or "an unnamed company",
        "referrer": known.get("referrer")
        or (f"the holder of code {code}" if code else "a referrer not yet named"),
        "source": known.get("source") or "an unknown source",
        "code": code or "none",
        "status": referral.status or "none",
        "milestone": str(referral.milestone or "none"),
    }


def _told(referral: Referral) -> dict[str, str]:
    """What a letter may say; what nobody knows is left out."""
    known = referral.details
    told = {
        "name": _name(known),
        "status": referral.status or "",
        **{
            word: known.get(word, "")
            for word in ("company", "phone", "email", "referrer", "code", "source")
        },
    }
    return {word: text for word, text in told.items() if text}


def _name(known: Mapping[str, str]) -> str:
    parts = (known.get("first_name"), known.get("last_name"))
    return " ".join(part for part in parts if part)


def _about(referral: Referral) -> tuple[str | None, str | None]:
    """
    ``WhoId`` takes a Lead or Contact, ``WhatId`` the rest.

    Source: Task, Object Reference for the Salesforce Platform.
    """
    if referral.object_type in {"Lead", "Contact"}:
        return referral.record_id, None
    return None, referral.record_id
