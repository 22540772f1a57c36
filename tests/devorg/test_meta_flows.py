"""Deployed flows run as Salesforce runs them, or are refused when they are deployed."""

import pytest
from meta_listener import Listener
from meta_package import (
    BASE,
    BASE_MEMBERS,
    NS,
    PLACE,
    TELL,
    assign,
    base,
    deploy,
    deployed,
    flow_file,
    object_file,
    package,
    problems,
    start,
    workflow_file,
)

from sidecar.devorg.clock import OrgClock
from sidecar.devorg.founding import ADMIN, REPS
from sidecar.devorg.org import Org
from sidecar.devorg.refusal import Refusal


@pytest.fixture
def org():
    made = Org.fresh(seed=5, clock=OrgClock())
    made.outbound.set_switches({"paused": True})
    yield made
    made.stop()


def create(org, object_name="Lead", **values):
    values = (
        {"LastName": "L", "Company": "C", **values} if object_name == "Lead" else values
    )
    with org.work():
        return org.records.create(
            org.access(org.user_named(ADMIN)), object_name, values
        )


def update(org, record_id, **values):
    with org.work():
        org.records.update(org.access(org.user_named(ADMIN)), "Lead", record_id, values)


def lead(org, record_id):
    return org.records.table("Lead").rows[record_id]


def told(org):
    """The records of which an outbound message waits."""
    return [each.record_id for each in org.outbound.waiting()]


def install(org, flow):
    deployed(org, base(flow=flow))
    assign(org, ADMIN)


def connector(target, name="connector"):
    return f"<{name}><targetReference>{target}</targetReference></{name}>"


def value(kind, text):
    return f"<value><{kind}>{text}</{kind}></value>"


def condition(left, operator, kind, text):
    return (
        f"<conditions><leftValueReference>{left}</leftValueReference>"
        f"<operator>{operator}</operator><rightValue><{kind}>{text}</{kind}></rightValue></conditions>"
    )


def decision(name, conditions, then, otherwise, *, logic="and"):
    return (
        f"<decisions><name>{name}</name><label>{name}</label>{PLACE}"
        + (connector(otherwise, "defaultConnector") if otherwise else "")
        + f"<rules><name>{name}_Yes</name><conditionLogic>{logic}</conditionLogic>"
        f"{conditions}{connector(then)}<label>Yes</label></rules></decisions>"
    )


def update_element(
    name,
    values,
    *,
    target="",
    fault="",
    match="$Record.Id",
    object_name="Lead",
    field="Id",
):
    assigned = "".join(
        f"<inputAssignments><field>{k}</field>{v}</inputAssignments>"
        for k, v in values.items()
    )
    return (
        f"<recordUpdates><name>{name}</name><label>{name}</label>{PLACE}"
        + (connector(target) if target else "")
        + (connector(fault, "faultConnector") if fault else "")
        + f"<filterLogic>and</filterLogic><filters><field>{field}</field>"
        f"<operator>EqualTo</operator>{value('elementReference', match)}</filters>"
        f"{assigned}<object>{object_name}</object></recordUpdates>"
    )


def create_element(name, object_name, values, *, target="", fault=""):
    assigned = "".join(
        f"<inputAssignments><field>{k}</field>{v}</inputAssignments>"
        for k, v in values.items()
    )
    return (
        f"<recordCreates><name>{name}</name><label>{name}</label>{PLACE}"
        + (connector(target) if target else "")
        + (connector(fault, "faultConnector") if fault else "")
        + f"{assigned}<object>{object_name}</object>"
        "<storeOutputAutomatically>true</storeOutputAutomatically></recordCreates>"
    )


def assignment(name, to, operator, given, target=""):
    return (
        f"<assignments><name>{name}</name><label>{name}</label>{PLACE}"
        f"<assignmentItems><assignToReference>{to}</assignToReference>"
        f"<operator>{operator}</operator>{given}</assignmentItems>"
        + (connector(target) if target else "")
        + "</assignments>"
    )


# ---- when a flow starts


def test_a_change_of_the_status_sends_one_message_and_nothing_else_does(org):
    install(org, flow_file())
    silent = create(org)
    assert told(org) == []
    spoken = create(org, Journey__c="New")
    assert told(org) == [spoken]
    update(org, spoken, Company="Other")
    assert told(org) == [spoken]
    update(org, spoken, Journey__c="Won")
    update(org, silent, Journey__c="New")
    update(org, spoken, Journey__c=None)
    assert told(org) == [spoken, spoken, silent]


@pytest.mark.parametrize(
    ("on", "expected"), [("Create", 1), ("Update", 1), ("CreateAndUpdate", 2)]
)
def test_a_flow_starts_on_what_it_is_for(org, on, expected):
    install(org, flow_file(start_=start(on=on, condition="")))
    record = create(org)
    update(org, record, Company="Other")
    assert len(told(org)) == expected


FILTER = (
    "<filterLogic>and</filterLogic><filters><field>Journey__c</field>"
    "<operator>EqualTo</operator><value><stringValue>won</stringValue></value></filters>"
)
ONLY_CHANGED = "<doesRequireRecordChangedToMeetCriteria>true</doesRequireRecordChangedToMeetCriteria>"


def test_a_flow_may_start_only_when_the_record_comes_to_meet_the_conditions(org):
    install(
        org, flow_file(start_=start(condition=FILTER, changed_to_meet=ONLY_CHANGED))
    )
    record = create(org, Journey__c="New")
    update(org, record, Journey__c="Won")
    update(org, record, Company="Other")
    assert told(org) == [record]
    update(org, record, Journey__c="New")
    update(org, record, Journey__c="Won")
    assert told(org) == [record, record]


def test_without_that_it_starts_on_every_save_that_meets_them(org):
    install(org, flow_file(start_=start(condition=FILTER)))
    record = create(org, Journey__c="Won")
    update(org, record, Company="Other")
    assert told(org) == [record, record]


def test_a_draft_does_not_run_and_does_not_stop_the_active_version(org):
    install(org, flow_file(status="Draft"))
    create(org, Journey__c="New")
    assert told(org) == []
    deployed(org, base(flow=flow_file(label="On")))
    deployed(org, base(flow=flow_file(label="Next", status="Draft")))
    record = create(org, Journey__c="New")
    assert told(org) == [record]


def test_a_save_by_someone_without_the_send_permission_queues_nothing(org):
    install(org, flow_file())
    org.outbound.set_switches({"silent_users": [ADMIN]})
    create(org, Journey__c="New")
    assert told(org) == []


def test_the_message_carries_what_the_flow_wrote_after_the_save(org):
    listener = Listener()
    stamp = decision(
        "Has_Key",
        condition("$Record.Key__c", "IsNull", "booleanValue", "true"),
        "Stamp",
        "Send",
    )
    update_ = update_element(
        "Stamp", {"Key__c": value("elementReference", "$Record.Id")}, target="Send"
    )
    flow = flow_file(TELL + stamp + update_, start("Has_Key"))
    files = {
        **BASE,
        "workflows/Lead.workflow": workflow_file(
            url=listener.url, fields=("Id", "Key__c", "Journey__c")
        ),
        "flows/Tell.flow": flow,
    }
    deployed(org, package(files, {**BASE_MEMBERS, "Flow": ["Tell"]}))
    assign(org, ADMIN)
    org.outbound.set_switches({"paused": False})
    record = create(org, Journey__c="New")
    listener.wait_for(1)
    ((_, fields),) = listener.received[0].notifications()
    assert fields == {"Id": record, "Key__c": record, "Journey__c": "New"}
    assert listener.ids() == listener.ids()[:1]
    listener.close()


# ---- what its elements do


def after(elements, first):
    return flow_file(elements, start(first, condition=""))


@pytest.mark.parametrize(
    ("left", "operator", "kind", "text", "expected"),
    [
        ("$Record.LastName", "EqualTo", "stringValue", "ADA", True),
        ("$Record.LastName", "NotEqualTo", "stringValue", "Bob", True),
        ("$Record.LastName", "StartsWith", "stringValue", "a", True),
        ("$Record.LastName", "EndsWith", "stringValue", "b", False),
        ("$Record.LastName", "Contains", "stringValue", "d", True),
        ("$Record.Email", "IsNull", "booleanValue", "true", True),
        ("$Record.Email", "IsNull", "booleanValue", "false", False),
        ("$Record.NumberOfEmployees", "GreaterThan", "numberValue", "10", True),
        ("$Record.NumberOfEmployees", "LessThanOrEqualTo", "numberValue", "10", False),
        ("$Record.AnnualRevenue", "LessThan", "numberValue", "5", False),
        ("$Record.DoNotCall", "EqualTo", "booleanValue", "false", True),
        ("$Record__Prior.LastName", "IsNull", "booleanValue", "true", True),
        ("$User.Username", "EqualTo", "stringValue", ADMIN, True),
        ("$Record.CreatedBy.LastName", "EqualTo", "stringValue", "Admin", True),
    ],
)
def test_decisions_compare_as_flows_do(org, left, operator, kind, text, expected):
    check = decision("Check", condition(left, operator, kind, text), "Send", "")
    install(org, after(TELL + check, "Check"))
    create(org, LastName="Ada", NumberOfEmployees=12)
    assert bool(told(org)) is expected


def test_custom_logic_combines_conditions(org):
    conditions = (
        condition("$Record.LastName", "EqualTo", "stringValue", "Ada")
        + condition("$Record.Company", "EqualTo", "stringValue", "X")
        + condition("$Record.City", "EqualTo", "stringValue", "Bonn")
    )
    check = decision("Check", conditions, "Send", "", logic="1 AND (2 OR 3)")
    install(org, after(TELL + check, "Check"))
    create(org, LastName="Ada", Company="Y")
    assert told(org) == []
    create(org, LastName="Ada", Company="Y", City="Bonn")
    assert len(told(org)) == 1


def test_a_flow_creates_records_and_uses_their_ids(org):
    task = create_element(
        "Task",
        "Task",
        {
            "Subject": value("elementReference", "Subject"),
            "WhoId": value("elementReference", "$Record.Id"),
            "OwnerId": value("elementReference", "$Record.OwnerId"),
        },
        target="Remember",
    )
    remember = update_element("Remember", {"Key__c": value("elementReference", "Task")})
    formula = (
        "<formulas><name>Subject</name><dataType>String</dataType>"
        '<expression>"Call " &amp; {!$Record.LastName}</expression></formulas>'
    )
    elements = f"{formula}<label>F</label><processType>AutoLaunchedFlow</processType>{task}{remember}"
    flow = f"<Flow {NS}>{elements}{start('Task', condition='', on='Create')}<status>Active</status></Flow>"
    install(org, flow)
    record = create(org, LastName="Ada")
    (made,) = org.records.table("Task").rows.values()
    assert (made["Subject"], made["WhoId"]) == ("Call Ada", record)
    assert lead(org, record)["Key__c"] == made["Id"]


def test_a_flow_looks_up_one_record(org):
    lookup = (
        f"<recordLookups><name>Boss</name><label>Boss</label>{PLACE}{connector('Set')}"
        "<filterLogic>and</filterLogic><filters><field>Username</field><operator>EqualTo</operator>"
        f"{value('stringValue', REPS[0])}</filters><getFirstRecordOnly>true</getFirstRecordOnly>"
        "<object>User</object><storeOutputAutomatically>true</storeOutputAutomatically></recordLookups>"
    )
    set_ = update_element("Set", {"City": value("elementReference", "Boss.FirstName")})
    install(org, flow_file(lookup + set_, start("Boss", condition="", on="Create")))
    record = create(org)
    assert lead(org, record)["City"] == "Rita"


def before(elements, first):
    return flow_file(elements, start(first, condition="", trigger="RecordBeforeSave"))


def test_before_the_save_a_flow_sets_fields_without_a_second_save(org):
    set_ = assignment("Set", "$Record.City", "Assign", value("stringValue", "Bonn"))
    install(org, before(set_, "Set"))
    record = create(org)
    row = lead(org, record)
    assert row["City"] == "Bonn"
    assert row["CreatedDate"] == row["SystemModstamp"]


def test_what_a_flow_sets_before_the_save_is_checked_like_the_rest(org):
    set_ = assignment("Set", "$Record.City", "Assign", value("stringValue", "x" * 41))
    install(org, before(set_, "Set"))
    with pytest.raises(Refusal) as refused:
        create(org)
    assert refused.value.error_code == "STRING_TOO_LONG"


def test_variables_count_and_join(org):
    more = assignment("More", "Sum", "Add", value("numberValue", "2"), "Less")
    less = assignment("Less", "Sum", "Subtract", value("numberValue", "3"), "Name")
    name = assignment(
        "Name", "Text", "Add", value("elementReference", "$Record.LastName"), "Set"
    )
    set_ = assignment(
        "Set",
        "$Record.NumberOfEmployees",
        "Assign",
        value("elementReference", "Sum"),
        "City",
    )
    city = assignment(
        "City", "$Record.City", "Assign", value("elementReference", "Text")
    )
    variables = (
        "<variables><name>Sum</name><dataType>Number</dataType><isCollection>false</isCollection>"
        "<value><numberValue>10.0</numberValue></value></variables>"
        "<variables><name>Text</name><dataType>String</dataType>"
        "<value><stringValue>Dr. </stringValue></value></variables>"
    )
    install(org, before(more + less + name + set_ + city + variables, "More"))
    record = create(org, LastName="Ada")
    assert (lead(org, record)["NumberOfEmployees"], lead(org, record)["City"]) == (
        9,
        "Dr. Ada",
    )


# ---- failing


TOO_LONG = {"City": value("stringValue", "x" * 41)}


def failing(**options):
    stamp = update_element("Stamp", TOO_LONG, **options)
    return flow_file(TELL + stamp, start("Stamp", condition="", on="Create"))


def test_a_failed_flow_takes_the_save_back(org):
    install(org, failing(target="Send"))
    with pytest.raises(Refusal) as refused:
        create(org)
    assert refused.value.error_code == "CANNOT_EXECUTE_FLOW_TRIGGER"
    assert refused.value.message.startswith(
        "We can't save this record because the “Tell of leads” process failed. Give your "
        "Salesforce admin these details. This error occurred when the flow tried to update "
        "records: STRING_TOO_LONG: City: data value too large:"
    )
    assert org.records.table("Lead").rows == {}
    assert told(org) == []


def test_a_fault_path_goes_on_and_the_save_stands(org):
    install(org, failing(target="Send", fault="Send"))
    record = create(org, City="Bonn")
    assert lead(org, record)["City"] == "Bonn"
    assert told(org) == [record]


def test_a_message_of_a_save_that_is_taken_back_is_never_sent(org):
    send = TELL.replace("</actionCalls>", connector("Stamp") + "</actionCalls>")
    stamp = update_element("Stamp", TOO_LONG)
    install(org, flow_file(send + stamp, start("Send", condition="")))
    with pytest.raises(Refusal):
        create(org)
    assert told(org) == []


def test_an_element_that_fails_half_way_leaves_nothing_of_itself(org):
    deployed(org, base())
    deployed(org, rule('AND(LastName = "No", NOT(ISBLANK(City)))'))
    good, bad = create(org, Company="Same"), create(org, Company="Same", LastName="No")
    move = update_element(
        "Move",
        {"City": value("stringValue", "Bonn")},
        fault="Rest",
        match="$Record.Name",
        field="Company",
    )
    rest = assignment(
        "Rest", "Said", "Assign", value("elementReference", "$Flow.FaultMessage")
    )
    said = "<variables><name>Said</name><dataType>String</dataType></variables>"
    flow = flow_file(
        move + rest + said, start("Move", condition="", object_name="Account")
    )
    deployed(org, package({"flows/Tell.flow": flow}, {"Flow": ["Tell"]}))
    create(org, "Account", Name="Same")
    assert "City" not in lead(org, good)
    assert "City" not in lead(org, bad)


def test_a_flow_that_starts_itself_is_stopped(org):
    loop = update_element(
        "Again", {"NumberOfEmployees": value("elementReference", "Next")}
    )
    formula = (
        "<formulas><name>Next</name><dataType>Number</dataType>"
        "<expression>BLANKVALUE({!$Record.NumberOfEmployees}, 0) + 1</expression></formulas>"
    )
    flow = (
        f"<Flow {NS}>{formula}<label>Loop</label><processType>AutoLaunchedFlow</processType>"
        f"{loop}{start('Again', condition='')}<status>Active</status></Flow>"
    )
    install(org, flow)
    with pytest.raises(Refusal, match="maximum trigger depth exceeded"):
        create(org)
    assert org.records.table("Lead").rows == {}


# ---- what cannot run is refused when it is deployed

SUBFLOW = f"<subflows><name>L</name><label>L</label>{PLACE}</subflows>"
APEX = TELL.replace("outboundMessage", "apex").replace("Lead.Tell", "Doer")


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        (
            flow_file(TELL).replace("<status>", SUBFLOW + "<status>"),
            "subflows: Not available for deploy for this organization",
        ),
        (
            flow_file(APEX),
            "Send (Action) - action type apex: Not available for deploy for this organization",
        ),
        (
            flow_file(start_=start(trigger="PlatformEvent")),
            "trigger type PlatformEvent: Not available for deploy for this organization",
        ),
        (
            flow_file(start_=start(on="Delete")),
            "record trigger type Delete: Not available for deploy for this organization",
        ),
        (
            flow_file(
                start_=start().replace(
                    "<object>",
                    "<scheduledPaths><name>P</name></scheduledPaths><object>",
                )
            ),
            "Start - Flows with scheduled paths can't have entry conditions that look at the change: ISNEW, ISCHANGED, PRIORVALUE or the operator Is Changed.",
        ),
        (
            flow_file().replace("AutoLaunchedFlow", "Flow"),
            "process type Flow: Not available for deploy for this organization",
        ),
        (
            flow_file(TELL.replace("Lead.Tell", "Lead.Gone")),
            "Send (Action) - We can't find an action with the name and action type that you specified.",
        ),
        (
            flow_file(start_=start("")),
            "field integrity exception: unknown (The flow can't run because nothing is connected to the Start element.)",
        ),
        (
            flow_file(start_=start("Nowhere")),
            "Start - The connector's target element Nowhere doesn't exist.",
        ),
        (
            flow_file(start_=start(trigger="RecordBeforeSave")),
            "Send (Action) - The element can't be used in flows with the trigger type RecordBeforeSave.",
        ),
        (
            flow_file(
                start_=start(
                    condition="<filterFormula>ISBLANK({!$Record.Journey__c})</filterFormula>"
                )
            ),
            "The formula expression is invalid: Field Journey__c is a picklist field. Picklist fields are only supported in certain functions.",
        ),
        (
            flow_file(
                start_=start(
                    condition="<filterFormula>ISCHANGED({!$Record.Nope__c})</filterFormula>"
                )
            ),
            "The formula expression is invalid: Field $Record.Nope__c does not exist. Check spelling.",
        ),
        (
            flow_file(
                start_=start(
                    condition="<filterFormula>ISCHANGED({!$Record.OwnerId})</filterFormula>"
                )
            ),
            "The formula expression is invalid: Field OwnerId does not exist. Check spelling.",
        ),
        (
            flow_file(
                start_=start(
                    condition="<filterFormula>{!$Record.LastName}</filterFormula>"
                )
            ),
            "The formula expression is invalid: Formula result is data type (Text), incompatible with expected data type (true or false).",
        ),
        (
            flow_file(
                start_=start(condition="<filterFormula>VLOOKUP(1)</filterFormula>")
            ),
            "The formula expression is invalid: Function VLOOKUP may not be used in this type of formula",
        ),
        (
            flow_file(
                TELL
                + decision(
                    "D",
                    condition("$Record.Nope", "IsNull", "booleanValue", "true"),
                    "Send",
                    "",
                )
            ),
            "D (Decision) - Field $Record.Nope does not exist. Check spelling.",
        ),
        (
            flow_file(
                TELL
                + decision(
                    "D", condition("Score", "EqualTo", "numberValue", "1"), "Send", ""
                )
            ),
            "D (Decision) - Field Score does not exist. Check spelling.",
        ),
        (
            flow_file(
                TELL
                + decision(
                    "D",
                    condition("$Record.LastName", "EqualTo", "numberValue", "1"),
                    "Send",
                    "",
                )
            ),
            "D (Decision) - The data type of $Record.LastName (Text) is not compatible with the value's (Number).",
        ),
        (
            flow_file(
                TELL
                + decision(
                    "D",
                    condition("$Record.LastName", "WasSet", "booleanValue", "true"),
                    "Send",
                    "",
                )
            ),
            "D (Decision) - operator WasSet: Not available for deploy for this organization",
        ),
        (
            flow_file(
                TELL
                + decision(
                    "D",
                    condition("$Record.LastName", "IsNull", "booleanValue", "true"),
                    "Send",
                    "",
                    logic="1 AND 2",
                )
            ),
            "D (Decision) - Invalid condition logic: 1 AND 2",
        ),
        (
            flow_file(TELL + update_element("U", {"Nope": value("stringValue", "x")})),
            'U (Update Records) - The field "Nope" for the object "Lead" doesn\'t exist.',
        ),
        (
            flow_file(
                TELL + update_element("U", {"CreatedById": value("stringValue", "x")})
            ),
            'U (Update Records) - The field "CreatedById" for the object "Lead" can\'t be written to.',
        ),
        (
            flow_file().replace("<label>Tell of leads</label>", ""),
            "Required field is missing: label",
        ),
    ],
)
def test_a_flow_that_cannot_run_is_refused_by_its_name(org, flow, words):
    made = deploy(org, base(flow=flow))
    assert problems(made) == {"Tell": words}


def test_a_flow_finds_its_message_in_the_same_deployment_only(org):
    files = {key: text for key, text in BASE.items() if "workflow" not in key}
    members = {k: v for k, v in BASE_MEMBERS.items() if k != "WorkflowOutboundMessage"}
    files["flows/Tell.flow"] = flow_file()
    made = deploy(org, package(files, members | {"Flow": ["Tell"]}))
    assert list(problems(made)) == ["Tell"]


def test_an_outbound_message_in_a_flow_needs_api_53(org):
    files = BASE | {"flows/Tell.flow": flow_file(version="52.0")}
    made = deploy(
        org, package(files, BASE_MEMBERS | {"Flow": ["Tell"]}, version="52.0")
    )
    assert problems(made) == {
        "Tell": 'Send (Action) - The action type "Outbound Messages" can\'t be used in '
        'flows with the process type "Autolaunched Flow".'
    }


# ---- validation rules


def rule(condition_, *, active="true"):
    text = object_file(
        "<validationRules><fullName>No_Way_Back</fullName>"
        f"<active>{active}</active><errorConditionFormula>{condition_}</errorConditionFormula>"
        "<errorDisplayField>LastName</errorDisplayField>"
        "<errorMessage>A won lead stays won.</errorMessage></validationRules>"
    )
    return package(
        {"objects/Lead.object": text}, {"ValidationRule": ["Lead.No_Way_Back"]}
    )


WON = 'AND(ISCHANGED(Journey__c), ISPICKVAL(PRIORVALUE(Journey__c), "Won"))'


def test_a_validation_rule_refuses_what_it_is_true_for(org):
    deployed(org, base())
    assign(org, ADMIN)
    deployed(org, rule(WON))
    record = create(org, Journey__c="Won")
    with pytest.raises(Refusal) as refused:
        update(org, record, Journey__c="New")
    assert refused.value.as_save_error() == {
        "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "message": "A won lead stays won.",
        "fields": ["LastName"],
    }
    deployed(org, rule(WON, active="false"))
    update(org, record, Journey__c="New")


def test_a_validation_rule_is_bypassed_by_a_custom_permission(org):
    permission = f"<CustomPermission {NS}><isLicensed>false</isLicensed><label>Bypass</label></CustomPermission>"
    custom = "<customPermissions><enabled>true</enabled><name>Bypass</name></customPermissions>"
    text = BASE["permissionsets/Set.permissionset"]
    files = BASE | {
        "customPermissions/Bypass.customPermission": permission,
        "permissionsets/Set.permissionset": text.replace(
            "<fieldPermissions>", custom + "<fieldPermissions>", 1
        ),
    }
    deployed(org, package(files, BASE_MEMBERS | {"CustomPermission": ["Bypass"]}))
    deployed(org, rule('AND(NOT($Permission.Bypass), LastName = "No")'))
    with pytest.raises(Refusal, match="A won lead stays won"):
        create(org, LastName="No")
    assign(org, ADMIN)
    create(org, LastName="No")
