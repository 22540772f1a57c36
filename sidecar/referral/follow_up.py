"""Follow-ups: what comes of a milestone, as values; who makes them real is not here."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from sidecar.referral import words
from sidecar.referral.business_calendar import Recipients, person
from sidecar.referral.conditions import Held, holds
from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.playbook import (
    Action,
    CampaignRule,
    ChatRule,
    EmailRule,
    FieldRule,
    Playbook,
    Rule,
    TaskRule,
    WordRule,
)
from sidecar.referral.working_time import WorkingWeek, due_at


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
class Chat:
    """A post to the channel of this name; ``values`` are what a mail would tell."""

    channel: str
    text: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class SetField:
    """A field of a record, and the text that it is to have; empty for none."""

    field: str
    value: str
    object_type: str
    record_id: str


@dataclass(frozen=True)
class JoinCampaign:
    """A campaign that the person of a record joins; no status: the campaign's own."""

    campaign_id: str
    status: str
    object_type: str
    record_id: str


@dataclass(frozen=True)
class Word:
    """
    A word to a referrer, by mail.

    Attributes:
        referrer_id: of the record in Salesforce that says who they are, and whether
            they want to hear anything.
        owner_id: the rep to whom an answer goes.
        values: all that it may say, and nothing else: see ``sidecar.referral.words``.
    """

    template: str
    referrer_id: str
    owner_id: str | None
    values: Mapping[str, str]


What: TypeAlias = Task | Email | Chat | SetField | JoinCampaign | Word

SINCE = "since"
"""In a mail's values: when the referral came to its milestone, if that was before."""

KINDS: Mapping[str, type[What]] = {
    "task": Task,
    "email": Email,
    "chat": Chat,
    "set_field": SetField,
    "add_to_campaign": JoinCampaign,
    "word": Word,
}
"""What a follow-up may be, by the name under which it is kept and delivered."""


def kind_of(what: What) -> str:
    """Give the name of a follow-up's kind."""
    return next(name for name, kind in KINDS.items() if isinstance(what, kind))


def what_of(kind: str, content: Mapping[str, Any]) -> What:
    """Make what a follow-up is from what was kept of it."""
    return KINDS[kind](**content)


@dataclass(frozen=True)
class FollowUp:
    """One resulting action. ``key`` is the same whenever it is planned again."""

    key: str
    milestone: Milestone
    action: str
    what: What


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
        if action.later is None and called_for(action, referral).yes
    ]


def called_for(action: Action, referral: Referral) -> Held:
    """Tell whether an action is to be done for a referral, and why."""
    if isinstance(action.rule, WordRule) and not referral.details.get("referrer_id"):
        return Held(False, "the referral names no referrer record")
    return holds(action.when, referral)


def follow_up(
    action: Action,
    org_id: str,
    referral: Referral,
    *,
    now: datetime,
    week: WorkingWeek,
    to: Recipients,
    within: str = "",
    since: datetime | None = None,
) -> FollowUp:
    """
    Make the follow-up of an action whose time has come.

    Args:
        referral: at a milestone.
        within: ``clock.stage`` to which the action belongs; empty for a milestone's.
        since: when the referral came there, aware; None for just now.
    """
    if referral.milestone is None:
        raise ValueError(f"referral {referral.key} is at no milestone")
    name = f"{within}.{action.name}" if within else action.name
    what = _what(action.rule, referral, now=now, week=week, to=to)
    if isinstance(what, Email) and since is not None:
        what = replace(what, values={**what.values, SINCE: since.isoformat()})
    key = follow_up_key(org_id, referral.key, referral.milestone, name)
    return FollowUp(key, referral.milestone, name, what)


def _what(
    rule: Rule, referral: Referral, *, now: datetime, week: WorkingWeek, to: Recipients
) -> What:
    places = places_of(referral)
    match rule:
        case TaskRule():
            who_id, what_id = _about(referral)
            return Task(
                # Salesforce takes 255 characters of a subject.
                subject=rule.subject.format(**places)[:255],
                description=rule.description.format(**places),
                due_on=due_at(now, rule.due, week).date().isoformat(),
                priority=rule.priority,
                owner_id=to.of(rule.to),
                who_id=who_id,
                what_id=what_id,
            )
        case EmailRule():
            return Email(rule.template, to.of(rule.to), told(referral))
        case ChatRule():
            text = rule.text.format(**places)
            return Chat(rule.channel, text, told(referral))
        case FieldRule():
            value = rule.value.format(**places)
            return SetField(rule.field, value, referral.object_type, referral.record_id)
        case CampaignRule():
            return JoinCampaign(
                rule.campaign, rule.status, referral.object_type, referral.record_id
            )
        case WordRule():
            return Word(
                rule.template,
                referral.details["referrer_id"],
                to.owner,
                words.facts(referral, rule.reasons),
            )


def aimed_at(rule: Rule, to: Recipients) -> str | None:
    """Say whom or what an action would reach: user, channel, field, campaign."""
    match rule:
        case TaskRule() | EmailRule():
            return to.of(rule.to)
        case ChatRule():
            return rule.channel
        case FieldRule():
            return rule.field
        case CampaignRule():
            return rule.campaign
        case WordRule():
            return "referrer"


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
    name = words.name_of(known)
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


def told(referral: Referral) -> dict[str, str]:
    """What a letter may say; what nobody knows is left out."""
    known = referral.details
    said = {
        "name": words.name_of(known),
        "status": referral.status or "",
        "reason": _reason(referral),
        **{
            word: known.get(word, "")
            for word in ("company", "phone", "email", "referrer", "code", "source")
        },
    }
    return {word: text for word, text in said.items() if text}


def _reason(referral: Referral) -> str:
    lost = referral.milestone is Milestone.LOST
    return referral.details.get("lost_reason", "") if lost else ""


def _about(referral: Referral) -> tuple[str | None, str | None]:
    """
    ``WhoId`` takes a Lead or Contact, ``WhatId`` the rest.

    Source: Task, Object Reference for the Salesforce Platform.
    """
    if referral.object_type in {"Lead", "Contact"}:
        return referral.record_id, None
    return None, referral.record_id
