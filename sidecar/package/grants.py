"""What permission sets promise, held against what a user really sees.

Source: "PermissionSet", Metadata API Developer Guide: fields that are not listed are
hidden; required and master-detail fields are never listed, they are always visible.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from sidecar.errors import Unreadable
from sidecar.package.archive import NAMESPACE
from sidecar.package.read import Tree

_N = {"m": NAMESPACE}
# Fields of Activity show on tasks and events.
_SHOWN_ON = {"Activity": ("Task",)}


@dataclass(frozen=True)
class Lack:
    """One thing that a permission set promises and a user has not."""

    object: str
    field: str
    """Empty when it is the object itself."""
    right: str
    """``see``, ``create``, ``edit``."""

    def __str__(self) -> str:
        what = f"{self.object}.{self.field}" if self.field else self.object
        return f"may not {self.right} {what}"


def names(ours: Tree) -> list[str]:
    """Name the permission sets of a package in Metadata API format."""
    return sorted(
        path.rpartition("/")[2].removesuffix(".permissionset")
        for path in ours
        if path.endswith(".permissionset")
    )


def promised(ours: Tree, permission_set: str) -> dict[str, dict[str, bool]]:
    """
    Say which fields a permission set opens.

    Returns:
        Object, as describe names it -> field -> whether it may be written. An object
        whose records are granted without a field is there, and empty.

    Raises:
        Unreadable: there is no such permission set, or it is not XML.
    """
    content = ours.get(f"permissionsets/{permission_set}.permissionset")
    if content is None:
        raise Unreadable(f"the package has no permission set {permission_set}")
    try:
        root = etree.fromstring(content)
    except etree.XMLSyntaxError as exc:
        raise Unreadable(f"permission set {permission_set}: {exc}") from exc
    found: dict[str, dict[str, bool]] = {}
    for row in root.iterfind("m:objectPermissions", _N):
        if row.findtext("m:allowRead", namespaces=_N) == "true":
            for shown in _shown(row.findtext("m:object", "", _N)):
                found.setdefault(shown, {})
    for row in root.iterfind("m:fieldPermissions", _N):
        name, _, field = row.findtext("m:field", "", _N).partition(".")
        if row.findtext("m:readable", namespaces=_N) == "true":
            for shown in _shown(name):
                editable = row.findtext("m:editable", namespaces=_N) == "true"
                found.setdefault(shown, {})[field] = editable
    return found


def lacking(
    promised: Mapping[str, Mapping[str, bool]],
    seen: Mapping[str, Mapping[str, bool] | None],
) -> list[Lack]:
    """
    Compare what is promised with what a user sees.

    Args:
        seen: object -> field -> whether the user may write it; None for an object
            that the user does not see at all.
    """
    found = []
    for name, fields in sorted(promised.items()):
        there = seen.get(name)
        if there is None:
            found.append(Lack(name, "", "see"))
            continue
        for field, editable in sorted(fields.items()):
            if field not in there:
                found.append(Lack(name, field, "see"))
            elif editable and not there[field]:
                found.append(Lack(name, field, "edit"))
    return found


def active_flows(ours: Tree) -> list[str]:
    """Name the flows that the package wants to run."""
    return sorted(
        path.removeprefix("flows/").removesuffix(".flow")
        for path, content in ours.items()
        if path.startswith("flows/") and b"<status>Active</status>" in content
    )


def _shown(name: str) -> tuple[str, ...]:
    return _SHOWN_ON.get(name, (name,)) if name else ()
