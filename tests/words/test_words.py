"""A referrer hears what became of a referral, if they want to, and not too often."""

from contextlib import contextmanager

import pytest
from programme import HERE, Programme, text_of

from sidecar.errors import Uncertain
from sidecar.jobs.deliver.attempts import claim
from sidecar.jobs.deliver.words import deliver_words
from sidecar.salesforce import referrers
from sidecar.store import mail_preferences


def test_whoever_refers_hears_at_once_that_it_has_arrived(programme: Programme) -> None:
    programme.referrer()
    mira = programme.referrer(Name="Mira Sample", Email__c="mira@example.org")
    programme.refer(mira)

    (mail,) = programme.mails
    assert mail["To"] == "Mira Sample <mira@example.org>"
    assert mail["Subject"] == "Thank you for your referral: Ada Example"
    rep = programme.wiring.records.reps(programme.linked.id, [programme.rep])
    assert mail["Reply-To"] == rep[programme.rep].email
    assert mail["List-Unsubscribe"].startswith(f"<{HERE}/m/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    ((key,),) = programme.words("key")
    assert mail["Message-ID"] == f"<{key}@sidecar.example>"
    assert "Your referral has reached us" in text_of(mail)
    assert programme.words() == [("submitted", "done")]


def test_without_a_referrer_record_there_is_no_word(programme: Programme) -> None:
    lead = programme.refer(None)
    programme.hear(lead, "Won")

    assert programme.words() == []


@pytest.mark.parametrize("nobody", ["MIRA7", "Mira Sample", "') OR (Name = '"])
def test_what_is_no_id_is_no_referrer_and_keeps_nobody_elses_word(
    programme: Programme, nobody: str
) -> None:
    mira = programme.referrer()
    lead = programme.refer(None)
    other = programme.refer(None, last="Other")
    with programme.together():
        programme.hear(lead, "Qualified", Referrer__c=nobody)
        programme.hear(other, "Qualified", Referrer__c=mira)

    assert programme.words() == [("qualified", "cancelled"), ("qualified", "done")]
    assert "no such referrer" in str(programme.why_not()[0])


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ({"Keep_Informed__c": False}, "has not asked to be kept informed"),
        ({"Active__c": False}, "no longer takes part"),
        ({"Email__c": None}, "has no e-mail address"),
    ],
)
def test_who_did_not_ask_is_not_written_to_and_it_is_no_fault(
    programme: Programme, record: dict[str, object], why: str
) -> None:
    programme.refer(programme.referrer(**record))

    assert programme.mails == []
    assert programme.words() == [("submitted", "cancelled")]
    assert why in str(programme.why_not())


def test_what_a_referrer_wants_is_read_each_time(programme: Programme) -> None:
    mira = programme.referrer(Keep_Informed__c=False)
    lead = programme.refer(mira)
    programme.change("Referrer__c", mira, Keep_Informed__c=True)
    programme.hear(lead, "Qualified")
    programme.change("Referrer__c", mira, Keep_Informed__c=False)
    programme.wiring.now.move(days=2)
    programme.hear(lead, "Won")

    assert [state for _, state in programme.words()] == [
        "cancelled",
        "done",
        "cancelled",
    ]


def test_a_contacts_address_stands_in_and_their_refusal_counts(
    programme: Programme,
) -> None:
    at = "mira@contacts.example"
    contact = programme.create("Contact", LastName="Sample", Email=at)
    mira = programme.referrer(Email__c=None, Contact__c=contact)
    programme.refer(mira)
    assert [mail["To"].rpartition("<")[2] for mail in programme.mails] == [f"{at}>"]

    programme.change("Contact", contact, HasOptedOutOfEmail=True)
    programme.refer(mira, "Second")
    assert len(programme.mails) == 1
    assert "opted out" in str(programme.why_not()[-1])


def test_to_a_suppressed_address_nothing_is_sent(programme: Programme) -> None:
    mira = programme.referrer(Email__c="Bounced@example.org")
    with programme.wiring.engine.begin() as db:
        mail_preferences.suppress(
            db,
            "bounced@example.org",
            reason="bounce",
            now=programme.wiring.now(),
            keyring=programme.wiring.keyring,
        )
    programme.refer(mira)

    assert programme.mails == []
    assert programme.words() == [("submitted", "cancelled")]


def test_a_deleted_referrer_hears_nothing(programme: Programme) -> None:
    mira = programme.referrer()
    path = f"sobjects/Referrer__c/{mira}"
    programme.salesforce.restful(path, method="DELETE", json=None)
    # The message left before.
    fields = {"LastName": "Example", "Company": "Example", "Referrer__c": mira}
    lead = programme.create("Lead", LastName="Example", Company="Example Ltd")
    programme.hear(lead, "Submitted", **fields)

    assert programme.words() == [("submitted", "cancelled")]
    assert "no such referrer" in str(programme.why_not())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "German",
            ("Danke für Ihre Empfehlung", "Guten Tag Mira", "Bei uns angekommen"),
        ),
        ("French", ("Merci pour votre recommandation", "Mira", "Bien reçue")),
        (None, ("Thank you for your referral", "Hello Mira", "It has reached us")),
    ],
)
def test_a_word_is_in_the_referrers_language(
    programme: Programme, language: str | None, words: tuple[str, ...]
) -> None:
    programme.refer(programme.referrer(Name="Mira", Language__c=language))

    (mail,) = programme.mails
    for word in words:
        assert word in mail["Subject"] + text_of(mail)


def test_one_referral_is_one_conversation(programme: Programme) -> None:
    lead = programme.refer(programme.referrer())
    programme.hear(lead, "Qualified")

    first, second = programme.mails
    assert "In-Reply-To" not in first
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert second["Subject"] == "A good fit: Ada Example"


def test_news_come_once_a_day_and_then_together(programme: Programme) -> None:
    mira = programme.referrer()
    leads = [programme.refer(mira, name) for name in ("One", "Two", "Three")]
    assert len(programme.mails) == 3, "each is acknowledged at once"
    for lead in leads:
        programme.hear(lead, "Qualified")
    programme.hear(leads[2], "Won")
    assert len(programme.mails) == 4, "and the rest is news"

    programme.wiring.now.move(hours=23)
    programme.deliver()
    assert len(programme.mails) == 4

    programme.wiring.now.move(hours=1)
    programme.deliver()
    *_, mail = programme.mails
    assert len(programme.mails) == 5
    assert mail["Subject"] == "News of your referrals"
    assert "In-Reply-To" not in mail
    told = text_of(mail)
    assert "Ada Two:" in told
    assert "Ada Three:" in told
    assert "Ada One" not in told
    assert "It is your first success" in told.replace("And it", "It")
    states = [(milestone, state) for milestone, state in programme.words()[3:]]
    assert sorted(states) == [
        ("qualified", "cancelled"),  # Three is won meanwhile
        ("qualified", "done"),
        ("qualified", "done"),
        ("won", "done"),
    ]
    programme.wiring.now.move(days=3)
    programme.deliver()
    assert len(programme.mails) == 5


def test_another_referrer_need_not_wait(programme: Programme) -> None:
    for referrer in (programme.referrer(), programme.referrer()):
        programme.hear(programme.refer(referrer), "Qualified")

    assert len(programme.mails) == 4


def test_a_referrer_is_thanked_once_for_each_mark(programme: Programme) -> None:
    mira = programme.referrer()
    subjects = []
    for number in range(6):
        programme.wiring.now.move(days=2)
        lead = programme.refer(mira, f"Number{number}")
        programme.hear(lead, "Won")
        subjects.append(programme.mails[-1]["Subject"].partition(":")[0])

    assert subjects == [
        "Your first success",
        *["Your referral has worked out"] * 3,
        "5 of your referrals have worked out",
        "Your referral has worked out",
    ]


def test_what_is_lost_is_told_kindly(programme: Programme) -> None:
    lead = programme.refer(programme.referrer())
    programme.hear(lead, "Lost")

    *_, mail = programme.mails
    assert mail["Subject"] == "Not this time: Ada Example"
    assert "Thank you all the same" in text_of(mail)


ASKING = """
version: asking
milestones:
  submitted: [{action: word, tell_referrer: {template: received}}]
  won:
    - {action: ask, after: 10 days, ask_testimonial: {}}
    - {action: nudge, after: 90 days, nudge_referrer: {}}
"""


def in_office_hours(programme: Programme) -> None:
    """Whatever the time: outside of them nobody is asked anything."""
    now = programme.wiring.now()
    morning = now.replace(hour=10, minute=0, second=0, microsecond=0)
    programme.wiring.now.move(seconds=(morning - now).total_seconds() + 86_400)


def later(programme: Programme, days: int) -> list[str]:
    """The subjects of what comes after some days, looked for at the same hour."""
    before = len(programme.mails)
    for _ in range(days):
        programme.wiring.now.move(days=1)
        programme.wiring.clocks(programme.linked.id)
        programme.deliver()
    return [mail["Subject"] for mail in programme.mails[before:]]


def test_a_dormant_referrer_is_asked_once(programme: Programme) -> None:
    in_office_hours(programme)
    programme.act_by(ASKING)
    mira = programme.referrer(Code__c="MIRA-1")
    programme.hear(programme.refer(mira, "First"), "Won")
    assert later(programme, 12) == ["May we ask you for a word?: Ada First"]

    programme.hear(programme.refer(mira, "Second"), "Won")
    assert later(programme, 89) == []
    assert "asked within a year" in str(programme.why_not())
    assert "referred somebody since" in str(programme.why_not())

    assert later(programme, 3) == ["Whom do you know?"]
    assert "Your referral code is MIRA-1." in text_of(programme.mails[-1])
    assert later(programme, 100) == []


def test_of_a_mail_that_may_have_left_a_person_decides(programme: Programme) -> None:
    mira = programme.referrer()
    lead = programme.refer(mira)
    sent = []

    class Lost:
        def send(self, letter):
            sent.append(letter)
            raise Uncertain(f"all was sent to {letter.to.email}, no answer came")

    @contextmanager
    def lost():
        yield Lost()

    wiring = programme.wiring
    normal = wiring.deliver
    wiring.deliver = lambda *_: 0
    programme.hear(lead, "Qualified")
    for _ in range(2):
        wiring.now.move(hours=1)
        deliver_words(
            programme.linked.id,
            engine=wiring.engine,
            keyring=wiring.keyring,
            referrers=lambda id_, ids: referrers.read(wiring.records, id_, ids),
            reps=wiring.records,
            post=lost,
            write=wiring.write_word,
            lease=wiring.lease,
            now=wiring.now,
        )
    assert len(sent) == 1
    assert programme.words()[-1] == ("qualified", "uncertain")
    assert "@example.org" not in str(programme.why_not()), "whose address it was"
    wiring.deliver = normal


def test_what_a_dead_worker_was_sending_waits_for_a_person(
    programme: Programme,
) -> None:
    wiring = programme.wiring
    mira = programme.referrer()
    lead = programme.refer(mira)
    normal, wiring.deliver = wiring.deliver, lambda *_: 0
    programme.hear(lead, "Qualified")
    wiring.deliver = normal
    # It claims, and is never heard of again.
    dead = claim(
        wiring.engine,
        wiring.keyring,
        programme.linked.id,
        "word",
        10,
        wiring.now(),
        wiring.lease,
    )
    assert len(dead) == 1

    wiring.now.move(hours=1)
    programme.deliver()
    assert len(programme.mails) == 1
    assert programme.words()[-1] == ("qualified", "uncertain")


def test_the_prospect_is_never_written_to(programme: Programme) -> None:
    mira = programme.referrer()
    lead = programme.refer(mira, Email="ada@example.org")
    for status in ("Contacted", "Qualified", "Won", "Lost"):
        programme.wiring.now.move(days=2)
        programme.hear(lead, status)

    assert len(programme.mails) == 4
    assert not [mail for mail in programme.mails if "ada@" in mail["To"]]


def test_a_rep_in_a_time_zone_that_nobody_knows_is_read_all_the_same(
    programme: Programme,
) -> None:
    """Salesforce knows zones by names that came and went."""
    programme.change("User", programme.rep, TimeZoneSidKey="Mars/Olympus")
    try:
        reps = programme.wiring.records.reps(programme.linked.id, [programme.rep])
    finally:
        programme.change("User", programme.rep, TimeZoneSidKey="Europe/Berlin")
    assert reps[programme.rep].time_zone == "UTC"
