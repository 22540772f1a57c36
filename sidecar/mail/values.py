"""What a template may speak of, and how it reads when something is missing."""

import re
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple, TypedDict
from urllib.parse import quote, urlsplit


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
    due_on: date | None  # in the org's time zone
    next_step: str | None  # replaces the template's own sentence
    record_type: str | None  # "Lead", "Opportunity": what record_url opens
    record_url: str | None  # http or https, or there is no button
    task_url: str | None


class Fact(NamedTuple):
    """A line of what is known: ``href`` is None where there is nothing to open."""

    label: str
    lines: list[str]
    href: str | None


def told(
    values: Mapping[str, object], *, locale: str, zone: tzinfo
) -> dict[str, object]:
    """
    Turn values into what the templates show.

    Args:
        values: see ``Values``; further ones are passed on for an author's own
            templates.
        locale: as Salesforce names a user's, ``en_US``; decides the order of dates.
        zone: in which times are told.

    Returns:
        Every name of ``Values`` as clean text, or None where there is nothing to
        say; and what is made from them: ``who`` (person and company, or None),
        ``person`` and ``referral`` (as parts of a sentence, never None), ``facts``
        and ``lang``.

    Raises:
        ValueError: a time without a zone.
    """
    american = locale.replace("-", "_") == "en_US"
    words: dict[str, object] = dict.fromkeys(Values.__annotations__)
    for name, value in values.items():
        words[name] = _text(name, value, american=american, zone=zone)
    if words["amount"] and words["currency"]:
        words["amount"] = f"{words['currency']}\N{NO-BREAK SPACE}{words['amount']}"
    who = _who(words["name"], words["company"])
    by = f"{words['referrer']}'s" if words["referrer"] else "the"
    return words | {
        "who": who,
        "person": words["name"] or who or "the referred person",
        "referral": f"{by} referral" + (f" of {who}" if who else ""),
        "facts": _facts(words),
        "lang": "en-US" if american else "en",
    }


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


def _lines(text: str) -> str:
    """Keep the lines of a text; several empty ones in a row become one."""
    lines = "\n".join(one_line(line) for line in _printable(text).splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _text(name: str, value: object, *, american: bool, zone: tzinfo) -> str | None:
    match value:
        case None:
            return None
        case datetime():
            if value.tzinfo is None:
                raise ValueError(f"{name} has no time zone: {value.isoformat()}")
            local = value.astimezone(zone)
            clock = f"{local:%I:%M %p}".lstrip("0") if american else f"{local:%H:%M}"
            return one_line(f"{_day(local, american)}, {clock} {local.tzname() or ''}")
        case date():
            return f"{_WEEKDAYS[value.weekday()]}, {_day(value, american)}"
        case Decimal():
            return f"{value:,.2f}".removesuffix(".00")
    text = str(value)
    if name.endswith("_url"):
        return _address(text)
    return (_lines(text) if name == "notes" else one_line(text)) or None


# Not strftime's: those follow the locale of the process.
_WEEKDAYS = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December",
)  # fmt: skip


def _day(day: date, american: bool) -> str:
    month = _MONTHS[day.month - 1]
    if american:
        return f"{month} {day.day}, {day.year}"
    return f"{day.day} {month} {day.year}"


def _address(text: str) -> str | None:
    """Give the URL back if it opens a web page; nothing else may become a link."""
    url = text.strip()
    if not re.fullmatch(r"https?://[!#-;=?-~]+", url):
        return None
    try:
        return url if urlsplit(url).hostname else None
    except ValueError:
        return None


def _who(name: object, company: object) -> str | None:
    if name and company:
        return f"{name} of {company}"
    return str(name) if name else f"someone at {company}" if company else None


_LABELS = {
    "phone": "Phone",
    "email": "E-mail",
    "referrer": "Referred by",
    "code": "Referral code",
    "source": "Source",
    "relationship": "Relationship",
    "status": "Status",
    "changed_at": "Since",
    "amount": "Amount",
    "reason": "Reason",
    "notes": "Notes",
}


def _facts(words: Mapping[str, object]) -> list[Fact]:
    return [
        Fact(label, str(words[name]).splitlines(), _href(name, str(words[name])))
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
