"""Messages that Salesforce really sent, and what others took for messages.

They are not in this repository: SIDECAR_CORPUS names the folder that holds them, with
``om`` (outbound messages), ``bad`` (what is none), ``ack`` (others' answers) and
``wsdl`` (listeners' contracts).
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pytest
import zeep
from lxml import etree
from unit.ack_listener import Listener, call, listening

from sidecar.errors import Unreadable
from sidecar.intake import arrivals, listener_wsdl, outbound_message
from sidecar.intake.declared import typed
from sidecar.intake.outbound_message import Message
from sidecar.salesforce.ids import to_18
from sidecar.store.connections import OrgConnection

CORPUS = Path(os.environ.get("SIDECAR_CORPUS", "/nowhere"))
if not CORPUS.is_dir():
    pytest.skip("SIDECAR_CORPUS names no folder", allow_module_level=True)

# What becomes of each file; of one that is not listed only that it is a message or is
# refused. Texts behind a colon are how the reason begins, or what it contains.
OUTCOMES = {
    "om/abrar_account_standalone_attr_order.xml": "1 event of Account",
    "om/amplabs_create_account.xml": "1 event of Account",
    "om/amplabs_field_populated.xml": "1 event of Account",
    "om/aspnet_three_leads_bom.xml": "3 events of Lead1, Lead2, Lead3",
    "om/comsave_MALFORMED_missing_sobject_open_tag.xml": "refused: undefined namespace",
    "om/ejangi_opportunity_single_line.xml": "1 event of Opportunity",
    # Its ids are placeholders, and one has nineteen characters.
    "om/freedom_nozzle_readme.xml": "1 dead event: the record's Id is '003o",
    "om/freedom_nozzle_singleNotificationMessage.xml": "refused: reserved xml name",
    "om/guardian_mda_custom_field_null_omitted.xml": "1 dead event: the record's Id is",
    "om/guardian_mda_three_mixed_nulls.xml": "3 dead events: the record's Id is 'id1'",
    "om/guardian_mda_two_notifications.xml": "2 dead events: the record's Id is 'id1'",
    "om/guardian_mda_with_custom_fields.xml": "1 dead event: the record's Id is 'id'",
    "om/guardian_sfmh_contact_min.xml": "1 dead event: the record's Id is 'aContactId'",
    "om/idx2530789969_integrationmessage_no_decl_password_field.xml": "1 event of "
    "IntegrationMessage__c",
    "om/idx25588940223_case_api61_session_nil.xml": "1 event of Case",
    "om/idx27757725820_TRUNCATED_namespace_decl.xml": "1 dead event: no xsi:type",
    "om/idx27757725820_lead_spanish.xml": "1 event of Lead",
    "om/idx27757725820_opportunity_spanish_non_ascii.xml": "1 event of Opportunity",
    "om/idx37127193827_contact_all_fields_npsp_managed_packages.xml": "1 event of "
    "Contact",
    "om/idx39072867399_case_actionid_12364_with_session.xml": "1 event of Case",
    "om/idx54832360962_valid_minimal_xsi_on_sobject.xml": "1 event of Account",
    "om/idx66521433868_umbraco_no_session_no_urls_15char.xml": "1 event of Lead",
    "om/idx66766556848_lead_no_partnerurl_phone.xml": "1 event of Lead",
    "om/mule_contact.xml": "1 event of Contact",
    "om/mule_opportunity_no_xml_decl.xml": "1 event of Opportunity",
    "om/mulesoft_labs_opportunity_15char_ids.xml": "1 event of Opportunity",
    "bad/idx54832360962_tampered.xml": "refused: not well-formed",
    "bad/idx66521433868_not_an_outbound_message.xml": "refused: root element is something",
    "bad/idx66521433868_truncated.xml": "refused: not well-formed",
    "bad/idx66766556848_unclosed.xml": "refused: not well-formed",
    "bad/idx70341480880_empty_body.bin": "refused: the body is empty",
    "bad/idx70341480880_html_page.html": "refused: the root element is html",
    "bad/idx70341480880_plain_text.txt": "refused: not well-formed",
    "bad/idx70341480880_soap_other_body.xml": "refused: other, not notifications",
    "bad/idx70341480880_wrong_shape_header_session_messageid_unprefixed_type.xml": "2 "
    "dead events: the record's type 'Lead' is not one of Salesforce's",
    "bad/idx70408727334_dup_records_15_and_18_xsi_undeclared.xml": "refused: undefined namespace",
    "ack/abrar_ack_true.xml": "refused: notificationsResponse, not notifications",
    "ack/aspnet_ack_true.xml": "refused: notificationsResponse, not notifications",
    "ack/aspnet_fault_template.xml": "refused: Fault, not notifications",
    "ack/aspnetcore_ack_true.xml": "refused: notificationsResponse, not notifications",
    "ack/bradbumbalough_WRONG_notifications_instead_of_response.xml": "refused: "
    "no OrganizationId",
    "ack/comsave_tower_ack_prefixed.xml": "refused: notificationsResponse, not",
    "ack/harmathzs_ack.xml": "refused: notificationsResponse, not notifications",
    "ack/jeffdonthemic_ack_false_prefixed.xml": "refused: notificationsResponse, not",
    "ack/jeffdonthemic_ack_true_prefixed.xml": "refused: notificationsResponse, not",
    "ack/lekkimworld_ack_decl_space.xml": "refused: notificationsResponse, not",
}
WSDLS = {
    "comsave_discountrule_c.wsdl": ("DiscountRule__c", 10),
    "comsave_objecttoberemoved_c.wsdl": ("ObjectToBeRemoved__c", 3),
    "entity_generator_entity_c.wsdl": ("NotificationMessage__c", 4),
    "guardian_contact_2017.wsdl": ("Contact", 1),
    "mule_contact_2014.wsdl": ("Contact", 55),
    "mulesoft_labs_opportunity.wsdl": ("Opportunity", 3),
    "ryanbrainard_account.wsdl": ("Account", 2),
}


def files(*folders: str) -> list[str]:
    found = chain.from_iterable((CORPUS / folder).glob("*") for folder in folders)
    return sorted(str(path.relative_to(CORPUS)) for path in found)


def connection(org_id: str) -> OrgConnection:
    nothing = dict.fromkeys(OrgConnection.__dataclass_fields__)
    values = nothing | {"id": 1, "org_id": org_id, "field_lists": {}}
    return OrgConnection(**values)  # type: ignore[arg-type]


def outcome(message: Message) -> str:
    """What becomes of a message, in the words of the table."""
    dead = [item.problem for item in message.notifications if item.problem]
    good = [str(item.object_type) for item in message.notifications if not item.problem]
    if dead:
        assert not good
        return f"{len(dead)} dead event{'s'[: len(dead) - 1]}: {dead[0]}"
    return f"{len(good)} event{'s'[: len(good) - 1]} of {', '.join(good)}"


@pytest.mark.parametrize("name", files("om", "bad", "ack"))
def test_each_file_becomes_what_the_table_says(name: str) -> None:
    kind, _, reason = OUTCOMES.get(name, "").partition(": ")
    try:
        told = outcome(outbound_message.read((CORPUS / name).read_bytes()))
    except Unreadable as exc:
        told = f"refused: {exc}"

    assert told.startswith(kind)
    assert reason in told
    if name in OUTCOMES and not reason:
        assert told == kind


@pytest.mark.parametrize("name", files("om", "bad"))
def test_no_session_is_kept_of_any_file(name: str) -> None:
    body = (CORPUS / name).read_bytes()
    text = body.decode("utf-8-sig")
    secrets = re.findall(r"(?i)(?:SessionId|Password__c)>\s*([^<\s][^<]*)<", text)

    shown = arrivals.inspectable(body)
    try:
        message = outbound_message.read(body)
    except Unreadable:
        kept = ""
    else:
        at = datetime(2026, 1, 2, tzinfo=UTC)
        kept = repr(arrivals.of(message, connection(message.org_id), at))

    for secret in secrets:
        assert secret not in shown
        assert secret not in kept


@pytest.mark.parametrize("name", files("om"))
def test_an_org_is_the_same_in_the_15_characters_of_its_address(name: str) -> None:
    text = (CORPUS / name).read_text("utf-8-sig")
    org = re.search(r"OrganizationId>(00D[0-9A-Za-z]{15})<", text)
    address = re.search(r"/services/Soap/[cu]/[0-9.]+/(00D[0-9A-Za-z]{12})<", text)
    if org is None or address is None or "xxxx" in org[1]:
        return

    assert to_18(address[1]) == org[1] == to_18(org[1])


@pytest.mark.parametrize(
    "name",
    [name for name in files("ack") if "_ack_" in name or name.endswith("_ack.xml")],
)
def test_our_ack_says_what_others_say(name: str) -> None:
    """Prefixes are everybody's own; the words are not."""

    def words(document: bytes) -> list[tuple[str, str]]:
        root = etree.fromstring(document.strip())
        return [(str(item.tag), (item.text or "").strip()) for item in root.iter("*")]

    theirs = words((CORPUS / name).read_bytes())
    theirs = [word for word in theirs if not word[0].endswith("}Header")]

    assert (theirs == words(outbound_message.ACK)) == ("false" not in name)


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening(outbound_message.ACK) as listener:
        yield listener


@pytest.mark.parametrize("name", files("wsdl"))
def test_a_client_generated_from_a_real_contract_takes_our_ack(
    name: str, listener: Listener
) -> None:
    object_type, _ = listener_wsdl.read((CORPUS / name).read_bytes())
    client = zeep.Client(str(CORPUS / name))
    record = {"Id": "001000000000001AAA"}

    assert call(client, listener, record, object_type=object_type) is True
    listener.answer = outbound_message.ACK.replace(b"true", b"false")
    assert call(client, listener, record, object_type=object_type) is False
    listener.answer = outbound_message.ACK


@pytest.mark.parametrize("name", files("wsdl"))
def test_each_contract_says_which_fields_are_sent(name: str) -> None:
    object_type, fields = listener_wsdl.read((CORPUS / name).read_bytes())

    assert next(iter(fields.items())) == ("Id", "ID")
    if expected := WSDLS.get(Path(name).name):
        assert (object_type, len(fields)) == expected


def test_values_of_real_messages_are_what_their_contract_declares() -> None:
    """One contract and one message are of the same object."""
    _, types = listener_wsdl.read((CORPUS / "wsdl/mule_contact_2014.wsdl").read_bytes())
    for name in ("om/mule_contact.xml", *files("om")):
        try:
            message = outbound_message.read((CORPUS / name).read_bytes())
        except Unreadable:
            continue
        for item in message.notifications:
            if item.object_type == "Contact" and not item.problem:
                for field, text in item.fields.items():
                    typed(str(text), types.get(field, "string"))
