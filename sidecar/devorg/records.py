"""Saving records in someone's name: create, update, upsert, delete, and read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sidecar.devorg import derived, references
from sidecar.devorg.checks import check, converted_lead
from sidecar.devorg.ids import full_id
from sidecar.devorg.permissions import PERMISSION_OBJECTS, Access
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import Field, ObjectType, Row, Schema
from sidecar.devorg.table import Table
from sidecar.devorg.values import ExternalReference, deserialise, typed

if TYPE_CHECKING:
    from sidecar.devorg.org import Org


@dataclass(slots=True)
class Save:
    """
    One record being saved.

    ``before`` is None for a new record. ``after`` may be changed in place by
    ``before_save`` hooks, and by nobody afterwards.
    """

    org: Org
    access: Access
    type: ObjectType
    before: Row | None
    after: Row

    @property
    def id(self) -> str:
        """The record's id, known before a new record is stored."""
        return str(self.after["Id"])

    @property
    def is_new(self) -> bool:
        """Tell whether the record is being created."""
        return self.before is None

    def changed(self, name: str) -> bool:
        """Tell whether the field's value differs from before; new: is not null."""
        return (self.before or {}).get(name) != self.after.get(name)


Hook = Callable[[Save], None]


class Records:
    """
    All records of an org.

    Hooks run in Salesforce's order of execution: ``before_save`` may change
    values, then come the system's checks, then ``validate`` (validation rules),
    then the record is stored, then ``after_save`` (record-triggered flows).
    ``before_delete`` runs before a record goes, not for those that go with it. A
    Refusal raised by any of them takes the save back.

    Methods take an object's name or type, and values by field name, as sent in
    JSON or as kept; ``values.deserialise`` may have been run before or not. All
    raise Refusal. Callers hold the org's lock (``Org.work``).
    """

    def __init__(self, org: Org) -> None:
        self._org = org
        self._tables: dict[str, Table] = {}
        # Object -> what brings its rows up to date before they are looked at.
        self.mirrors: dict[str, Callable[[Table], None]] = {}
        self.before_save: list[Hook] = []
        self.validate: list[Hook] = []
        self.after_save: list[Hook] = []
        self.after_delete: list[Callable[[ObjectType, Row, str], None]] = []
        self.before_delete: list[Hook] = []

    @property
    def schema(self) -> Schema:
        """The org's schema."""
        return self._org.schema

    def table(self, name: str) -> Table:
        """Return the records of one object, by its exact name."""
        found = self._tables.get(name)
        if found is None:
            touched = (
                self._org.permissions_changed if name in PERMISSION_OBJECTS else None
            )
            found = Table(name, journal=self._org.journal, touched=touched)
            self._tables[name] = found
        if (mirror := self.mirrors.get(name)) is not None:
            mirror(found)
        return found

    def forget_indexes(self) -> None:
        """Drop the indexes of all tables: field definitions have changed."""
        for each in self._tables.values():
            each.forget_indexes()

    def get(self, record_id: str) -> Row | None:
        """Return the record with this id, whatever its object; None if gone."""
        type_ = self.schema.of_id(record_id)
        full = full_id(record_id)
        return self.table(type_.name).rows.get(full) if type_ and full else None

    def create(
        self, access: Access, object_: str | ObjectType, values: Mapping[str, object]
    ) -> str:
        """Create a record and return its id."""
        type_ = self._type(object_)
        if not (type_.createable and access.may("Create", type_)):
            raise Refusal(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                f"entity type cannot be inserted: {type_.label}",
                fields=[],
            )
        with self._org.journal.savepoint():
            given = self._writable(access, type_, values, creating=True)
            self._org.usage.create(access, type_, given)
            now = self._org.clock.second()
            record_id = self._org.ids.new(type_.key_prefix or "000")
            after: Row = {
                "Id": record_id,
                "IsDeleted": False,
                "CreatedDate": now,
                "CreatedById": access.user_id,
            }
            for field in type_.fields.values():
                value = given.get(field.name, field.default)
                if value is not None:
                    after[field.name] = value
            if "ownerid" in type_.fields:
                after.setdefault("OwnerId", access.user_id)
            self._save(Save(self._org, access, type_, None, after))
        return record_id

    def update(
        self,
        access: Access,
        object_: str | ObjectType,
        record_id: str,
        values: Mapping[str, object],
    ) -> None:
        """Change a record; fields left out stay, None empties."""
        type_ = self._type(object_)
        before = self._existing(type_, record_id)
        if not (type_.updateable and access.may("Edit", type_)):
            raise _readonly()
        if before.get("IsConverted"):
            raise converted_lead()
        with self._org.journal.savepoint():
            given = self._writable(access, type_, values, creating=False)
            self._org.usage.edit(access, type_, given)
            self._change(access, type_, before, given)

    def amend(
        self, access: Access, name: str, record_id: str, values: Mapping[str, object]
    ) -> None:
        """Change fields that only the org writes; rules and flows run as ever."""
        type_ = self.schema[name]
        before = self._existing(type_, record_id)
        with self._org.journal.savepoint():
            self._change(access, type_, before, values)

    def _change(
        self,
        access: Access,
        type_: ObjectType,
        before: Row,
        values: Mapping[str, object],
    ) -> None:
        after = dict(before)
        for name, value in values.items():
            if value is None:
                after.pop(name, None)
            else:
                after[name] = value
        self._save(Save(self._org, access, type_, before, after))

    def upsert(
        self,
        access: Access,
        object_: str | ObjectType,
        field: Field,
        key: object,
        values: Mapping[str, object],
    ) -> tuple[str, bool]:
        """
        Update the record whose external id is ``key``, or create it.

        Returns:
            Its id, and whether it was created.
        """
        type_ = self._type(object_)
        found = self.matches(type_, field, key)
        self.used(access, type_, field)
        if len(found) > 1:
            raise Refusal(
                "DUPLICATE_EXTERNAL_ID",
                f"{field.name}: more than one record found for external id field: "
                f"[{', '.join(found)}]",
                fields=[field.name],
            )
        if found:
            self.update(access, type_, found[0], values)
            return found[0], False
        given = deserialise(access, type_, values)
        given[field.name] = typed(field, key)
        return self.create(access, type_, given), True

    def delete(self, access: Access, object_: str | ObjectType, record_id: str) -> None:
        """Move a record to the bin, and with it what hangs on it."""
        type_ = self._type(object_)
        row = self._existing(type_, record_id)
        if not type_.deletable or not access.may("Delete", type_):
            raise _readonly()
        with self._org.journal.savepoint():
            self._org.usage.delete(access, type_)
            save = Save(self._org, access, type_, row, dict(row))
            for hook in self.before_delete:
                hook(save)
            references.release(self, access, type_, str(row["Id"]))
            self.table(type_.name).delete(str(row["Id"]))
            for gone in self.after_delete:
                gone(type_, row, access.user_id)

    def matches(self, type_: ObjectType, field: Field, key: object) -> list[str]:
        """Return the ids of the records whose ``field`` is ``key``."""
        if field.type == "id":
            full = full_id(str(key))
            return [full] if full in self.table(type_.name).rows else []
        return self.table(type_.name).find(field, [key])

    def used(self, access: Access, type_: ObjectType, field: Field) -> None:
        """Note that a user's call found records by a field."""
        self._org.usage.read(access, type_, [field.name])

    def _type(self, object_: str | ObjectType) -> ObjectType:
        return self.schema[object_] if isinstance(object_, str) else object_

    def _existing(self, type_: ObjectType, record_id: str) -> Row:
        full = full_id(record_id)
        if full is None:
            raise Refusal("MALFORMED_ID", f"malformed id {record_id}", fields=["Id"])
        table = self.table(type_.name)
        row = table.rows.get(full)
        if row is not None:
            return row
        if full in table.bin:
            raise Refusal(
                "ENTITY_IS_DELETED", "entity is deleted", status=404, fields=[]
            )
        if type_.key_prefix and not full.startswith(type_.key_prefix):
            raise Refusal(
                "MALFORMED_ID",
                f"{type_.label} ID: id value of incorrect type: {record_id}",
                fields=["Id"],
            )
        raise Refusal(
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            status=404,
            fields=[],
        )

    def _writable(
        self,
        access: Access,
        type_: ObjectType,
        values: Mapping[str, object],
        *,
        creating: bool,
    ) -> dict[str, object]:
        given = deserialise(access, type_, values)
        if creating and "Id" in given:
            raise Refusal(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                "cannot specify Id in an insert call",
                fields=["Id"],
            )
        refused = [
            name
            for name in given
            if not _writes(access, type_, type_.fields[name.lower()], creating)
        ]
        if refused:
            raise Refusal(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {', '.join(refused)}. Please check "
                "the security settings of this field and verify that it is "
                "read/write for your profile or permission set.",
                fields=refused,
            )
        for name, value in given.items():
            if isinstance(value, ExternalReference):
                given[name] = references.resolve(self, access, value)
        return given

    def _save(self, save: Save) -> None:
        derived.prepare(save)
        for hook in self.before_save:
            hook(save)
        derived.complete(save)
        check(self, save.type, save.before, save.after, save.id)
        for hook in self.validate:
            hook(save)
        now = self._org.clock.second()
        save.after["LastModifiedDate"] = save.after["SystemModstamp"] = now
        save.after["LastModifiedById"] = save.access.user_id
        self.table(save.type.name).put(save.id, save.after)
        derived.follow_up(save)
        for hook in self.after_save:
            hook(save)


def _writes(access: Access, type_: ObjectType, field: Field, creating: bool) -> bool:
    open_ = field.createable if creating else field.updateable
    return open_ and field.compute is None and access.edits(type_, field)


def _readonly() -> Refusal:
    return Refusal(
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "insufficient access rights on object id",
        status=403,
        fields=[],
    )
