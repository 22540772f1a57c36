"""The order in which components leave an org, as steps to be done one by one.

What uses goes before what is used: Salesforce refuses to delete a field that a flow,
a page or a conversion mapping still names.

Source: "Deleting Components from an Organization", Metadata API Developer Guide, and
what installers of other packages learned: a flow without a version number in the
manifest is refused, ``purgeOnDelete`` is refused in production, record types have no
delete in the API.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from sidecar.package.archive import MANIFEST
from sidecar.package.identity import leaf
from sidecar.package.parts import Name, Part, join, manifest

StepKind = Literal[
    "deactivate_flows", "delete_flow_versions", "unassign", "deploy", "by_hand"
]
DESTRUCTIVE = "destructiveChanges.xml"


@dataclass(frozen=True)
class Step:
    """One thing to do; the next waits for it."""

    kind: StepKind
    title: str
    """For people: ``Delete fields and objects``."""
    names: tuple[str, ...] = ()
    """Flows to deactivate or delete, permission sets to unassign, record types to be
    deleted by hand, or what a ``deploy`` deletes or restores."""
    archive: Mapping[str, bytes] = field(default_factory=dict)
    """Of a ``deploy``: package.xml, files, perhaps destructiveChanges.xml."""
    may_fail: str = ""
    """Not empty: why Salesforce may refuse this step although all is well; the next
    steps are then still to be done."""


@dataclass(frozen=True)
class _Group:
    title: str
    types: frozenset[str]
    may_fail: str = ""


_FOLDER = "a folder stays while the customer keeps own things in it"
_BIN = (
    "a value set is held by deleted fields for the 15 days that they can be restored; "
    "run the uninstall again after that, or erase the fields in Setup"
)
_FIRST = (
    _Group(
        "Delete outbound messages",
        frozenset({"WorkflowRule", "WorkflowOutboundMessage"}),
    ),
    _Group("Delete event subscriptions", frozenset({"PlatformEventSubscriberConfig"})),
    _Group("Delete Apex triggers", frozenset({"ApexTrigger"})),
    _Group("Delete Apex classes", frozenset({"ApexClass"})),
    _Group("Delete dashboards", frozenset({"Dashboard"})),
    _Group("Delete reports", frozenset({"Report"})),
    _Group("Delete report types", frozenset({"ReportType"})),
)
_FOLDERS = _Group("Delete empty folders", frozenset({"Folder"}), _FOLDER)
_PAGES = _Group(
    "Delete pages, tabs and actions",
    frozenset(
        {
            "CustomApplication",
            "CustomTab",
            "EmailTemplate",
            "FlexiPage",
            "Layout",
            "PathAssistant",
            "Prompt",
            "QuickAction",
        }
    ),
)
_SETS = _Group(
    "Delete permission sets", frozenset({"PermissionSet", "PermissionSetGroup"})
)
_DUPLICATES = _Group("Delete duplicate rules", frozenset({"DuplicateRule"}))
_MATCHES = _Group("Delete matching rules", frozenset({"MatchingRule"}))
_VIEWS = _Group(
    "Delete rules and views",
    frozenset({"CompactLayout", "FieldSet", "ListView", "ValidationRule"}),
)
_DATA = _Group("Delete fields and objects", frozenset({"CustomField", "CustomObject"}))
_VALUES = _Group("Delete value sets", frozenset({"GlobalValueSet"}), _BIN)
_NO_API = frozenset({"BusinessProcess", "RecordType"})
_GROUPS = (
    *(*_FIRST, _PAGES, _FOLDERS, _SETS),
    *(_DUPLICATES, _MATCHES, _VIEWS, _DATA, _VALUES),
)
_KNOWN = frozenset({"Flow"}).union(_NO_API, *(group.types for group in _GROUPS))
UNDELETABLE: Mapping[str, str] = MappingProxyType(
    {
        "LeadConvertSettings": "cannot be deleted: it stays without our mappings",
        "Settings": "cannot be deleted: it stays without ours",
        "StandardValueSet": "cannot be deleted: it stays without our values",
    }
)
# They go with what they translate; to deploy them empty would do nothing.
TRANSLATIONS = frozenset(
    {"CustomObjectTranslation", "GlobalValueSetTranslation", "Translations"}
)


def in_order(
    delete: Iterable[Part],
    restore: Iterable[Part],
    *,
    beside: Iterable[Part],
    api_version: str,
) -> tuple[Step, ...]:
    """
    Order the removal of components; nothing to do gives no step.

    Args:
        delete: as they are in the org now; children of an object that goes are left
            to it.
        restore: in the version that is put back.
        beside: what has to stand in restored files, too.
    """
    found = _without_children(list(delete))
    by_type: dict[str, list[Part]] = {}
    for part in found:
        by_type.setdefault(_type(part), []).append(part)

    def gone(*groups: _Group) -> Iterator[Step]:
        for group in groups:
            parts = [p for t in sorted(group.types) for p in by_type.get(t, [])]
            if parts:
                yield _deletion(group, parts, api_version)

    back = list(restore)
    settings = [part for part in back if part.type == "LeadConvertSettings"]
    files = [part for part in back if part.type != "LeadConvertSettings"]
    others = _Group("Delete the rest", frozenset(by_type) - _KNOWN)
    return (
        *_flows(by_type.get("Flow", [])),
        *gone(*_FIRST),
        *_put_back("Put back what was there", files, list(beside), api_version),
        *gone(_PAGES, _FOLDERS),
        *_put_back("Put back the lead conversion", settings, [], api_version),
        *_unassign(by_type.get("PermissionSet", [])),
        *gone(_SETS),
        *gone(_DUPLICATES),
        *_deactivated(by_type.get("MatchingRule", []), api_version),
        *gone(_MATCHES, _VIEWS, others),
        *_by_hand([p for t in sorted(_NO_API) for p in by_type.get(t, [])]),
        *gone(_DATA, _VALUES),
    )


def deletion(rows: Iterable[Name], *, api_version: str) -> dict[str, bytes]:
    """Give the package that deletes components and brings none."""
    return {
        MANIFEST: manifest((), api_version=api_version),
        DESTRUCTIVE: manifest(
            ((kind, name.rstrip("/")) for kind, name in rows), api_version=api_version
        ),
    }


def _type(part: Part) -> str:
    """Give the type; of a folder ``Folder``, since it goes after its contents."""
    return "Folder" if part.node.tag.endswith("Folder") else part.type


def _without_children(parts: list[Part]) -> list[Part]:
    objects = {part.name for part in parts if part.type == "CustomObject"}
    return [
        part
        for part in parts
        if part.type == "CustomObject"
        or not (
            (part.file.startswith("objects/") and part.name.split(".")[0] in objects)
            or (part.type == "Layout" and part.name.split("-")[0] in objects)
        )
    ]


def _deletion(group: _Group, parts: list[Part], api_version: str) -> Step:
    return Step(
        kind="deploy",
        title=group.title,
        names=tuple(f"{part.type} {part.name}" for part in parts),
        archive=deletion((part.key for part in parts), api_version=api_version),
        may_fail=group.may_fail,
    )


def _flows(parts: list[Part]) -> Iterator[Step]:
    if names := tuple(part.name for part in parts):
        yield Step("deactivate_flows", "Deactivate the flows", names)
        yield Step("delete_flow_versions", "Delete all versions of the flows", names)


def _put_back(
    title: str, parts: list[Part], beside: list[Part], api_version: str
) -> Iterator[Step]:
    if parts:
        files = {part.file for part in parts}
        yield Step(
            kind="deploy",
            title=title,
            names=tuple(f"{part.type} {part.name}" for part in parts),
            archive=join(
                parts,
                beside=[part for part in beside if part.file in files],
                api_version=api_version,
            ),
        )


def _unassign(parts: list[Part]) -> Iterator[Step]:
    if names := tuple(part.name for part in parts):
        yield Step("unassign", "Take the permission sets from everybody", names)


def _deactivated(parts: list[Part], api_version: str) -> Iterator[Step]:
    """An active matching rule cannot be deleted."""
    active = [part for part in parts if part.node.value("ruleStatus") != "Inactive"]
    if active:
        inactive = [
            replace(
                part,
                node=replace(
                    part.node,
                    children=tuple(
                        leaf(c.tag, "Inactive") if c.tag == "ruleStatus" else c
                        for c in part.node.children
                    ),
                ),
            )
            for part in active
        ]
        yield Step(
            kind="deploy",
            title="Deactivate the matching rules",
            names=tuple(f"{part.type} {part.name}" for part in active),
            archive=join(inactive, api_version=api_version),
        )


def _by_hand(parts: list[Part]) -> Iterator[Step]:
    if parts:
        yield Step(
            "by_hand",
            "Delete in Setup what the API cannot delete",
            tuple(f"{part.type} {part.name}" for part in parts),
        )
