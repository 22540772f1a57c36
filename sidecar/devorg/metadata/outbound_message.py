"""WorkflowOutboundMessage: where a flow sends its notifications, and what of them."""

from __future__ import annotations

from urllib.parse import urlsplit

from sidecar.devorg.metadata.archive import NEWEST_API
from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import Problem, check, source, text, texts
from sidecar.devorg.metadata.work import Work, check_name, missing, object_of
from sidecar.devorg.outbound.message import Action


def apply(work: Work, part: Part, component_id: str) -> Action:
    """Create an outbound message, which flows may then send."""
    element = part.element
    check(element, "WorkflowOutboundMessage")
    object_name, _, name = part.full_name.partition(".")
    type_ = object_of(work, object_name)
    check_name(name)
    url = urlsplit(text(element, "endpointUrl") or "")
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise Problem(f"Invalid endpoint URL: {text(element, 'endpointUrl')}")
    version = float(text(element, "apiVersion") or 0)
    if version > NEWEST_API:
        raise Problem(f"Invalid version specified: {version}")
    username = text(element, "integrationUser") or ""
    user_id = work.org.user_named(username)
    users = work.org.records.table("User").rows
    if user_id is None or not users[user_id].get("IsActive"):
        raise missing("integrationUser", "User", username)
    fields = texts(element, "fields")
    for each in fields:
        found = type_.field(each)
        if found is None or found.type == "address":
            raise missing("fields", "CustomField", f"{object_name}.{each}")
    action = Action(
        id=component_id,
        full_name=part.full_name,
        object_name=type_.name,
        endpoint_url=text(element, "endpointUrl") or "",
        fields=tuple(fields),
        api_version=f"{version:.1f}",
        integration_user_id=user_id,
    )
    _set_action(work, component_id, action)
    return action


def remove(work: Work, full_name: str) -> None:
    """
    Delete an outbound message; what it has queued is dropped.

    Raises:
        Problem: a flow sends it.
    """
    component = work.components.get("WorkflowOutboundMessage", full_name)
    if component is None:
        return
    for flow in work.components.of_type("Flow"):
        if f">{full_name}<" in source(flow.element):
            raise Problem(
                "This outbound message is referenced elsewhere in salesforce.com."
                f" : Flow Version - {flow.full_name}"
            )
    _set_action(work, component.id, None)


def _set_action(work: Work, action_id: str, action: Action | None) -> None:
    actions = work.org.outbound.actions
    before = actions.get(action_id)

    def put(new: Action | None) -> None:
        if new is None:
            actions.pop(action_id, None)
        else:
            actions[action_id] = new

    work.org.journal.undo(lambda: put(before))
    put(action)
