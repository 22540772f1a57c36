"""Words to referrers, written: templates below ``words/``, and what they may show.

Nothing reaches these templates but the fields of ``Told``: who was referred, how far
it is, since when, and why it was lost. See ``sidecar.referral.words``.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from babel import Locale
from babel.dates import format_date

from sidecar.mail.languages import formats, marked, translations
from sidecar.mail.render import Rendered, laid_out
from sidecar.mail.values import Fact, one_line, told

LANGUAGES_OF_REFERRERS = {"English": "en", "German": "de", "French": "fr"}
"""The values of the package's field ``Language__c``; empty is English."""

_STANDS: Mapping[str, str] = {
    "submitted": marked("It has reached us"),
    "contacted": marked("We are in touch"),
    "qualified": marked("A good fit"),
    "opportunity": marked("It is moving forward"),
    "won": marked("It has worked out"),
    "lost": marked("Nothing has come of it"),
}

WHY: Mapping[str, str] = {
    "No need right now": marked("There is no need for it right now; that may change."),
    "No budget": marked("There is no budget for it at the moment."),
    "Not a good fit": marked("What we offer is not quite what is needed there."),
    "Chose another provider": marked("The choice fell on another provider."),
    "Could not be reached": marked("We were not able to reach anybody."),
    "Already a customer": marked("We had known each other before."),
}


class Told(NamedTuple):
    """
    What a referrer may be told of one referral.

    Attributes:
        name: of whom they referred; perhaps empty.
        milestone: at which it stands, or stood; perhaps empty.
        at: since when; aware.
        reason: why it was lost, of those that may be told; perhaps empty.
    """

    name: str
    milestone: str
    at: datetime | None
    reason: str = ""


def told_of(facts: Mapping[str, str]) -> Told:
    """Read what ``sidecar.referral.words.facts`` gives."""
    at = datetime.fromisoformat(facts["at"]) if facts.get("at") else None
    return Told(
        facts.get("name", ""), facts.get("milestone", ""), at, facts.get("reason", "")
    )


class Reader(NamedTuple):
    """
    To whom a word goes.

    Attributes:
        language: a value of ``Language__c``.
        zone: the connection's; days are told in it.
    """

    name: str
    language: str
    zone: tzinfo


def write(
    template: str,
    news: Sequence[Told],
    *,
    reader: Reader,
    stop_url: str,
    count: int = 0,
    code: str = "",
    month: datetime | None = None,
    more: bool = False,
) -> Rendered:
    """
    Write a word to a referrer.

    Args:
        template: below ``words/``.
        news: of one referral; ``news`` and ``digest`` list several.
        stop_url: where they end these mails.
        count: of their won referrals, where that is worth a word.
        code: their own, where it is named.
        month: of which a digest tells.
        more: whether a digest leaves some out.

    Raises:
        Permanent: the template does not render.
    """
    language = LANGUAGES_OF_REFERRERS.get(reader.language, "en")
    locale = formats(language, language)
    say = translations(language).gettext
    several = template in {"news", "digest"}
    given = {"owner": reader.name, "stop_url": stop_url}
    if not several:
        given["name"] = news[0].name
    shown = told(given, language=language, locale=language, zone=reader.zone)
    shown |= {
        "facts": _listed(news, say, locale, reader.zone)
        if several
        else _facts(template, news[0], say, locale, reader.zone),
        "why": _why(news[0].reason, say) if news else None,
        "lines": len(news),
        "count": count,
        "code": one_line(code),
        "month": format_date(month, "LLLL y", locale) if month else "",
        "more": more,
    }
    return laid_out(f"words/{template}", shown, language=language)


def _facts(
    template: str, news: Told, say: Callable[[str], str], locale: Locale, zone: tzinfo
) -> list[Fact]:
    """Where it stands, and since when; a question is asked without."""
    if template in {"testimonial", "nudge"} or not news.milestone:
        return []
    found = [Fact(say(marked("Where it stands")), [_stands(news, say)], None)]
    if news.at is not None:
        found.append(Fact(say(marked("Since")), [_day(news.at, locale, zone)], None))
    return found


def _listed(
    news: Sequence[Told], say: Callable[[str], str], locale: Locale, zone: tzinfo
) -> list[Fact]:
    return [
        Fact(
            one_line(item.name) or say(marked("Your referral")),
            [
                line
                for line in (
                    _stands(item, say),
                    _why(item.reason, say),
                    _day(item.at, locale, zone) if item.at else None,
                )
                if line
            ],
            None,
        )
        for item in news
    ]


def _stands(news: Told, say: Callable[[str], str]) -> str:
    return say(_STANDS[news.milestone]) if news.milestone in _STANDS else "-"


def _why(reason: str, say: Callable[[str], str]) -> str | None:
    if reason in WHY:
        return say(WHY[reason])
    told_as_it_is = one_line(reason)
    if not told_as_it_is:
        return None
    return say(marked("The reason: %(reason)s.")) % {"reason": told_as_it_is}


def _day(at: datetime, locale: Locale, zone: tzinfo) -> str:
    return one_line(format_date(at.astimezone(zone), "long", locale))
