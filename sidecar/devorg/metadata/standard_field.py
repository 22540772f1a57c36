"""What may be said of a standard field, and how many fields an object tracks.

Source: "CustomField", Metadata API Developer Guide; for the limit "Field History
Tracking", Salesforce Help.
"""

from __future__ import annotations

from dataclasses import replace

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    NOT_AVAILABLE,
    Element,
    Problem,
    flag,
    name_of,
    text,
)
from sidecar.devorg.metadata.work import Work
from sidecar.devorg.schema import Field, ObjectType

_MOST_TRACKED = 20
# Without effect on the data.
_OF_STANDARD = frozenset(
    (
        "businessStatus",
        "complianceGroup",
        "description",
        "fullName",
        "inlineHelpText",
        "securityClassification",
        "trackFeedHistory",
        "trackHistory",
        "type",
    )
)


def check_tracked(work: Work, part: Part) -> None:
    """
    Hold the number of fields whose history an object keeps against its limit.

    Raises:
        Problem: this one would be too many.
    """
    if not flag(part.element, "trackHistory"):
        return
    object_name = part.full_name.partition(".")[0]
    others = [
        each.full_name
        for each in work.components.of_type("CustomField")
        if each.full_name.partition(".")[0] == object_name
        and each.full_name != part.full_name
        and flag(each.element, "trackHistory")
    ]
    if len(others) >= _MOST_TRACKED:
        raise Problem(
            f"You can't track the history of more than {_MOST_TRACKED} fields of "
            f"{object_name}"
        )


def change(type_: ObjectType, name: str, element: Element) -> Field:
    """
    Change what customers may change about a standard field.

    Raises:
        Problem: there is none of this name, or it asks for more.
    """
    found = type_.field(name)
    if found is None:
        raise Problem("Could not resolve standard field's name.")
    other = [name_of(each) for each in element if name_of(each) not in _OF_STANDARD]
    if other:
        raise Problem(f"{', '.join(other)}: {NOT_AVAILABLE}")
    made = replace(found, help_text=text(element, "inlineHelpText") or found.help_text)
    type_.fields[made.key] = made
    return made
