"""EmailTemplate: the text of a mail, with the record's fields in it.

Source: "EmailTemplate", Metadata API Developer Guide. Merge fields are not looked into:
Salesforce writes nothing in the place of one that it does not know.
"""

from __future__ import annotations

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import Problem, check, child, text
from sidecar.devorg.metadata.report import need_folder
from sidecar.devorg.metadata.work import Work, check_length, check_name, missing


def apply(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep an e-mail template.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "EmailTemplate")
    folder, _, name = part.full_name.rpartition("/")
    if folder != "unfiled$public":
        need_folder(work, "EmailFolder", folder)
    check_name(name)
    check_length("Name", text(element, "name"), 80)
    check_length("Subject", text(element, "subject"), 255)
    kind = text(element, "type")
    if kind == "visualforce":
        raise Problem("visualforce: Not available for deploy for this organization")
    if kind == "html" and not text(element, "letterhead"):
        raise Problem("Required field is missing: letterhead")
    if letterhead := text(element, "letterhead"):
        raise missing("letterhead", "Letterhead", letterhead)
    if text(element, "style") != "none" and kind in {"text", "custom"}:
        raise Problem(f"A template of type {kind} must have the style none")
    related = text(element, "relatedEntityType")
    if text(element, "uiType") == "SFX" and not related:
        raise Problem("Required field is missing: relatedEntityType")
    if related and work.org.schema.get(related) is None:
        raise missing("relatedEntityType", "CustomObject", related)
    if child(element, "attachedDocuments") is not None:
        raise missing(
            "attachedDocuments", "Document", text(element, "attachedDocuments") or ""
        )
