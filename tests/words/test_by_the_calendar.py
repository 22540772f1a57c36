"""No referrer is forgotten: a word where all is quiet, and the month's list."""

from datetime import timedelta

from programme import Programme, text_of

from sidecar.referral.words import NO_NEWS_AFTER
from sidecar.store import erasure, persons, report_schedules, unheard


def pass_days(programme: Programme, days: int) -> list[str]:
    """Let the clock do its work each day; the subjects of what came."""
    before = len(programme.mails)
    for _ in range(days):
        programme.wiring.now.move(days=1)
        programme.wiring.sweep()
        programme.wiring.report(programme.linked.id)
        programme.deliver()
    return [mail["Subject"] for mail in programme.mails[before:]]


def told_by_the_month(subject: str) -> bool:
    return subject.startswith("Your referrals in ")


def silent(programme: Programme) -> list[tuple[str, str]]:
    """The referrals of which nobody hears, and why."""
    before = programme.wiring.now() - NO_NEWS_AFTER
    with programme.wiring.engine.connect() as db:
        return [(item.key, item.why) for item in unheard.unheard(db, before=before)]


def test_an_open_referral_is_not_silent_for_long(programme: Programme) -> None:
    programme.wiring.sweep()
    lead = programme.refer(programme.referrer())
    subjects = pass_days(programme, 60)

    notes = [each for each in subjects if each.startswith("Still being worked on")]
    assert notes
    assert len(subjects) >= 60 // (NO_NEWS_AFTER.days + 4), "weekends are spared"
    programme.hear(lead, "Won")
    assert not [
        each for each in pass_days(programme, 25) if each.startswith("Still being")
    ]


def test_who_does_not_want_to_hear_is_not_asked_again_and_again(
    programme: Programme,
) -> None:
    programme.wiring.sweep()
    lead = programme.refer(programme.referrer(Keep_Informed__c=False))
    assert silent(programme) == []
    assert pass_days(programme, 20) == []

    assert programme.words() == [("submitted", "cancelled")]
    ((key, why),) = silent(programme)
    assert key == lead
    assert "has not asked to be kept informed" in why


def test_a_month_with_news_is_told_in_one_mail(programme: Programme) -> None:
    programme.wiring.sweep()
    mira = programme.referrer()
    won, _open, lost = (programme.refer(mira, name) for name in ("A", "B", "C"))
    programme.refer(programme.referrer(Keep_Informed__c=False), "D")
    programme.hear(won, "Won")
    programme.hear(lost, "Lost")
    subjects = pass_days(programme, 32)
    lists = [each for each in subjects if told_by_the_month(each)]
    assert len(lists) == 1

    (mail,) = (each for each in programme.mails if each["Subject"] == lists[0])
    told = text_of(mail)
    assert told.index("Ada C:") < told.index("Ada A:") < told.index("Ada B:")
    for words in ("It has worked out", "Nothing has come of it", "It has reached us"):
        assert words in told
    assert "Ada D" not in told
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    programme.wiring.now.move(days=3)
    assert not [each for each in pass_days(programme, 31) if told_by_the_month(each)]


def test_how_many_words_a_report_planned_is_said(programme: Programme) -> None:
    programme.wiring.sweep()
    mira, milo = programme.referrer(), programme.referrer()
    for referrer, name in ((mira, "A"), (mira, "B"), (milo, "C")):
        programme.refer(referrer, name)
    said: dict[str, set[str | None]] = {
        "quiet-referrals": set(),
        "referrer-digest": set(),
    }
    for _ in range(32):
        pass_days(programme, 1)
        with programme.wiring.engine.connect() as db:
            for name, outcomes in said.items():
                schedule = report_schedules.find(
                    db, programme.linked.id, name, keyring=programme.wiring.keyring
                )
                assert schedule is not None
                outcomes.add(schedule.outcome)

    assert said["quiet-referrals"] >= {"nothing to say", "words to referrers: 3"}
    assert "words to referrers: 2" in said["referrer-digest"]


def test_an_erased_referrers_list_is_not_sent(programme: Programme) -> None:
    wiring = programme.wiring
    wiring.sweep()
    mira = programme.referrer()
    programme.refer(mira)
    for _ in range(32):
        wiring.now.move(days=1)
        wiring.sweep()
        wiring.report(programme.linked.id)
    assert ("digest", "waiting") in programme.words()

    with wiring.engine.begin() as db:
        trait = persons.digester(db, wiring.keyring)(persons.RECORD, mira)
        org_id = programme.linked.org_id
        erasure.erase(db, org_id, [trait], now=wiring.now(), keyring=wiring.keyring)
    before = len(programme.mails)
    programme.deliver()
    assert len(programme.mails) == before
    kept = programme.words("state", "sealed", "recipient_id", "sent_to")
    assert {row[1:] for row in kept} == {("", None, None)}
    assert {row[0] for row in kept} <= {"done", "cancelled"}


def test_the_list_of_the_unheard_says_why(programme: Programme) -> None:
    mira = programme.referrer()
    lead = programme.refer(mira)
    assert silent(programme) == []
    programme.wiring.now.move(days=NO_NEWS_AFTER / timedelta(days=1) + 1)

    assert silent(programme) == [(lead, "nothing has happened since")]


def test_who_does_not_want_to_hear_takes_nobodys_place(programme: Programme) -> None:
    """However many they are: only so many are looked at."""
    programme.refer(programme.referrer(Keep_Informed__c=False))
    lead = programme.refer(programme.referrer())
    programme.wiring.now.move(days=20)
    before = programme.wiring.now() - NO_NEWS_AFTER
    with programme.wiring.engine.connect() as db:
        (found,) = unheard.unheard(db, before=before, last_state="done", limit=1)
    assert found.key == lead
