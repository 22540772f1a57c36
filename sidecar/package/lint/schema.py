"""Is each element one that Salesforce's own schema of the Metadata API knows?

The schema is the ``metadata.wsdl`` that Salesforce publishes; simple-salesforce ships
it, here it is only read. Order is free in a file, but the repeats of an element must
stand together, or the API refuses them ("duplicated at this location").
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

from sidecar.errors import Permanent
from sidecar.package.lint.near import nearest
from sidecar.package.lint.nodes import Node

_XSD = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True, slots=True)
class Element:
    """What may stand in one place."""

    type: str
    """``string``, ``boolean`` ..., or the name of a type of the schema."""
    required: bool
    repeats: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """One place that the schema does not allow."""

    rule: str
    node: Node
    name: str
    message: str
    sure: bool = True
    """False where a newer version, or another org, may know it."""


Type = Mapping[str, Element]


@dataclass(frozen=True, slots=True)
class Schema:
    """The types of the Metadata API."""

    types: Mapping[str, Type]
    enums: Mapping[str, frozenset[str]]
    bases: Mapping[str, str]
    version: float
    """API version that it describes."""

    def is_a(self, type_name: str, base: str) -> bool:
        """Say whether a type is, or extends, another."""
        while type_name and type_name != base:
            type_name = self.bases.get(type_name, "")
        return bool(type_name)


# What the org lacked whose schema it is: it shows only what its features allow.
# Source: "CustomField", "ValidationRule" and "QuickAction", Metadata API Developer
# Guide.
_ALSO: Mapping[tuple[str, str], str] = {
    ("CustomField", "displayLocationInDecimal"): "boolean",
    ("ValidationRule", "shouldEvaluateOnClient"): "boolean",
}
_ALSO_VALUES: Mapping[str, frozenset[str]] = {
    "QuickActionType": frozenset(
        {"CaseComment", "ChangeDueDate", "ChangePriority", "ChangeStatus", "Email"}
    ),
    "FlowDataType": frozenset({"Time"}),
}
# The schema wants these, and the API does without them.
_SPARED = frozenset(
    {
        "ApexClass.status",
        "ApexTrigger.status",
        "SharingCriteriaRule.includeRecordsOwnedByAll",
    }
)


@cache
def official() -> Schema:
    """
    Read Salesforce's schema, once in a process.

    Raises:
        Permanent: simple-salesforce does not ship it any more.
    """
    # Without an import: that would load the whole SOAP client.
    spec = find_spec("simple_salesforce")
    places = spec.submodule_search_locations if spec else None
    path = Path(places[0] if places else "") / "metadata.wsdl"
    if not path.is_file():
        raise Permanent("simple-salesforce holds no metadata.wsdl: install >= 1.12.10")
    return read(path.read_bytes())


def read(wsdl: bytes) -> Schema:
    """Read the types of a WSDL of the Metadata API."""
    root = etree.fromstring(wsdl)
    own: dict[str, dict[str, Element]] = {}
    bases: dict[str, str] = {}
    for kind in root.iter(f"{_XSD}complexType"):
        name = kind.get("name")
        if not name:
            continue
        own[name] = {
            element.get("name", ""): Element(
                type=element.get("type", "anyType").rpartition(":")[2],
                required=element.get("minOccurs") != "0",
                repeats=element.get("maxOccurs") == "unbounded",
            )
            for element in kind.iter(f"{_XSD}element")
        }
        extension = kind.find(f".//{_XSD}extension")
        if extension is not None:
            bases[name] = extension.get("base", "").rpartition(":")[2]
    enums = {
        kind.get("name", ""): frozenset(
            value.get("value", "") for value in kind.iter(f"{_XSD}enumeration")
        )
        for kind in root.iter(f"{_XSD}simpleType")
    }
    for (holder, tag), type_name in _ALSO.items():
        if holder in own:
            own[holder].setdefault(tag, Element(type_name, False, False))
    for name, values in _ALSO_VALUES.items():
        enums[name] = enums.get(name, frozenset()) | values
    types = {name: _whole(name, own, bases) for name in own}
    told = re.search(rb"/services/Soap/m/(\d+\.\d)", wsdl)
    version = float(told[1]) if told else 0.0
    return Schema(types=types, enums=enums, bases=bases, version=version)


def _whole(
    name: str, own: Mapping[str, Mapping[str, Element]], bases: Mapping[str, str]
) -> Type:
    """Join a type with what it extends; what is its own comes last."""
    base = bases.get(name)
    inherited = _whole(base, own, bases) if base in own and base else {}
    return {**inherited, **own[name]}


def check(root: Node, schema: Schema) -> Iterator[Fault]:
    """Yield what is wrong in a document."""
    if root.name not in schema.types:
        message = f"the schema knows no type {root.name}"
        yield _unknown("schema/unknown-type", root, message, schema.types)
        return
    yield from _check(root, root.name, root.name, schema)


def _check(node: Node, type_name: str, path: str, schema: Schema) -> Iterator[Fault]:
    if node.xsi_type and schema.is_a(node.xsi_type, type_name):
        type_name = node.xsi_type
    allowed = schema.types.get(type_name)
    if allowed is None:
        yield from _simple(node, type_name, path, schema)
        return
    if node.nil:
        return
    if node.text:
        message = f"{path} holds text between its elements: {_short(node.text)}"
        yield Fault("schema/stray-text", node, path, message)

    seen: set[str] = set()
    before = ""
    for kid in node.kids:
        element = allowed.get(kid.name)
        where = f"{path}.{kid.name}"
        if element is None:
            message = f"{type_name} has no element {kid.name}"
            yield _unknown("schema/unknown-element", kid, message, allowed, where)
            before = kid.name
            continue
        if kid.name in seen and not element.repeats:
            message = f"{where} may stand only once"
            yield Fault("schema/repeated", kid, where, message)
        elif kid.name in seen and before != kid.name:
            message = f"{where} is repeated, but not beside the others of its name"
            yield Fault("schema/scattered", kid, where, message)
        seen.add(kid.name)
        before = kid.name
        yield from _check(kid, element.type, where, schema)
    for name, element in allowed.items():
        spared = f"{type_name}.{name}" in _SPARED
        if element.required and name not in seen and not spared:
            message = f"{path} lacks {name}"
            yield Fault("schema/required", node, f"{path}.{name}", message)


def _simple(node: Node, type_name: str, path: str, schema: Schema) -> Iterator[Fault]:
    # What the API takes as bytes stands unpacked in a file; anyType is anything.
    if node.nil or type_name in {"base64Binary", "anyType"}:
        return
    if node.kids:
        message = f"{path} is a {type_name} and holds no elements"
        yield _unknown("schema/unknown-element", node.kids[0], message, ())
        return
    values = schema.enums.get(type_name)
    if values:
        if node.text not in values:
            message = f"{path} cannot be {_short(node.text)}"
            yield _unknown("schema/enum", node, message, values, path)
    elif not _PLAIN.get(type_name, _anything)(node.text):
        message = f"{path} must be {_SAID[type_name]}, not {_short(node.text)}"
        yield Fault("schema/value", node, path, message)


def _unknown(
    rule: str, node: Node, message: str, known: object, name: str = ""
) -> Fault:
    near = nearest(
        node.text if rule == "schema/enum" else node.name,
        known if isinstance(known, Mapping | frozenset) else (),
    )
    # Values depend on what an org has; only a slip of the pen is sure to be one.
    sure = rule != "schema/enum" or bool(near)
    return Fault(rule, node, name or node.name, message + near, sure)


def _anything(_text: str) -> bool:
    return True


def _int(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?\d{1,10}", text)) and abs(int(text)) < 2**31 + 1


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: bool(compiled.fullmatch(text))


_DAY = r"-?\d{4,}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_HOUR = r"([01]\d|2[0-4]):[0-5]\d:[0-5]\d(\.\d+)?"
_ZONE = r"(Z|[+-]\d\d:\d\d)?"
_PLAIN: Mapping[str, Callable[[str], bool]] = {
    "boolean": lambda text: text in {"true", "false", "1", "0"},
    "int": _int,
    "double": _matches(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|-?INF|NaN"),
    "date": _matches(_DAY + _ZONE),
    "time": _matches(_HOUR + _ZONE),
    "dateTime": _matches(_DAY + "T" + _HOUR + _ZONE),
}
_SAID = {
    "boolean": "true or false",
    "int": "a whole number",
    "double": "a number",
    "date": "a date such as 2026-01-31",
    "time": "a time such as 09:00:00.000Z",
    "dateTime": "a moment such as 2026-01-31T09:00:00.000Z",
}


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
