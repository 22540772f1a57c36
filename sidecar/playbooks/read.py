"""Playbooks as admins write them: YAML in, the mind's own values out."""

import re
import string
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from sidecar.playbooks import expressions
from sidecar.playbooks.document import (
    Named,
    Parsed,
    WrongDocument,
    load,
    working_time,
)
from sidecar.referral.journey import Milestone
from sidecar.referral.playbook import (
    PLACES,
    RULES,
    TELLABLE,
    TO,
    Action,
    AskRule,
    CampaignRule,
    ChatRule,
    ClockRule,
    EmailRule,
    FieldRule,
    NudgeRule,
    Playbook,
    Stage,
    StageRule,
    TaskRule,
    Within,
    WordRule,
)
from sidecar.referral.working_time import Promise


class WrongPlaybook(WrongDocument):
    """A playbook cannot be used; the text has a line for each place to mend."""


NAME = r"[a-z][a-z0-9-]{0,62}"
"""What actions, clocks and channels are called."""

FIELD = r"[A-Za-z][A-Za-z0-9_]{0,79}"
"""What fields are called in Salesforce's API."""

CAMPAIGN = r"701([A-Za-z0-9]{12}|[A-Za-z0-9]{15})"
"""A campaign's id: "Standard Field and Object Prefixes", Salesforce Help."""

NOT_SET = {
    "Referral_Status__c": "a playbook acts on it, and would act on itself; let a flow "
    "or a person set it, and name its milestone here",
    "Referral_Key__c": "by it a referral is known",
}
"""Fields that no playbook sets, and why; Salesforce does not tell their case."""

PRIORITIES = ("High", "Normal", "Low")
"""The values of Task.Priority in a new org."""


def read(text: str, *, templates: Collection[str]) -> Playbook:
    """
    Read and check a playbook.

    Args:
        text: YAML.
        templates: names of the mail templates that exist.

    Raises:
        WrongPlaybook: with every fault found, each as ``place: what is wrong``.
    """
    schema = _PlaybookSchema(templates)
    playbook: Playbook = load(text, schema, "playbook", WrongPlaybook)
    return playbook


@cache
def standard(templates: tuple[str, ...]) -> Playbook:
    """The playbook that the package brings along."""
    return read(standard_text(), templates=templates)


def standard_text() -> str:
    """The package's playbook as it is written."""
    return files("sidecar.playbooks").joinpath("standard.yaml").read_text("utf-8")


class _Text(fields.String):
    """A text whose places in braces are known ones, plainly named."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, *args, **kwargs)
        try:
            places = [place for _, *place in string.Formatter().parse(text)]
        except ValueError as exc:
            raise ValidationError(f"{exc}; write {{{{ for a brace") from exc
        for name, spec, conversion in places:
            if name is not None and (name not in PLACES or spec or conversion):
                known = ", ".join(sorted(PLACES))
                raise ValidationError(f"{{{name}}} is unknown; there are {known}")
        return text


_DAYS = re.compile(r"([1-9][0-9]{0,2}) days?")
_SHARE = re.compile(r"([1-9][0-9]?|100) ?%")


def _later(text: str) -> Promise | timedelta:
    """Working time, or days of the calendar."""
    if found := _DAYS.fullmatch(text):
        return timedelta(days=int(found[1]))
    try:
        promise = working_time(text)
    except ValueError as exc:
        raise ValueError(f"{exc} or '10 days'") from exc
    if promise == Promise():
        raise ValueError("leave it out: the action comes at once")
    return promise


def _share(text: str) -> int:
    if found := _SHARE.fullmatch(text):
        return int(found[1])
    raise ValueError("write it as '75 %'")


def _yes(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("write true or false")
    return text == "true"


def _field(text: str) -> str:
    if not re.fullmatch(FIELD, text):
        raise ValueError(f"{text!r} is no field's API name; write Rating, or Tier__c")
    for name, reason in NOT_SET.items():
        if text.lower() == name.lower():
            raise ValueError(f"{name} is set by no playbook: {reason}")
    return text


def _to() -> fields.String:
    return fields.String(load_default="owner", validate=validate.OneOf(TO))


def _name() -> Any:
    return validate.Regexp(NAME + r"\Z", error="use small letters, digits and hyphens")


class _TaskSchema(Schema):
    subject = _Text(required=True, validate=validate.Length(1, 200))
    description = _Text(load_default="", validate=validate.Length(max=4000))
    due = Parsed(working_time, load_default=Promise(days=1))
    priority = fields.String(load_default="Normal", validate=validate.OneOf(PRIORITIES))
    to = _to()

    @post_load
    def _make(self, data: dict[str, Any], **_options: Any) -> TaskRule:
        return TaskRule(**data)


class _EmailSchema(Schema):
    template = fields.String(required=True)
    to = _to()

    @post_load
    def _make(self, data: dict[str, str], **_: Any) -> EmailRule:
        return EmailRule(**data)


class _ChatSchema(Schema):
    channel = fields.String(required=True, validate=_name())
    text = _Text(required=True, validate=validate.Length(1, 1000))

    @post_load
    def _make(self, data: dict[str, str], **_: Any) -> ChatRule:
        return ChatRule(**data)


class _FieldSchema(Schema):
    field = Parsed(_field, required=True)
    value = _Text(required=True, validate=validate.Length(max=1000))

    @post_load
    def _make(self, data: dict[str, str], **_: Any) -> FieldRule:
        return FieldRule(**data)


class _CampaignSchema(Schema):
    campaign = fields.String(
        required=True,
        validate=validate.Regexp(
            CAMPAIGN + r"\Z", error="write the campaign's id, 701..."
        ),
    )
    status = fields.String(load_default="", validate=validate.Length(1, 40))

    @post_load
    def _make(self, data: dict[str, str], **_: Any) -> CampaignRule:
        return CampaignRule(**data)


class _WordSchema(Schema):
    template = fields.String(required=True, validate=validate.OneOf(TELLABLE))
    reasons = fields.List(
        fields.String(validate=validate.Length(1, 255)), load_default=list
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> WordRule:
        return WordRule(data["template"], frozenset(data["reasons"]))


class _AskSchema(Schema):
    @post_load
    def _make(self, _data: dict[str, Any], **_: Any) -> AskRule:
        return AskRule()


class _NudgeSchema(Schema):
    @post_load
    def _make(self, _data: dict[str, Any], **_: Any) -> NudgeRule:
        return NudgeRule()


class _ActionSchema(Schema):
    action = fields.String(required=True, validate=_name())
    when = Parsed(expressions.condition)
    task = fields.Nested(_TaskSchema)
    email = fields.Nested(_EmailSchema)
    chat = fields.Nested(_ChatSchema)
    set_field = fields.Nested(_FieldSchema)
    add_to_campaign = fields.Nested(_CampaignSchema)
    tell_referrer = fields.Nested(_WordSchema)
    ask_testimonial = fields.Nested(_AskSchema)
    nudge_referrer = fields.Nested(_NudgeSchema)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Action:
        rules = [data[kind] for kind in RULES if kind in data]
        if len(rules) != 1:
            raise ValidationError(f"an action is one of {', '.join(RULES)}")
        return Action(data["action"], rules[0], data.get("when"), data.get("after"))


class _LaterActionSchema(_ActionSchema):
    after = Parsed(_later)


class _OtherSchema(Schema):
    type = fields.String(load_default="", validate=validate.Length(1, 80))
    team = fields.String(load_default="", validate=validate.Length(1, 80))
    within = Parsed(working_time, required=True)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Within:
        if not data["type"] and not data["team"]:
            raise ValidationError("name a type or a team")
        return Within(**data)


def _actions() -> fields.List[Any]:
    return fields.List(fields.Nested(_ActionSchema), load_default=list)


class _AtRiskSchema(Schema):
    at = Parsed(_share, load_default=75)
    actions = _actions()


class _DueSchema(Schema):
    actions = _actions()


class _AfterSchema(Schema):
    after = Parsed(working_time, load_default=Promise())
    actions = _actions()


class _ClockSchema(Schema):
    milestones = fields.List(
        fields.Enum(Milestone, by_value=True),
        required=True,
        validate=validate.Length(min=1),
    )
    within = Parsed(working_time, required=True)
    others = fields.List(fields.Nested(_OtherSchema), load_default=list)
    rests_at = fields.List(fields.String(), load_default=list)
    writes_due = Parsed(_yes, load_default=False)
    at_risk = fields.Nested(_AtRiskSchema)
    due = fields.Nested(_DueSchema)
    overdue = fields.Nested(_AfterSchema)
    backup = fields.Nested(_AfterSchema)
    manager = fields.Nested(_AfterSchema)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> ClockRule:
        stages = {
            stage: StageRule(
                data[stage].get("at", data[stage].get("after", 100)),
                tuple(data[stage]["actions"]),
            )
            for stage in Stage
            if stage in data
        }
        _check_clock(data, stages)
        return ClockRule(
            name="",
            milestones=tuple(data["milestones"]),
            within=data["within"],
            others=tuple(data["others"]),
            stages=stages,
            rests_at=frozenset(data["rests_at"]),
            writes_due=data["writes_due"],
        )


def _check_clock(data: Mapping[str, Any], stages: Mapping[Stage, StageRule]) -> None:
    """Refuse promises of nothing, and stages that would come before earlier ones."""
    for within in (data["within"], *(other.within for other in data["others"])):
        if within == Promise():
            raise ValidationError({"within": ["promise more than nothing"]})
    if set(data["milestones"]) & {Milestone.WON, Milestone.LOST}:
        raise ValidationError({"milestones": ["nothing is promised at the end"]})
    before = Promise()
    for stage in (Stage.OVERDUE, Stage.BACKUP, Stage.MANAGER):
        if stage not in stages or not isinstance(at := stages[stage].at, Promise):
            continue
        # Of days and hours nobody can say which is longer: it depends on the team.
        if (at.days, at.hours) < (before.days, before.hours):
            raise ValidationError({stage: {"after": ["comes before the one above"]}})
        before = at


class _PlaybookSchema(Schema):
    version = fields.String(required=True, validate=validate.Length(1, 40))
    milestones = Named(
        keys=fields.Enum(Milestone, by_value=True),
        values=fields.List(fields.Nested(_LaterActionSchema)),
        required=True,
    )
    types = Named(
        keys=fields.String(validate=validate.Length(1, 80)),
        values=Named(
            keys=fields.Enum(Milestone, by_value=True),
            values=fields.List(fields.Nested(_LaterActionSchema)),
        ),
        load_default=dict,
    )
    clocks = Named(
        keys=fields.String(validate=_name()),
        values=fields.Nested(_ClockSchema),
        load_default=dict,
    )

    def __init__(self, templates: Collection[str]) -> None:
        super().__init__()
        self._templates = templates

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Playbook:
        faults = {
            "milestones": self._of_milestones(data["milestones"]),
            "types": {
                name: found
                for name, actions in data["types"].items()
                if (found := self._of_milestones(actions))
            },
            "clocks": {
                name: found
                for name, rule in data["clocks"].items()
                if (found := self._of_stages(rule.stages))
            },
        }
        if found := {name: told for name, told in faults.items() if told}:
            raise ValidationError(found)
        return Playbook(
            data["version"],
            _tuples(data["milestones"]),
            {name: _tuples(actions) for name, actions in data["types"].items()},
            tuple(_called(name, rule) for name, rule in data["clocks"].items()),
        )

    def _of_milestones(
        self, actions: Mapping[Milestone, Sequence[Action]]
    ) -> dict[str, Any]:
        return {
            name: found
            for name, listed in actions.items()
            if (found := self._faults(listed))
        }

    def _of_stages(self, stages: Mapping[Stage, StageRule]) -> dict[str, Any]:
        return {
            stage: {"actions": found}
            for stage, rule in stages.items()
            if (found := self._faults(rule.actions))
        }

    def _faults(self, actions: Sequence[Action]) -> dict[int, str]:
        """What is wrong with the actions of one milestone or stage, by their place."""
        found = {}
        names = [action.name for action in actions]
        for place, (name, rule) in enumerate(
            (item.name, item.rule) for item in actions
        ):
            if names.index(name) != place:
                found[place] = f"a second action {name!r}"
            elif isinstance(rule, EmailRule) and rule.template not in self._templates:
                known = ", ".join(self._templates)
                found[place] = f"no template {rule.template!r}; there are {known}"
        return found


def _tuples(
    actions: Mapping[Milestone, Sequence[Action]],
) -> dict[Milestone, tuple[Action, ...]]:
    return {name: tuple(listed) for name, listed in actions.items()}


def _called(name: str, rule: ClockRule) -> ClockRule:
    return replace(rule, name=name)
