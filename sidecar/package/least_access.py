"""The least that a permission set has to grant, from what its user's calls really use.

What is used was written down while the service worked (the dev org's back door tells
it); what can be granted at all, an org's describe says. Salesforce forces a little
more upon every such set; that is added here by rule, each with its reason.

Sources: "PermissionSet" and "ObjectPermissions", Metadata API Developer Guide and
Object Reference, for what depends on what; "Field-Level Security", Salesforce Help,
for the fields that tasks and events share; "Change Data Capture Subscriber
Permissions", for View All.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from sidecar.errors import Unreadable
from sidecar.package.archive import NAMESPACE

_N = {"m": NAMESPACE}
_RIGHTS = (
    "allowCreate",
    "allowDelete",
    "allowEdit",
    "allowRead",
    "modifyAllRecords",
    "viewAllRecords",
)
# Tasks and events have no object permissions: user permissions stand in for them.
_ACTIVITIES = ("Task", "Event")
# To read these, one has to read those.
_ABOVE = {"Contact": "Account", "Opportunity": "Account"}


@dataclass(frozen=True)
class Rights:
    """
    What a permission set grants.

    Attributes:
        objects: object and right: ``("Lead", "allowRead")``.
        fields: ``Lead.Email`` -> whether it may be written.
        permissions: user permissions: ``ApiEnabled``.
    """

    objects: frozenset[tuple[str, str]] = frozenset()
    fields: Mapping[str, bool] = field(default_factory=dict)
    permissions: frozenset[str] = frozenset()


def needed(
    used: Mapping[str, Any], describes: Mapping[str, Mapping[str, Any]]
) -> Rights:
    """
    Work out what has to be granted.

    Args:
        used: of one user: ``objects`` (by name: ``read``, ``create``, ``edit`` as
            lists of fields, null for never; ``delete``) and ``permissions``.
        describes: by name, of every object in ``used``, and of Event where Task is
            used, as an administrator sees it. What nobody can grant, such as access
            to users or to required fields, is left out by it.

    Returns:
        The rights used and those that go with them:
        - Read on accounts with Read on contacts or opportunities: Salesforce refuses
          the one without the other.
        - View All beside Read: the service hears of everybody's referrals, and change
          events are given to nobody else; a customer's sharing may be private.
        - Access Activities with Edit Tasks: the one depends on the other.
        - The fields that tasks share with events, on events too: Salesforce keeps one
          access for both.
    """
    objects: set[tuple[str, str]] = set()
    fields: dict[str, bool] = {}
    for name, touched in used.get("objects", {}).items():
        described = describes[name]
        if name not in _ACTIVITIES and described["layoutable"]:
            objects |= {(name, right) for right in _rights(touched)}
        for shown_on in _ACTIVITIES if name in _ACTIVITIES else (name,):
            grantable = _grantable(describes[shown_on])
            for each, editable in _fields(touched):
                if each in grantable:
                    key = f"{shown_on}.{each}"
                    fields[key] = fields.get(key, False) or editable
    permissions = set(used.get("permissions", ()))
    _force(objects, permissions)
    return Rights(frozenset(objects), fields, frozenset(permissions))


def _grantable(described: Mapping[str, Any]) -> set[str]:
    return {each["name"] for each in described["fields"] if each["permissionable"]}


def _rights(touched: Mapping[str, Any]) -> Iterator[str]:
    yield "allowRead"
    for word, right in (("create", "allowCreate"), ("edit", "allowEdit")):
        if touched[word] is not None:
            yield right
    if touched["delete"]:
        yield "allowDelete"


def _fields(touched: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    yield from ((name, False) for name in touched["read"])
    for word in ("create", "edit"):
        yield from ((name, True) for name in touched[word] or ())


def _force(objects: set[tuple[str, str]], permissions: set[str]) -> None:
    for name, above in _ABOVE.items():
        if (name, "allowRead") in objects:
            objects.add((above, "allowRead"))
    objects |= {(name, "viewAllRecords") for name, r in objects if r == "allowRead"}
    if "EditTask" in permissions:
        permissions.add("ActivitiesAccess")


def granted(permission_set: bytes) -> Rights:
    """
    Read what a permission set grants.

    Raises:
        Unreadable: it is not XML.
    """
    try:
        root = etree.fromstring(permission_set)
    except etree.XMLSyntaxError as exc:
        raise Unreadable(f"permission set: {exc}") from exc

    def says(row: Any, name: str) -> bool:
        return bool(row.findtext(f"m:{name}", "", _N) == "true")

    return Rights(
        objects=frozenset(
            (row.findtext("m:object", "", _N), right)
            for row in root.iterfind("m:objectPermissions", _N)
            for right in _RIGHTS
            if says(row, right)
        ),
        fields={
            row.findtext("m:field", "", _N): says(row, "editable")
            for row in root.iterfind("m:fieldPermissions", _N)
            if says(row, "readable")
        },
        permissions=frozenset(
            row.findtext("m:name", "", _N)
            for row in root.iterfind("m:userPermissions", _N)
            if says(row, "enabled")
        ),
    )


def differences(
    wanted: Rights, given: Rights, *, extras: Mapping[str, str] | None = None
) -> list[str]:
    """
    List what a permission set grants too much, and what it lacks.

    Args:
        extras: what may be granted although nothing used it, as the list says it
            (``Lead.Referral_Key__c: edit``), with the reason.
    """
    want, have = set(_words(wanted)), set(_words(given))
    return [
        *(
            f"grants too much: {each}"
            for each in sorted(have - want - set(extras or ()))
        ),
        *(f"lacks: {each}" for each in sorted(want - have)),
    ]


def _words(rights: Rights) -> Iterator[str]:
    yield from (f"{name}: {right}" for name, right in rights.objects)
    for name, editable in rights.fields.items():
        yield f"{name}: read"
        if editable:
            yield f"{name}: edit"
    yield from (f"user permission {name}" for name in rights.permissions)


def written(rights: Rights, *, label: str, description: str) -> bytes:
    """Write the permission set that grants exactly this, as the package keeps it."""
    parts = [f"    <description>{escape(description)}</description>"]
    for name, editable in sorted(rights.fields.items()):
        rows = {"editable": _flag(editable), "field": name, "readable": "true"}
        parts.append(_element("fieldPermissions", rows))
    parts.append("    <hasActivationRequired>false</hasActivationRequired>")
    parts.append(f"    <label>{escape(label)}</label>")
    for name in sorted({name for name, _ in rights.objects}):
        rows = {right: _flag((name, right) in rights.objects) for right in _RIGHTS}
        parts.append(
            _element(
                "objectPermissions", dict(sorted({**rows, "object": name}.items()))
            )
        )
    parts += [
        _element("userPermissions", {"enabled": "true", "name": name})
        for name in sorted(rights.permissions)
    ]
    inner = "\n".join(parts)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<PermissionSet xmlns="{NAMESPACE}">\n{inner}\n</PermissionSet>\n'
    ).encode()


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _element(tag: str, rows: Mapping[str, str]) -> str:
    inner = "\n".join(
        f"        <{name}>{value}</{name}>" for name, value in rows.items()
    )
    return f"    <{tag}>\n{inner}\n    </{tag}>"
