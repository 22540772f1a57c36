"""What the org's objects are made of: types, fields, picklists, references."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace

# A record: field name as the schema spells it -> typed value. A null is absent.
Row = dict[str, object]

PICKLIST_TYPES = frozenset(("picklist", "multipicklist", "combobox"))
TEXT_TYPES = PICKLIST_TYPES | {
    "string",
    "textarea",
    "email",
    "phone",
    "url",
    "encryptedstring",
    "id",
    "reference",
}
NUMBER_TYPES = frozenset(("double", "currency", "percent"))


@dataclass(slots=True)
class PicklistValue:
    """One choice: what the API stores, and what people read."""

    value: str
    label: str
    active: bool = True
    default: bool = False


@dataclass(slots=True)
class Field:
    """
    One field as describe tells it.

    ``type`` is the describe type: string, textarea, picklist, multipicklist,
    combobox, boolean, int, double, currency, percent, date, datetime, time,
    reference, id, email, phone, url, address. ``length`` counts characters.
    """

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    # False: whoever sees the object sees the field; no permission set names it.
    permissionable: bool = True
    # The org fills it in when a create leaves it out.
    defaulted: bool = False
    default: object = None
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    restricted: bool = False
    values: list[PicklistValue] = field(default_factory=list)
    global_value_set: str | None = None
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    child_relationship_name: str | None = None
    # What the parent's deletion does: SetNull, Restrict or Cascade.
    delete_constraint: str = "SetNull"
    custom: bool = False
    name_field: bool = False
    html: bool = False
    formula: str | None = None
    # Computed at each reading, never stored (formula fields, addresses).
    compute: Callable[[Row], object] | None = None
    help_text: str | None = None
    description: str | None = None
    id: str | None = None

    @property
    def key(self) -> str:
        """The name as requests are matched against it."""
        return self.name.lower()

    @property
    def required(self) -> bool:
        """A create without it, or an update to null, is refused."""
        return (
            not self.nillable
            and self.createable
            and not self.defaulted
            and self.type != "boolean"
        )

    def allows(self, value: str) -> bool:
        """Tell whether ``value`` is an active choice of this picklist."""
        return any(choice.value == value and choice.active for choice in self.values)


@dataclass(slots=True)
class ObjectType:
    """One sObject: its names, its fields, and what may be done with it."""

    name: str
    label: str
    plural: str
    key_prefix: str | None
    fields: dict[str, Field] = field(default_factory=dict)  # by lower-case name
    custom: bool = False
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    queryable: bool = True
    # Everyone with the API may read it; only setup rights write it.
    setup: bool = False
    # Served under /tooling/ instead of with the data.
    tooling: bool = False
    # The user permission that stands in for object permissions (tasks, events).
    edit_permission: str | None = None
    read_permission: str | None = None
    id: str | None = None
    description: str | None = None
    sharing_model: str = "ReadWrite"
    deployment_status: str = "Deployed"
    enable_activities: bool = False

    def field(self, name: str) -> Field | None:
        """Return the field of that name, in any case, or None."""
        return self.fields.get(name.lower())

    @property
    def name_field(self) -> Field | None:
        """The field that titles a record; None where there is none."""
        return next((f for f in self.fields.values() if f.name_field), None)

    def relationship(self, name: str) -> Field | None:
        """Return the reference field whose relationship has this name."""
        wanted = name.lower()
        for candidate in self.fields.values():
            if (candidate.relationship_name or "").lower() == wanted:
                return candidate
        return None


# Fields of the object Activity are fields of both.
ACTIVITY_OBJECTS = ("Task", "Event")


class Schema:
    """All object types of one org; changed by deployments alone."""

    def __init__(self, types: Iterable[ObjectType]) -> None:
        self.version = 0
        self._types: dict[str, ObjectType] = {}
        for each in types:
            self._types[each.name.lower()] = each

    def __iter__(self) -> Iterator[ObjectType]:
        return iter(self._types.values())

    def get(self, name: str) -> ObjectType | None:
        """Return the type of that name, in any case, or None."""
        return self._types.get(name.lower())

    def __getitem__(self, name: str) -> ObjectType:
        """Return the type of that name; KeyError when there is none."""
        return self._types[name.lower()]

    def of_id(self, record_id: str) -> ObjectType | None:
        """Return the type whose key prefix begins this id, or None."""
        prefix = record_id[:3]
        return next((t for t in self if t.key_prefix == prefix), None)

    def targets(self, object_name: str) -> list[ObjectType]:
        """
        Return the types that metadata means by this object name.

        ``Activity`` has no records of its own: its fields show on tasks and
        events. Any other name means one type, or none.
        """
        if object_name.lower() == "activity":
            return [self[name] for name in ACTIVITY_OBJECTS]
        found = self.get(object_name)
        return [found] if found else []

    def add_type(self, new: ObjectType) -> None:
        """Add an object type, or put it in the place of its namesake."""
        self._types[new.name.lower()] = new
        self.version += 1

    def remove_type(self, name: str) -> None:
        """Remove the object type; the caller has seen to its records."""
        self._types.pop(name.lower(), None)
        self.version += 1

    def add_field(self, object_name: str, new: Field) -> None:
        """
        Add a field, or put it in the place of its namesake.

        Raises:
            KeyError: there is no such object.
        """
        targets = self.targets(object_name)
        if not targets:
            raise KeyError(object_name)
        for target in targets:
            target.fields[new.key] = new
        self.version += 1

    def remove_field(self, object_name: str, name: str) -> None:
        """Remove a field; the caller has seen to its values."""
        for target in self.targets(object_name):
            target.fields.pop(name.lower(), None)
        self.version += 1

    def children(self, parent: str) -> list[tuple[ObjectType, Field]]:
        """Return the references that may point at ``parent``, with their objects."""
        return [
            (each, reference)
            for each in self
            for reference in each.fields.values()
            if parent in reference.reference_to
        ]

    def snapshot(self) -> Mapping[str, ObjectType]:
        """Return what ``restore`` needs to bring this state back."""
        saved: dict[str, ObjectType] = {}
        for key, each in self._types.items():
            saved[key] = copied = copy(each)
            copied.fields = {k: _copy_field(f) for k, f in each.fields.items()}
        return saved

    def restore(self, saved: Mapping[str, ObjectType]) -> None:
        """Go back to a snapshot: a deployment was rolled back."""
        self._types = dict(saved)
        self.version += 1


def _copy_field(original: Field) -> Field:
    return replace(original, values=[copy(value) for value in original.values])


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
