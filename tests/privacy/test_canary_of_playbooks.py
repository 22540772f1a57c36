"""Canaries in what a playbook tells others, in reports, on a page and in a bounce."""

import json
from collections.abc import Iterator

import pytest
import signing
from chat.chat_peer import Answer, Peer, listening
from programme_rights import keep_referrers
from sqlalchemy import select, update
from test_canary import SECRET, Life, Reader, Somebody, canary, reading

from sidecar.console import canvas
from sidecar.demo import stage
from sidecar.intake import bounced
from sidecar.salesforce.ids import to_18
from sidecar.store import channels, webhook_secrets
from sidecar.store.channels import Channel
from sidecar.store.tables import connection, follow_up
from sidecar.store.webhook_secrets import Kind, NewSecret

CONSUMER_SECRET = "A-CONSUMER-SECRET"
KINDS = ("email", "chat", "set_field", "add_to_campaign")
PLAYBOOK = """
version: "canary"
milestones:
  submitted:
    - action: tell-owner
      email: {template: new_referral}
    - action: tell-sales
      chat: {channel: sales, text: "New: {prospect}, by {referrer}"}
    - action: count
      set_field: {field: NumberOfEmployees, value: "{prospect}"}
    - action: describe
      set_field: {field: Description, value: "by {referrer}"}
    - action: invite
      add_to_campaign: {campaign: 701000000000001AAA}
    - action: word-to-referrer
      tell_referrer: {template: received}
"""


@pytest.fixture
def peer() -> Iterator[Peer]:
    with listening() as found:
        yield found


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def life(wiring, org, machine, reader, peer) -> Iterator[Life]:
    with reading(reader) as port:
        life = Life(wiring, org, port, machine)
        with wiring.engine.begin() as db:
            mine = connection.c.id == life.connection_id
            db.execute(update(connection).where(mine).values(playbook=PLAYBOOK))
            sales = Channel(life.connection_id, "sales", "slack", "en", peer.url())
            channels.add(db, sales, now=wiring.now(), keyring=wiring.keyring)
            app = NewSecret(life.connection_id, Kind.CANVAS, CONSUMER_SECRET)
            webhook_secrets.add(db, app, now=wiring.now(), keyring=wiring.keyring)
        yield life


def referrer(life: Life, name: str, email: str) -> str:
    """Somebody who wants to hear; the record's id."""
    salesforce = stage.client(life.org)
    keep_referrers(salesforce, life.org)
    values = {"Name": name, "Email__c": email, "Keep_Informed__c": True}
    made = salesforce.restful("sobjects/Referrer__c", method="POST", json=values)
    return to_18(made["id"])


def deliver(life: Life, *kinds: str) -> None:
    for kind in kinds:
        life.wiring.deliver(life.connection_id, kind)


def come_back(life: Life, address: str) -> int:
    """The mail server that sends for us tells of a bounce."""
    told = {"recipient": address, "status": "5.1.1", "action": "failed"}
    body = json.dumps(told).encode()
    headers = signing.standard(
        SECRET, body, message_id="bounce", at=life.wiring.now().timestamp()
    )
    return life.post(bounced.PREFIX, body, **headers)


def look(life: Life, record_id: str) -> None:
    """A user of the org opens the record, which shows our page."""
    document = {
        "algorithm": "HMACSHA256",
        "context": {
            "organization": {"organizationId": life.org.org_id},
            "environment": {"record": {"Id": record_id}},
        },
    }
    signed = signing.canvas(CONSUMER_SECRET, json.dumps(document).encode())
    path = f"{canvas.PREFIX}{life.connection_id}"
    answer = life.web.post(path, data={"signed_request": signed})
    assert answer.status_code == 200
    assert "Submitted" in answer.text
    life.said.append(answer.text)


def report(life: Life, address: str) -> None:
    id_ = str(life.connection_id)
    life.said.append(life.run("reports", "set", id_, "monthly", "--to", address))
    life.said.append(life.run("reports", "run", id_, "monthly"))
    life.wiring.report(life.connection_id)


def test_no_canary_of_what_a_playbook_tells_is_found_anywhere(
    life, reader, peer, capfd
):
    ada, boss = Somebody(), f"{canary('Boss').lower()}@example.com"
    mira, her_address = canary("Mira"), f"{canary('Hers').lower()}@example.com"
    life.meet(ada)
    record = referrer(life, mira, her_address)
    clear = [*ada.words(), mira, her_address, boss]
    # Whoever answers likes to repeat what they were told, taken or not.
    peer.answers.append(Answer(200, f"ok: {ada.first} {ada.last}, by {mira}"))
    told = {"Referrer__c": record, "Referrer_Name__c": mira}
    assert life.hear(life.told(ada, "Submitted", **told)) == 200
    life.process()
    deliver(life, *KINDS)
    reader.refuse.append(f"about {ada.first} {ada.last} for {mira} at {her_address}")
    deliver(life, "word")
    life.wiring.now.move(minutes=30)
    deliver(life, "word")
    look(life, ada.record_id)
    report(life, boss)
    assert come_back(life, her_address) == 200

    with life.wiring.engine.connect() as db:
        ended = db.execute(select(follow_up.c.kind, follow_up.c.state)).all()
    assert ("chat", "done") in ended
    assert ("set_field", "dead") in ended
    assert ("word", "dead") in ended, "the bounce was not believed"
    assert ada.last in str(peer.posts)
    assert len(reader.mails) == 3
    assert her_address in life.opened()
    shown = (
        life.lists() + life.redis() + "".join(life.said) + "".join(capfd.readouterr())
    )
    assert [word for word in clear if word in shown] == []
    assert life.in_files(clear) == set()

    known = json.loads(life.run("privacy", "export", "--email", her_address))
    assert len(known[0]["their address takes no mail"]) == 1
    assert len(known[0]["referrals by them"]) == 1
    told = life.run("privacy", "erase", "--email", her_address, "--yes", "--json")
    assert json.loads(told)[0]["referrals by them"] == 1
    life.run("privacy", "erase", "--email", ada.email, "--yes")
    life.run("privacy", "purge")
    left = life.opened()
    assert [word for word in [*ada.words(), mira] if word in left] == []
    # Who takes no mail is remembered, until somebody undoes it.
    assert life.run("mail", "unsuppress", her_address)
    assert her_address not in life.opened()
    assert life.in_files(clear) == set()
