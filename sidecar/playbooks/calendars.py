"""Business calendars as admins write them: YAML in, the mind's own values out."""

import re
from collections.abc import Container, Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import (
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)

from sidecar.playbooks.document import Named, Parsed, WrongDocument, load
from sidecar.referral.business_calendar import Calendar, Team
from sidecar.referral.working_time import (
    OFFICE_HOURS,
    Day,
    Hours,
    WorkingWeek,
    spans,
)

WEEKDAYS = (
    *("monday", "tuesday", "wednesday", "thursday", "friday"),
    *("saturday", "sunday"),
)


_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class WrongCalendar(WrongDocument):
    """A calendar cannot be used; the text has a line for each place to mend."""


@lru_cache(maxsize=256)
def calendar(text: str | None, time_zone: str) -> Calendar:
    """
    Give a connection's calendar.

    Args:
        text: YAML; None for office hours without holidays.
        time_zone: of the connection, where the text names none.

    Raises:
        WrongCalendar: with every fault found, each as ``place: what is wrong``.
    """
    if text is None:
        return Calendar(Team("", WorkingWeek(ZoneInfo(time_zone))))
    raw = load(text, _CalendarSchema(), "calendar", WrongCalendar)
    everybody = {"time_zone": ZoneInfo(time_zone), **raw}
    teams = {
        name: _team(name, {**everybody, **own}) for name, own in raw["teams"].items()
    }
    return Calendar(_team("", everybody), teams)


def _team(name: str, words: Mapping[str, Any]) -> Team:
    days = dict(zip(WEEKDAYS, OFFICE_HOURS, strict=True))
    if "hours" in words:
        days = dict.fromkeys(WEEKDAYS, ()) | words["hours"]
    try:
        week = WorkingWeek(
            words["time_zone"],
            tuple(days[day] for day in WEEKDAYS),
            _Free(words.get("holidays"), frozenset(words.get("free_days", ()))),
        )
        next(spans(_SOME_DAY, week))
    except ValueError as exc:
        whose = f"teams.{name}" if name else "hours"
        raise WrongCalendar(f"the calendar cannot be used:\n{whose}: {exc}") from exc
    return Team(
        name,
        week,
        members=frozenset(words.get("members", ())),
        roles=frozenset(words.get("roles", ())),
        backup=words.get("backup"),
        manager=words.get("manager"),
    )


class _Free(Container[date]):
    """Days on which nobody works: public holidays, and a team's own."""

    def __init__(self, public: Container[date] | None, own: frozenset[date]) -> None:
        self._public = public if public is not None else frozenset()
        self._own = own

    def __contains__(self, day: object) -> bool:
        return day in self._own or day in self._public


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(f"there is no time zone {text!r}") from exc


_STRETCH = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]) ?- ?([0-9]{2}):([0-5][0-9])")


def _day(text: str) -> Day:
    """``09:00-12:30, 13:00-17:00``, or ``closed``."""
    if text == "closed":
        return ()
    return tuple(_hours(part.strip()) for part in text.split(","))


def _hours(text: str) -> Hours:
    found = _STRETCH.fullmatch(text)
    if found is None or (int(found[3]), int(found[4])) > (24, 0):
        raise ValueError("write it as '09:00-12:30, 13:00-17:00' or 'closed'")
    return Hours(
        time(int(found[1]), int(found[2])), time(int(found[3]) % 24, int(found[4]))
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"{text!r} is no date; write 2026-12-24") from exc


def _user(text: str) -> str:
    """A user's id, 18 characters; 15 are not enough to tell two users apart here."""
    if not re.fullmatch(r"005[A-Za-z0-9]{15}", text):
        raise ValueError(f"{text!r} is no user's id (005..., 18 characters)")
    return text


class _HolidaysSchema(Schema):
    country = fields.String(required=True)
    subdivision = fields.String(load_default=None)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Container[date]:
        # Not at the top: it takes half a second, which few commands need.
        import holidays

        country, subdivision = data["country"], data["subdivision"]
        known = holidays.list_supported_countries()
        if country not in known:
            raise ValidationError(
                {"country": [f"no holidays are known of {country!r}; write DE, US"]}
            )
        if subdivision is not None and subdivision not in known[country]:
            there = ", ".join(known[country]) or "none"
            raise ValidationError(
                {
                    "subdivision": [
                        f"{country} has no {subdivision!r}; there are {there}"
                    ]
                }
            )
        return holidays.country_holidays(country, subdiv=subdivision)


class _WeekSchema(Schema):
    time_zone = Parsed(_zone)
    hours = Named(
        keys=fields.String(validate=validate.OneOf(WEEKDAYS)), values=Parsed(_day)
    )
    holidays = fields.Nested(_HolidaysSchema)
    free_days = fields.List(Parsed(_date))
    backup = Parsed(_user)
    manager = Parsed(_user)


class _TeamSchema(_WeekSchema):
    members = fields.List(Parsed(_user))
    roles = fields.List(fields.String(validate=validate.Length(1, 80)))

    @validates_schema
    def _somebody(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("members") and not data.get("roles"):
            raise ValidationError("name its members, or their roles")


class _CalendarSchema(_WeekSchema):
    teams = Named(
        keys=fields.String(validate=validate.Length(1, 80)),
        values=fields.Nested(_TeamSchema),
        load_default=dict,
    )

    @validates_schema
    def _each_once(self, data: Mapping[str, Any], **_: Any) -> None:
        for kind in ("members", "roles"):
            seen: dict[str, str] = {}
            for name, team in data["teams"].items():
                for one in team.get(kind, ()):
                    if (other := seen.setdefault(one, name)) != name:
                        raise ValidationError(
                            {"teams": {name: {kind: [f"{one} is in {other} as well"]}}}
                        )
