"""YAML that admins write: values are text, and each fault is told with its place."""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

import yaml
from marshmallow import Schema, ValidationError, fields

from sidecar.errors import Permanent
from sidecar.referral.working_time import Promise

T = TypeVar("T")


class WrongDocument(Permanent):
    """What was written cannot be used; the text has a line for each place to mend."""


def load(
    text: str, schema: Schema, what: str, wrong: type[WrongDocument] = WrongDocument
) -> Any:
    """
    Read YAML by a schema.

    Args:
        what: the thing that the text describes, as ``playbook``.

    Raises:
        wrong: with every fault found, each as ``place: what is wrong``.
    """
    try:
        raw = yaml.load(text, _Loader)  # noqa: S506 it makes nothing but text
    except (yaml.YAMLError, ValueError, ArithmeticError, RecursionError) as exc:
        # PyYAML lets through what Python says of \UFFFFFFFF, or of a thousand [.
        raise wrong(f"the {what} is not YAML: {exc}") from exc
    if not isinstance(raw, dict):
        raise wrong(f"the {what} has none of the words that make one")
    try:
        return schema.load(raw)
    except ValidationError as exc:
        faults = "\n".join(_told(exc.messages))
        raise wrong(f"the {what} cannot be used:\n{faults}") from exc
    except RecursionError as exc:
        raise wrong(f"the {what} holds itself") from exc


class _Loader(yaml.BaseLoader):
    """
    YAML in which every value is text.

    So ``version: 1.10`` keeps its zero and ``action: no`` is a name. What YAML would
    let pass unnoticed is refused: a name that stands there twice.
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


class Named(fields.Dict):
    """A mapping whose faults stand under the names that its author wrote."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, *args, **kwargs)  # type: ignore[no-untyped-call]
        except ValidationError as exc:
            if not isinstance(exc.messages, dict):
                raise
            # marshmallow tells a name's own faults from those of what is below it.
            named = {
                name: found["key"] if "key" in found else found["value"]
                for name, found in exc.messages.items()
            }
            raise ValidationError(named) from exc


class Parsed(fields.Field[T]):
    """A text that ``parse`` reads; its ValueError is the fault."""

    def __init__(self, parse: Callable[[str], T], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._parse = parse

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> T:
        if not isinstance(value, str):
            raise ValidationError("Not a valid string.")
        try:
            return self._parse(value)
        except ValueError as exc:
            raise ValidationError(str(exc)) from exc


_WORKING = re.compile(r"([0-9]{1,3}) working (day|hour)s?")


def working_time(text: str) -> Promise:
    """
    Read a stretch of working time.

    Raises:
        ValueError: it is none.
    """
    found = _WORKING.fullmatch(text)
    if found is None:
        raise ValueError("write it as '2 working days' or '4 working hours'")
    amount = int(found[1])
    return Promise(days=amount) if found[2] == "day" else Promise(hours=amount)


def _told(messages: Any, *path: object) -> list[str]:
    """Flatten marshmallow's tree of faults into ``place: fault`` lines."""
    if isinstance(messages, Mapping):
        return [
            line for key, below in messages.items() for line in _told(below, *path, key)
        ]
    faults = messages if isinstance(messages, list) else [messages]
    return [f"{_place(path)}: {fault}" for fault in faults]


def _place(path: Sequence[object]) -> str:
    """``milestones.submitted[0].task``"""
    place = ""
    for key in path:
        if isinstance(key, int):
            place += f"[{key}]"
        elif key != "_schema":  # marshmallow speaks of the whole
            place += f".{key}" if place else str(key)
    return place
