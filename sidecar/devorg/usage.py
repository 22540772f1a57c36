"""What each user's calls touch: the rights that a permission set has to grant them.

Told by the back door. Flows and other work of the org itself need no rights, and are
not written down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sidecar.devorg.schema import ObjectType

if TYPE_CHECKING:
    from sidecar.devorg.permissions import Access


@dataclass
class Touched:
    """One object, and which of its fields were read, set or changed."""

    read: set[str] = field(default_factory=set)
    create: set[str] | None = None
    edit: set[str] | None = None
    delete: bool = False


class Usage:
    """Rights used, by the ids of the users who used them."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, Touched]] = {}
        self._permissions: dict[str, set[str]] = {}

    def read(self, access: Access, type_: ObjectType, names: Iterable[str]) -> None:
        """Note that fields were read; none of them still means the object."""
        if not access.is_system:
            self._touched(access, type_).read.update(names)
            self._stands_in(access, type_, reading=True)

    def create(self, access: Access, type_: ObjectType, names: Iterable[str]) -> None:
        """Note that a record was made with these fields."""
        if not access.is_system:
            touched = self._touched(access, type_)
            touched.create = (touched.create or set()) | set(names)
            self._stands_in(access, type_, reading=False)

    def edit(self, access: Access, type_: ObjectType, names: Iterable[str]) -> None:
        """Note that these fields were changed."""
        if not access.is_system:
            touched = self._touched(access, type_)
            touched.edit = (touched.edit or set()) | set(names)
            self._stands_in(access, type_, reading=False)

    def delete(self, access: Access, type_: ObjectType) -> None:
        """Note that a record was deleted."""
        if not access.is_system:
            self._touched(access, type_).delete = True
            self._stands_in(access, type_, reading=False)

    def permission(self, access: Access, name: str) -> None:
        """Note that a user permission was needed."""
        if not access.is_system:
            self._permissions.setdefault(access.user_id, set()).add(name)

    def forget(self) -> None:
        """Begin again."""
        self._objects.clear()
        self._permissions.clear()

    def told(self, user_id: str) -> dict[str, object]:
        """Return what a user has used, as JSON."""
        return {
            "objects": {
                name: {
                    "read": sorted(touched.read),
                    "create": _listed(touched.create),
                    "edit": _listed(touched.edit),
                    "delete": touched.delete,
                }
                for name, touched in sorted(self._objects.get(user_id, {}).items())
            },
            "permissions": sorted(self._permissions.get(user_id, ())),
        }

    def users(self) -> set[str]:
        """Return who has used anything."""
        return self._objects.keys() | self._permissions.keys()

    def _touched(self, access: Access, type_: ObjectType) -> Touched:
        of_user = self._objects.setdefault(access.user_id, {})
        return of_user.setdefault(type_.name, Touched())

    def _stands_in(self, access: Access, type_: ObjectType, *, reading: bool) -> None:
        """Note the user permission that is asked for in place of object rights."""
        if type_.edit_permission is None:
            return
        lesser = type_.read_permission
        if reading and lesser is not None and access.has(lesser):
            self.permission(access, lesser)
        else:
            self.permission(access, type_.edit_permission)


def _listed(names: set[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)
