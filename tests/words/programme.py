"""A referral programme at work: a real org, a real mail server, the service between."""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from flask.testing import FlaskClient
from messages import message, notification
from programme_rights import keep_referrers
from sqlalchemy import select, update

from sidecar.demo.play import read_mails
from sidecar.demo.stage import client
from sidecar.intake import arrivals, outbound_message
from sidecar.store import connections
from sidecar.store.tables import connection, follow_up

HERE = "https://sidecar.example.com"
_NUMBERS = itertools.count(1)


class Programme:
    """One connection with referrers, and what reaches them."""

    def __init__(self, wiring, org, linked, mailbox: Path, phone: FlaskClient) -> None:
        self.wiring, self.org, self.linked, self.phone = wiring, org, linked, phone
        self.mailbox = mailbox
        self.number, self.waits = 0, False
        self.salesforce = client(org)
        self.rep = org.user_ids[org.reps[0]]
        keep_referrers(self.salesforce, org)

    def create(self, name: str, **values: object) -> str:
        made = self.salesforce.restful(f"sobjects/{name}", method="POST", json=values)
        return str(made["id"])

    def change(self, name: str, id_: str, **values: object) -> None:
        self.salesforce.restful(f"sobjects/{name}/{id_}", method="PATCH", json=values)

    def referrer(self, **more: object) -> str:
        """A referrer who wants to hear, unless told otherwise; the record's id."""
        number = next(_NUMBERS)
        values = {
            "Name": f"Mira Sample {number}",
            "Email__c": f"mira{number}@example.org",
            "Keep_Informed__c": True,
            **more,
        }
        wanted = {name: value for name, value in values.items() if value is not None}
        return self.create("Referrer__c", **wanted)

    def refer(self, referrer: str | None, last: str = "Example", **more: str) -> str:
        """Somebody is referred; the lead's id, which is the referral's key."""
        fields = {
            "FirstName": "Ada",
            "LastName": last,
            "Company": "Example Ltd",
            "OwnerId": self.rep,
            "Referral_Status__c": "Submitted",
            "Referrer_Name__c": "Mira",
            **({"Referrer__c": referrer} if referrer else {}),
            **more,
        }
        lead = self.create("Lead", **fields)
        self.hear(lead, "Submitted", **fields)
        return lead

    def hear(self, lead: str, status: str, **fields: str) -> None:
        """The org's message comes in, and all that follows is done."""
        self.number += 1
        self.wiring.now.move(seconds=2)
        told = {
            "Id": lead,
            **fields,
            "OwnerId": self.rep,
            "Referral_Key__c": lead,
            "Referral_Status__c": status,
            "SystemModstamp": self.wiring.now().isoformat(),
        }
        read = outbound_message.read(
            message([notification(self.number, told)], org_id=self.linked.org_id),
            field_lists=self.linked.field_lists,
        )
        kept = self.wiring.scribe.keep(
            arrivals.of(read, self.linked, self.wiring.now())
        )
        self.wiring.process(kept)
        self.deliver()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What comes in meanwhile is done in one go."""
        self.waits = True
        yield
        self.waits = False
        self.deliver()

    def deliver(self) -> None:
        if self.waits:
            return
        for kind in ("email", "word"):
            self.wiring.deliver(self.linked.id, kind)

    def act_by(self, playbook: str) -> None:
        with self.wiring.engine.begin() as db:
            mine = connection.c.id == self.linked.id
            db.execute(update(connection).where(mine).values(playbook=playbook))
            found = connections.find(db, self.linked.id)
        assert found is not None
        self.linked = found

    @property
    def mails(self) -> list[Any]:
        """What came to referrers, oldest first."""
        return [
            mail
            for mail in read_mails(self.mailbox)
            if "@example.org" in mail["To"] or "@contacts.example" in mail["To"]
        ]

    def words(self, *columns: str) -> list[Any]:
        """What is kept of the words, oldest first."""
        wanted = [follow_up.c[name] for name in columns or ("milestone", "state")]
        query = select(*wanted).where(follow_up.c.kind == "word")
        with self.wiring.engine.connect() as db:
            return [tuple(row) for row in db.execute(query.order_by(follow_up.c.id))]

    def why_not(self) -> list[str | None]:
        return [error for (error,) in self.words("error")]

    def record(self, referrer: str) -> dict[str, Any]:
        found = self.salesforce.query(
            "SELECT Keep_Informed__c, LastModifiedById FROM Referrer__c "
            f"WHERE Id = '{referrer}'"
        )
        return dict(found["records"][0])

    def way_out(self, mail: Any) -> str:
        """The path of the link by which a mail program ends these mails."""
        return re.sub(rf"<{HERE}(.+)>", r"\1", mail["List-Unsubscribe"])

    def backdoor(self, method: str, door: str, **body: object) -> requests.Response:
        return requests.request(
            method,
            f"{self.org.base_url}/devorg/{door}",
            json=body,
            verify=self.org.ca_file,
            timeout=10,
        )


def text_of(mail: Any) -> str:
    """The plain text of a mail."""
    return str(mail.get_body(("plain",)).get_content())
