"""What the bundled module ``signed_events`` promises to the one who receives."""

import re

import pytest
from lxml import etree
from trees import MD

from sidecar.package import archive, placeholders, read

NS = {"m": MD}
PROJECT = read.load(read.bundled())
TREE = read.select(PROJECT, ["signed_events"])
OBJECTS = ["Lead", "Contact", "Opportunity"]
# What the bus itself adds to each event, and the receiver needs.
OF_THE_BUS = {"EventUuid", "ReplayId", "CreatedDate"}


def file(ending):
    (path,) = [path for path in TREE if path.endswith(ending)]
    return TREE[path].decode()


def root(ending):
    return etree.fromstring(file(ending).encode())


def event_fields():
    return {
        match[1]: etree.fromstring(content)
        for path, content in TREE.items()
        if (match := re.search(r"_Change__e/fields/(\w+)\.field-meta\.xml$", path))
    }


def test_a_change_that_was_rolled_back_is_told_to_nobody():
    event = root("Referral_Status_Change__e.object-meta.xml")

    assert event.findtext("m:publishBehavior", namespaces=NS) == "PublishAfterCommit"
    assert event.findtext("m:eventType", namespaces=NS) == "HighVolume"


def test_the_event_says_what_changed_when_from_what_to_what_and_by_whom():
    assert set(event_fields()) == {
        "Referral_Key__c",
        "Record_Id__c",
        "Object__c",
        "Old_Status__c",
        "New_Status__c",
        "Owner_Id__c",
        "Changed_At__c",
        "Changed_By_Id__c",
        "Correlation_Id__c",
    }


@pytest.mark.parametrize("name", OBJECTS)
def test_each_object_publishes_every_field_of_the_event(name):
    flow = root(f"Referral_{name}_Publish_Change.flow-meta.xml")

    assert flow.findtext("m:start/m:object", namespaces=NS) == name
    assert flow.findtext("m:status", namespaces=NS) == "Active"
    filled = flow.findall("m:recordCreates/m:inputAssignments/m:field", NS)
    assert {field.text for field in filled} == set(event_fields())


@pytest.mark.parametrize("name", OBJECTS)
def test_an_event_that_cannot_be_published_stops_no_save(name):
    """Without a fault path the flow's error would roll the rep's change back."""
    flow = root(f"Referral_{name}_Publish_Change.flow-meta.xml")

    for create in flow.findall("m:recordCreates", NS):
        target = create.findtext("m:faultConnector/m:targetReference", namespaces=NS)
        assert target == flow.findtext("m:assignments/m:name", namespaces=NS)


def test_the_message_carries_every_field_of_the_event():
    sender = file("ReferralEventSender.cls")
    body = sender[sender.index("private String body()") :]

    sent = set(re.findall(r"'(\w+)' => change\.(\w+)", body))
    assert sent == {(name, name) for name in {*event_fields(), *OF_THE_BUS}}


def test_an_event_published_again_loses_no_field():
    sender = file("ReferralEventSender.cls")

    copied = set(re.findall(r"(\w+__c) = change\.(\w+__c)", sender))
    assert copied == {(name, name) for name in event_fields()}


def test_the_contract_with_the_receiver_names_every_header_and_field():
    sender = file("ReferralEventSender.cls")
    contract, _, code = sender.partition("*/")

    headers = re.findall(r"setHeader\('([\w-]+)'", code)
    assert sorted(headers) == [
        "content-type",
        "x-referral-key-id",
        "x-referral-signature",
        "x-referral-timestamp",
    ]
    for name in [*headers, *event_fields(), *OF_THE_BUS, "OrganizationId"]:
        assert name in contract, name


def test_the_trigger_s_checkpoint_moves_after_the_job_is_queued():
    handler = file("ReferralStatusChangeHandler.cls")

    assert handler.count("setResumeCheckpoint") == 1
    assert handler.index("enqueueJob") < handler.index("setResumeCheckpoint")


def test_whoever_runs_the_trigger_may_call_the_sidecar():
    granted = root("Referral_Signed_Events.permissionset-meta.xml")
    credential = root("Referral_Sidecar.externalCredential-meta.xml")
    principal = credential.findtext(
        "m:externalCredentialParameters/m:parameterName", namespaces=NS
    )
    allowed = "m:externalCredentialPrincipalAccesses/m:externalCredentialPrincipal"

    assert granted.findtext(allowed, namespaces=NS) == f"Referral_Sidecar-{principal}"
    assert {
        access.text for access in granted.findall("m:classAccesses/m:apexClass", NS)
    } == {"ReferralEventSender", "ReferralEventSigner", "ReferralStatusChangeHandler"}


def test_address_and_user_are_filled_at_the_install():
    values = {
        "REFERRAL_EVENTS_URL": "https://example.com/hooks/events/sample",
        "REFERRAL_INTEGRATION_USERNAME": "integration@example.com",
    }
    assert {found.name for found in placeholders.declared(TREE)} == set(values)

    filled = placeholders.fill(TREE, values)
    text = b"".join(filled.values())
    assert b"placeholder" not in text
    assert all(value.encode() in text for value in values.values())


def test_no_secret_and_no_user_is_in_a_file():
    for path, content in TREE.items():
        if path != read.PROJECT:
            assert not re.search(rb"[\w.]+@[\w.]+\.\w+", content), path
            assert b"PRIVATE KEY" not in content, path
    credential = root("Referral_Sidecar.externalCredential-meta.xml")
    assert credential.find(".//m:parameterValue", NS) is None


def test_every_apex_class_has_its_test_and_the_project_s_version():
    classes = {
        component.name
        for component in read.components(TREE)
        if component.kind.type == "ApexClass"
    }
    tested = "".join(
        content.decode() for path, content in TREE.items() if path.endswith("Test.cls")
    )

    for name in classes:
        assert name.endswith("Test") or f"{name}" in tested, name
    for path, content in TREE.items():
        if path.endswith(("cls-meta.xml", "trigger-meta.xml", "flow-meta.xml")):
            version = etree.fromstring(content).findtext("m:apiVersion", namespaces=NS)
            assert version == read.api_version(TREE), path


def test_the_module_holds_nothing_that_the_archive_would_leave_out():
    files = archive.files(TREE)

    assert "triggers/ReferralStatusChangeTrigger.trigger" in files
    assert "objects/Referral_Status_Change__e.object" in files
    assert (
        "PlatformEventSubscriberConfigs/"
        "Referral_Status_Change.platformEventSubscriberConfig" in files
    )
