"""Platform events: objects whose records are announced, never kept.

Source: "Platform Events Developer Guide": fields of an event message, what an event's
definition needs, which types its fields may have.
"""

from __future__ import annotations

from sidecar.devorg.ids import base62
from sidecar.devorg.metadata.apex import Code
from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import Element, Problem, check, number, text
from sidecar.devorg.metadata.work import Work, check_length, check_name, missing
from sidecar.devorg.notation import fields_from
from sidecar.devorg.schema import ObjectType

FIELD_TYPES = frozenset(
    ("Checkbox", "Date", "DateTime", "LongTextArea", "Number", "Text")
)

# Events that a trigger gets at once, at most.
_MOST_EVENTS = 2000

_SYSTEM = """
ReplayId string(1000) system
EventUuid string(36) system
CreatedDate datetime system
CreatedById reference(User) system rel=CreatedBy
"""


def apply(work: Work, part: Part, component_id: str) -> ObjectType:
    """
    Create a platform event, or change its settings.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element, name = part.element, part.full_name
    check(element, "CustomObject")
    check_name(name.removesuffix("__e"), most=40)
    for tag, needed in (
        ("label", "label"),
        ("pluralLabel", "pluralLabel"),
        ("deploymentStatus", "deploymentStatus"),
        ("eventType", "eventType"),
    ):
        if not text(element, tag):
            raise Problem(f"Must specify a non-empty {needed} for the CustomObject")
    for tag in ("label", "pluralLabel"):
        check_length(tag, text(element, tag), 40)
    if text(element, "sharingModel"):
        raise Problem("Can not specify 'sharingModel' for a platform event")
    known = work.org.schema.get(name)
    type_ = known or ObjectType(name, "", "", _prefix(work))
    type_.label = text(element, "label") or ""
    type_.plural = text(element, "pluralLabel") or ""
    type_.description = text(element, "description")
    type_.deployment_status = text(element, "deploymentStatus") or "Deployed"
    type_.id, type_.custom = component_id, True
    type_.updateable = type_.deletable = type_.queryable = False
    if known is None:
        type_.fields = fields_from(_SYSTEM)
        work.org.schema.add_type(type_)
    work.org.schema.version += 1
    return type_


def check_field(element: Element) -> None:
    """
    Check that a field can be one of an event.

    Raises:
        Problem: its type cannot, or it asks for what only records have.
    """
    kind = text(element, "type") or ""
    if kind not in FIELD_TYPES:
        raise Problem(f"Can not specify '{kind}' for a platform event field")
    for name in ("externalId", "unique", "trackHistory", "formula"):
        if text(element, name) not in {None, "false", "0"}:
            raise Problem(f"Can not specify '{name}' for a platform event field")


def _prefix(work: Work) -> str:
    """Platform events have key prefixes from ``e00`` on."""
    used = {type_.key_prefix for type_ in work.org.schema}
    number = next(n for n in range(62 * 62) if f"e{base62(n, 2)}" not in used)
    return f"e{base62(number, 2)}"


def subscriber(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep how a trigger on a platform event runs: batch size and user.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "PlatformEventSubscriberConfig")
    check_name(part.full_name)
    check_length("MasterLabel", text(element, "masterLabel"), 80)
    name = text(element, "platformEventConsumer") or ""
    trigger = work.need("platformEventConsumer", "ApexTrigger", name)
    code = trigger.value
    if not isinstance(code, Code) or not code.trigger_object.endswith("__e"):
        raise missing("platformEventConsumer", "ApexTrigger", name)
    size = number(element, "batchSize")
    if size is not None and not 1 <= size <= _MOST_EVENTS:
        raise Problem(f"batchSize must be between 1 and {_MOST_EVENTS}")
    username = text(element, "user")
    if username:
        user_id = work.org.user_named(username)
        users = work.org.records.table("User").rows
        if user_id is None or not users[user_id].get("IsActive"):
            raise missing("user", "User", username)
