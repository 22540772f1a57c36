"""Which words become which mails: one at once, one a day, or none."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sidecar.referral.follow_up import Word
from sidecar.referral.playbook import NUDGE, TESTIMONIAL
from sidecar.referral.words import ONE_A_DAY, waits_until
from sidecar.store.claims import Attempt, End

AT_ONCE = frozenset({"received", "digest"})
"""The answer to their own doing, and what comes once a month."""

QUESTIONS = frozenset({TESTIMONIAL, NUDGE})
"""Asked alone: what is asked among news is overlooked."""


class Mail(NamedTuple):
    """
    One mail to one referrer.

    Attributes:
        key: of the follow-up that its Message-ID names.
        is_news: whether others wait a day after it.
    """

    key: str
    referrer_id: str
    attempts: tuple[Attempt, ...]
    is_news: bool


class Sorted(NamedTuple):
    """The mails to send, and how the other attempts end without one."""

    mails: tuple[Mail, ...]
    ends: tuple[tuple[Attempt, End], ...]


def word_of(attempt: Attempt) -> Word:
    """Give the word of an attempt."""
    if not isinstance(attempt.what, Word):
        raise TypeError(f"follow-up {attempt.id} is no word")
    return attempt.what


def in_mails(
    attempts: Sequence[Attempt],
    silent: Mapping[int, str],
    last_news: Mapping[str, datetime],
    *,
    now: datetime,
) -> Sorted:
    """
    Decide which words go together, which wait, and which nobody wants.

    Args:
        attempts: claimed, of any referrers.
        silent: by follow-up, why it is not sent.
        last_news: by referrer, when they last got a mail with news.
    """
    mails: list[Mail] = []
    ends = [
        (attempt, End("cancelled", error=silent[attempt.id]))
        for attempt in attempts
        if attempt.id in silent
    ]
    spoken = sorted(
        (attempt for attempt in attempts if attempt.id not in silent),
        key=lambda item: (word_of(item).referrer_id, item.id),
    )
    for referrer_id, group in groupby(spoken, lambda item: word_of(item).referrer_id):
        listed = list(group)
        begun: dict[str, list[Attempt]] = {}
        fresh = []
        for attempt in listed:
            if word_of(attempt).template in AT_ONCE:
                mails.append(Mail(attempt.key, referrer_id, (attempt,), is_news=False))
            elif attempt.digest_key is not None or attempt.after_silence:
                # It may have left: what has not been tried is no part of it.
                key = attempt.digest_key or attempt.key
                begun.setdefault(key, []).append(attempt)
            else:
                fresh.append(attempt)
        mails += [
            Mail(k, referrer_id, tuple(v), is_news=True) for k, v in begun.items()
        ]
        last = now if begun else last_news.get(referrer_id)
        new, others = _of_today(referrer_id, fresh, last, now)
        mails += new
        ends += others
    return Sorted(tuple(mails), tuple(ends))


def _of_today(
    referrer_id: str, fresh: Sequence[Attempt], last: datetime | None, now: datetime
) -> tuple[list[Mail], list[tuple[Attempt, End]]]:
    """Make at most one mail of what is new for a referrer."""
    ends: list[tuple[Attempt, End]] = []
    newest = {attempt.referral_key: attempt for attempt in fresh if _is_news(attempt)}
    ready: list[Attempt] = []
    for attempt in fresh:
        if _is_news(attempt) and newest[attempt.referral_key] is not attempt:
            why = "a newer word on the same referral has taken its place"
            ends.append((attempt, End("cancelled", error=why)))
        elif (until := waits_until(last, now=now)) is not None:
            ends.append((attempt, End("waiting", due_at=until, costs=False)))
        else:
            ready.append(attempt)
    news = [attempt for attempt in ready if _is_news(attempt)] or ready[:1]
    ends += [
        (attempt, End("waiting", due_at=now + ONE_A_DAY, costs=False))
        for attempt in ready
        if attempt not in news
    ]
    if not news:
        return [], ends
    return [Mail(news[0].key, referrer_id, tuple(news), is_news=True)], ends


def _is_news(attempt: Attempt) -> bool:
    return word_of(attempt).template not in QUESTIONS
