"""A milestone is told in the channel that the playbook names, once."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from chat.chat_peer import HANGS_UP, Answer, Peer
from sqlalchemy import select, update

from sidecar.playbooks.read import read
from sidecar.referral.follow_up import plan
from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.working_time import WorkingWeek
from sidecar.store import channels, connections, follow_ups
from sidecar.store.channels import Channel
from sidecar.store.connections import OrgConnection
from sidecar.store.tables import follow_up
from sidecar.wiring import Wiring

PLAYBOOK = """
version: "chat 1"
milestones:
  submitted:
    - action: tell-sales
      chat: {channel: sales, text: "New: {prospect}, by {referrer}"}
"""
LEAD = "00Q0000000000{:02}EAA"


class Room:
    """A connection with a channel, and a way to plan posts and make them."""

    def __init__(self, wiring: Wiring, connection: OrgConnection, peer: Peer) -> None:
        self.wiring, self.connection, self.peer = wiring, connection, peer

    def add(self, name: str, kind: str = "slack", language: str = "en") -> None:
        new = Channel(self.connection.id, name, kind, language, self.peer.url())
        with self.wiring.engine.begin() as db:
            assert channels.add(
                db, new, now=self.wiring.now(), keyring=self.wiring.keyring
            )

    def plan(self, *numbers: int, channel: str = "sales", **details: str) -> None:
        book = read(PLAYBOOK.replace("sales,", f"{channel},"), templates=())
        for number in numbers:
            self._plan(
                book,
                LEAD.format(number),
                {
                    "last_name": f"Example {number}",
                    "referrer": "Mira Sample",
                    **details,
                },
            )

    def _plan(self, book, key: str, details: dict[str, str]) -> None:
        now = self.wiring.now()
        told = Referral(
            key=key,
            object_type="Lead",
            record_id=key,
            status="Submitted",
            milestone=Milestone.SUBMITTED,
            owner_id=None,
            changed_at=now,
            details=details,
        )
        week = WorkingWeek(ZoneInfo("UTC"))
        planned = plan(book, self.connection.org_id, told, now=now, week=week)
        with self.wiring.engine.begin() as db:
            follow_ups.add(
                db,
                [(1, key, item) for item in planned],
                connection_id=self.connection.id,
                org_id=self.connection.org_id,
                playbook_version=book.version,
                record_ids={key: key},
                now=now,
                keyring=self.wiring.keyring,
            )

    def deliver(self) -> int:
        return self.wiring.deliver(self.connection.id, "chat")

    def rows(self, *columns) -> list[tuple]:
        with self.wiring.engine.connect() as db:
            found = db.execute(select(*columns).order_by(follow_up.c.id))
            return [tuple(row) for row in found]

    def states(self) -> list[tuple]:
        return self.rows(follow_up.c.state, follow_up.c.attempts)

    def error(self) -> str:
        ((error,),) = self.rows(follow_up.c.error)
        return str(error)


@pytest.fixture
def room(
    wiring: Wiring, connect: Callable[..., tuple[OrgConnection, str]], peer: Peer
) -> Room:
    room = Room(wiring, connect()[0], peer)
    room.add("sales")
    return room


def test_a_post_says_what_a_mail_would_and_leads_to_the_record(room: Room) -> None:
    room.plan(1, phone="555-0100", company="Example Ltd", notes="not to be told")

    assert room.deliver() == 1

    (post,) = room.peer.posts
    assert room.peer.said == ["New: Example 1, by Mira Sample"]
    assert post["blocks"][1]["text"]["text"].splitlines() == [
        "Example 1 of Example Ltd",
        "Phone: 555-0100",
        "Referred by: Mira Sample",
        "Status: Submitted",
    ]
    (button,) = post["blocks"][2]["elements"]
    assert button["text"]["text"] == "Open the lead in Salesforce"
    assert button["url"] == f"{room.connection.instance_url}/{LEAD.format(1)}"
    assert "not to be told" not in str(post)
    assert room.rows(follow_up.c.state, follow_up.c.playbook_version) == [
        ("done", "chat 1")
    ]
    assert room.deliver() == 0


def test_what_stands_beside_the_text_is_in_the_channels_language(room: Room) -> None:
    room.add("berlin", language="de")
    room.plan(1, channel="berlin", phone="555-0100")
    room.deliver()

    (post,) = room.peer.posts
    assert "Telefon: 555-0100" in post["blocks"][1]["text"]["text"]
    assert "öffnen" in post["blocks"][2]["elements"][0]["text"]["text"]


def test_a_name_that_calls_a_channel_is_a_name(room: Room) -> None:
    room.plan(1, last_name="<!channel>")
    room.deliver()

    assert room.peer.said == ["New: &lt;!channel&gt;, by Mira Sample"]


def test_a_teams_channel_gets_a_card(room: Room) -> None:
    room.add("board", kind="teams")
    room.plan(1, channel="board")
    room.deliver()

    (post,) = room.peer.posts
    card = post["attachments"][0]["content"]
    assert card["body"][0]["inlines"][0]["text"] == "New: Example 1, by Mira Sample"


def test_a_channel_that_is_not_there_is_told_with_the_remedy(room: Room) -> None:
    room.plan(1, channel="nowhere")
    room.deliver()

    assert room.states() == [("dead", 1)]
    assert "has no channel 'nowhere': add it (`sidecar channels add" in room.error()


def test_a_channel_that_asks_for_a_pause_is_left_in_peace(room: Room, hand) -> None:
    """Each post is made once; those that waited for the first lost no attempt."""
    room.add("other")
    room.plan(1)
    room.plan(2, channel="other")
    room.plan(*range(3, 30))
    slow = Answer(429, "", (("Retry-After", "60"),))
    room.peer.answers.extend([Answer(), Answer(), slow])

    assert room.deliver() == 3

    assert len(room.peer.posts) == 3
    assert room.states() == [
        *[("done", 1)] * 2,
        ("waiting", 1),
        *[("waiting", 0)] * 26,
    ]
    assert room.deliver() == 0

    hand.move(seconds=61)
    assert room.deliver() == 27
    assert {state for state, _ in room.states()} == {"done"}
    assert len(set(room.peer.said)) == 29


def test_another_channel_does_not_wait_for_one_that_asked(room: Room) -> None:
    room.add("other")
    room.plan(1)
    room.plan(2, channel="other")
    room.peer.answers.append(Answer(429))

    assert room.deliver() == 2
    assert [state for state, _ in room.states()] == ["waiting", "done"]


def test_nothing_is_posted_for_a_connection_that_rests(room: Room, hand) -> None:
    room.plan(1)
    with room.wiring.engine.begin() as db:
        until = room.wiring.now() + timedelta(hours=1)
        connections.pause(db, room.connection.id, until=until, why="closed")

    assert room.deliver() == 0
    assert room.states() == [("waiting", 0)]


def test_a_post_whose_answer_was_lost_is_made_twice_and_not_thrice(
    room: Room, hand
) -> None:
    room.plan(1)
    room.peer.answers.extend([HANGS_UP] * 5)
    for _ in range(5):
        room.deliver()
        hand.move(hours=3)

    assert len(room.peer.posts) == 2
    assert room.states() == [("uncertain", 2)]


def test_a_worker_that_dies_while_posting_leaves_one_more_attempt(
    room: Room, hand
) -> None:
    room.plan(1)
    for attempts, state in ((1, "done"), (2, "uncertain")):
        with room.wiring.engine.begin() as db:
            db.execute(
                update(follow_up).values(
                    state="sending", attempts=attempts, due_at=room.wiring.now()
                )
            )
        room.deliver()
        assert room.states() == [(state, attempts + 1)]
    assert len(room.peer.posts) == 1


def test_what_is_refused_for_good_says_why_and_quotes_nobody(room: Room) -> None:
    room.plan(1)
    room.peer.answers.append(Answer(410, "channel_is_archived: Mira Sample"))
    room.deliver()

    assert room.states() == [("dead", 1)]
    assert room.error() == (
        "Slack: 410 channel_is_archived: ***: unarchive the channel, or make a "
        "webhook for another"
    )
