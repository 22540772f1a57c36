"""When a rep gets a mail: now, later with others, or never."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.referral.mail_preference import (
    Drop,
    Held,
    Hold,
    Mails,
    Preference,
    Send,
    decide,
)

ALL = Preference()
BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)
NIGHT = {"quiet_from": time(20), "quiet_until": time(7)}

zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
clocks = st.times(max_value=time(23, 59)).map(lambda at: at.replace(microsecond=0))
moments = st.integers(0, 2 * 365 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
nights = st.none() | st.tuples(clocks, clocks)


def decided(preference: Preference = ALL, **changes: object):
    given = {
        "now": NOON,
        "zone": BERLIN,
        "held": None,
        "sent": (),
        "an_hour": 10,
    }
    return decide(preference, **(given | changes))  # type: ignore[arg-type]


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-03T{clock}").replace(tzinfo=BERLIN)


def test_a_mail_goes_at_once_to_who_has_chosen_nothing() -> None:
    assert decided() == Send()


def test_who_wants_none_gets_none() -> None:
    assert isinstance(decided(Preference(Mails.NONE)), Drop)
    assert isinstance(decided(Preference(Mails.NONE), urgent=True), Drop)


def test_a_mail_of_the_night_goes_when_the_night_ends_with_all_others_of_it() -> None:
    chosen = Preference(**NIGHT)

    assert decided(chosen, now=at("23:10")) == Hold(
        datetime(2026, 3, 4, 6, 0, tzinfo=UTC), Held.QUIET
    )
    assert decided(chosen, now=at("07:00"), held=Held.QUIET) == Send(together=True)


def test_a_night_that_ends_twice_does_not_last_a_day_longer() -> None:
    """Three o'clock summer time is two o'clock, and half past two comes again."""
    chosen = Preference(quiet_from=time(20), quiet_until=time(2, 30))
    again = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # the second 02:10 in Berlin

    assert decided(chosen, now=again) == Hold(
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC), Held.QUIET
    )


def test_one_a_day_is_one_a_day_also_after_a_night() -> None:
    chosen = Preference(Mails.DIGEST, **NIGHT)
    eight = datetime(2026, 3, 4, 7, 0, tzinfo=UTC)

    for now in (at("12:00"), at("23:10"), at("08:00")):
        assert decided(chosen, now=now) == Hold(eight, Held.DIGEST)
    assert decided(chosen, now=at("06:59"), held=Held.QUIET) == Hold(
        at("08:00").astimezone(UTC), Held.DIGEST
    )
    assert decided(chosen, now=at("08:00"), held=Held.DIGEST) == Send(together=True)


def test_a_quiet_morning_moves_the_mail_of_the_day_and_not_for_ever() -> None:
    chosen = Preference(Mails.DIGEST, time(20), time(9))
    nine = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)

    assert decided(chosen) == Hold(nine, Held.DIGEST)
    assert decided(chosen, now=nine, held=Held.DIGEST) == Send(together=True)


def test_the_eleventh_mail_of_an_hour_waits_until_the_hour_of_the_first_is_over() -> (
    None
):
    sent = [NOON - timedelta(minutes=50 - n) for n in range(10)]

    assert decided(sent=sent[:9]) == Send()
    assert decided(sent=sent) == Hold(NOON + timedelta(minutes=10), Held.DIGEST)
    assert decided(sent=sent, an_hour=0) == Send()
    assert decided(sent=sent, held=Held.DIGEST) == Send(together=True)


def test_an_escalation_does_not_wait_for_the_morning_but_does_not_flood_either() -> (
    None
):
    daily = Preference(Mails.DIGEST, **NIGHT)

    assert decided(daily, urgent=True) == Send()
    assert isinstance(decided(daily, urgent=True, now=at("23:00")), Hold)
    assert isinstance(decided(daily, urgent=True, sent=[NOON] * 10), Hold)


def test_what_a_rep_asked_for_comes_when_it_was_asked_for() -> None:
    asked = {"asked_at": NOON - timedelta(days=2), "sent": [NOON] * 20}

    assert decided(Preference(Mails.DIGEST), **asked) == Send()
    assert isinstance(decided(Preference(**NIGHT), **asked, now=at("22:00")), Hold)


@pytest.mark.parametrize(("days", "comes"), [(1, False), (3, True)])
def test_no_mails_means_no_reminder_unless_it_was_asked_for_later(days, comes) -> None:
    stopped = Preference(Mails.NONE, since=NOON - timedelta(days=days))

    found = decided(stopped, asked_at=NOON - timedelta(days=2))
    assert found == Send() if comes else isinstance(found, Drop)


@given(
    mails=st.sampled_from([Mails.ALL, Mails.DIGEST]),
    night=nights,
    now=moments,
    zone=zones,
    held=st.none() | st.sampled_from(Held),
    ago=st.lists(st.integers(0, 3599), max_size=12),
    an_hour=st.integers(0, 12),
    urgent=st.booleans(),
    asked=st.booleans(),
)
def test_whatever_is_held_goes_in_the_end_and_never_in_the_night(
    mails, night, now, zone, held, ago, an_hour, urgent, asked
) -> None:
    """It is held three times at most, each for a day and an hour at most."""
    preference = Preference(mails, *(night or ()))
    sent = sorted(now - timedelta(seconds=second) for second in ago)
    more = {"an_hour": an_hour, "urgent": urgent, "zone": ZoneInfo(zone)}
    for _ in range(4):
        what = decide(
            preference,
            now=now,
            held=held,
            sent=[at for at in sent if at > now - timedelta(hours=1)],
            asked_at=now if asked else None,
            **more,
        )
        if isinstance(what, Send):
            break
        assert isinstance(what, Hold)
        assert now < what.until <= now + timedelta(hours=49)
        now, held = what.until, what.why
    assert isinstance(what, Send)
    if night and night[0] != night[1]:
        clock = now.astimezone(ZoneInfo(zone)).time()
        starts, ends = night
        inside = starts <= clock < ends if starts < ends else not ends <= clock < starts
        assert not inside
