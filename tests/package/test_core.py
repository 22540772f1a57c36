"""What the bundled module ``core`` promises, whatever else it comes to hold."""

import re

import pytest
from lxml import etree
from trees import MD

from sidecar.package import read

NS = {"m": MD}
TREE = read.select(read.load(read.bundled()), ["core"])
FIELD = re.compile(r".*/objects/(\w+)/fields/(\w+)\.field-meta\.xml$")


def root(ending):
    (path,) = [path for path in TREE if path.endswith(ending)]
    return etree.fromstring(TREE[path])


def texts(element, path):
    return [found.text for found in element.findall(path, NS)]


def fields():
    found = {}
    for path, content in TREE.items():
        if match := FIELD.match(path):
            found[f"{match[1]}.{match[2]}"] = etree.fromstring(content)
    return found


def permission_sets():
    return {
        component.name: etree.fromstring(TREE[component.files[0]])
        for component in read.components(TREE)
        if component.kind.type == "PermissionSet"
    }


def granted(permission_set, access):
    return {
        row.findtext("m:field", namespaces=NS)
        for row in permission_set.findall("m:fieldPermissions", NS)
        if row.findtext(f"m:{access}", namespaces=NS) == "true"
    }


@pytest.mark.parametrize("name", sorted(fields()))
def test_each_field_explains_itself_within_salesforce_s_lengths(name):
    field = fields()[name]

    for tag, most in (("label", 40), ("inlineHelpText", 510), ("description", 1000)):
        text = field.findtext(f"m:{tag}", namespaces=NS)
        assert text, tag
        assert len(text) <= most, tag
    assert len(name.partition(".")[2].removesuffix("__c")) <= 40


@pytest.mark.parametrize("name", sorted(fields()))
def test_each_field_is_visible_through_each_permission_set(name):
    """A field of Activity is granted on tasks and events, which share the access."""
    owner, _, field = name.partition(".")
    owners = ["Event", "Task"] if owner == "Activity" else [owner]

    for label, permission_set in permission_sets().items():
        for owner in owners:
            assert f"{owner}.{field}" in granted(permission_set, "readable"), label


@pytest.mark.parametrize(
    "name", ["Lead.Referral_Key__c", "Activity.Referral_Followup_Key__c"]
)
def test_the_keys_are_unique_external_ids_that_hold_a_uuid(name):
    key = fields()[name]

    assert [
        key.findtext(f"m:{tag}", namespaces=NS)
        for tag in ("type", "length", "externalId", "unique", "caseSensitive")
    ] == ["Text", "36", "true", "true", "false"]


def test_people_see_the_keys_and_only_the_integration_sets_them():
    keys = {
        "Lead.Referral_Key__c",
        "Task.Referral_Followup_Key__c",
        "Event.Referral_Followup_Key__c",
    }
    sets = permission_sets()

    assert keys <= granted(sets["Referral_Integration"], "editable")
    assert not keys & granted(sets["Referral_User"], "editable")


def test_no_permission_set_deletes_or_modifies_everything():
    for label, permission_set in permission_sets().items():
        for right in ("allowDelete", "modifyAllRecords"):
            rights = texts(permission_set, f"m:objectPermissions/m:{right}")
            assert "true" not in rights, label


def test_the_status_knows_the_milestones_in_their_order_and_nothing_else():
    values = root("/Referral_Status.globalValueSet-meta.xml")

    assert texts(values, "m:customValue/m:fullName") == [
        "Submitted",
        "Contacted",
        "Qualified",
        "Opportunity",
        "Won",
        "Lost",
    ]
    status = fields()["Lead.Referral_Status__c"]
    assert texts(status, "m:valueSet/m:valueSetName") == ["Referral_Status"]
    assert texts(status, "m:valueSet/m:restricted") == ["true"]


def test_no_lead_becomes_a_referral_by_a_default_value():
    values = root("/Referral_Status.globalValueSet-meta.xml")

    assert set(texts(values, "m:customValue/m:default")) == {"false"}


def test_the_outbound_message_carries_what_a_follow_up_and_the_order_need():
    (message,) = root("/Lead.workflow-meta.xml").findall("m:outboundMessages", NS)
    sent = set(texts(message, "m:fields"))

    assert sent >= {"Id", "OwnerId", "FirstName", "LastName", "Company", "Email"}
    assert sent >= {"CreatedDate", "LastModifiedDate", "LastModifiedById"}
    assert sent >= {"Phone", "SystemModstamp"}
    assert sent >= {
        name.partition(".")[2] for name in fields() if name.startswith("Lead.")
    }
    assert texts(message, "m:includeSessionId") == ["false"]


def test_the_integration_user_may_read_all_that_the_outbound_message_sends():
    """Its field access decides what a message holds; names and dates need none."""
    (message,) = root("/Lead.workflow-meta.xml").findall("m:outboundMessages", NS)
    always = {"Id", "OwnerId", "FirstName", "LastName", "Company", "SystemModstamp"}
    always |= {"CreatedDate", "LastModifiedDate", "LastModifiedById"}
    readable = granted(permission_sets()["Referral_Integration"], "readable")

    assert {f"Lead.{name}" for name in set(texts(message, "m:fields")) - always} <= (
        readable
    )


def test_the_flow_sends_the_message_on_every_path():
    flow = root("/Referral_Lead_Status_Changed.flow-meta.xml")
    (send,) = flow.findall("m:actionCalls", NS)
    ends = set(texts(flow, ".//m:targetReference"))

    assert (
        send.findtext("m:actionName", namespaces=NS) == "Lead.Referral_Status_Changed"
    )
    assert texts(flow, "m:status") == ["Active"]
    assert ends == {"Has_Referral_Key", "Stamp_Referral_Key", "Send_Status_Changed"}
    # with and without a key, and when an org's own rule refuses the stamp
    assert texts(flow, ".//m:targetReference").count("Send_Status_Changed") == 3


def test_one_api_version_stands_everywhere():
    version = read.api_version(TREE)
    found = {
        text
        for path, content in TREE.items()
        if path.endswith(".xml")
        for text in texts(etree.fromstring(content), ".//m:apiVersion")
    }

    assert found == {version}
    assert float(version) >= 53  # outbound messages as flow actions


def test_no_file_names_a_user_an_org_or_an_address():
    for path, content in TREE.items():
        text = content.decode()
        assert not re.search(r"[\w.]+@[\w.]+", text), path
        assert not re.search(r"\b00[D5][A-Za-z0-9]{12,15}\b", text), path
        assert "/profiles/" not in path


def test_core_stays_small():
    """At most 40 components, or a reason in the package's README."""
    assert sum(max(1, len(c.files)) for c in read.components(TREE)) <= 40
