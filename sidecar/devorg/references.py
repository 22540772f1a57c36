"""What binds records together: foreign keys by external id, and deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import Field, ObjectType
from sidecar.devorg.values import ExternalReference, typed

if TYPE_CHECKING:
    from sidecar.devorg.records import Records


def resolve(records: Records, access: Access, named: ExternalReference) -> str:
    """
    Return the id of a parent that a client named by external id.

    Raises:
        Refusal: no such field, no such parent, or several.
    """
    parent = records.schema.get(named.parent)
    field = access.readable(parent).get(named.field_name.lower()) if parent else None
    if parent is None or field is None or not key_field(field):
        raise Refusal(
            "INVALID_FIELD",
            f"{named.field_name} is not an External ID or Indexed field "
            f"for {named.parent}",
        )
    found = records.matches(parent, field, typed(field, named.value))
    records.used(access, parent, field)
    if len(found) == 1:
        return found[0]
    problem = "not found" if not found else "matches more than one record"
    raise Refusal(
        "INVALID_FIELD",
        f"Foreign key external ID: {named.value} {problem} for field {field.name} "
        f"in entity {parent.name}",
        fields=[],
    )


def key_field(field: Field) -> bool:
    """Tell whether records may be found by this field in a path or an upsert."""
    return field.external_id or field.type == "id"


def release(
    records: Records, access: Access, type_: ObjectType, record_id: str
) -> None:
    """
    Let go of everything that refers to a record about to be deleted.

    Children are deleted with it, emptied of the reference, or forbid it, as
    their field's ``delete_constraint`` says.

    Raises:
        Refusal: DELETE_FAILED, a child forbids it.
    """
    for child, field in records.schema.children(type_.name):
        table = records.table(child.name)
        if child.setup and field.delete_constraint != "Cascade":
            continue
        for child_id in table.find(field, [record_id]):
            if child_id not in table.rows:
                continue
            if field.delete_constraint == "Restrict":
                raise Refusal(
                    "DELETE_FAILED",
                    "Your attempt to delete the record could not be completed because "
                    f"it is associated with the following {child.plural}: {child_id}",
                    fields=[],
                )
            if field.delete_constraint == "Cascade":
                release(records, access, child, child_id)
                table.delete(child_id)
            else:
                row = table.rows[child_id]
                table.put(child_id, {k: v for k, v in row.items() if k != field.name})
