"""QuickAction and WebLink: what a page offers to do.

Source: "QuickAction" and "WebLink", Metadata API Developer Guide.
"""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    child,
    children,
    line_of,
    text,
)
from sidecar.devorg.metadata.work import (
    Work,
    check_length,
    check_name,
    missing,
    object_of,
)
from sidecar.devorg.schema import ObjectType

# Actions that every org with feeds has.
_STANDARD_TEXT = """
FeedItem.TextPost FeedItem.ContentPost FeedItem.LinkPost FeedItem.PollPost
FeedItem.RypplePost FeedItem.MobileSmartActions FeedItem.QuestionPost LogACall NewTask
NewEvent NewAccount NewContact NewLead NewOpportunity NewCase NewNote NewGroup SendEmail
Task.EditDescription Task.ChangeStatus Task.Defer Task.ChangePriority
Event.EditDescription Contact.SendEmail Lead.SendEmail
"""
_STANDARD = frozenset(_STANDARD_TEXT.split())
_LENGTH = 80


def need_action(work: Work, name: str) -> None:
    """
    Check that a page's action exists.

    Raises:
        Problem: "In field: QuickAction - no QuickAction named … found".
    """
    if name not in _STANDARD and work.components.get("QuickAction", name) is None:
        raise missing("QuickAction", "QuickAction", name)


def apply(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep an action, global (``New_Referrer``) or of an object (``Lead.Refer``).

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "QuickAction")
    home_name, _, name = part.full_name.rpartition(".")
    check_name(name)
    check_length("MasterLabel", text(element, "label"), _LENGTH)
    if text(element, "label") is None and text(element, "standardLabel") is None:
        raise Problem("Required field is missing: label")
    home = object_of(work, home_name) if home_name else None
    kind = text(element, "type")
    if kind in {"Create", "LogACall", "Update"}:
        _form(work, element, kind, home)
    elif kind == "Flow":
        work.need("flowDefinition", "Flow", text(element, "flowDefinition") or "")
    elif kind != "SendEmail":
        for tag, type_ in (
            ("lightningComponent", "AuraDefinitionBundle"),
            ("lightningWebComponent", "LightningComponentBundle"),
            ("page", "ApexPage"),
            ("canvas", "ConnectedApp"),
        ):
            if (value := text(element, tag)) is not None:
                raise missing(tag, type_, value)
        raise Problem(f"Required field is missing for a QuickAction of type {kind}")


def _form(work: Work, element: Element, kind: str, home: ObjectType | None) -> None:
    target = _target(work, element, kind, home)
    if parent := text(element, "targetParentField"):
        _parent(target, parent, home)
    if record_type := text(element, "targetRecordType"):
        name = record_type if "." in record_type else f"{target.name}.{record_type}"
        if not name.endswith(".Master"):
            work.need("targetRecordType", "RecordType", name)
    shown = [_field(target, each) for each in _fields(element)]
    if len(set(shown)) < len(shown):
        twice = next(each for each in shown if shown.count(each) > 1)
        raise Problem(f"Duplicate field in the action's layout: {twice}")
    for each in children(element, "fieldOverrides"):
        _override(target, each)


def _target(
    work: Work, element: Element, kind: str, home: ObjectType | None
) -> ObjectType:
    if kind == "LogACall":
        return work.org.schema["Task"]
    name = text(element, "targetObject")
    if kind == "Update":
        if home is None:
            raise Problem("An Update action must belong to an object")
        return home
    if not name:
        raise Problem("Required field is missing: targetObject")
    target = work.org.schema.get(name)
    if target is None or target.setup or target.tooling:
        raise missing("targetObject", "CustomObject", name)
    return target


def _parent(target: ObjectType, name: str, home: ObjectType | None) -> None:
    field = target.field(name) or target.relationship(name)
    if field is None or (home and home.name not in field.reference_to):
        raise missing("targetParentField", "CustomField", f"{target.name}.{name}")


def _fields(element: Element) -> Iterator[Element]:
    layout = child(element, "quickActionLayout")
    if layout is None:
        return
    for column in children(layout, "quickActionLayoutColumns"):
        for item in children(column, "quickActionLayoutItems"):
            if text(item, "field"):
                yield item


def _field(target: ObjectType, item: Element) -> str:
    name = text(item, "field") or ""
    field = target.field(name)
    if field is None:
        raise Problem(
            f"In field: field - no CustomField named {target.name}.{name} found",
            line=line_of(item),
        )
    return field.name


def _override(target: ObjectType, element: Element) -> None:
    name = text(element, "field") or ""
    if target.field(name) is None:
        raise missing("field", "CustomField", f"{target.name}.{name}")
    if (text(element, "formula") is None) == (text(element, "literalValue") is None):
        raise Problem("A field override needs either a formula or a literalValue")


def web_link(work: Work, part: Part, _component_id: str) -> None:
    """Keep a button or a link of an object."""
    element = part.element
    check(element, "WebLink")
    object_name, _, name = part.full_name.partition(".")
    object_of(work, object_name)
    check_name(name)
    if text(element, "linkType") == "url" and not text(element, "url"):
        raise Problem("Required field is missing: url")
    if page := text(element, "page"):
        raise missing("page", "ApexPage", page)
