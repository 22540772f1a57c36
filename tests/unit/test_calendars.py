"""Calendars: what an admin wrote is understood, or each fault is told with its place."""

from contextlib import suppress
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.playbooks.calendars import WrongCalendar, calendar
from sidecar.referral.business_calendar import Calendar, Colleague, Staff
from sidecar.referral.working_time import Promise, due_at

REP, OTHER, BOSS = (f"005{n:012d}AAA" for n in (1, 2, 3))
TEXT = f"""
time_zone: Europe/Berlin
hours:
  monday: 09:00-12:00, 13:00-17:00
  tuesday: 09:00-17:00
holidays: {{country: DE, subdivision: BE}}
free_days: [2026-03-10]
backup: {BOSS}
teams:
  new-york:
    roles: [East]
    time_zone: America/New_York
    holidays: {{country: US}}
  night:
    members: ["{OTHER}"]
    hours: {{sunday: 20:00-24:00}}
"""


def faults(text: str) -> list[str]:
    with pytest.raises(WrongCalendar) as raised:
        calendar(text, "UTC")
    return str(raised.value).splitlines()[1:]


def test_a_calendar_is_read_as_it_is_written() -> None:
    found = calendar(TEXT, "UTC")
    week = found.everybody.week

    # The 8th of March is a holiday in Berlin, but a Sunday; the 10th is free.
    start = datetime(2026, 3, 9, 11, tzinfo=ZoneInfo("Europe/Berlin"))
    assert due_at(start, Promise(hours=6), week) == datetime(
        2026, 3, 16, 10, tzinfo=ZoneInfo("Europe/Berlin")
    )
    assert date(2027, 3, 8) in week.holidays, "a public holiday of Berlin"
    assert date(2026, 7, 3) in found.named("new-york").week.holidays
    assert date(2026, 3, 10) in found.named("new-york").week.holidays
    assert found.named("night").week.days[0] == ()
    assert found.named("night").backup == BOSS


def test_without_one_it_is_office_hours_in_the_connections_zone() -> None:
    found = calendar(None, "Asia/Tokyo")

    assert found == Calendar(found.everybody)
    assert found.everybody.week.time_zone == ZoneInfo("Asia/Tokyo")


def test_teams_are_found_by_name_and_by_role() -> None:
    found = calendar(TEXT, "UTC")

    assert found.team_of(OTHER, Colleague("East")).name == "night"
    assert found.team_of(REP, Colleague("East")).name == "new-york"
    assert found.team_of(REP).name == found.team_of(None).name == ""
    assert found.named("gone").name == ""


def test_who_is_named_for_nothing_is_the_fallback_owner() -> None:
    people = Staff(calendar(TEXT, "UTC"), {REP: Colleague(active=False)}, OTHER)

    to = people.recipients(REP)
    assert (to.owner, to.backup, to.manager) == (OTHER, BOSS, OTHER)
    known = Staff(calendar(TEXT, "UTC"), {REP: Colleague(manager_id=BOSS)}, OTHER)
    assert known.recipients(REP).manager == BOSS
    assert known.recipients("00G000000000001AAA").owner == OTHER


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time_zone: Mars", "time_zone: there is no time zone 'Mars'"),
        ("time_zone: ../../etc/passwd", "time_zone: there is no time zone"),
        ("hours: {mon: closed}", "hours.mon: Must be one of"),
        ("hours: {monday: 9-5}", "hours.monday: write it as"),
        ("hours: {monday: 09:00-24:30}", "hours.monday: write it as"),
        ("hours: {monday: closed}", "hours: a working week has seven days"),
        ("hours: {monday: 10:00-09:00}", "hours: a working day's hours"),
        ("hours: {monday: '09:00-12:00, 11:00-13:00'}", "hours: a working day's"),
        ("holidays: {country: XX}", "holidays.country: no holidays are known"),
        ("holidays: {country: DE, subdivision: X}", "holidays.subdivision: DE has no"),
        ("free_days: [tomorrow]", "free_days[0]: 'tomorrow' is no date"),
        ("backup: me", "backup: 'me' is no user's id"),
        ("teams: {a: {}}", "teams.a: name its members, or their roles"),
        (
            "teams: {a: {roles: [x], hours: {monday: closed}}}",
            "teams.a: a working week",
        ),
        ("teams: {a: {roles: [x]}, b: {roles: [x]}}", "teams.b.roles: x is in a"),
        ("mood: good", "mood: Unknown field."),
    ],
)
def test_each_fault_is_told_with_its_place(text: str, told: str) -> None:
    (line,) = faults(text)

    assert line.startswith(told)


@pytest.mark.parametrize("text", ["", "- a", "[" * 5000, "a: &a {b: *a}"])
def test_what_is_no_calendar_is_told_so(text: str) -> None:
    with pytest.raises(WrongCalendar):
        calendar(text, "UTC")


@given(
    st.one_of(st.text(), st.lists(st.sampled_from(TEXT.splitlines())).map("\n".join))
)
def test_whatever_the_text_it_is_a_calendar_or_a_wrong_one(text: str) -> None:
    with suppress(WrongCalendar):
        assert isinstance(calendar(text, "UTC"), Calendar)
