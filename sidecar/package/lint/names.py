"""Names and texts: as Salesforce allows them, and no longer than it keeps them."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sidecar.package.lint.findings import Finding
from sidecar.package.lint.index import Index
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source

# What we hold ourselves to; some types allow twice as much.
SHORT = 40
_LONG = 80
# Most characters of a namespace.
_NAMESPACE = 15
_STRICT = frozenset({"CustomField", "CustomObject", "ValidationRule"})
# Types whose file is named by an API name, the part behind the object's.
_NAMED = frozenset(
    {
        *("CustomField", "CustomObject", "ValidationRule", "RecordType", "ListView"),
        *("CompactLayout", "FieldSet", "WebLink", "BusinessProcess", "GlobalValueSet"),
        *("Flow", "PermissionSet", "PermissionSetGroup", "CustomPermission"),
        *("CustomApplication", "QuickAction", "ReportType", "FlexiPage"),
        *("PathAssistant", "NamedCredential", "ExternalCredential", "Prompt"),
        *("CustomNotificationType", "DuplicateRule", "ApexClass", "ApexTrigger"),
        *("Report", "Dashboard", "ReportFolder", "DashboardFolder", "EmailTemplate"),
        *("PlatformEventSubscriberConfig", "Queue", "Group", "RemoteSiteSetting"),
    }
)
_SUFFIX = re.compile(r"__(c|e|mdt|x|b|kav|chn)$", re.IGNORECASE)
_SOUND = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")

# Type -> element -> most characters.
# Source: the limits that the Setup pages of each type state, and "Custom Field
# Attributes", Salesforce Help.
_LIMITS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "CustomField": {"label": 40, "inlineHelpText": 510, "description": 1000},
        "CustomObject": {"label": 40, "pluralLabel": 40, "description": 1000},
        "CustomFieldTranslation": {"label": 40, "help": 510},
        "ValidationRule": {"errorMessage": 255, "description": 255},
        "RecordType": {"label": 80, "description": 255},
        "ListView": {"label": 40},
        "CompactLayout": {"label": 80},
        "GlobalValueSet": {"masterLabel": 80, "description": 255},
        "PermissionSet": {"label": 80, "description": 255},
        "CustomPermission": {"label": 80, "description": 255},
        "CustomApplication": {"label": 40, "description": 255},
        "Flow": {"label": 255},
        "Report": {"name": 40, "description": 255},
        "ReportType": {"label": 50, "description": 255},
        "Dashboard": {"title": 80, "description": 255},
        "DashboardFolder": {"name": 40},
        "ReportFolder": {"name": 40},
        "EmailTemplate": {"name": 80, "subject": 230},
        "QuickAction": {"label": 80},
        "PathAssistant": {"masterLabel": 40},
        "DuplicateRule": {"masterLabel": 80, "alertText": 255},
        "NamedCredential": {"label": 80},
        "ExternalCredential": {"label": 80},
    }
)


def check(index: Index) -> Iterator[Finding]:
    """Yield names and texts that Salesforce would refuse or cut."""
    for source in index.documents:
        if source.type in _NAMED:
            yield from _name(index, source)
        yield from _texts(source)
        yield from _inner(source)


def _name(index: Index, source: Source) -> Iterator[Finding]:
    full = source.own_name.rpartition("/")[2]
    if source.type == "Flow":  # older tools wrote one file for each version
        full = re.sub(r"-\d+$", "", full)
    name = _SUFFIX.sub("", index.bare(full))
    custom = bool(_SUFFIX.search(full))
    if source.type in {"CustomField", "CustomObject"} and not custom:
        return  # Salesforce named it
    if "__" in name and (full.startswith("standard__") or _is_package(index, name)):
        return  # another package named it
    if "__" in name:
        message = f"{name} has two underscores together, which part a namespace off"
        yield finding("name/double-underscore", source.path, 1, source.name, message)
    elif not _SOUND.fullmatch(name):
        message = f"{name!r} is no API name"
        yield finding("name/characters", source.path, 1, source.name, message)
    most = SHORT if source.type in _STRICT else _LONG
    if len(name) > most:
        message = f"{name} has {len(name)} characters, at most {most} may be"
        yield finding("name/length", source.path, 1, source.name, message)
    elif len(name) > SHORT:
        message = f"{name} has {len(name)} characters"
        yield finding("name/long", source.path, 1, source.name, message)
    said = source.root.one("fullName")
    if said is not None and said.text.lower() not in {
        full.lower(),
        source.name.lower(),
        "",
    }:
        message = f"the file is named {full}, but says that it is {said.text}"
        yield finding("name/differs", source.path, said, source.name, message)


def _is_package(index: Index, name: str) -> bool:
    """Whoever holds things of another package holds several of them."""
    prefix = name.partition("__")[0].lower()
    return len(prefix) <= _NAMESPACE and index.prefixes[prefix] > 1


def _texts(source: Source) -> Iterator[Finding]:
    for tag, most in _LIMITS.get(source.type, {}).items():
        for node in source.root.all(tag):
            if len(node.text) > most:
                yield _too_long(source, node, most)


def _too_long(source: Source, node: Node, most: int) -> Finding:
    message = (
        f"the {node.name} of {source.name} has {len(node.text)} characters, "
        f"at most {most} are kept"
    )
    return finding("text/length", source.path, node, source.name, message)


def _inner(source: Source) -> Iterator[Finding]:
    if source.type == "Workflow":
        for node in source.root.all("outboundMessages", "fullName"):
            yield from _inner_name(source, node)
    elif source.type == "CustomLabels":
        for tag, most in (("value", 1000), ("shortDescription", 80)):
            for node in source.root.all("labels", tag):
                if len(node.text) > most:
                    yield _too_long(source, node, most)
        for node in source.root.all("labels", "fullName"):
            yield from _inner_name(source, node)
    elif source.type == "MatchingRules":
        for node in source.root.all("matchingRules", "fullName"):
            yield from _inner_name(source, node)
    elif source.type == "GlobalValueSet":
        for node in source.root.all("customValue", "label"):
            if len(node.text) > 255:
                yield _too_long(source, node, 255)


def _inner_name(source: Source, node: Node) -> Iterator[Finding]:
    if not _SOUND.fullmatch(node.text):
        rule = "double-underscore" if "__" in node.text else "characters"
        message = f"{node.text!r} is no API name"
        yield finding(f"name/{rule}", source.path, node, node.text, message)
    elif len(node.text) > _LONG:
        message = f"{node.text} has {len(node.text)} characters"
        yield finding("name/length", source.path, node, node.text, message)
