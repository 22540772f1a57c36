"""Deployable packages for the tests, written by hand, and a way to deploy them."""

import io
import time
import zipfile

from sidecar.devorg.founding import ADMIN
from sidecar.devorg.metadata.deployment import Options

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
URL = "http://127.0.0.1:9/om"


def zipped(files, *, folder=""):
    """A zip of path -> text."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, content in files.items():
            archive.writestr(folder + path, content)
    return data.getvalue()


def manifest(members, *, version="62.0"):
    """package.xml of type -> names."""
    types = "".join(
        "<types>"
        + "".join(f"<members>{name}</members>" for name in names)
        + f"<name>{kind}</name></types>"
        for kind, names in members.items()
    )
    return f"<Package {NS}>{types}<version>{version}</version></Package>"


def field(name, body):
    return f"<fields><fullName>{name}</fullName>{body}</fields>"


def text_field(name, length=80, extra=""):
    return field(
        name,
        f"{extra}<label>{name[:-3]}</label><length>{length}</length><type>Text</type>",
    )


STATUS_VALUES = ("New", "Won", "Lost")
STATUS_SET = (
    f"<GlobalValueSet {NS}>"
    + "".join(
        f"<customValue><fullName>{value}</fullName><default>false</default>"
        f"<label>{value}</label></customValue>"
        for value in STATUS_VALUES
    )
    + "<masterLabel>Journey</masterLabel><sorted>false</sorted></GlobalValueSet>"
)
STATUS_FIELD = field(
    "Journey__c",
    "<label>Journey</label><type>Picklist</type><valueSet><restricted>true</restricted>"
    "<valueSetName>Journey</valueSetName></valueSet>",
)
KEY_FIELD = text_field(
    "Key__c", 36, "<caseSensitive>false</caseSensitive><externalId>true</externalId>"
).replace("<type>Text</type>", "<type>Text</type><unique>true</unique>")


def object_file(content):
    return f"<CustomObject {NS}>{content}</CustomObject>"


def workflow_file(*, user=ADMIN, url=URL, fields=("Id", "LastName", "Journey__c")):
    listed = "".join(f"<fields>{each}</fields>" for each in fields)
    return (
        f"<Workflow {NS}><outboundMessages><fullName>Tell</fullName>"
        f"<apiVersion>62.0</apiVersion><endpointUrl>{url}</endpointUrl>{listed}"
        "<includeSessionId>false</includeSessionId>"
        f"<integrationUser>{user}</integrationUser><name>Tell</name>"
        "<protected>false</protected></outboundMessages></Workflow>"
    )


PLACE = "<locationX>0</locationX><locationY>0</locationY>"
TELL = (
    f"<actionCalls><name>Send</name><label>Send</label>{PLACE}"
    "<actionName>Lead.Tell</actionName><actionType>outboundMessage</actionType>"
    "<flowTransactionModel>CurrentTransaction</flowTransactionModel></actionCalls>"
)
CHANGED = (
    "AND(NOT(ISBLANK(TEXT({!$Record.Journey__c}))), "
    "OR(ISNEW(), ISCHANGED({!$Record.Journey__c})))"
)


def start(
    target="Send",
    *,
    condition=f"<filterFormula>{CHANGED}</filterFormula>",
    changed_to_meet="",
    on="CreateAndUpdate",
    trigger="RecordAfterSave",
    object_name="Lead",
):
    connector = (
        f"<connector><targetReference>{target}</targetReference></connector>"
        if target
        else ""
    )
    return (
        f"<start>{PLACE}{connector}{changed_to_meet}{condition}"
        f"<object>{object_name}</object><recordTriggerType>{on}</recordTriggerType>"
        f"<triggerType>{trigger}</triggerType></start>"
    )


def flow_file(
    elements=TELL,
    start_=None,
    *,
    status="Active",
    label="Tell of leads",
    version="62.0",
):
    """Elements before ``start`` must be given in the order of the schema."""
    return (
        f"<Flow {NS}>{elements}<apiVersion>{version}</apiVersion><label>{label}</label>"
        f"<processType>AutoLaunchedFlow</processType>{start_ or start()}"
        f"<status>{status}</status></Flow>"
    )


def grants(fields, *, objects="", users="", custom=""):
    listed = "".join(
        f"<fieldPermissions><editable>true</editable><field>{name}</field>"
        "<readable>true</readable></fieldPermissions>"
        for name in fields
    )
    return f"<PermissionSet {NS}>{custom}{listed}<label>Set</label>{objects}{users}</PermissionSet>"


BASE = {
    "globalValueSets/Journey.globalValueSet": STATUS_SET,
    "objects/Lead.object": object_file(STATUS_FIELD + KEY_FIELD),
    "workflows/Lead.workflow": workflow_file(),
    "permissionsets/Set.permissionset": grants(["Lead.Journey__c", "Lead.Key__c"]),
}
BASE_MEMBERS = {
    "GlobalValueSet": ["Journey"],
    "CustomField": ["Lead.Journey__c", "Lead.Key__c"],
    "WorkflowOutboundMessage": ["Lead.Tell"],
    "PermissionSet": ["Set"],
}


def package(files, members, *, version="62.0"):
    return zipped({"package.xml": manifest(members, version=version), **files})


def base(*, flow=None, url=URL):
    """The zip of a small package like our own: fields, message, flow, permissions."""
    files = BASE | {"workflows/Lead.workflow": workflow_file(url=url)}
    members = dict(BASE_MEMBERS)
    if flow:
        files["flows/Tell.flow"] = flow
        members["Flow"] = ["Tell"]
    return package(files, members)


def deploy(org, data, *, user=ADMIN, **options):
    """Deploy and wait for the end."""
    access = org.access(org.user_named(user))
    return finished(org.metadata.deployments.start(access, data, Options(**options)))


def finished(made):
    """Wait for the end of a deployment."""
    for _ in range(5000):
        if made.done:
            return made
        time.sleep(0.002)
    raise AssertionError(made.status)


def problems(deployment):
    return {each.full_name: each.problem for each in deployment.outcome.failures}


def deployed(org, data, **options):
    """Deploy what must succeed."""
    made = deploy(org, data, **options)
    assert made.status == "Succeeded", (made.error, problems(made))
    return made


def assign(org, username, permission_set="Set"):
    component = org.metadata.components.get("PermissionSet", permission_set)
    with org.work():
        org.records.create(
            org.system(org.user_named(ADMIN)),
            "PermissionSetAssignment",
            {
                "AssigneeId": org.user_named(username),
                "PermissionSetId": component.id,
            },
        )
