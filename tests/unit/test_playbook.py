"""Plans: what a milestone brings, the same however often it is planned."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.referral.follow_up import (
    Email,
    FollowUp,
    Task,
    follow_up_key,
    places_of,
    plan,
)
from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.playbook import PLACES, Action, EmailRule, Playbook, TaskRule
from sidecar.referral.working_time import Promise, WorkingWeek

ORG = "00D000000000001EAA"
LEAD = "00Q000000000001EAA"
REP = "005000000000001AAA"
# A Friday morning in Tokyo; in UTC it is still Thursday.
NOW = datetime(2026, 1, 15, 23, 0, tzinfo=UTC)
TOKYO = WorkingWeek(ZoneInfo("Asia/Tokyo"))
KNOWN = {
    "first_name": "Ada",
    "last_name": "Example",
    "company": "Example Ltd",
    "referrer": "Bert Sample",
    "source": "Partner",
    "code": "BERT-1",
    "email": "ada@example.com",
    "phone": "555-0100",
}
TEXTS = st.text(max_size=80).map(str.strip)
DETAILS = st.dictionaries(st.sampled_from(sorted(KNOWN)), TEXTS)


def referral(
    milestone: Milestone | None = Milestone.SUBMITTED,
    *,
    object_type: str = "Lead",
    owner_id: str | None = REP,
    details: Mapping[str, str] = KNOWN,
) -> Referral:
    return Referral(
        key=LEAD,
        object_type=object_type,
        record_id=LEAD,
        status=milestone.capitalize() if milestone else None,
        milestone=milestone,
        owner_id=owner_id,
        changed_at=NOW,
        details=details,
    )


def playbook(subject: str = "Call {prospect}", description: str = "") -> Playbook:
    task = Action("call", TaskRule(subject, description, Promise(days=1), "High"))
    mail = Action("tell", EmailRule("new_referral"))
    return Playbook("1", {Milestone.SUBMITTED: (task, mail)})


def planned(given: Referral, book: Playbook, **more: str) -> list[FollowUp]:
    return plan(book, ORG, given, now=NOW, week=TOKYO, **more)  # type: ignore[arg-type]


def test_a_milestone_brings_its_actions_in_the_playbooks_order() -> None:
    task, mail = planned(referral(), playbook())

    assert task.what == Task(
        subject="Call Ada Example",
        description="",
        due_on="2026-01-19",  # the next working day after Friday, in Tokyo
        priority="High",
        owner_id=REP,
        who_id=LEAD,
        what_id=None,
    )
    assert mail.what == Email(
        "new_referral",
        REP,
        {
            "name": "Ada Example",
            "status": "Submitted",
            "company": "Example Ltd",
            "phone": "555-0100",
            "email": "ada@example.com",
            "referrer": "Bert Sample",
            "code": "BERT-1",
            "source": "Partner",
        },
    )
    assert (task.action, mail.action) == ("call", "tell")
    assert task.key != mail.key


def test_a_milestone_without_actions_brings_nothing() -> None:
    assert planned(referral(Milestone.WON), playbook()) == []
    assert planned(referral(None), playbook()) == []


def test_planned_again_it_is_the_same_follow_up() -> None:
    first, again = (planned(referral(), playbook()) for _ in range(2))

    assert [item.key for item in first] == [item.key for item in again]
    assert follow_up_key(ORG, LEAD, "submitted", "call") == first[0].key


NAMES = st.tuples(*[st.text("ab-", max_size=3)] * 3)


@given(one=NAMES, other=NAMES)
def test_different_follow_ups_have_different_keys(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    key = follow_up_key(ORG, *one)

    assert len(key) == 32
    assert (key == follow_up_key(ORG, *other)) == (one == other)


@pytest.mark.parametrize("owner_id", ["00G000000000001AAA", None])
def test_what_belongs_to_a_queue_goes_to_the_fallback_owner(
    owner_id: str | None,
) -> None:
    given = referral(owner_id=owner_id)

    fallback = planned(given, playbook(), fallback_owner_id="005000000000009AAA")
    assert [getattr(item.what, "owner_id", None) for item in fallback] == [
        "005000000000009AAA",
        None,
    ]
    assert fallback[1].what.to_user_id == "005000000000009AAA"  # type: ignore[union-attr]
    assert planned(given, playbook())[0].what.owner_id is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("object_type", "who", "what"),
    [
        ("Lead", LEAD, None),
        ("Contact", LEAD, None),
        ("Opportunity", None, LEAD),
        ("Account", None, LEAD),
    ],
)
def test_a_task_hangs_on_the_right_field(
    object_type: str, who: str | None, what: str | None
) -> None:
    task = planned(referral(object_type=object_type), playbook())[0].what

    assert isinstance(task, Task)
    assert (task.who_id, task.what_id) == (who, what)


@pytest.mark.parametrize(
    ("details", "told"),
    [
        (KNOWN, "Ada Example/Example Ltd/Bert Sample/Partner/BERT-1"),
        (
            {"company": "Example Ltd", "code": "X"},
            "Example Ltd/Example Ltd/the holder of code X/an unknown source/X",
        ),
        (
            {},
            "the referred prospect/an unnamed company/a referrer not yet named"
            "/an unknown source/none",
        ),
    ],
)
def test_what_nobody_knows_reads_naturally(
    details: Mapping[str, str], told: str
) -> None:
    book = playbook("{prospect}/{company}/{referrer}/{source}/{code}")

    task = planned(referral(details=details), book)[0].what

    assert isinstance(task, Task)
    assert task.subject == told


@pytest.mark.parametrize("milestone", list(Milestone))
def test_a_mail_tells_why_a_referral_is_lost_and_of_no_other(
    milestone: Milestone,
) -> None:
    book = Playbook("1", {milestone: (Action("tell", EmailRule("referral_lost")),)})
    known = {**KNOWN, "lost_reason": "No budget"}

    mail = planned(referral(milestone, details=known), book)[0].what

    assert isinstance(mail, Email)
    lost = milestone is Milestone.LOST
    assert mail.values.get("reason") == ("No budget" if lost else None)


@given(details=DETAILS, milestone=st.sampled_from([*Milestone, None]))
def test_every_place_says_something(
    details: dict[str, str], milestone: Milestone | None
) -> None:
    places = places_of(referral(milestone, details=details))

    assert places.keys() == PLACES
    assert all(places.values())


@given(details=DETAILS)
def test_no_name_breaks_a_task(details: dict[str, str]) -> None:
    """Braces, line breaks and length are the prospect's, not the playbook's."""
    book = playbook("Call {prospect} {referrer} {company}", "{prospect}: {{kept}}")

    task, mail = (item.what for item in planned(referral(details=details), book))

    assert isinstance(task, Task)
    assert isinstance(mail, Email)
    assert 0 < len(task.subject) <= 255
    assert task.description.endswith(": {kept}")
    assert all(mail.values.values())


def test_a_long_subject_is_cut_to_what_salesforce_takes() -> None:
    task = planned(referral(details={"last_name": "x" * 300}), playbook())[0].what

    assert isinstance(task, Task)
    assert len(task.subject) == 255
