"""A report as a mail: headline, tiles, tables, pictures, questions, in two parts.

What a report says is a ``Page`` in the reader's words; ``report.html`` and
``report.txt`` show it, so that both say the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, format_time
from babel.numbers import format_decimal, format_percent

from sidecar.mail.languages import formats, language_of, marked, translations
from sidecar.mail.letters import Image
from sidecar.mail.render import Rendered, render_layout
from sidecar.mail.values import language_tag

DASH = "\N{EN DASH}"
"""Stands where there is no number."""


@dataclass(frozen=True)
class Cell:
    """One field of a table; ``note`` stands below it, smaller."""

    text: str
    href: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under a head; every column but the first is of numbers, or short."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Picture:
    """
    A picture, and what it shows in words: ``alt`` says its numbers.

    ``width`` and ``height`` are in CSS pixels.
    """

    image: Image
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class Section:
    """A part of a report; whatever is empty is left out."""

    title: str
    lead: str = ""
    table: Table | None = None
    picture: Picture | None = None
    points: Sequence[tuple[str, str]] = ()
    note: str = ""


@dataclass(frozen=True)
class Tile:
    """A number to be seen first, and what it was before."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Page:
    """A report in its reader's words; ``happened`` is one or two sentences."""

    subject: str
    label: str
    headline: str
    happened: str
    footer: str
    owner: str = ""
    tiles: Sequence[Tile] = ()
    sections: Sequence[Section] = field(default_factory=list)
    preferences_url: str | None = None

    @property
    def images(self) -> tuple[Image, ...]:
        """All pictures, in order."""
        shown = (section.picture for section in self.sections)
        return tuple(picture.image for picture in shown if picture)


@dataclass(frozen=True)
class Voice:
    """How a reader is spoken to: language, formats, time zone."""

    language: str
    locale: Locale
    zone: tzinfo

    @property
    def says(self) -> Callable[[str], str]:
        """Translates a message."""
        return translations(self.language).gettext

    def count(self, number: float) -> str:
        """Write a number; one decimal, where it has any."""
        return format_decimal(number, format="#,##0.#", locale=self.locale)

    def share(self, ratio: float | None) -> str:
        """Write a share in percent."""
        if ratio is None:
            return DASH
        return format_percent(ratio, format="#,##0\u00a0%", locale=self.locale)

    def amount(self, amount: Decimal) -> str:
        """Write an amount in the org's currency, without the cents."""
        return format_decimal(amount, format="#,##0", locale=self.locale)

    def span(self, span: timedelta | None) -> str:
        """Write a duration in minutes, hours or days, whichever is read easiest."""
        if span is None:
            return DASH
        seconds = span.total_seconds()
        for limit, unit, pattern in _SPANS:
            if seconds < limit:
                number = self.count(round(seconds / unit, 1 if unit > 60 else 0))
                return self.says(pattern) % {"number": number}
        number = self.count(round(seconds / 86_400, 1))
        return self.says(marked("%(number)s d")) % {"number": number}

    def day(self, day: date) -> str:
        """Write a date with its month as a word."""
        return format_date(day, "medium", self.locale)

    def weekday(self, day: date) -> str:
        """Write a date with its day of the week."""
        return format_date(day, "full", self.locale)

    def days(self, first: date, last: date) -> str:
        """Write a period."""
        return format_interval(first, last, "yMMMd", locale=self.locale)

    def month(self, day: date) -> str:
        """Write a month and its year."""
        return format_date(day, "MMMM y", self.locale)

    def moment(self, at: datetime) -> str:
        """Write a day and a time, by the reader's clock."""
        local = at.astimezone(self.zone)
        clock = format_time(local, "short", locale=self.locale)
        day = format_skeleton("MMMd", local, locale=self.locale)
        # A narrow column breaks between the two, and nowhere else.
        return ", ".join(part.replace(" ", "\u00a0") for part in (day, clock))


_SPANS = (
    (3_600, 60, marked("%(number)s min")),
    (172_800, 3_600, marked("%(number)s h")),
)


def voice(language: str, locale: str, zone: tzinfo) -> Voice:
    """Speak as a reader does; language and locale as Salesforce names them."""
    speaks = language_of(language)
    return Voice(speaks, formats(speaks, locale), zone)


def render(page: Page, speaks: Voice) -> Rendered:
    """
    Write a report's parts.

    Raises:
        Permanent: it does not render.
    """
    text, html = render_layout(
        "report",
        {
            **{name: getattr(page, name) for name in Page.__dataclass_fields__},
            "lang": language_tag(speaks.language, speaks.locale),
        },
        language=speaks.language,
    )
    return Rendered(page.subject, text, html, page.images)
