"""Prompt and CustomNotificationType: what people are told while they work.

Source: their pages in the Metadata API Developer Guide.
"""

from __future__ import annotations

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    children,
    flag,
    line_of,
    text,
)
from sidecar.devorg.metadata.navigation import need_app
from sidecar.devorg.metadata.work import Work, check_length, check_name, missing

_TITLE, _BODY, _LABEL = 75, 4000, 80


def prompt(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep an in-app prompt.

    Raises:
        Problem: Salesforce would refuse it.
    """
    check(part.element, "Prompt")
    check_name(part.full_name)
    check_length("MasterLabel", text(part.element, "masterLabel"), _LABEL)
    versions = children(part.element, "promptVersions")
    if not versions:
        raise Problem("Required field is missing: promptVersions")
    seen: set[str] = set()
    for each in versions:
        _version(work, each, seen)


def _version(work: Work, element: Element, seen: set[str]) -> None:
    key = f"{text(element, 'versionNumber')}.{text(element, 'stepNumber') or 1}"
    if key in seen:
        raise Problem(f"Duplicate prompt version: {key}", line=line_of(element))
    seen.add(key)
    check_length("Title", text(element, "title"), _TITLE)
    check_length("Body", text(element, "body"), _BODY)
    if app := text(element, "targetAppDeveloperName"):
        prefix = text(element, "targetAppNamespacePrefix")
        need_app(work, "targetAppDeveloperName", f"{prefix}__{app}" if prefix else app)
    username = text(element, "publishedByUser")
    if username and work.org.user_named(username) is None:
        raise missing("publishedByUser", "User", username)
    if flag(element, "isPublished") and not text(element, "startDate"):
        raise Problem("Required field is missing: startDate", line=line_of(element))


def notification_type(_work: Work, part: Part, _component_id: str) -> None:
    """
    Keep a type of notifications.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "CustomNotificationType")
    check_name(part.full_name)
    check_length("MasterLabel", text(element, "masterLabel"), _LABEL)
    if text(element, "customNotifTypeName") != part.full_name:
        raise Problem("customNotifTypeName must be the name of the file")
    if not (flag(element, "desktop") or flag(element, "mobile")):
        raise Problem("A notification type needs at least one channel")
