"""Fields written down one to a line, as the standard objects are."""

import re

from sidecar.devorg.schema import NUMBER_TYPES, PICKLIST_TYPES, Field, PicklistValue

_SPEC = re.compile(
    r"(?P<name>\w+)\s+(?P<type>\w+)(?:\((?P<detail>[^)]*)\))?(?P<flags>[^|]*)"
    r"(?:\|\s*(?P<label>.*))?$"
)


def fields_from(spec: str, *, permissionable: bool = True) -> dict[str, Field]:
    """
    Read fields from lines of ``Name type(detail) flag flag=value | Label``.

    ``detail`` is a length, ``precision,scale``, picklist values parted by ``;``
    (the first with ``*`` is the default) or the objects referred to. Flags:
    required, defaulted, readonly, once (not updateable), system (readonly, seen
    by all), open (seen by all), name, unique, external, rel=, child=, cascade,
    restrict, restricted. A label left out is the name with spaces.
    """
    found: dict[str, Field] = {}
    for line in spec.strip().splitlines():
        match = _SPEC.match(line.strip())
        if match is None:
            raise ValueError(f"not a field: {line!r}")
        made = _field(match, permissionable=permissionable)
        found[made.key] = made
    return found


def _field(match: re.Match[str], *, permissionable: bool) -> Field:
    name, kind, detail = match["name"], match["type"], match["detail"] or ""
    flags = match["flags"].split()
    named = dict(flag.split("=", 1) for flag in flags if "=" in flag)
    made = Field(name, match["label"] or label_of(name), kind)
    _size(made, detail)
    if kind == "boolean":
        made.nillable, made.defaulted, made.default = False, True, False
    if "required" in flags:
        made.nillable, made.permissionable = False, False
    if "defaulted" in flags:
        made.nillable, made.defaulted, made.permissionable = False, True, False
    if "readonly" in flags or "system" in flags:
        made.createable = made.updateable = False
    if "system" in flags:
        made.nillable = kind == "reference" and "nillable" in flags
        made.defaulted, made.permissionable = True, False
    if "once" in flags:
        made.updateable = False
    if "open" in flags or not permissionable:
        made.permissionable = False
    made.name_field = "name" in flags
    made.unique = "unique" in flags
    made.external_id = "external" in flags
    made.restricted = "restricted" in flags
    made.delete_constraint = (
        "Cascade"
        if "cascade" in flags
        else "Restrict"
        if "restrict" in flags
        else "SetNull"
    )
    made.relationship_name = named.get("rel")
    made.child_relationship_name = named.get("child")
    if "default" in named:
        made.default = named["default"]
    return made


def _size(made: Field, detail: str) -> None:
    kind = made.type
    if kind == "reference":
        made.reference_to = tuple(detail.split(","))
        made.length = 18
    elif kind == "id":
        made.length = 18
    elif kind in PICKLIST_TYPES:
        made.length = 255
        made.values = [
            PicklistValue(text.strip("*"), text.strip("*"), default=text[-1:] == "*")
            for text in detail.split(";")
            if text
        ]
        made.default = next((v.value for v in made.values if v.default), None)
    elif kind in NUMBER_TYPES:
        precision, scale = (detail or "18,2").split(",")
        made.precision, made.scale = int(precision), int(scale)
    elif kind in {"email", "phone", "url"}:
        made.length = int(detail or {"email": 80, "phone": 40, "url": 255}[kind])
    elif kind in {"string", "textarea", "encryptedstring"}:
        made.length = int(detail or 255)


def label_of(name: str) -> str:
    """Return ``LastModifiedById`` as ``Last Modified By ID``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.removesuffix("__c"))
    return re.sub(r"\bId$", "ID", words.replace("_", " "))
