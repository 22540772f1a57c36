"""A deployment changes the org as Salesforce would, or says in its words why not."""

import pytest
from meta_package import (
    BASE,
    BASE_MEMBERS,
    KEY_FIELD,
    NS,
    STATUS_FIELD,
    STATUS_SET,
    assign,
    base,
    deploy,
    deployed,
    field,
    finished,
    flow_file,
    grants,
    manifest,
    object_file,
    package,
    problems,
    text_field,
    workflow_file,
    zipped,
)

from sidecar.devorg.clock import OrgClock
from sidecar.devorg.founding import ADMIN, INTEGRATION, REPS
from sidecar.devorg.metadata.deployment import Options
from sidecar.devorg.org import Org
from sidecar.devorg.refusal import Refusal


@pytest.fixture
def org():
    made = Org.fresh(seed=3, clock=OrgClock())
    yield made
    made.stop()


def lead_fields(content, *names):
    return package(
        {"objects/Lead.object": object_file(content)},
        {"CustomField": [f"Lead.{name}" for name in names]},
    )


def only(deployment):
    """The one problem of a deployment."""
    found = problems(deployment)
    assert len(found) == 1, found
    return next(iter(found.values()))


# ---- what a deployment does


def test_a_deployed_field_is_seen_by_nobody_until_a_permission_set_says_so(org):
    deployed(org, base())
    admin = org.user_named(ADMIN)
    lead = org.schema["Lead"]
    assert "journey__c" not in org.access(admin).readable(lead)
    assign(org, ADMIN)
    assert "journey__c" in org.access(admin).readable(lead)
    assert "journey__c" not in org.access(org.user_named(REPS[0])).readable(lead)


def test_a_picklist_takes_the_values_of_its_global_value_set(org):
    deployed(org, base())
    values = org.schema["Lead"].fields["journey__c"].values
    assert [each.value for each in values] == ["New", "Won", "Lost"]


def test_a_value_left_out_of_a_later_deployment_becomes_inactive(org):
    deployed(org, base())
    fewer = STATUS_SET.replace("Lost", "Gone")
    deployed(
        org,
        package(
            {"globalValueSets/Journey.globalValueSet": fewer},
            {"GlobalValueSet": ["Journey"]},
        ),
    )
    values = org.schema["Lead"].fields["journey__c"].values
    assert {each.value: each.active for each in values} == {
        "New": True,
        "Won": True,
        "Gone": True,
        "Lost": False,
    }


def test_a_field_of_activity_shows_on_tasks_and_events(org):
    deployed(
        org,
        package(
            {"objects/Activity.object": object_file(KEY_FIELD)},
            {"CustomField": ["Activity.Key__c"]},
        ),
    )
    assert org.schema["Task"].field("Key__c").external_id
    assert org.schema["Event"].field("Key__c").unique


def test_a_validation_leaves_nothing_behind(org):
    before = list(org.metadata.components)
    made = deploy(org, base(flow=flow_file()), check_only=True)
    assert made.success
    assert made.total == 6
    assert org.schema["Lead"].field("Journey__c") is None
    assert list(org.metadata.components) == before
    assert org.outbound.actions == {}
    assert not org.records.table("PermissionSet").find(
        org.schema["PermissionSet"].fields["name"], ["Set"]
    )


def test_one_failure_takes_everything_back(org):
    files = BASE | {"workflows/Lead.workflow": workflow_file(user="nobody@example.com")}
    before = list(org.metadata.components)
    made = deploy(org, package(files, BASE_MEMBERS))
    assert made.status == "Failed"
    assert problems(made) == {
        "Lead.Tell": "In field: integrationUser - no User named nobody@example.com found"
    }
    assert org.schema["Lead"].field("Journey__c") is None
    assert list(org.metadata.components) == before


def test_without_rollback_what_succeeded_stays(org):
    files = BASE | {"workflows/Lead.workflow": workflow_file(user="nobody@example.com")}
    made = deploy(org, package(files, BASE_MEMBERS), rollback_on_error=False)
    assert made.status == "SucceededPartial"
    assert org.schema["Lead"].field("Journey__c") is not None
    assert org.metadata.components.get("WorkflowOutboundMessage", "Lead.Tell") is None


def test_a_failed_change_leaves_the_field_as_it_was(org):
    deployed(org, lead_fields(text_field("Code__c", 32), "Code__c"))
    worse = text_field("Code__c", 40) + text_field("Bad__c", 0)
    deploy(org, lead_fields(worse, "Code__c", "Bad__c"))
    assert org.schema["Lead"].field("Code__c").length == 32


def test_deploying_the_same_again_changes_nothing(org):
    data = base(flow=flow_file())
    first = deployed(org, data)
    again = deployed(org, data)
    ids = {each.full_name: each.id for each in first.outcome.successes if each.type}
    for each in again.outcome.successes:
        if each.type:
            assert (each.created, each.changed) == (False, False)
            assert each.id == ids[each.full_name]


def test_a_deployment_states_the_whole_permission_set(org):
    deployed(org, base())
    assign(org, ADMIN)
    deployed(
        org,
        package(
            {"permissionsets/Set.permissionset": grants(["Lead.Key__c"])},
            {"PermissionSet": ["Set"]},
        ),
    )
    readable = org.access(org.user_named(ADMIN)).readable(org.schema["Lead"])
    assert "key__c" in readable
    assert "journey__c" not in readable


def test_formula_fields_are_computed_whatever_their_order(org):
    content = field(
        "B__c", '<formula>A__c &amp; "!"</formula><label>B</label><type>Text</type>'
    ) + field(
        "A__c", "<formula>UPPER(LastName)</formula><label>A</label><type>Text</type>"
    )
    deployed(org, lead_fields(content, "A__c", "B__c"))
    field_ = org.schema["Lead"].field("B__c")
    assert field_.compute({"LastName": "ada"}) == "ADA!"
    assert not field_.createable


def test_the_zip_may_have_its_package_one_folder_down(org):
    files = {"package.xml": manifest(BASE_MEMBERS), **BASE}
    deployed(org, zipped(files, folder="unpackaged/"), single_package=False)


def test_wildcards_name_what_has_a_file_of_its_own(org):
    files = {"globalValueSets/Journey.globalValueSet": STATUS_SET}
    deployed(org, package(files, {"GlobalValueSet": ["*"]}))


# ---- custom objects

REFERRER = (
    "<deploymentStatus>Deployed</deploymentStatus>{fields}<label>Referrer</label>"
    "<nameField>{name}</nameField><pluralLabel>Referrers</pluralLabel>"
    "<sharingModel>{sharing}</sharingModel>"
)
NUMBERED = (
    "<displayFormat>REF-{0000}</displayFormat><label>No.</label><type>AutoNumber</type>"
)


def custom_object(*, fields="", name=NUMBERED, sharing="ReadWrite"):
    content = REFERRER.format(fields=fields, name=name, sharing=sharing)
    members = {"CustomObject": ["Referrer__c"]}
    return package({"objects/Referrer__c.object": object_file(content)}, members)


def test_a_custom_object_numbers_its_records(org):
    deployed(org, custom_object(fields=text_field("Code__c")))
    system = org.system(org.user_named(ADMIN))
    with org.work():
        ids = [org.records.create(system, "Referrer__c", {}) for _ in range(2)]
    rows = org.records.table("Referrer__c").rows
    assert [rows[each]["Name"] for each in ids] == ["REF-0001", "REF-0002"]
    assert ids[0].startswith("a00")


def test_lookups_know_both_ends_of_the_relationship(org):
    lookup = field(
        "Lead__c",
        "<deleteConstraint>SetNull</deleteConstraint><label>Lead</label><referenceTo>Lead</referenceTo>"
        "<relationshipName>Referrers</relationshipName><type>Lookup</type>",
    )
    deployed(org, custom_object(fields=lookup))
    made = org.schema["Referrer__c"].field("Lead__c")
    assert made.relationship_name == "Lead__r"
    assert made.child_relationship_name == "Referrers__r"
    again = lookup.replace("Lead__c", "Other__c")
    assert only(deploy(org, custom_object(fields=lookup + again))) == (
        "There is already a Child Relationship named Referrers on Lead."
    )


MASTER = field(
    "Account__c",
    "<label>Account</label><referenceTo>Account</referenceTo><type>MasterDetail</type>",
)


def test_a_detail_cannot_be_without_its_master_and_needs_no_permission(org):
    deployed(org, custom_object(fields=MASTER, sharing="ControlledByParent"))
    made = org.schema["Referrer__c"].field("Account__c")
    assert (made.required, made.delete_constraint) == (True, "Cascade")
    assert org.schema["Referrer__c"].field("OwnerId") is None
    files = {"permissionsets/Set.permissionset": grants(["Referrer__c.Account__c"])}
    assert only(deploy(org, package(files, {"PermissionSet": ["Set"]}))) == (
        "You cannot deploy to a required field: Referrer__c.Account__c"
    )


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"CustomObject": ["Lead"]}, None),
        ({"CustomField": ["Lead.Code__c"]}, None),
        ({"CustomObject": ["*"]}, "Not in package.xml"),
        ({}, "Not in package.xml"),
    ],
)
def test_a_part_of_a_file_is_named_itself_or_by_its_file(org, members, words):
    content = object_file(text_field("Code__c"))
    made = deploy(org, package({"objects/Lead.object": content}, members))
    assert problems(made) == ({"Lead.Code__c": words} if words else {})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"name": "<label>N</label><type>Number</type>"},
            "Must specify a nameField of type Text or AutoNumber",
        ),
        (
            {"sharing": "ControlledByParent"},
            "Cannot set sharingModel to ControlledByParent on a CustomObject without a MasterDetail relationship field",
        ),
        (
            {"sharing": "Open"},
            "'Open' is not a valid value for the enum 'SharingModel'",
        ),
    ],
)
def test_a_custom_object_is_refused_in_salesforce_s_words(org, options, words):
    assert only(deploy(org, custom_object(**options))) == words


# ---- refusals


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            field("X__c", "<label>X</label><type>Text</type>"),
            "Must specify 'length' for a CustomField of type Text",
        ),
        (
            field("X__c", "<length>5</length><type>Text</type>"),
            "Must specify a non-empty label for the CustomField",
        ),
        (
            text_field("X__c").replace("<label>X<", f"<label>{'x' * 41}<"),
            "Value too long for field: MasterLabel maximum length is:40",
        ),
        (
            field(
                "X__c", "<externalId>true</externalId><label>X</label><type>Date</type>"
            ),
            "Can not specify 'externalId' for a CustomField of type Date",
        ),
        (
            field("X__c", "<label>X</label><type>Checkbox</type>"),
            "Must specify 'defaultValue' for a CustomField of type Checkbox",
        ),
        (
            field(
                "X__c",
                "<label>X</label><type>Lookup</type><referenceTo>Nope__c</referenceTo>",
            ),
            "In field: referenceTo - no CustomObject named Nope__c found",
        ),
        (
            STATUS_FIELD.replace("Journey__c", "X__c"),
            "In field: valueSet - no GlobalValueSet named Journey found",
        ),
        (
            field("X__c", "<label>X</label><type>Sumary</type>"),
            "'Sumary' is not a valid value for the enum 'FieldType'",
        ),
        (
            field("X__c", "<label>X</label><type>Location</type>"),
            "Location: Not available for deploy for this organization",
        ),
        (
            field("X__c", "<label>X</label><colour>red</colour>"),
            "Element {http://soap.sforce.com/2006/04/metadata}colour invalid at this location in type CustomField",
        ),
        (
            field("X__c", "<label>X</label><label>Y</label>"),
            "Element label is duplicated at this location in type CustomField",
        ),
        (
            field("X__c", "<label>X</label><required>yes</required><type>Date</type>"),
            "Error parsing file: 'yes' is not a valid value for the type xsd:boolean",
        ),
        (
            field(
                "X__c", "<formula>Nope__c</formula><label>X</label><type>Text</type>"
            ),
            "Field Nope__c does not exist. Check spelling.",
        ),
        (
            field("X__c", "<formula>1</formula><label>X</label><type>Text</type>"),
            "Formula result is data type (Number), incompatible with expected data type (Text).",
        ),
        (
            text_field("X___c"),
            "The name can only contain alphanumeric characters, must begin with a letter, cannot end with an underscore or contain two consecutive underscore characters, and must be unique.",
        ),
        (
            field("X__c", "<label>X</label><lookupFilter/><type>Date</type>"),
            "lookupFilter: Not available for deploy for this organization",
        ),
    ],
)
def test_a_field_is_refused_in_salesforce_s_words(org, content, words):
    name = "X___c" if "X___c" in content else "X__c"
    assert only(deploy(org, lead_fields(content, name))) == words


def test_a_failure_of_the_text_tells_its_line(org):
    content = "\n\n" + field("X__c", "<label>X</label>\n<colour>red</colour>")
    made = deploy(org, lead_fields(content, "X__c"))
    assert made.outcome.failures[0].line == 4


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (
            field(
                "Code__c",
                "<label>C</label><type>Lookup</type><referenceTo>Account</referenceTo>",
            ),
            "Cannot update a field to a Lookup, MasterDetail, or Hierarchy from something else",
        ),
        (
            field(
                "Code__c",
                "<formula>LastName</formula><label>C</label><type>Text</type>",
            ),
            "Cannot update a field to a Formula from something else",
        ),
        (
            field("Code__c", "<label>C</label><type>Date</type>"),
            "Cannot change type due to existing data",
        ),
    ],
)
def test_a_field_that_is_there_changes_only_where_it_can(org, later, words):
    deployed(org, lead_fields(text_field("Code__c"), "Code__c"))
    system = org.system(org.user_named(ADMIN))
    with org.work():
        values = {"LastName": "L", "Company": "C", "Code__c": "x"}
        org.records.create(system, "Lead", values)
    assert only(deploy(org, lead_fields(later, "Code__c"))) == words


def permission_set(content):
    text = f"<PermissionSet {NS}>{content}</PermissionSet>"
    files = BASE | {"permissionsets/Set.permissionset": text}
    return package(files, BASE_MEMBERS)


LABEL = "<label>Set</label>"
READ_NOTHING = (
    "<objectPermissions><allowCreate>false</allowCreate><allowDelete>false</allowDelete>"
    "<allowEdit>true</allowEdit><allowRead>false</allowRead>"
    "<modifyAllRecords>false</modifyAllRecords><object>Lead</object>"
    "<viewAllRecords>false</viewAllRecords></objectPermissions>"
)


def field_grant(name, *, readable="true"):
    return (
        f"<fieldPermissions><editable>true</editable><field>{name}</field>"
        f"<readable>{readable}</readable></fieldPermissions>{LABEL}"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            field_grant("Lead.LastName"),
            "You cannot deploy to a required field: Lead.LastName",
        ),
        (
            field_grant("Lead.Nope__c"),
            "In field: field - no CustomField named Lead.Nope__c found",
        ),
        (
            field_grant("Lead.Key__c", readable="false"),
            "Permission Edit Lead.Key__c depends on permission(s): Read Lead.Key__c",
        ),
        (
            LABEL + READ_NOTHING,
            "Permission Edit Lead depends on permission(s): Read Lead",
        ),
        (
            LABEL + READ_NOTHING.replace("Lead", "Nope__c"),
            "In field: object - no CustomObject named Nope__c found",
        ),
        (
            LABEL
            + "<userPermissions><enabled>true</enabled><name>Fly</name></userPermissions>",
            "Unknown user permission: Fly",
        ),
        ("<description>x</description>", "Required field is missing: label"),
        (
            f"<description>{'x' * 256}</description>{LABEL}",
            "Value too long for field: Description maximum length is:255",
        ),
        (
            LABEL
            + "<tabSettings><tab>Referrer__c</tab><visibility>Visible</visibility></tabSettings>",
            "In field: tab - no CustomTab named Referrer__c found",
        ),
        (
            "<classAccesses><apexClass>A</apexClass><enabled>true</enabled></classAccesses>"
            + LABEL,
            "In field: apexClass - no ApexClass named A found",
        ),
    ],
)
def test_a_permission_set_is_refused_in_salesforce_s_words(org, content, words):
    assert only(deploy(org, permission_set(content))) == words


@pytest.mark.parametrize(
    ("workflow", "words"),
    [
        (
            workflow_file(fields=("Id", "Nope__c")),
            "In field: fields - no CustomField named Lead.Nope__c found",
        ),
        (
            workflow_file(url="ftp://example.com"),
            "Invalid endpoint URL: ftp://example.com",
        ),
        (
            workflow_file().replace("<name>Tell</name>", ""),
            "Required field is missing: name",
        ),
    ],
)
def test_an_outbound_message_is_refused_in_salesforce_s_words(org, workflow, words):
    made = deploy(
        org, package(BASE | {"workflows/Lead.workflow": workflow}, BASE_MEMBERS)
    )
    assert only(made) == words


def test_the_integration_user_must_be_active(org):
    system = org.system(org.user_named(ADMIN))
    with org.work():
        org.records.update(
            system, "User", org.user_named(INTEGRATION), {"IsActive": False}
        )
    files = BASE | {"workflows/Lead.workflow": workflow_file(user=INTEGRATION)}
    assert only(deploy(org, package(files, BASE_MEMBERS))) == (
        f"In field: integrationUser - no User named {INTEGRATION} found"
    )


@pytest.mark.parametrize(
    ("path", "content", "kind", "name"),
    [
        ("profiles/Admin.profile", f"<Profile {NS}/>", "Profile", "Admin"),
        ("pages/A.page", "<apex:page/>", "ApexPage", "A"),
        ("roles/Boss.role", f"<Role {NS}/>", "Role", "Boss"),
    ],
)
def test_a_type_that_the_org_does_not_run_is_refused_by_its_name(
    org, path, content, kind, name
):
    made = deploy(org, package({path: content}, {kind: [name]}))
    (failure,) = made.outcome.failures
    assert (failure.type, failure.full_name, failure.file) == (kind, name, path)
    assert failure.problem == "Not available for deploy for this organization"


def test_a_part_of_a_file_that_the_org_does_not_run_is_refused_by_its_name(org):
    rule = "<rules><fullName>R</fullName><active>true</active><triggerType>onCreateOnly</triggerType></rules>"
    made = deploy(
        org,
        package(
            {"workflows/Lead.workflow": f"<Workflow {NS}>{rule}</Workflow>"},
            {"WorkflowRule": ["Lead.R"]},
        ),
    )
    (failure,) = made.outcome.failures
    assert (failure.type, failure.full_name) == ("WorkflowRule", "Lead.R")
    assert failure.problem == "Not available for deploy for this organization"


@pytest.mark.parametrize(
    ("files", "members", "words"),
    [
        (
            {},
            {"Flow": ["Gone"]},
            "An object 'Gone' of type Flow was named in package.xml, but was not found in zipped directory",
        ),
        ({"globalValueSets/J.globalValueSet": STATUS_SET}, {}, "Not in package.xml"),
        (
            {},
            {"Nonsense": ["X"]},
            "Unknown type name 'Nonsense' specified in package.xml",
        ),
        ({"notes.txt": "x"}, {}, "The file notes.txt is not a supported type"),
        ({"flows/F.flow": "<Flow"}, {"Flow": ["F"]}, "Error parsing file"),
        (
            {
                "flows/F.flow": f"<Flow {NS}>&x;</Flow>".replace(
                    "<Flow", '<!DOCTYPE f [<!ENTITY x "y">]><Flow'
                )
            },
            {"Flow": ["F"]},
            "Error parsing file: DOCTYPE is not allowed",
        ),
    ],
)
def test_package_and_files_must_agree(org, files, members, words):
    made = deploy(org, package(files, members))
    assert made.status == "Failed"
    assert only(made).startswith(words)


def test_a_version_that_does_not_exist_is_refused(org):
    made = deploy(org, package({}, {}, version="99.0"))
    assert only(made) == "Invalid version specified: 99.0"


@pytest.mark.parametrize("data", [b"", b"no zip", zipped({"a/b": "c"})])
def test_what_is_no_package_fails_as_a_whole(org, data):
    made = deploy(org, data)
    assert made.status == "Failed"
    assert made.error
    assert made.outcome.failures == []


# ---- deleting


def destroy(members, name="destructiveChanges.xml"):
    return zipped({"package.xml": manifest({}), name: manifest(members)})


def test_what_is_named_for_destruction_goes_with_its_data(org):
    deployed(org, lead_fields(text_field("Code__c"), "Code__c"))
    system = org.system(org.user_named(ADMIN))
    with org.work():
        values = {"LastName": "L", "Company": "C", "Code__c": "x"}
        lead = org.records.create(system, "Lead", values)
    made = deployed(org, destroy({"CustomField": ["Lead.Code__c", "Lead.Nope__c"]}))
    assert org.schema["Lead"].field("Code__c") is None
    assert "Code__c" not in org.records.table("Lead").rows[lead]
    warned = [each for each in made.outcome.successes if each.problem]
    assert [each.problem for each in warned] == [
        "No CustomField named: Lead.Nope__c found"
    ]


def test_what_others_need_is_not_deleted(org):
    deployed(org, base(flow=flow_file()))
    made = deploy(
        org,
        destroy(
            {
                "GlobalValueSet": ["Journey"],
                "CustomField": ["Lead.Journey__c"],
                "WorkflowOutboundMessage": ["Lead.Tell"],
                "Flow": ["Tell", "Tell-1"],
            }
        ),
    )
    assert set(problems(made)) == {
        "Journey",
        "Lead.Journey__c",
        "Lead.Tell",
        "Tell",
        "Tell-1",
    }
    assert problems(made)["Tell"] == "insufficient access rights on cross-reference id"
    assert org.schema["Lead"].field("Journey__c") is not None


def test_an_inactive_version_of_a_flow_can_be_deleted(org):
    deployed(org, base(flow=flow_file(label="One")))
    deployed(org, base(flow=flow_file(label="Two")))
    deployed(org, destroy({"Flow": ["Tell-1"]}))
    versions = org.metadata.components.get("Flow", "Tell").value.versions
    assert [each.number for each in versions] == [2]


# ---- who, and how


def test_only_those_who_may_change_metadata_deploy(org):
    with pytest.raises(Refusal) as refused:
        deploy(org, base(), user=REPS[0])
    assert refused.value.error_code == "INSUFFICIENT_ACCESS"


def test_a_deployment_that_waits_can_be_cancelled(org):
    org.metadata.deployments.hold(held=True)
    access = org.access(org.user_named(ADMIN))
    made = org.metadata.deployments.start(access, base(), Options())
    org.metadata.deployments.cancel(made.id, user_id=access.user_id)
    org.metadata.deployments.hold(held=False)
    after = deployed(org, lead_fields(text_field("Code__c"), "Code__c"))
    assert after.success
    assert made.status == "Canceled"
    assert org.schema["Lead"].field("Journey__c") is None
    with pytest.raises(Refusal):
        org.metadata.deployments.cancel(after.id, user_id=access.user_id)


def test_a_successful_validation_can_be_deployed_at_once(org):
    checked = deployed(org, base(), check_only=True)
    access = org.access(org.user_named(ADMIN))
    made = org.metadata.deployments.quick(access, checked.id)
    assert made.options.check_only is False
    finished(made)
    assert org.schema["Lead"].field("Journey__c") is not None
    with pytest.raises(Refusal):
        org.metadata.deployments.quick(access, made.id)


@pytest.fixture
def production(org):
    system = org.system(org.user_named(ADMIN))
    with org.work():
        table = org.records.table("Organization")
        table.put(
            org.id, {**table.rows[org.id], "OrganizationType": "Enterprise Edition"}
        )
    assert system
    return org


def test_production_demands_rollback_and_tests_of_apex(production):
    with pytest.raises(Refusal, match="rollbackOnError must be true"):
        deploy(production, base(), rollback_on_error=False)
    apex = package({"classes/A.cls": "class A {}"}, {"ApexClass": ["A"]})
    assert deploy(production, apex, test_level="NoTestRun").error == (
        "testLevel of NoTestRun cannot be used in production organizations"
    )


def test_an_active_flow_arrives_inactive_in_production(production):
    deployed(production, base(flow=flow_file()))
    assert production.metadata.components.get("Flow", "Tell").value.active is None
