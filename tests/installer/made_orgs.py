"""Orgs as customers made them, for a real dev org: equal seeds give equal orgs."""

import random
from collections.abc import Mapping
from xml.sax.saxutils import escape

_MD = "http://soap.sforce.com/2006/04/metadata"
Files = dict[str, bytes]


def made(seed: int, *, layouts: Mapping[str, bytes], admin: str) -> Files:
    """
    Give a package of the customer's own things.

    Args:
        layouts: the org's layouts as retrieved, to be lived in.
        admin: user name; the customer's own messages go out as this user.
    """
    r = random.Random(seed)
    count = r.randint(1, 4)
    fields = [f"Own_{number}__c" for number in range(count)]
    files: Files = {}
    rows: dict[str, list[str]] = {"CustomField": [], "Layout": [], "PermissionSet": []}
    for name in ("Lead", "Contact", "Opportunity"):
        own = "".join(_field(each) for each in fields)
        if name == "Lead":
            own += _rule() + _list_view()
            rows |= {"ValidationRule": ["Lead.Own"], "ListView": ["Lead.Own"]}
        files[f"objects/{name}.object"] = _document("CustomObject", own)
        rows["CustomField"] += [f"{name}.{each}" for each in fields]
    for path, content in layouts.items():
        if r.random() < 0.6:
            files[path] = _lived_in(content, fields[: r.randint(1, count)])
            rows["Layout"].append(path.partition("/")[2].removesuffix(".layout"))
    pairs = "".join(
        f"<mappingFields><inputField>{each}</inputField>"
        f"<outputField>{each}</outputField></mappingFields>"
        for each in fields[: r.randint(0, count)]
    )
    if pairs:
        files["LeadConvertSettings/LeadConvertSettings.LeadConvertSetting"] = _document(
            "LeadConvertSettings",
            "<allowOwnerChange>true</allowOwnerChange><objectMapping>"
            f"<inputObject>Lead</inputObject>{pairs}"
            "<outputObject>Contact</outputObject></objectMapping>",
        )
        rows["LeadConvertSettings"] = ["LeadConvertSettings"]
    if r.random() < 0.7:
        files["workflows/Lead.workflow"] = _document("Workflow", _message(admin))
        rows["WorkflowOutboundMessage"] = ["Lead.Own_Message"]
    if r.random() < 0.4:
        # A value set of our name, which they made themselves.
        values = r.sample(["Fair", "Radio", "Partner", "Website"], r.randint(1, 4))
        files["globalValueSets/Referral_Source.globalValueSet"] = _value_set(values)
        rows["GlobalValueSet"] = ["Referral_Source"]
    if r.random() < 0.5:
        files["globalValueSets/Own.globalValueSet"] = _value_set(["One", "Two"])
        rows.setdefault("GlobalValueSet", []).append("Own")
    files["permissionsets/Own.permissionset"] = _permission_set(fields)
    rows["PermissionSet"] = ["Own"]
    files["package.xml"] = manifest(rows)
    return files


def later(seed: int, *, layouts: Mapping[str, bytes]) -> Files:
    """Give what the customer changes after our package is there."""
    r = random.Random(f"later {seed}")
    files: Files = {"objects/Lead.object": _document("CustomObject", _field("Late__c"))}
    rows = {"CustomField": ["Lead.Late__c"], "Layout": []}
    for path, content in layouts.items():
        if r.random() < 0.5:
            section = _section("Added later", ["Late__c"] if "/Lead-" in path else [])
            end = content.rindex(b"</layoutSections>") + len(b"</layoutSections>")
            files[path] = content[:end] + section.encode() + content[end:]
            rows["Layout"].append(path.partition("/")[2].removesuffix(".layout"))
    files["package.xml"] = manifest(rows)
    return files


def manifest(rows: Mapping[str, list[str]]) -> bytes:
    """Write a package.xml."""
    types = "".join(
        "<types>"
        + "".join(f"<members>{escape(each)}</members>" for each in members)
        + f"<name>{kind}</name></types>"
        for kind, members in sorted(rows.items())
        if members
    )
    return _document("Package", f"{types}<version>62.0</version>")


def _document(root: str, inner: str) -> bytes:
    return f'<{root} xmlns="{_MD}">{inner}</{root}>'.encode()


def _field(name: str) -> str:
    return (
        f"<fields><fullName>{name}</fullName><externalId>false</externalId>"
        f"<label>{name[:-3]}</label><length>80</length><required>false</required>"
        "<type>Text</type></fields>"
    )


def _rule() -> str:
    return (
        "<validationRules><fullName>Own</fullName><active>true</active>"
        "<errorConditionFormula>CONTAINS(Company, &quot;forbidden&quot;)"
        "</errorConditionFormula><errorMessage>Not this one.</errorMessage>"
        "</validationRules>"
    )


def _list_view() -> str:
    return (
        "<listViews><fullName>Own</fullName><columns>FULL_NAME</columns>"
        "<columns>Own_0__c</columns><filterScope>Everything</filterScope>"
        "<label>Own</label></listViews>"
    )


def _section(label: str, fields: list[str]) -> str:
    items = "".join(
        f"<layoutItems><behavior>Edit</behavior><field>{each}</field></layoutItems>"
        for each in fields
    )
    return (
        "<layoutSections><customLabel>true</customLabel>"
        f"<detailHeading>true</detailHeading><editHeading>true</editHeading>"
        f"<label>{label}</label><layoutColumns>{items}</layoutColumns>"
        "<style>OneColumn</style></layoutSections>"
    )


def _lived_in(content: bytes, fields: list[str]) -> bytes:
    end = content.rindex(b"</layoutSections>") + len(b"</layoutSections>")
    section = _section("Our own", fields).encode()
    return content[:end] + section + content[end:]


def _message(admin: str) -> str:
    return (
        "<outboundMessages><fullName>Own_Message</fullName>"
        "<apiVersion>62.0</apiVersion>"
        "<endpointUrl>https://own.example.com/hook</endpointUrl>"
        "<fields>Id</fields><includeSessionId>false</includeSessionId>"
        f"<integrationUser>{admin}</integrationUser><name>Own Message</name>"
        "<protected>false</protected><useDeadLetterQueue>false</useDeadLetterQueue>"
        "</outboundMessages>"
    )


def _value_set(values: list[str]) -> bytes:
    rows = "".join(
        f"<customValue><fullName>{each}</fullName><default>false</default>"
        f"<label>{each}</label></customValue>"
        for each in values
    )
    return _document(
        "GlobalValueSet",
        f"{rows}<masterLabel>Their words</masterLabel><sorted>false</sorted>",
    )


def _permission_set(fields: list[str]) -> bytes:
    rights = "".join(
        f"<fieldPermissions><editable>true</editable><field>{name}.{each}</field>"
        "<readable>true</readable></fieldPermissions>"
        for name in ("Contact", "Lead", "Opportunity")
        for each in fields
    )
    return _document(
        "PermissionSet",
        f"{rights}<hasActivationRequired>false</hasActivationRequired>"
        "<label>Own</label>",
    )
