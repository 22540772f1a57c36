"""ApexClass and ApexTrigger: code that this org keeps but cannot run.

What a compiler would find is not found here, save that the code is of the class or the
trigger that its file is named after, and that the trigger's object exists.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import Element, Problem, check, text
from sidecar.devorg.metadata.rows import forget_rows, keep_row
from sidecar.devorg.metadata.work import Work, check_name

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_TYPE = re.compile(r"\b(?P<kind>class|interface|enum)\s+(?P<name>\w+)", re.IGNORECASE)
_TRIGGER = re.compile(
    r"\s*trigger\s+(?P<name>\w+)\s+on\s+(?P<object>\w+)\s*\((?P<events>[\w\s,]+)\)",
    re.IGNORECASE,
)
_IS_TEST = re.compile(r"@istest\b|\btestmethod\b", re.IGNORECASE)
_TEST_METHOD = re.compile(
    r"(?:@istest(?:\s*\([^)]*\))?\s+(?:(?:private|public|global)\s+)?static\s+void"
    r"|\btestmethod\s+(?:static\s+)?void|static\s+testmethod\s+void)\s+(?P<name>\w+)",
    re.IGNORECASE,
)
_EVENTS = frozenset(
    f"{when} {what}"
    for when in ("before", "after")
    for what in ("insert", "update", "delete", "undelete")
) - {"before undelete"}


@dataclass(frozen=True)
class Code:
    """
    A class or a trigger.

    Attributes:
        tests: names of its test methods; empty when it is no test.
        trigger_object: what a trigger is on; "" for a class.
    """

    name: str
    body: str
    tests: tuple[str, ...] = ()
    trigger_object: str = ""


def apex_class(work: Work, part: Part, component_id: str) -> Code:
    """
    Keep a class.

    Raises:
        Problem: Salesforce would refuse it.
    """
    body = _body(part, "ApexClass")
    plain = _COMMENT.sub(" ", body)
    found = _TYPE.search(plain)
    if found is None:
        raise Problem("Expecting a class declaration", line=1)
    if found["name"].lower() != part.full_name.lower():
        raise Problem(
            f"Invalid type: {found['name']}, the class name must match the file: "
            f"{part.full_name}"
        )
    _check_balanced(plain)
    tests = tuple(match["name"] for match in _TEST_METHOD.finditer(plain))
    _keep(work, part.element, part.full_name, component_id, body)
    return Code(part.full_name, body, tests if _IS_TEST.search(plain) else ())


def apex_trigger(work: Work, part: Part, _component_id: str) -> Code:
    """
    Keep a trigger.

    Raises:
        Problem: Salesforce would refuse it.
    """
    body = _body(part, "ApexTrigger")
    plain = _COMMENT.sub(" ", body)
    found = _TRIGGER.match(plain)
    if found is None:
        raise Problem("Expecting a trigger declaration", line=1)
    type_ = work.org.schema.get(found["object"])
    if type_ is None:
        raise Problem(f"Invalid type: {found['object']}")
    for event in found["events"].split(","):
        words = " ".join(event.split()).lower()
        only = type_.name.endswith("__e") and words != "after insert"
        if words not in _EVENTS or only:
            raise Problem(f"Invalid trigger event: {' '.join(event.split())}")
    _check_balanced(plain)
    return Code(part.full_name, body, trigger_object=type_.name)


def remove_class(work: Work, full_name: str) -> None:
    """
    Delete a class.

    Raises:
        Problem: other code or a permission set names it.
    """
    word = re.compile(rf"\b{re.escape(full_name)}\b", re.IGNORECASE)
    for type_ in ("ApexClass", "ApexTrigger"):
        for each in work.components.of_type(type_):
            code = each.value
            if each.full_name == full_name or work.leaving(type_, each.full_name):
                continue
            if isinstance(code, Code) and word.search(_COMMENT.sub(" ", code.body)):
                raise Problem(
                    "This apex class is referenced elsewhere in salesforce.com."
                    f" : {type_} - {each.full_name}"
                )
    found = work.components.get("ApexClass", full_name)
    if found is not None:
        forget_rows(work, "SetupEntityAccess", "SetupEntityId", found.id)
        forget_rows(work, "ApexClass", "Id", found.id)


def _body(part: Part, shape: str) -> str:
    check(part.element, shape)
    check_name(part.full_name, most=255)
    if text(part.element, "status") == "Deleted":
        raise Problem("status Deleted: use destructiveChanges.xml")
    content = base64.b64decode(text(part.element, "content") or "")
    return content.decode(errors="replace")


def _check_balanced(plain: str) -> None:
    code = re.sub(r"'(?:[^'\\\n]|\\.)*'", "''", plain)
    for opening, closing in ("{}", "()"):
        if code.count(opening) != code.count(closing):
            raise Problem(f"Missing '{closing}' at end of file", line=code.count("\n"))


def _keep(
    work: Work, element: Element, name: str, component_id: str, body: str
) -> None:
    keep_row(
        work,
        "ApexClass",
        component_id,
        {
            "Name": name,
            "ApiVersion": float(text(element, "apiVersion") or 0),
            "Status": text(element, "status"),
            "Body": body,
        },
    )
