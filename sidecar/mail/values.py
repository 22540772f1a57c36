"""What a template may speak of, and how it reads when something is missing."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple, TypedDict
from urllib.parse import quote, urlsplit

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal

from sidecar.mail.languages import formats, language_of, marked, translations
from sidecar.mail.lost_reasons import in_words


class Values(TypedDict, total=False):
    """
    The words of a letter. Any may be missing, None or blank.

    Text may hold anything that a stranger typed; it is cleaned here.
    """

    name: str | None  # the referred person
    company: str | None
    phone: str | None
    email: str | None
    referrer: str | None  # the name of who introduced them
    code: str | None  # the referral code
    source: str | None
    relationship: str | None
    status: str | None  # the org's own word for the milestone
    changed_at: datetime | None  # aware; when that status was set
    amount: Decimal | None
    currency: str | None  # ISO 4217
    reason: str | None  # why it was lost
    notes: str | None  # may have several lines
    owner: str | None  # the rep this letter goes to
    due_on: date | None  # in the org's time zone; by when to do the next step
    next_step: str | None  # replaces the template's own sentence
    record_type: str | None  # "Lead", "Opportunity": what record_url opens
    record_url: str | None  # http or https, or there is no button
    task_url: str | None
    # The buttons: each leads to a page of ours, which asks before it acts.
    contacted_url: str | None
    unreachable_url: str | None
    snooze_url: str | None
    update_url: str | None  # change the status, add a note
    preferences_url: str | None  # which mails, and when
    stop_url: str | None  # where a referrer ends these mails


class Button(NamedTuple):
    """Something that the reader may do; ``href`` opens a web page."""

    label: str
    href: str


class Fact(NamedTuple):
    """A line of what is known: ``href`` is None where there is nothing to open."""

    label: str
    lines: list[str]
    href: str | None


def told(
    values: Mapping[str, object], *, language: str, locale: str, zone: tzinfo
) -> dict[str, object]:
    """
    Turn values into what the templates show.

    Args:
        values: see ``Values``; further ones are passed on for an author's own
            templates.
        language: as Salesforce names a user's, ``en_US``, ``de``.
        locale: as Salesforce names a user's, ``en_US``, ``de_DE``; decides how dates,
            numbers and money are written.
        zone: in which times are told.

    Returns:
        Every name of ``Values`` as clean text, or None where there is nothing to
        say; and what is made from them: ``who`` (person and company, or None),
        ``facts``, ``buttons``, ``open_record`` (the words for ``record_url``) and
        ``lang``.

    Raises:
        ValueError: a time without a zone.
    """
    speaks = language_of(language)
    written = formats(speaks, locale)
    translate = translations(speaks).gettext
    words: dict[str, object] = dict.fromkeys(Values.__annotations__)
    currency = str(values.get("currency") or "").strip().upper()
    for name, value in values.items():
        words[name] = _text(name, value, written, zone, currency)
    if words["reason"]:
        words["reason"] = in_words(str(words["reason"]), translate)
    return words | {
        "who": who(words["name"], words["company"], translate),
        "facts": _facts(words, translate),
        "buttons": [
            Button(translate(label), str(words[name]))
            for name, label in _BUTTONS.items()
            if words[name]
        ],
        "open_record": translate(_OPEN.get(str(words["record_type"]), _OPEN_ANY)),
        "lang": language_tag(speaks, written),
    }


def who(name: object, company: object, translate: Callable[[str], str]) -> str | None:
    """Say who somebody is, as part of a sentence; None where nobody knows."""
    if name and company:
        told = translate(marked("%(name)s of %(company)s"))
        return told % {"name": name, "company": company}
    if name:
        return str(name)
    if company:
        return translate(marked("someone at %(company)s")) % {"company": company}
    return None


def language_tag(language: str, locale: Locale) -> str:
    """The language tag of HTML: ``en-GB``; a region of no country is left out."""
    if locale.territory is None:
        return language
    territory = str(locale.territory)
    return f"{locale.language}-{territory}" if territory.isalpha() else locale.language


def one_line(text: str) -> str:
    """Join the lines of a text, and drop what is invisible or cannot be sent."""
    return " ".join(_printable(text).split())


# Sentences carry nothing that reorders them (bidirectional controls), ends them
# early (NUL and its kin) or has no UTF-8 (lone surrogates).
_HARMFUL = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\u200e\u200f\u202a-\u202e"
    "\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def _printable(text: str) -> str:
    return _HARMFUL.sub("", text)


def several_lines(text: str) -> str:
    """Keep the lines of a text; several empty ones in a row become one."""
    lines = "\n".join(one_line(line) for line in _printable(text).splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _text(
    name: str, value: object, locale: Locale, zone: tzinfo, currency: str
) -> str | None:
    match value:
        case None:
            return None
        case datetime():
            if value.tzinfo is None:
                raise ValueError(f"{name} has no time zone: {value.isoformat()}")
            local = value.astimezone(zone)
            day = format_date(local, "long", locale)
            clock = format_time(local, "short", locale=locale)
            return one_line(f"{day}, {clock} {local.tzname() or ''}")
        case date():
            return one_line(format_date(value, "full", locale))
        case Decimal():
            return _amount(value, currency if name == "amount" else "", locale)
    text = str(value)
    if name.endswith("_url"):
        return _address(text)
    return (several_lines(text) if name == "notes" else one_line(text)) or None


def _amount(value: Decimal, currency: str, locale: Locale) -> str:
    """Write an amount; cents only where there are any."""
    if not value.is_finite():
        return str(value)
    rounded = value.quantize(Decimal("0.01"))
    whole = rounded == rounded.to_integral_value()
    if not currency:
        pattern = "#,##0" if whole else "#,##0.00"
        return format_decimal(rounded, format=pattern, locale=locale)
    pattern = locale.currency_formats["standard"].pattern
    if whole:
        pattern = pattern.replace(".00", "")
    return format_currency(
        rounded, currency, format=pattern, locale=locale, currency_digits=False
    )


def _address(text: str) -> str | None:
    """Give the URL back if it opens a web page; nothing else may become a link."""
    url = text.strip()
    if not re.fullmatch(r"https?://[!#-;=?-~]+", url):
        return None
    try:
        return url if urlsplit(url).hostname else None
    except ValueError:
        return None


_OPEN_ANY = marked("Open the record in Salesforce")
_OPEN = {
    "Lead": marked("Open the lead in Salesforce"),
    "Contact": marked("Open the contact in Salesforce"),
    "Opportunity": marked("Open the opportunity in Salesforce"),
}
_BUTTONS = {
    "contacted_url": marked("Contacted"),
    "unreachable_url": marked("Not reachable"),
    "snooze_url": marked("Remind me later"),
}
_LABELS = {
    "phone": marked("Phone"),
    "email": marked("E-mail"),
    "referrer": marked("Referred by"),
    "code": marked("Referral code"),
    "source": marked("Source"),
    "relationship": marked("Relationship"),
    "status": marked("Status"),
    "changed_at": marked("Since"),
    "amount": marked("Amount"),
    "reason": marked("Reason"),
    "notes": marked("Notes"),
}


def _facts(words: Mapping[str, object], translate: Callable[[str], str]) -> list[Fact]:
    return [
        Fact(
            translate(label),
            str(words[name]).splitlines(),
            _href(name, str(words[name])),
        )
        for name, label in _LABELS.items()
        if words[name]
    ]


def _href(name: str, text: str) -> str | None:
    """
    Make a phone number or an address something to tap.

    Source:
        RFC 3966 (tel: digits, an extension as ``;ext=``), RFC 6068 (mailto:).
    """
    if name == "phone":
        main, _, extension = text.lower().partition("x")
        if abroad := main.lstrip(" (").startswith("+"):
            main = main.replace("(0)", "")  # dialled only inside the country
        number = "+" * abroad + _digits(main)
        if not 5 <= len(number) <= 20:
            return None
        return f"tel:{number}" + (f";ext={e}" if (e := _digits(extension)) else "")
    if name == "email" and re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        return "mailto:" + quote(text, safe="@")
    return None


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)
