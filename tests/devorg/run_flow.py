"""Pieces of flows for the tests, and an org that a test deploys them to."""

from meta_package import NS, PLACE, assign, deploy, deployed, manifest, zipped

from sidecar.devorg.founding import ADMIN


def connector(target, name="connector"):
    if not target:
        return ""
    return f"<{name}><targetReference>{target}</targetReference></{name}>"


def value(kind, text, name="value"):
    return f"<{name}><{kind}>{text}</{kind}></{name}>"


def ref(path, name="value"):
    return value("elementReference", path, name)


def string(text, name="value"):
    return value("stringValue", text, name)


def true(name="value"):
    return value("booleanValue", "true", name)


def node(kind, name, body):
    return f"<{kind}><name>{name}</name><label>{name}</label>{PLACE}{body}</{kind}>"


def condition(left, operator, right):
    right = right.replace("<value>", "<rightValue>").replace(
        "</value>", "</rightValue>"
    )
    return (
        f"<conditions><leftValueReference>{left}</leftValueReference>"
        f"<operator>{operator}</operator>{right}</conditions>"
    )


def decision(name, conditions, then, otherwise="", *, logic="and", changed=False):
    flag = "<doesRequireRecordChangedToMeetCriteria>true</doesRequireRecordChangedToMeetCriteria>"
    return node(
        "decisions",
        name,
        connector(otherwise, "defaultConnector")
        + f"<rules><name>{name}_Yes</name><conditionLogic>{logic}</conditionLogic>"
        f"{conditions}{connector(then)}{flag if changed else ''}<label>Yes</label></rules>",
    )


def assign_(name, *items, target=""):
    lines = "".join(
        f"<assignmentItems><assignToReference>{to}</assignToReference>"
        f"<operator>{operator}</operator>{given}</assignmentItems>"
        for to, operator, given in items
    )
    return node("assignments", name, lines + connector(target))


def filters(*lines):
    return "<filterLogic>and</filterLogic>" + "".join(
        f"<filters><field>{field}</field><operator>{operator}</operator>{given}</filters>"
        for field, operator, given in lines
    )


def inputs(values):
    return "".join(
        f"<inputAssignments><field>{name}</field>{given}</inputAssignments>"
        for name, given in values.items()
    )


def get_records(
    name, object_name, *where, first=False, target="", fault="", sort="", extra=""
):
    return node(
        "recordLookups",
        name,
        connector(target)
        + connector(fault, "faultConnector")
        + filters(*where)
        + f"<getFirstRecordOnly>{str(first).lower()}</getFirstRecordOnly>"
        f"{extra}<object>{object_name}</object>{sort}"
        "<storeOutputAutomatically>true</storeOutputAutomatically>",
    )


def update_records(name, object_name, where, values, *, target="", fault=""):
    return node(
        "recordUpdates",
        name,
        connector(target)
        + connector(fault, "faultConnector")
        + filters(*where)
        + inputs(values)
        + f"<object>{object_name}</object>",
    )


def update_held(name, reference, values=None, *, target=""):
    return node(
        "recordUpdates",
        name,
        connector(target)
        + inputs(values or {})
        + f"<inputReference>{reference}</inputReference>",
    )


def create_records(name, object_name, values, *, target=""):
    return node(
        "recordCreates",
        name,
        connector(target)
        + inputs(values)
        + f"<object>{object_name}</object>"
        + "<storeOutputAutomatically>true</storeOutputAutomatically>",
    )


def delete_records(name, object_name, *where, target=""):
    return node(
        "recordDeletes",
        name,
        connector(target) + filters(*where) + f"<object>{object_name}</object>",
    )


def loop(name, collection, each, after="", *, order="Asc"):
    return node(
        "loops",
        name,
        f"<collectionReference>{collection}</collectionReference>"
        f"<iterationOrder>{order}</iterationOrder>"
        + connector(each, "nextValueConnector")
        + connector(after, "noMoreValuesConnector"),
    )


def custom_error(name, message, *, field=""):
    at = f"<fieldSelection>{field}</fieldSelection>" if field else ""
    return node(
        "customErrors",
        name,
        f"<customErrorMessages><errorMessage>{message}</errorMessage>{at}"
        f"<isFieldError>{str(bool(field)).lower()}</isFieldError></customErrorMessages>",
    )


def variable(name, data_type, *, collection=False, object_name="", start=""):
    of = f"<objectType>{object_name}</objectType>" if object_name else ""
    return (
        f"<variables><name>{name}</name><dataType>{data_type}</dataType>"
        f"<isCollection>{str(collection).lower()}</isCollection><isInput>false</isInput>"
        f"<isOutput>false</isOutput>{of}{start}</variables>"
    )


def formula(name, data_type, expression):
    return (
        f"<formulas><name>{name}</name><dataType>{data_type}</dataType>"
        f"<expression>{expression}</expression></formulas>"
    )


def start(
    first,
    *,
    object_name="Lead",
    trigger="RecordAfterSave",
    on="CreateAndUpdate",
    condition="",
    changed_to_meet=False,
    paths="",
):
    flag = "<doesRequireRecordChangedToMeetCriteria>true</doesRequireRecordChangedToMeetCriteria>"
    return (
        f"<start>{PLACE}{connector(first)}{flag if changed_to_meet else ''}{condition}"
        f"<object>{object_name}</object><recordTriggerType>{on}</recordTriggerType>"
        f"{paths}<triggerType>{trigger}</triggerType></start>"
    )


def scheduled_path(name, first, *, offset, unit, field=""):
    source = (
        f"<recordField>{field}</recordField><timeSource>RecordField</timeSource>"
        if field
        else "<timeSource>RecordTriggerEvent</timeSource>"
    )
    return (
        f"<scheduledPaths><name>{name}</name>{connector(first)}<label>{name}</label>"
        f"<offsetNumber>{offset}</offsetNumber><offsetUnit>{unit}</offsetUnit>{source}"
        "</scheduledPaths>"
    )


def schedule(first, *, day, at, frequency="Daily", object_name="", where=""):
    of = f"<object>{object_name}</object>" if object_name else ""
    return (
        f"<start>{PLACE}{connector(first)}{where}{of}<schedule>"
        f"<frequency>{frequency}</frequency><startDate>{day}</startDate>"
        f"<startTime>{at}</startTime></schedule><triggerType>Scheduled</triggerType>"
        "</start>"
    )


def flow(elements, start_, *, label="Flow", status="Active"):
    return (
        f"<Flow {NS}>{elements}<apiVersion>62.0</apiVersion><label>{label}</label>"
        f"<processType>AutoLaunchedFlow</processType>{start_}<status>{status}</status>"
        "</Flow>"
    )


def flows_zip(flows):
    return zipped(
        {"package.xml": manifest({"Flow": list(flows)})}
        | {f"flows/{name}.flow": xml for name, xml in flows.items()}
    )


def install(org, **flows):
    """Deploy flows by name."""
    return deployed(org, flows_zip(flows))


def refused(org, xml):
    """Deploy one flow that must fail; what is said of it."""
    made = deploy(org, flows_zip({"Tried": xml}))
    return made.outcome.failures[0].problem


def save(org, object_name, record_id=None, *, user=ADMIN, **values):
    """Create a record, or change it; its id."""
    access = org.access(org.user_named(user))
    with org.work():
        if record_id is None:
            return org.records.create(access, object_name, values)
        org.records.update(access, object_name, record_id, values)
    return record_id


def lead(org, **values):
    return save(org, "Lead", **{"LastName": "L", "Company": "C", **values})


def row(org, record_id):
    return org.records.get(record_id)


__all__ = ["assign"]
