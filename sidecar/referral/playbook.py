"""The playbook: which follow-ups a milestone brings."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.working_time import Promise, WorkingWeek, due_at


@dataclass(frozen=True)
class TaskRule:
    """A task for the record's owner; texts may name ``PLACES``."""

    subject: str
    description: str
    due: Promise
    priority: str


@dataclass(frozen=True)
class EmailRule:
    """A mail to the record's owner, from one of the templates."""

    template: str


@dataclass(frozen=True)
class Action:
    """One thing to do; its name is unique within its milestone."""

    name: str
    rule: TaskRule | EmailRule


@dataclass(frozen=True)
class Playbook:
    """What to do at each milestone; a milestone without actions may be missing."""

    version: str
    actions: Mapping[Milestone, tuple[Action, ...]]


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
) -> list[FollowUp]:
    """
    List what the referral's milestone calls for.

    Args:
        org_id: 18 characters.
        referral: at the milestone that it has just reached.
        now: aware; due dates count from it.
        fallback_owner_id: the user who gets what belongs to a queue, or to nobody.

    Returns:
        The follow-ups in the playbook's order; empty where it has none.
    """
    if referral.milestone is None:
        return []
    owner_id = _person(referral.owner_id) or fallback_owner_id
    places = places_of(referral)
    planned: list[FollowUp] = []
    for action in playbook.actions.get(referral.milestone, ()):
        key = follow_up_key(org_id, referral.key, referral.milestone, action.name)
        match action.rule:
            case TaskRule() as rule:
                who_id, what_id = _about(referral)
                what: Task | Email = Task(
                    # Salesforce takes 255 characters of a subject.
                    subject=rule.subject.format(**places)[:255],
                    description=rule.description.format(**places),
                    due_on=due_at(now, rule.due, week).date().isoformat(),
                    priority=rule.priority,
                    owner_id=owner_id,
                    who_id=who_id,
                    what_id=what_id,
                )
            case EmailRule() as rule:
                what = Email(rule.template, owner_id, _told(referral))
        planned.append(FollowUp(key, referral.milestone, action.name, what))
    return planned


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


def _person(owner_id: str | None) -> str | None:
    """A user's id starts with 005; a queue (00G) reads no mail and does no task."""
    return owner_id if owner_id and owner_id.startswith("005") else None


def _about(referral: Referral) -> tuple[str | None, str | None]:
    """
    ``WhoId`` takes a Lead or Contact, ``WhatId`` the rest.

    Source: Task, Object Reference for the Salesforce Platform.
    """
    if referral.object_type in {"Lead", "Contact"}:
        return referral.record_id, None
    return None, referral.record_id
