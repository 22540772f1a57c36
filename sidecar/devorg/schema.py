"""What the org's objects are made of: types, fields, picklists, references."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field

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
        """
        Return what ``restore`` needs to bring this state back.

        Types may change in place; fields are put in each other's place.
        """
        saved: dict[str, ObjectType] = {}
        for key, each in self._types.items():
            saved[key] = copied = copy(each)
            copied.fields = dict(each.fields)
        return saved

    def restore(self, saved: Mapping[str, ObjectType]) -> None:
        """Go back to a snapshot: a deployment was rolled back."""
        self._types = dict(saved)
        self.version += 1
