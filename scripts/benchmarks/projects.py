"""SFDX projects of any size, as a customer's would look, written to disk."""

import json
from pathlib import Path

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_FIELDS = 12  # of each object
_IN_AN_OBJECT = _FIELDS + 4  # itself, a list view, a rule, a compact layout


def write(folder: Path, components: int) -> int:
    """
    Write a project of about so many components; the exact number is returned.

    Of 20 components 16 are an object and what is its own; then come a layout, a
    permission set, a class and a custom permission.
    """
    written = 0
    for number in range(max(1, components // (_IN_AN_OBJECT + 4))):
        for path, content in _group(number):
            target = folder / "force-app/main/default" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        written += _IN_AN_OBJECT + 4
    (folder / "sfdx-project.json").write_text(
        json.dumps(
            {
                "packageDirectories": [{"path": "force-app", "default": True}],
                "sourceApiVersion": "62.0",
            }
        )
    )
    return written


def _group(number: int) -> list[tuple[str, str]]:
    name = f"Thing_{number}__c"
    home = f"objects/{name}"
    fields = [f"Field_{place}__c" for place in range(_FIELDS)]
    return [
        (f"{home}/{name}.object-meta.xml", _object(number)),
        *((f"{home}/fields/{each}.field-meta.xml", _field(each)) for each in fields),
        (f"{home}/listViews/All.listView-meta.xml", _list_view()),
        (f"{home}/validationRules/Rule.validationRule-meta.xml", _rule()),
        (f"{home}/compactLayouts/Short.compactLayout-meta.xml", _compact()),
        (f"layouts/{name}-Thing Layout.layout-meta.xml", _layout(fields)),
        (
            f"permissionsets/Things_{number}.permissionset-meta.xml",
            _permission_set(number, name, fields),
        ),
        (f"classes/Thing{number}.cls", f"public class Thing{number} {{\n}}\n"),
        (f"classes/Thing{number}.cls-meta.xml", _class()),
        (
            f"customPermissions/Thing_{number}.customPermission-meta.xml",
            _xml("CustomPermission", f"<isLicensed>false</isLicensed>{_label(number)}"),
        ),
    ]


def _xml(root: str, inner: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{root} xmlns="{NAMESPACE}">\n    '
        + inner.replace("><", ">\n    <")
        + f"\n</{root}>\n"
    )


def _label(number: int) -> str:
    return f"<label>Thing {number}</label>"


def _object(number: int) -> str:
    return _xml(
        "CustomObject",
        "<deploymentStatus>Deployed</deploymentStatus>"
        "<description>A thing.</description>"
        f"{_label(number)}"
        "<nameField><label>Name</label><type>Text</type></nameField>"
        f"<pluralLabel>Things {number}</pluralLabel>"
        "<sharingModel>ReadWrite</sharingModel>",
    )


def _field(name: str) -> str:
    return _xml(
        "CustomField",
        f"<fullName>{name}</fullName>"
        "<description>What the field holds.</description>"
        "<externalId>false</externalId>"
        "<inlineHelpText>What to enter.</inlineHelpText>"
        f"<label>{name[:-3].replace('_', ' ')}</label>"
        "<length>80</length><required>false</required><type>Text</type>",
    )


def _list_view() -> str:
    return _xml(
        "ListView",
        "<fullName>All</fullName><columns>NAME</columns><columns>Field_0__c</columns>"
        "<filterScope>Everything</filterScope><label>All</label>",
    )


def _rule() -> str:
    return _xml(
        "ValidationRule",
        "<fullName>Rule</fullName><active>true</active>"
        "<description>Not both.</description>"
        "<errorConditionFormula>NOT(ISBLANK(Field_0__c))</errorConditionFormula>"
        "<errorMessage>Leave it empty.</errorMessage>",
    )


def _compact() -> str:
    return _xml(
        "CompactLayout",
        "<fullName>Short</fullName><fields>Name</fields><label>Short</label>",
    )


def _layout(fields: list[str]) -> str:
    items = "".join(
        f"<layoutItems><behavior>Edit</behavior><field>{each}</field></layoutItems>"
        for each in ["Name", *fields]
    )
    return _xml(
        "Layout",
        "<layoutSections><customLabel>false</customLabel>"
        "<label>Information</label>"
        f"<layoutColumns>{items}</layoutColumns>"
        "<style>OneColumn</style></layoutSections>",
    )


def _permission_set(number: int, name: str, fields: list[str]) -> str:
    rights = "".join(
        "<fieldPermissions><editable>true</editable>"
        f"<field>{name}.{each}</field><readable>true</readable></fieldPermissions>"
        for each in fields
    )
    return _xml("PermissionSet", f"{rights}{_label(number)}")


def _class() -> str:
    return _xml("ApexClass", "<apiVersion>62.0</apiVersion><status>Active</status>")
