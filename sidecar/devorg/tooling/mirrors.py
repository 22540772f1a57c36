"""Rows that are worked out from what has been deployed, whenever they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sidecar.devorg.flows.model import Definition, Version
from sidecar.devorg.metadata.component import Component
from sidecar.devorg.metadata.element import NAMESPACE, Element, number, text
from sidecar.devorg.metadata.small_kinds import ValidationRule
from sidecar.devorg.schema import Row
from sidecar.devorg.table import Table
from sidecar.devorg.tooling.metadata_json import as_json

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_ENTITY_ID = "000000000000000AAA"
Rows = Callable[["Org"], Iterator[Row]]


def install(org: Org) -> None:
    """Let the org's tables show what has been deployed."""
    for name, rows in _ROWS.items():
        org.records.mirrors[name] = _mirror(org, rows)


def _mirror(org: Org, rows: Rows) -> Callable[[Table], None]:
    """Return what brings a table up to date, when anything has changed."""
    seen: list[tuple[int, ...]] = []

    def refresh(table: Table) -> None:
        now = (
            org.metadata.components.version,
            org.schema.version,
            org.metadata.deployments.version,
        )
        if seen[-1:] == [now]:
            return
        seen[:] = [now]
        table.clear()
        for row in rows(org):
            table.rows[str(row.get("DurableId") or row["Id"])] = row

    return refresh


def _audited(component: Component, record_id: str | None = None) -> Row:
    return {
        "Id": record_id or component.id,
        "IsDeleted": False,
        "CreatedDate": component.created_at,
        "CreatedById": component.created_by,
        "LastModifiedDate": component.modified_at,
        "LastModifiedById": component.modified_by,
        "ManageableState": "unmanaged",
    }


def _set(row: Row, **values: object) -> Row:
    row.update({name: value for name, value in values.items() if value is not None})
    return row


def _flows(org: Org) -> Iterator[tuple[Component, Definition]]:
    for component in org.metadata.components.of_type("Flow"):
        if isinstance(component.value, Definition):
            yield component, component.value


def _definition_rows(org: Org) -> Iterator[Row]:
    for component, definition in _flows(org):
        active = next(
            (v.id for v in definition.versions if v.number == definition.active), None
        )
        latest = definition.latest
        yield _set(
            _audited(component, definition.id),
            DeveloperName=definition.name,
            MasterLabel=latest.flow.label,
            Description=text(latest.element, "description"),
            ActiveVersionId=active,
            LatestVersionId=latest.id,
            FullName=definition.name,
            Metadata={"activeVersionNumber": definition.active},
        )


def _flow_rows(org: Org) -> Iterator[Row]:
    for component, definition in _flows(org):
        for version in definition.versions:
            yield _set(
                _audited(component, version.id),
                DefinitionId=definition.id,
                MasterLabel=version.flow.label,
                Description=text(version.element, "description"),
                VersionNumber=version.number,
                Status=_status(definition, version),
                ProcessType=text(version.element, "processType"),
                ApiVersion=version.flow.api_version,
                RunInMode=text(version.element, "runInMode"),
                IsTemplate=False,
                CreatedDate=version.saved_at,
                LastModifiedDate=version.saved_at,
                FullName=f"{definition.name}-{version.number}",
                Metadata=as_json(version.element, "Flow"),
            )


def _status(definition: Definition, version: Version) -> str:
    """An inactive version is a draft, unless it has been active or was to be."""
    if version.number == definition.active:
        return "Active"
    return "Obsolete" if version.flow.active else "Draft"


def _object_rows(org: Org) -> Iterator[Row]:
    for component in org.metadata.components.of_type("CustomObject"):
        if component.full_name.endswith(("__c", "__e", "__mdt")):
            yield _set(
                _audited(component),
                DeveloperName=component.full_name.rpartition("__")[0],
                Description=text(component.element, "description"),
                FullName=component.full_name,
                Metadata=as_json(component.element, "CustomObject"),
            )


def _field_rows(org: Org) -> Iterator[Row]:
    for component in org.metadata.components.of_type("CustomField"):
        object_name, _, name = component.full_name.partition(".")
        element = component.element
        if not name.endswith("__c"):
            continue
        owner = org.metadata.components.get("CustomObject", object_name)
        custom = owner is not None and object_name.endswith("__c")
        yield _set(
            _audited(component),
            DeveloperName=name.removesuffix("__c"),
            TableEnumOrId=owner.id if owner and custom else object_name,
            EntityDefinitionId=object_name,
            Description=text(element, "description"),
            InlineHelpText=text(element, "inlineHelpText"),
            Length=number(element, "length"),
            Precision=number(element, "precision"),
            Scale=number(element, "scale"),
            FullName=component.full_name,
            Metadata=as_json(element, "CustomField"),
        )


def _rule_rows(org: Org) -> Iterator[Row]:
    for component in org.metadata.components.of_type("ValidationRule"):
        rule = component.value
        if isinstance(rule, ValidationRule):
            yield _set(
                _audited(component),
                ValidationName=component.full_name.partition(".")[2],
                Active=rule.active,
                Description=text(component.element, "description"),
                EntityDefinitionId=rule.object_name,
                ErrorDisplayField=rule.field,
                ErrorMessage=rule.message,
                FullName=component.full_name,
                Metadata=as_json(component.element, "ValidationRule"),
            )


def _entity_rows(org: Org) -> Iterator[Row]:
    for each in org.schema:
        if not each.tooling:
            yield _set(
                {"Id": _ENTITY_ID},
                DurableId=each.name,
                QualifiedApiName=each.name,
                DeveloperName=each.name.rpartition("__")[0] or each.name,
                Label=each.label,
                PluralLabel=each.plural,
                KeyPrefix=each.key_prefix,
                IsCustomizable=not each.setup,
                IsCustomSetting=False,
            )


def _deployment_rows(org: Org) -> Iterator[Row]:
    for each in org.metadata.deployments:
        yield _set(
            {"Id": each.id, "IsDeleted": False},
            CreatedDate=each.created_at,
            CreatedById=each.user_id,
            LastModifiedDate=each.completed_at or each.created_at,
            LastModifiedById=each.user_id,
            Status=each.status,
            CheckOnly=each.options.check_only,
            RollbackOnError=each.options.rollback_on_error,
            TestLevel=each.options.test_level,
            StartDate=each.started_at,
            CompletedDate=each.completed_at,
            ErrorMessage=each.error,
            NumberComponentErrors=len(each.outcome.failures),
            NumberComponentsDeployed=len(each.outcome.successes),
            NumberComponentsTotal=each.total,
        )


def _folder_rows(org: Org) -> Iterator[Row]:
    for kind in ("Report", "Dashboard", "Email"):
        for component in org.metadata.components.of_type(f"{kind}Folder"):
            row = _audited(component)
            del row["ManageableState"]
            yield _set(
                row,
                Name=text(component.element, "name") or component.full_name,
                DeveloperName=component.full_name.rpartition("/")[2],
                Type=kind,
                AccessType="Public",
                IsReadonly=False,
            )


def _report_rows(org: Org) -> Iterator[Row]:
    for component in org.metadata.components.of_type("Report"):
        yield _set(
            _in_folder(org, component, "Report", "OwnerId"),
            Name=text(component.element, "name"),
            Format=text(component.element, "format"),
        )


def _dashboard_rows(org: Org) -> Iterator[Row]:
    for component in org.metadata.components.of_type("Dashboard"):
        element: Element = component.element
        runner = text(element, "runningUser")
        yield _set(
            _in_folder(org, component, "Dashboard", "FolderId"),
            Title=text(element, "title"),
            Type=text(element, "dashboardType") or "SpecifiedUser",
            RunningUserId=org.user_named(runner) if runner else component.modified_by,
        )


def _in_folder(org: Org, component: Component, kind: str, field: str) -> Row:
    folder_name, _, name = component.full_name.rpartition("/")
    folder = org.metadata.components.get(f"{kind}Folder", folder_name)
    row = _audited(component)
    del row["ManageableState"]
    label = folder.element.findtext(f"{{{NAMESPACE}}}name") if folder else None
    return _set(
        row,
        DeveloperName=name,
        Description=text(component.element, "description"),
        FolderName=label or folder_name,
        **{field: folder.id if folder else component.created_by},
    )


_ROWS: dict[str, Rows] = {
    "FlowDefinition": _definition_rows,
    "Flow": _flow_rows,
    "CustomObject": _object_rows,
    "CustomField": _field_rows,
    "ValidationRule": _rule_rows,
    "EntityDefinition": _entity_rows,
    "DeployRequest": _deployment_rows,
    "Folder": _folder_rows,
    "Report": _report_rows,
    "Dashboard": _dashboard_rows,
}
