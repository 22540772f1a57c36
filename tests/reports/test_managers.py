"""What managers read: the list of the day, the digest of the week, the month's review."""

import random
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from lxml import html
from reports_house import MANAGER, REP, House, Life, lead, live

from sidecar.jobs.rep_letters import Sender
from sidecar.jobs.reports import digests, overdue
from sidecar.jobs.reports.desk import Desk
from sidecar.mail.letters import Address
from sidecar.referral.business_calendar import Colleague
from sidecar.referral.journey import Milestone
from sidecar.referral.mail_preference import Mails, Preference
from sidecar.store import (
    colleagues,
    connections,
    erasure,
    mail_preferences,
    persons,
    report_schedules,
)
from sidecar.store.report_schedules import First

MONDAY = datetime(2026, 11, 30, 6, 30, tzinfo=UTC)  # 07:30 in Berlin
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OTHER_REP, OTHER_MANAGER = "005000000000002AAA", "005000000000008AAA"


@pytest.fixture
def office(house):
    """Two reps, each with a manager; the reports that managers get."""

    def make(at: datetime = MONDAY - DAY) -> House:
        home = house(at, reports={})
        desk = Desk(
            home.wiring.engine,
            home.wiring.keyring,
            home.users,
            lambda: Sender(
                Address("Referrals", "referrals@sidecar.example"),
                "https://sidecar.example.com",
                home.wiring.keyring,
            ),
        )
        home.reports = {
            "overdue": overdue.report(desk),
            "weekly": digests.weekly(desk),
            "monthly": digests.monthly(desk),
        }
        home.users.add(REP, "Rita Rep")
        home.users.add(OTHER_REP, "Rolf Sample")
        home.users.add(OTHER_MANAGER, "Otto Other", "de", locale="de_DE")
        known = {
            REP: Colleague("Sales", MANAGER),
            OTHER_REP: Colleague("Sales", OTHER_MANAGER),
        }
        with home.wiring.engine.begin() as db:
            colleagues.remember(db, home.connection.id, known, now=home.at)
        home.sweep()
        return home

    return make


def only(home: House, report: str, at: datetime) -> list[EmailMessage]:
    """Let one report run at a moment; what was mailed."""
    home.reports = {report: home.reports[report]}
    home.at = at
    home.work()
    return home.post.mails


def to_maria(mails: list[EmailMessage]) -> EmailMessage:
    (mail,) = (mail for mail in mails if "Maria" in str(mail["To"]))
    return mail


def text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def page(mail: EmailMessage) -> html.HtmlElement:
    body = mail.get_body(("html",))
    assert body is not None
    return html.document_fromstring(body.get_content())


def waits(number: int, promised_at: datetime, **more: object) -> Life:
    values = {"answered": False, "promised_at": promised_at, "name": f"Name{number}"}
    return Life(
        lead(number), {Milestone.SUBMITTED: MONDAY - 9 * DAY}, **(values | more)
    )


# --- the list of the day --------------------------------------------------------------


def test_each_manager_reads_of_their_own_reps_what_is_late_or_due_today(office):
    home = office()
    live(
        home,
        waits(1, MONDAY - 2 * HOUR),
        waits(2, MONDAY - 3 * DAY),
        waits(3, MONDAY + 5 * HOUR),
        waits(4, MONDAY + DAY),
        waits(5, MONDAY - HOUR, owner_id=OTHER_REP),
    )
    mine, others = sorted(only(home, "overdue", MONDAY), key=lambda mail: mail["To"])

    said = text(mine)
    assert "Maria Manager" in str(mine["To"])
    assert said.index("Name2") < said.index("Name1") < said.index("Name3")
    assert "Name4" not in said, "tomorrow is another day"
    assert "Name5" not in said
    assert "Broken promises: 2" in said
    assert "Due today: 1" in said
    assert "RITA REP (3)" in said
    assert "3 d late" in said
    links = [str(link) for link in page(mine).xpath("//th/a/@href")]
    assert links == [
        f"{home.connection.instance_url}/{lead(number)}" for number in (2, 1, 3)
    ]
    assert "Otto Other" in str(others["To"])
    assert "Gebrochene Zusagen: 1" in text(others)
    assert "Name5" in text(others)


def test_what_has_no_owner_or_no_next_step_is_on_the_list_once(office, wiring):
    home = office()
    with wiring.engine.begin() as db:
        db.execute(connections.connection.update().values(fallback_owner_id=MANAGER))
    live(
        home,
        Life(
            lead(1), {Milestone.SUBMITTED: MONDAY - DAY}, name="Unowned", owner_id=None
        ),
        Life(lead(2), {Milestone.CONTACTED: MONDAY - DAY}, name="Stuck"),
        Life(lead(3), {Milestone.WON: MONDAY - DAY}, name="Over"),
    )
    (mail,) = only(home, "overdue", MONDAY)

    said = text(mail)
    assert "WITHOUT AN OWNER (1)" in said
    assert "WITHOUT A NEXT STEP (1)" in said
    assert said.count("Unowned") == said.count("Stuck") == 1
    assert "Over" not in said.replace("Overdue", "")


def test_nothing_is_sent_when_there_is_nothing(office):
    home = office()
    live(home, Life(lead(3), {Milestone.WON: MONDAY - DAY}))

    assert only(home, "overdue", MONDAY) == []
    assert home.schedule("overdue").outcome == "nothing to say"


def test_on_a_holiday_nobody_gets_the_list(office, wiring):
    home = office()
    with wiring.engine.begin() as db:
        text = "free_days: [2026-11-30]\n"
        connections.set_calendar(db, home.connection.id, text)
    live(home, waits(1, MONDAY - HOUR))

    assert only(home, "overdue", MONDAY) == []
    assert home.schedule("overdue").outcome == "nothing to say"


def test_readers_whom_an_admin_names_are_told_of_all(office, wiring):
    home = office()
    with wiring.engine.begin() as db:
        report_schedules.put(
            db,
            First(home.connection.id, "overdue", "30 7 * * 1-5", MONDAY),
            recipients=["chef@example.com"],
            language="fr",
            keyring=wiring.keyring,
        )
    live(home, waits(1, MONDAY - HOUR), waits(2, MONDAY - HOUR, owner_id=OTHER_REP))
    (mail,) = only(home, "overdue", MONDAY)

    assert str(mail["To"]) == "chef@example.com"
    assert "Promesses non tenues" in text(mail)
    assert "Name1" in text(mail)
    assert "Name2" in text(mail)
    assert mail["List-Unsubscribe"] is None, "an admin ends it, not a link"


def test_where_nobody_is_to_be_told_the_schedule_says_so(office, wiring):
    home = office()
    live(home, waits(1, MONDAY - HOUR, owner_id="005000000000007AAA"))
    only(home, "overdue", MONDAY)

    assert "nobody to tell" in str(home.schedule("overdue").error)


def test_a_person_who_is_erased_before_the_mail_goes_is_not_named(office, wiring):
    """The row holds no name: there is nothing to look for in it."""
    home = office()
    live(home, waits(1, MONDAY - HOUR), waits(2, MONDAY - HOUR))
    home.reports = {"overdue": home.reports["overdue"]}
    home.at = MONDAY
    home.run()
    with wiring.engine.begin() as db:
        digest = persons.digester(db, wiring.keyring)
        trait = digest(persons.EMAIL, f"{lead(1).lower()}@example.org")
        erasure.erase(
            db, home.connection.org_id, [trait], now=home.at, keyring=wiring.keyring
        )
    home.send()

    (mail,) = home.post.mails
    assert "Name1" not in mail.as_string()
    assert "A referral" in text(mail)
    assert "Name2" in text(mail)


def test_who_wants_no_mails_gets_no_report(office, wiring):
    home = office()
    live(home, waits(1, MONDAY - HOUR))
    with wiring.engine.begin() as db:
        mail_preferences.choose(
            db, home.connection.id, MANAGER, Preference(Mails.NONE), now=home.at
        )

    assert only(home, "overdue", MONDAY) == []
    assert home.mails() == [("cancelled", 1, "the reader wants no mails")]


# --- the digest of the week ------------------------------------------------------------


def half_a_year(ends: datetime, seed: int = 7) -> list[Life]:
    """Invent referrals of 26 weeks; the clocks change in between."""
    chance = random.Random(seed)
    lives = []
    for number in range(220):
        began = ends - chance.random() * 182 * DAY
        reached = {Milestone.SUBMITTED: began}
        kind = chance.choice(["Partner", "Customer"])
        hours = chance.expovariate(1 / (40 if kind == "Partner" else 9))
        at = began + hours * HOUR + timedelta(minutes=1)
        if at < ends:
            reached[Milestone.CONTACTED] = at
            for name, share in ((Milestone.QUALIFIED, 0.6), (Milestone.WON, 0.5)):
                at += chance.random() * 12 * DAY
                if at >= ends or chance.random() > share:
                    break
                reached[name] = at
        late = hours > 24
        lives.append(
            Life(
                lead(number),
                reached,
                owner_id=chance.choice([REP, OTHER_REP]),
                name=f"Name{number}",
                kind=kind,
                amount=str(chance.randint(1, 90) * 100)
                if Milestone.WON in reached
                else "",
                told=("due",) if late else (),
                promised_at=began + DAY,
                answered=Milestone.CONTACTED in reached,
            )
        )
    return lives


def row(mail: EmailMessage, name: str) -> list[str]:
    """The cells of a table's row, without their notes."""
    for line in page(mail).xpath("//tr[th[@scope='row']]"):
        cells = [(cell.text or "").strip() for cell in line]
        if cells[0] == name:
            return cells[1:]
    raise AssertionError(f"no row {name}")


def test_the_digest_counts_what_happened(office):
    at = MONDAY + HOUR / 2
    home = office()
    lives = half_a_year(at - HOUR)
    live(home, *lives)
    mail = to_maria(only(home, "weekly", at))

    # By hand: weeks of Berlin, whose clocks were put back on 25 October.
    ends = [
        datetime(2026, 11, 29, 23, tzinfo=UTC) - number * 7 * DAY for number in range(6)
    ]
    assert ends[5] == datetime(2026, 10, 25, 23, tzinfo=UTC)

    def count(milestone: Milestone, first: int, last: int = -1) -> int:
        last = first if last < 0 else last
        return sum(
            ends[last] - 7 * DAY <= life.reached[milestone] < ends[first]
            for life in lives
            if milestone in life.reached
        )

    for name, milestone in (
        ("New referrals", Milestone.SUBMITTED),
        ("Won", Milestone.WON),
    ):
        mean = count(milestone, 1, 4) / 4
        assert row(mail, name) == [
            str(count(milestone, 0)),
            str(count(milestone, 1)),
            f"{mean:.1f}".removesuffix(".0")
            if mean * 10 % 1 == 0
            else row(mail, name)[2],
        ]
    new = [
        life
        for life in lives
        if ends[0] - 7 * DAY <= life.reached[Milestone.SUBMITTED] < ends[0]
    ]
    decided = [life for life in new if life.told or life.answered]
    kept = [life for life in decided if not life.told]
    assert row(mail, "Contacted in time")[
        0
    ] == f"{len(kept) / len(decided):.0%}".replace("%", "\u00a0%")
    assert f"n = {len(decided)}" in text(mail).replace("\u00a0", " ")


def test_each_picture_travels_in_the_mail_and_its_words_say_its_numbers(office):
    at = MONDAY + HOUR / 2
    home = office()
    live(home, *half_a_year(at - HOUR))
    mail = to_maria(only(home, "weekly", at))

    assert mail.get_content_type() == "multipart/alternative"
    plain, related = mail.iter_parts()
    assert plain.get_content_type() == "text/plain"
    assert related.get_content_type() == "multipart/related"
    whole, *pictures = related.iter_parts()
    assert whole.get_content_type() == "text/html"
    shown = page(mail).xpath("//img")
    assert [image.get("src") for image in shown] == [
        f"cid:{part['Content-ID'][1:-1]}" for part in pictures
    ]
    for part, image in zip(pictures, shown, strict=True):
        assert part.get_content().startswith(b"\x89PNG")
        assert len(re.findall(r"\d+", image.get("alt"))) >= 5
        assert " ".join(image.get("alt").split()) in text(mail)
    trend = shown[1].get("alt")
    assert trend.count(";") == 11, "twelve weeks"


def test_a_digest_that_is_sent_again_is_the_same_bytes(office):
    at = MONDAY + HOUR / 2
    home = office()
    live(home, *half_a_year(at - HOUR)[:40])
    home.post.answers = ["451 4.3.0 later", "451 4.3.0 later"]
    only(home, "weekly", at)
    assert home.post.mails == []
    assert home.post.refused

    home.at += HOUR
    home.work()
    taken = {str(mail["Message-ID"]): mail.as_bytes() for mail in home.post.mails}
    refused = {str(mail["Message-ID"]): mail.as_bytes() for mail in home.post.refused}
    assert refused == {key: taken[key] for key in refused}


def test_numbers_of_the_erased_stay_and_their_names_do_not_appear(office, wiring):
    at = MONDAY + HOUR / 2
    home = office()
    lives = half_a_year(at - HOUR)[:60]
    live(home, *lives)
    with wiring.engine.begin() as db:
        digest = persons.digester(db, wiring.keyring)
        traits = [
            digest(persons.EMAIL, f"{life.key.lower()}@example.org")
            for life in lives[:30]
        ]
        for trait in traits:
            erasure.erase(
                db, home.connection.org_id, [trait], now=at, keyring=wiring.keyring
            )
    mail = to_maria(only(home, "weekly", at))

    began = datetime(2026, 9, 6, 22, tzinfo=UTC)
    ends = datetime(2026, 11, 29, 23, tzinfo=UTC)
    in_twelve_weeks = sum(
        began <= life.reached[Milestone.SUBMITTED] < ends for life in lives
    )
    assert f"Submitted {in_twelve_weeks}" in text(mail)
    assert not re.search(r"Name\d", mail.as_string())


def test_an_org_in_which_nothing_moved_gets_no_digest(office):
    home = office()

    assert only(home, "weekly", MONDAY + HOUR / 2) == []


# --- the review of the month -----------------------------------------------------------


def test_the_review_says_what_changed_with_formula_period_and_n(office):
    first = datetime(2026, 12, 1, 7, tzinfo=UTC)
    home = office()
    live(home, *half_a_year(first - HOUR))
    mail = to_maria(only(home, "monthly", first))

    said = text(mail).replace("\u2009", " ").replace("\u00a0", " ")
    assert "November 2026" in str(mail["Subject"])
    changed = page(mail).xpath("//tr[th[@scope='row']]")
    assert changed
    for line in changed:
        note = line.xpath("./th/p")[0].text_content()
        assert "period" in note or "new referrals" in note or "won" in note
        assert "Nov 1" in note
    assert re.search(r"Median time to first response .* n = \d+", said)


def test_the_review_asks_what_the_numbers_ask(office):
    """Partner referrals wait four times as long, and there are enough of both."""
    first = datetime(2026, 12, 1, 7, tzinfo=UTC)
    home = office()
    november = datetime(2026, 11, 5, tzinfo=UTC)
    live(
        home,
        *(
            Life(
                lead(number),
                {
                    Milestone.SUBMITTED: november + number * HOUR,
                    Milestone.CONTACTED: november + (number + wait) * HOUR,
                },
                kind=kind,
            )
            for number, (kind, wait) in enumerate(
                [("Partner", 40)] * 12 + [("Customer", 10)] * 12
            )
        ),
    )
    mail = to_maria(only(home, "monthly", first))

    said = text(mail).replace("\u00a0", " ")
    assert (
        "Referrals of type Partner take 4 times as long to first contact as those of "
        "type Customer: why?" in said
    )
    assert "Median 40 h (n = 12) against 10 h (n = 12)" in said


def test_where_numbers_are_small_the_review_says_so_and_asks_nothing(office):
    first = datetime(2026, 12, 1, 7, tzinfo=UTC)
    home = office()
    november = datetime(2026, 11, 5, tzinfo=UTC)
    live(
        home,
        Life(
            lead(1),
            {Milestone.SUBMITTED: november, Milestone.CONTACTED: november + DAY},
        ),
        Life(
            lead(2),
            {Milestone.SUBMITTED: november, Milestone.CONTACTED: november + 9 * DAY},
        ),
    )
    mail = to_maria(only(home, "monthly", first))

    said = text(mail).replace("\u00a0", " ")
    assert "n = 2: too few to conclude from" in said
    assert "why?" not in said
    assert "Questions are asked where numbers of at least 10 differ clearly" in said
