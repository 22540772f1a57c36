"""Events in the wrappings in which they come; modelled on what is documented and seen."""

import json

UUID = "8b0f7f6e-52f1-4cb2-9a8f-0f3d2a1b4c5d"
LEAD = "00Q000000000001EAA"
CHANGE = {
    "CreatedDate": "2026-01-02T03:04:06.000Z",
    "CreatedById": "005000000000001AAA",
    "Referral_Key__c": LEAD,
    "Record_Id__c": LEAD,
    "Object__c": "Lead",
    "Old_Status__c": None,
    "New_Status__c": "Submitted",
    "Owner_Id__c": "005000000000001AAA",
    "Changed_By_Id__c": "005000000000001AAA",
    "Changed_At__c": "2026-01-02T03:04:05.000Z",
    "Correlation_Id__c": "7f3e",
}
NAME = "Referral_Status_Change__e"
SOURCE = "aws.partner/salesforce.com/00D000000000001EAA/0YL000000000001AAA"


def comet_d(payload=CHANGE, *, uuid=UUID, channel=f"/event/{NAME}"):
    """As the Streaming API delivers."""
    event = {"replayId": 2112} | ({"EventUuid": uuid} if uuid else {})
    return {
        "data": {
            "schema": "dffQ2QLzDNHqwB8_sHMxdA",
            "payload": payload,
            "event": event,
        },
        "channel": channel,
    }


def pub_sub(payload=CHANGE, *, uuid=UUID):
    """As clients of the Pub/Sub API give it out, decoded."""
    return {"id": uuid, "schemaId": "dffQ2", "replayId": 2112, "payload": payload}


def pub_sub_as_in_the_proto(payload=CHANGE, *, uuid=UUID):
    """As a ConsumerEvent reads in JSON."""
    return {
        "event": {"id": uuid, "schema_id": "dffQ2", "payload": payload, "headers": []},
        "replay_id": "AAAAAAAACEA=",
    }


def event_bridge(payload=CHANGE, *, uuid=UUID, name=NAME, source=SOURCE):
    """As an event relay's event reaches an API destination."""
    return {
        "version": "0",
        "id": "5c42b99e-0000-4a9c-8fbd-1a41e5faa44a",
        "detail-type": name,
        "source": source,
        "account": "111122223333",
        "time": "2026-01-02T03:04:06Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": {"payload": payload} | ({"EventUuid": uuid} if uuid else {}),
    }


def bare(payload=CHANGE, *, uuid=UUID):
    """As a Flow posts the event's fields."""
    return payload | ({"EventUuid": uuid} if uuid else {})


def webhook(payload=CHANGE, *, uuid=UUID):
    """As Standard Webhooks recommends, around what another service passes on."""
    return {
        "type": "referral.status_changed",
        "timestamp": "2026-01-02T03:04:06Z",
        "data": bare(payload, uuid=uuid),
    }


def signed_message(*payloads, org_id="00D000000000001EAA", uuid=UUID):
    """As the package's Apex sends."""
    events = [
        {"EventUuid": f"{uuid}{place or ''}", "ReplayId": "2112"} | payload
        for place, payload in enumerate(payloads or (CHANGE,))
    ]
    return {"OrganizationId": org_id, "events": events}


WRAPPINGS = (
    comet_d,
    pub_sub,
    pub_sub_as_in_the_proto,
    event_bridge,
    bare,
    webhook,
    signed_message,
)


def change_event(change_type="UPDATE", *, header=None, **fields):
    """The payload of a change of a lead."""
    return {
        "ChangeEventHeader": {
            "commitNumber": 1745500706683617281,
            "commitUser": "005000000000002AAA",
            "sequenceNumber": 1,
            "entityName": "Lead",
            "changeType": change_type,
            "changedFields": [*fields, "LastModifiedDate"],
            "changeOrigin": "com/salesforce/api/soap/63.0;client=SfdcInternalAPI/",
            "transactionKey": "0000be70-a756-e601-9202-32967602a6be",
            "commitTimestamp": 1745500706000,
            "recordIds": [LEAD],
        }
        | (header or {}),
        "LastModifiedDate": "2026-01-02T03:04:05.000Z",
        **fields,
    }


def encoded(document):
    """The bytes on the wire."""
    return json.dumps(document).encode()
