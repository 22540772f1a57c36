"""Playbooks as admins write them: YAML in, the mind's own values out."""

import re
import string
from collections.abc import Collection, Hashable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from marshmallow import Schema, ValidationError, fields, post_load, validate

from sidecar.errors import Permanent
from sidecar.referral.journey import Milestone
from sidecar.referral.playbook import (
    PLACES,
    Action,
    EmailRule,
    Playbook,
    TaskRule,
)
from sidecar.referral.working_time import Promise


class WrongPlaybook(Permanent):
    """A playbook cannot be used; the text has a line for each place to mend."""


def read(text: str, *, templates: Collection[str]) -> Playbook:
    """
    Read and check a playbook.

    Args:
        text: YAML.
        templates: names of the mail templates that exist.

    Raises:
        WrongPlaybook: with every fault found, each as ``place: what is wrong``.
    """
    try:
        raw = yaml.load(text, _Loader)  # noqa: S506 it makes nothing but text
    except (yaml.YAMLError, ValueError, ArithmeticError, RecursionError) as exc:
        # PyYAML lets through what Python says of \UFFFFFFFF, or of a thousand [.
        raise WrongPlaybook(f"the playbook is not YAML: {exc}") from exc
    if not isinstance(raw, dict):
        raise WrongPlaybook("the playbook has neither version nor milestones")
    try:
        loaded: Playbook = _PlaybookSchema(context_templates=templates).load(raw)
    except ValidationError as exc:
        faults = "\n".join(_told(exc.messages))
        raise WrongPlaybook(f"the playbook cannot be used:\n{faults}") from exc
    return loaded


@cache
def standard(templates: tuple[str, ...]) -> Playbook:
    """The playbook that the package brings along."""
    text = files("sidecar.playbooks").joinpath("standard.yaml").read_text("utf-8")
    return read(text, templates=templates)


class _Loader(yaml.BaseLoader):
    """
    YAML in which every value is text, as all of a playbook's are.

    So ``version: 1.10`` keeps its zero and ``action: no`` is a name. What YAML would
    let pass unnoticed is refused: a milestone that stands there twice.
    """

    def construct_scalar(self, node: yaml.ScalarNode) -> str:
        text: str = super().construct_scalar(node)
        if _UNKEPT.search(text):
            problem = "found a character that no database keeps"
            raise yaml.constructor.ConstructorError(
                None, None, problem, node.start_mark
            )
        return text

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, Any]:
        made = super().construct_mapping(node, deep)
        names: set[Hashable] = set()
        for key, _ in node.value:
            name = self.construct_object(key)
            if name in names:
                raise yaml.constructor.ConstructorError(
                    None, None, f"found {name!r} a second time", key.start_mark
                )
            names.add(name)
        return made


_UNKEPT = re.compile("[\0\ud800-\udfff]")
_DUE = re.compile(r"(\d{1,3}) working (day|hour)s?")


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


class _TaskSchema(Schema):
    subject = _Text(required=True, validate=validate.Length(1, 200))
    description = _Text(load_default="", validate=validate.Length(max=4000))
    due = fields.String(
        load_default="1 working day",
        validate=validate.Regexp(
            _DUE.pattern + r"\Z",
            error="write it as '2 working days' or '4 working hours'",
        ),
    )
    # The values of Task.Priority in a new org.
    priority = fields.String(
        load_default="Normal", validate=validate.OneOf(["High", "Normal", "Low"])
    )

    @post_load
    def _make(self, data: dict[str, str], **_options: Any) -> TaskRule:
        amount, _, unit = data["due"].split()
        of_days = unit.startswith("day")
        due = Promise(days=int(amount)) if of_days else Promise(hours=int(amount))
        return TaskRule(data["subject"], data["description"], due, data["priority"])


class _EmailSchema(Schema):
    template = fields.String(required=True)

    @post_load
    def _make(self, data: dict[str, str], **_: Any) -> EmailRule:
        return EmailRule(data["template"])


class _ActionSchema(Schema):
    action = fields.String(
        required=True,
        validate=validate.Regexp(
            r"[a-z][a-z0-9-]{0,62}\Z", error="use small letters, digits and hyphens"
        ),
    )
    task = fields.Nested(_TaskSchema)
    email = fields.Nested(_EmailSchema)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Action:
        rules = [data[kind] for kind in ("task", "email") if kind in data]
        if len(rules) != 1:
            raise ValidationError("an action is either a task or an email")
        return Action(data["action"], rules[0])


class _PlaybookSchema(Schema):
    version = fields.String(required=True, validate=validate.Length(1, 40))
    milestones = fields.Dict(
        keys=fields.Enum(Milestone, by_value=True),
        values=fields.List(fields.Nested(_ActionSchema)),
        required=True,
    )

    def __init__(self, *, context_templates: Collection[str]) -> None:
        super().__init__()
        self._templates = context_templates

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Playbook:
        actions: Mapping[Milestone, list[Action]] = data["milestones"]
        faults = {
            name: found
            for name, listed in actions.items()
            if (found := self._faults(listed))
        }
        if faults:
            raise ValidationError({"milestones": faults})
        return Playbook(
            data["version"], {name: tuple(listed) for name, listed in actions.items()}
        )

    def _faults(self, actions: Sequence[Action]) -> dict[int, str]:
        """What is wrong with the actions of one milestone, by their place."""
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


def _told(messages: Any, *path: object) -> list[str]:
    """Flatten marshmallow's tree of faults into ``place: fault`` lines."""
    if isinstance(messages, dict):
        return [
            line for key, below in messages.items() for line in _told(below, *path, key)
        ]
    faults = messages if isinstance(messages, list) else [messages]
    return [f"{_place(path)}: {fault}" for fault in faults]


def _place(path: Sequence[object]) -> str:
    """``milestones.submitted[0].task``"""
    place = ""
    for depth, key in enumerate(path):
        if isinstance(key, int):
            place += f"[{key}]"
        # marshmallow tells the names of milestones from what is below them, and
        # speaks of the whole schema.
        elif key != "_schema" and (depth != 2 or key not in {"key", "value"}):
            place += f".{key}" if place else str(key)
    return place
