"""Permission sets: what they grant exists, may be granted, and leaves no field out."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source
from sidecar.package.lint.things import ACTIVITIES, Field

_SETS = ("PermissionSet", "MutingPermissionSet")
# Element -> name inside of it, rule, and type (of Index.names).
_GRANTS = (
    ("applicationVisibilities", "application", "application", "CustomApplication"),
    ("classAccesses", "apexClass", "apex", "Apex"),
    ("pageAccesses", "apexPage", "apex", "Apex"),
    ("customPermissions", "name", "custom-permission", "CustomPermission"),
    ("flowAccesses", "flow", "flow", "Flow"),
    ("recordTypeVisibilities", "recordType", "record-type", "RecordType"),
)
# Salesforce grants these to whoever sees the record, and refuses them in the list.
_ALWAYS = frozenset({"MasterDetail"})
_NEVER_EDITABLE = frozenset({"Summary", "AutoNumber"})


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong in the project's permission sets."""
    granted: set[str] = set()
    for source in index.of(*_SETS):
        for row in source.root.all("fieldPermissions"):
            yield from _field(index, source, row)
            if row.get("readable") == "true" or row.get("editable") == "true":
                granted.add(_kept_at_activity(index.bare(row.get("field"))).lower())
        yield from _objects(index, source)
        yield from _components(index, source)
        yield from _repeated(source)
    for source in index.of("Profile"):
        granted |= {
            _kept_at_activity(index.bare(name)).lower()
            for name in source.root.texts("fieldPermissions", "field")
        }
    for source in index.of("PermissionSetGroup"):
        for node in source.root.all("permissionSets"):
            missing = index.missing(
                "reference/permission-set", "PermissionSet", node.text
            )
            if missing:
                yield missing.at(source.path, node, source.name)
    if any(index.of("PermissionSet")):
        yield from _settled(_uncovered(index, granted), index)
        yield from _record_types(index)


def _kept_at_activity(name: str) -> str:
    owner, _, field = name.partition(".")
    return f"Activity.{field}" if owner.lower() in ACTIVITIES else name


def _field(index: Index, source: Source, row: Node) -> Iterator[Finding]:
    node = row.one("field")
    if node is None or "." not in node.text:
        return
    owner, _, name = node.text.partition(".")
    missing = index.missing_field(owner, name)
    if missing:
        yield missing.at(source.path, node, source.name)
        return
    if row.get("editable") == "true" and row.get("readable") == "false":
        message = f"{source.name} lets {node.text} be edited, but not read"
        yield finding("permission/unreadable", source.path, row, node.text, message)
    one = index.field(owner, name)
    if one is None:
        return
    if one.node.get("required") == "true" or one.type in _ALWAYS:
        kind = "a master-detail field" if one.type in _ALWAYS else "required"
        message = f"{source.name} grants {node.text}, which is {kind}"
        yield finding("permission/required-field", source.path, row, node.text, message)
    elif row.get("editable") == "true" and (
        one.is_formula or one.type in _NEVER_EDITABLE
    ):
        message = f"{source.name} lets {node.text} be edited, which is computed"
        where = row.one("editable") or row
        yield finding(
            "permission/computed-field", source.path, where, node.text, message
        )


def _objects(index: Index, source: Source) -> Iterator[Finding]:
    for row in source.root.all("objectPermissions"):
        name = row.get("object")
        if missing := index.missing_object(name):
            where = row.one("object") or row
            yield missing.at(source.path, where, source.name)
        for right, needed in (
            ("allowCreate", "allowRead"),
            ("allowEdit", "allowRead"),
            ("allowDelete", "allowEdit"),
            ("viewAllRecords", "allowRead"),
            ("modifyAllRecords", "viewAllRecords"),
            ("modifyAllRecords", "allowDelete"),
        ):
            if row.get(right) == "true" and row.get(needed) == "false":
                message = f"{source.name}: {right} on {name} needs {needed}"
                where = row.one(right) or row
                yield finding(
                    "permission/incomplete", source.path, where, name, message
                )


def _components(index: Index, source: Source) -> Iterator[Finding]:
    for tag, inner, rule, kind in _GRANTS:
        for node in source.root.all(tag, inner):
            name = node.text
            if name.startswith("standard__"):
                continue
            if missing := index.missing(f"reference/{rule}", kind, name):
                yield missing.at(source.path, node, source.name)
    for node in source.root.all("tabSettings", "tab"):
        if node.text.startswith("standard-"):
            continue
        if missing := index.missing("reference/tab", "CustomTab", node.text):
            yield missing.at(source.path, node, source.name)
    principals = source.root.all(
        "externalCredentialPrincipalAccesses", "externalCredentialPrincipal"
    )
    for node in principals:
        yield from _principal(index, source, node)
    for tag in ("customMetadataTypeAccesses", "customSettingAccesses"):
        for node in source.root.all(tag, "name"):
            if missing := index.missing_object(node.text):
                yield missing.at(source.path, node, source.name)


def _principal(index: Index, source: Source, node: Node) -> Iterator[Finding]:
    """A principal is named ``Credential-Principal``."""
    credential, _, principal = node.text.partition("-")
    rule = "reference/credential"
    if missing := index.missing(rule, "ExternalCredential", credential):
        yield missing.at(source.path, node, source.name)
        return
    document = index.document("ExternalCredential", credential)
    if document is None:
        return
    groups = document.root.texts("externalCredentialParameters", "parameterGroup")
    if principal and principal not in groups:
        message = f"{source.name}: {credential} has no principal {principal}"
        yield finding(rule, source.path, node, node.text, message)


def _repeated(source: Source) -> Iterator[Finding]:
    for tag, inner in (
        ("fieldPermissions", "field"),
        ("objectPermissions", "object"),
        *((tag, inner) for tag, inner, _, _ in _GRANTS),
        ("tabSettings", "tab"),
    ):
        seen: set[str] = set()
        for node in source.root.all(tag, inner):
            if node.text.lower() in seen:
                message = f"{source.name} grants {node.text} twice"
                yield finding(
                    "permission/duplicate", source.path, node, node.text, message
                )
            seen.add(node.text.lower())


def _uncovered(index: Index, granted: set[str]) -> Iterator[Finding]:
    """Nobody sees a new field that no permission set grants, not even admins."""
    by_object: dict[str, list[Field]] = defaultdict(list)
    for one in index.fields:
        by_object[one.object].append(one)
    for owner, fields in by_object.items():
        suffix = owner.lower().rpartition("__")[2]
        if suffix in {"mdt", "e", "b"} or _is_setting(index, owner):
            continue  # fields of these have no field security
        for one in fields:
            always = one.node.get("required") == "true" or one.type in _ALWAYS
            ours = one.name.lower().endswith("__c") and not index.foreign(one.name)
            if always or not ours:
                continue
            if _kept_at_activity(one.full_name).lower() not in granted:
                message = f"no permission set grants {one.full_name}"
                yield finding(
                    "permission/uncovered", one.path, 1, one.full_name, message
                )


def _settled(found: Iterator[Finding], index: Index) -> Iterator[Finding]:
    """A project that leaves most fields out grants them somewhere else."""
    findings = list(found)
    elsewhere = len(findings) > max(10, len(index.fields) // 2)
    for one in findings:
        yield replace(one, level=Level.NOTE) if elsewhere else one


def _record_types(index: Index) -> Iterator[Finding]:
    granted = {
        name.lower()
        for source in index.of("PermissionSet")
        for name in source.root.texts("recordTypeVisibilities", "recordType")
    }
    for source in index.of("RecordType"):
        if source.name.lower() not in granted:
            message = f"no permission set shows the record type {source.name}"
            yield finding(
                "permission/record-type", source.path, 1, source.name, message
            )


def _is_setting(index: Index, owner: str) -> bool:
    thing = index.object(owner)
    return bool(thing and thing.source and thing.source.root.get("customSettingsType"))
