"""Events that were really sent, and published signatures: not in this repository.

SIDECAR_CORPUS names the folder that holds them, with ``events`` and ``webhooks``.
"""

import json
import os
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sidecar.errors import Forged, Unreadable
from sidecar.intake import event_arrivals, shapes, signatures, strict_json
from sidecar.intake.signatures.credentials import Credential
from sidecar.store.connections import OrgConnection
from sidecar.store.webhook_secrets import Kind

CORPUS = Path(os.environ.get("SIDECAR_CORPUS", "/nowhere"))
if not CORPUS.is_dir():
    pytest.skip("SIDECAR_CORPUS names no folder", allow_module_level=True)

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CONNECTION = OrgConnection(
    **dict.fromkeys((field.name for field in fields(OrgConnection)), None)
    | {"id": 1, "org_id": "00D000000000001EAA"}
)

# What becomes of each file: source, object and the number of rows, or why not.
OUTCOMES = {
    "abrar_cometd_cdc_create_32872942": "change_event Employee__c 1",
    "abrar_cometd_cdc_delete_32873116": "change_event Employee__c 1",
    "abrar_cometd_cdc_undelete_32872117": "change_event Employee__c 1",
    "abrar_cometd_cdc_update_32873029": "change_event Employee__c 1",
    "abrar_cometd_data_changeevents_6": "change_event Account 1",
    "abrar_cometd_event_low_ink__e_2": "platform_event Low_Ink__e 1",
    "abrar_cometd_topic_testaccountstreaming_13": "dead: PushTopic",
    "abrar_cometd_u_broadcast_1": "dead: generic",
    "abrar_cometd_u_teststreaming_55": "dead: generic",
    "amplabs_cdc_new_account": "change_event Account 1",
    "amplabs_cdc_update_contact": "change_event Contact 1",
    "amplabs_cdc_update_lead_compound_address": "change_event Lead 1",
    "amplabs_eventbridge_cdc_create_two_records": "change_event Account 2",
    "idx65898178740_eventbridge_case_created": "platform_event Case Created 1",
    "nango_apex_callout_body_RENDERED": "callout Account 1",
    "sfdocs_low_ink_with_event_uuid": "platform_event Low_Ink__e 1",
}
FILES = sorted((CORPUS / "events").glob("*.json"))


def became(body: bytes) -> str:
    try:
        told = shapes.read(strict_json.read(body))
    except Unreadable as exc:
        return f"refused: {exc}"
    rows = [row for one in told for row in event_arrivals.of(one, CONNECTION, AT)]
    if rows[0].error:
        return f"dead: {rows[0].error}"
    return f"{rows[0].source} {rows[0].object_type} {len(rows)}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_was_sent_becomes_rows(file):
    outcome = became(file.read_bytes())
    expected = OUTCOMES.get(file.stem)
    if expected is None:
        assert outcome  # of what is new here only that it breaks nothing
    elif expected.startswith("dead: "):
        assert outcome.startswith("dead: ")
        assert expected.removeprefix("dead: ") in outcome
    else:
        assert outcome == expected


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_number_is_rounded(file):
    body = file.read_bytes()
    if b"commitNumber" not in body:
        return
    number = body.partition(b'"commitNumber":')[2].strip().partition(b",")[0]
    told = shapes.read(strict_json.read(body))
    header = told[0].values["ChangeEventHeader"]
    assert header["commitNumber"] == int(number)


def vectors() -> list[dict[str, object]]:
    file = CORPUS / "webhooks" / "standard_webhooks_vectors.json"
    return json.loads(file.read_bytes()) if file.is_file() else []


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: str(vector["name"]))
def test_published_vectors_are_judged_as_published(vector):
    material = signatures.material(Kind.STANDARD_WEBHOOKS, vector["secret"])
    accepted = [Credential(1, Kind.STANDARD_WEBHOOKS, material)]
    sent = {name: value.encode() for name, value in vector["headers"].items()}
    body = vector["body"].encode()

    def judge():
        return signatures.verify(sent.get, body, accepted, now=vector["now"])

    if vector["valid"]:
        assert judge().message_id == vector["headers"]["webhook-id"]
    else:
        with pytest.raises(Forged):
            judge()
