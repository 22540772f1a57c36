"""What a referrer may be told is a short list, whatever is known of a referral."""

import string
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.jobs.reading import DETAILS
from sidecar.mail.words import WHY, Reader, Told, told_of, write
from sidecar.referral import words
from sidecar.referral.business_calendar import Recipients
from sidecar.referral.follow_up import Word, follow_up
from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.playbook import (
    TELLABLE,
    Action,
    AskRule,
    NudgeRule,
    WordRule,
)
from sidecar.referral.words import REASONS
from sidecar.referral.working_time import WorkingWeek

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
ALL = (*TELLABLE, "recognition", "testimonial", "nudge", "news", "digest")
MAY_BE_TOLD = {"first_name", "last_name"}
KNOWN = sorted(
    {word for fields in DETAILS.values() for word in fields.values()}
    | {"notes", "amount", "phone", "email", "owner", "remark", "lost_reason"}
)
CANARY = st.text(string.ascii_lowercase, min_size=12, max_size=20).map("zq{}qz".format)
NAMES = st.text("abcdefgh", min_size=3, max_size=12)


def referral(milestone: Milestone, details: dict[str, str], status: str) -> Referral:
    return Referral("00Q1", "Lead", "00Q1", status, milestone, "005OWNER", AT, details)


def word(rule: WordRule, about: Referral) -> Word:
    made = follow_up(
        Action("word", rule),
        "00D1",
        about,
        now=AT,
        week=WorkingWeek(ZoneInfo("UTC")),
        to=Recipients("005OWNER", "005BACKUP", "005MANAGER"),
    )
    assert isinstance(made.what, Word)
    return made.what


def letter(template: str, news: list[Told], language: str) -> str:
    written = write(
        template,
        news,
        reader=Reader("Mira Sample", language, UTC),
        stop_url="https://sidecar.example.com/m/x",
        count=5,
        code="MIRA",
        month=AT,
    )
    return "\n".join((written.subject, written.text, written.html))


@given(
    details=st.fixed_dictionaries(dict.fromkeys(KNOWN, CANARY)),
    more=st.dictionaries(NAMES, CANARY),
    name=st.fixed_dictionaries({"first_name": NAMES, "last_name": NAMES}),
    milestone=st.sampled_from(Milestone),
    template=st.sampled_from(ALL),
    language=st.sampled_from(["English", "German", "French", ""]),
    status=CANARY,
)
def test_of_all_that_is_known_nothing_but_the_list_is_told(
    details: dict[str, str],
    more: dict[str, str],
    name: dict[str, str],
    milestone: Milestone,
    template: str,
    language: str,
    status: str,
) -> None:
    about = referral(milestone, {**more, **details, **name}, status)
    rules = [WordRule(item) for item in TELLABLE] + [AskRule(), NudgeRule()]
    for rule in rules:
        said = word(rule, about)
        assert "zq" not in str(said.values)
        assert set(said.values) <= {"name", "milestone", "at", "reason"}
        text = letter(template, [told_of(said.values)], language)
        assert "zq" not in text
        assert "005" not in text


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_each_reason_that_the_package_brings_has_a_kind_sentence(reason: str) -> None:
    said = word(
        WordRule("lost"), referral(Milestone.LOST, {**BY, "lost_reason": reason}, "x")
    )
    texts = {
        language: letter("lost", [told_of(said.values)], language)
        for language in ("English", "German", "French")
    }

    assert WHY[reason] in texts["English"]
    assert reason not in "".join(texts.values())
    assert len(set(texts.values())) == 3


BY = {"referrer_id": "a00000000000001AAA", "last_name": "Example"}


def test_an_orgs_own_reason_is_told_where_it_may_be() -> None:
    about = referral(Milestone.LOST, {**BY, "lost_reason": "Moved away"}, "Lost")

    assert "reason" not in word(WordRule("lost"), about).values
    said = word(WordRule("lost", frozenset({"Moved away"})), about)
    assert "The reason: Moved away." in letter(
        "lost", [told_of(said.values)], "English"
    )
    # And of a referral that is not lost, no reason is told.
    again = referral(Milestone.QUALIFIED, dict(about.details), "Qualified")
    rule = WordRule("qualified", frozenset({"Moved away"}))
    assert "reason" not in word(rule, again).values


@given(last=st.none() | st.timedeltas(timedelta(-3), timedelta(0)))
def test_news_wait_until_a_day_is_over(last: timedelta | None) -> None:
    last_news = AT + last if last is not None else None
    until = words.waits_until(last_news, now=AT)

    if last_news is None or AT - last_news >= words.ONE_A_DAY:
        assert until is None
    else:
        assert until == last_news + timedelta(days=1)
