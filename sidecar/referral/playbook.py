"""The playbook: which follow-ups a milestone brings."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from sidecar.referral.conditions import Condition
from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.working_time import Promise

# What a text of the playbook may name in braces.
PLACES = frozenset(
    {"prospect", "company", "referrer", "source", "code", "status", "milestone"}
)


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


@dataclass(frozen=True)
class ChatRule:
    """A post to one of the connection's channels; ``text`` may name ``PLACES``."""

    channel: str
    text: str


@dataclass(frozen=True)
class FieldRule:
    """A field of the record, set to a text; ``value`` may name ``PLACES``."""

    field: str
    value: str


@dataclass(frozen=True)
class CampaignRule:
    """A campaign that whoever was referred joins; ``status`` is empty for its own."""

    campaign: str
    status: str = ""


TELLABLE = (
    *("received", "contacted", "qualified", "opportunity", "won", "lost"),
    "no_news",
)
"""What a referrer may be told of a referral."""
TESTIMONIAL, NUDGE = "testimonial", "nudge"


@dataclass(frozen=True)
class WordRule:
    """
    A word to the referrer, by mail.

    Attributes:
        template: one of ``TELLABLE``; a question's own, where it is asked.
        reasons: the org's own reasons for a loss that a referrer may be told.
    """

    template: str
    reasons: AbstractSet[str] = frozenset()


@dataclass(frozen=True)
class AskRule(WordRule):
    """The referrer is asked to say a word about us."""

    template: str = TESTIMONIAL


@dataclass(frozen=True)
class NudgeRule(WordRule):
    """A referrer who has become quiet is asked for the next referral."""

    template: str = NUDGE


Rule: TypeAlias = TaskRule | EmailRule | ChatRule | FieldRule | CampaignRule | WordRule

RULES: Mapping[str, type[Rule]] = {
    "task": TaskRule,
    "email": EmailRule,
    "chat": ChatRule,
    "set_field": FieldRule,
    "add_to_campaign": CampaignRule,
    "ask_testimonial": AskRule,
    "nudge_referrer": NudgeRule,
    "tell_referrer": WordRule,
}
"""What an action may be, by the word that stands for it in a playbook."""


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
    rule: Rule
    when: Condition | None = None
    later: Promise | timedelta | None = None


def kind_of(action: Action) -> str:
    """Give the word that stands for what an action is."""
    return next(name for name, kind in RULES.items() if isinstance(action.rule, kind))


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

    def all_actions(self) -> Iterator[Action]:
        """Give every action, of milestones, types and response clocks."""
        for actions in (self.actions, *self.types.values()):
            for listed in actions.values():
                yield from listed
        for clock in self.clocks:
            for stage in clock.stages.values():
                yield from stage.actions

    @property
    def channels(self) -> frozenset[str]:
        """The channels to which it posts."""
        rules = (action.rule for action in self.all_actions())
        return frozenset(rule.channel for rule in rules if isinstance(rule, ChatRule))

    def actions_for(self, referral: Referral) -> tuple[Action, ...]:
        """Give all actions of the milestone at which a referral stands."""
        if referral.milestone is None:
            return ()
        own = self.types.get(referral.details.get("type", ""), {})
        if referral.milestone in own:
            return own[referral.milestone]
        return self.actions.get(referral.milestone, ())
