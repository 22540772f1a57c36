"""Every mail that there is, of people who do not exist."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any, TypedDict

from sidecar.errors import Permanent
from sidecar.mail import report_examples, report_page, words
from sidecar.mail.preview import dead
from sidecar.mail.render import TOGETHER, Rendered, names, render, render_together
from sidecar.mail.words import LANGUAGES_OF_REFERRERS, Reader, Told

_CHANGED_AT = datetime(2026, 3, 3, 13, 5, tzinfo=UTC)

_REFERRAL: Mapping[str, Any] = {
    "name": "Ada Example",
    "company": "Lighthouse Books",
    "phone": "+49 (0)30 1234567",
    "email": "ada@example.com",
    "referrer": "Bert Sample",
    "code": "BERT-42",
    "source": "Partner",
    "relationship": "Former colleague",
    "status": "Submitted",
    "changed_at": _CHANGED_AT,
    "notes": "Looks for a new supplier.\nPrefers calls in the morning.",
    "owner": "Rita Rep",
    "due_on": date(2026, 3, 5),
    "record_type": "Lead",
    "record_url": "https://salesforce.example.com/00Q000000000001EAA",
    "task_url": "https://salesforce.example.com/00T000000000001EAA",
}
_MONEY: Mapping[str, Any] = {
    "record_type": "Opportunity",
    "record_url": "https://salesforce.example.com/006000000000001EAA",
    "amount": Decimal("12500"),
    "currency": "EUR",
}

_OTHERWISE: Mapping[str, Mapping[str, Any]] = {
    "referral_contacted": {"status": "Contacted"},
    "referral_qualified": {"status": "Qualified"},
    "referral_opportunity": {"status": "Opportunity", **_MONEY},
    "referral_won": {"status": "Won", **_MONEY},
    "referral_lost": {"status": "Lost", "reason": "Chose another provider"},
}
"""By the template: what differs."""


def letters() -> list[str]:
    """List the mails that there are, in alphabetical order."""
    to_referrers = (f"{_TO_REFERRERS}{one}" for one in WORDS)
    return sorted([*names(), TOGETHER, *to_referrers, *report_examples.PAGES])


def letter(name: str, *, language: str, public_url: str = "") -> Rendered:
    """
    Write an example of a mail; its links are dead.

    Args:
        name: one of ``letters()``.
        language: one of ``LANGUAGES``.
        public_url: of our own pages; without one there are no buttons to them.

    Raises:
        Permanent: there is no such mail.
    """
    if name not in letters():
        raise Permanent(f"no mail {name!r}: there are {', '.join(letters())}")
    if name in report_examples.PAGES:
        speaks = report_page.voice(language, "", UTC)
        links = dead(public_url, ["preferences_url"])
        return report_page.render(report_examples.page(name, speaks, **links), speaks)
    reader: _Reader = {"language": language, "locale": "", "zone": UTC}
    if name.startswith(_TO_REFERRERS):
        return _word(name.removeprefix(_TO_REFERRERS), language, public_url)
    if name == TOGETHER:
        own = dead(public_url, ["preferences_url"]) | {"owner": _REFERRAL["owner"]}
        said = [
            [_said(one, public_url, who) for one in templates]
            for who, templates in _SEVERAL.items()
        ]
        return render_together(said, own, **reader)
    return render(*_said(name, public_url), **reader)


_TO_REFERRERS = "words/"

WORDS = (
    "received",
    "contacted",
    "qualified",
    "opportunity",
    "won",
    "lost",
    "no_news",
    "news",
    "digest",
    "recognition",
    "testimonial",
    "nudge",
)
"""What referrers are told, in the order of a referral's life."""


def _word(template: str, language: str, public_url: str) -> Rendered:
    many = template in {"news", "digest"}
    told = [
        Told("Ada Example", _STANDS.get(template, "won"), _CHANGED_AT),
        Told("Bea Example", "lost", _CHANGED_AT, "No budget"),
    ]
    if template == "lost":
        told = [told[1]]
    return words.write(
        template,
        told if many else told[:1],
        reader=Reader("Bert Sample", _LANGUAGES_THERE[language], UTC),
        stop_url=dead(public_url, ["stop_url"])["stop_url"],
        count=3 if template == "recognition" else 0,
        code="BERT-42" if template == "nudge" else "",
        month=_CHANGED_AT if template == "digest" else None,
    )


_STANDS = {
    "received": "submitted",
    "no_news": "contacted",
    "news": "qualified",
    "digest": "opportunity",
    **{name: name for name in ("contacted", "qualified", "opportunity")},
}
_LANGUAGES_THERE = {ours: theirs for theirs, ours in LANGUAGES_OF_REFERRERS.items()}


class _Reader(TypedDict):
    language: str
    locale: str
    zone: tzinfo


def _said(
    name: str, public_url: str, who: str = "Ada Example"
) -> tuple[str, Mapping[str, Any]]:
    links = dead(public_url, buttons(name))
    return name, {**example(name), "name": who, **links}


_SEVERAL = {
    "Ada Example": ("new_referral",),
    "Bea Example": ("referral_contacted", "referral_qualified"),
    "Cai Example": ("referral_won",),
}
"""Three referrals in one mail, of which one has come far since the last."""


def example(template: str) -> dict[str, Any]:
    """
    Give a template values to be looked at, without the addresses behind its buttons.

    A template that we do not know is shown with all that a letter may speak of.
    """
    return {**_REFERRAL, **_OTHERWISE.get(template, {})}


def buttons(template: str) -> list[str]:
    """Name the values behind a template's buttons, as a mail of its kind has them."""
    acts = _ACTS.get(template, ("snooze", "update"))
    return [f"{act}_url" for act in (*acts, "preferences")]


_ACTS = {
    "new_referral": ("contacted", "unreachable", "snooze", "update"),
    "reminder": ("contacted", "unreachable", "snooze", "update"),
    "response_overdue": ("contacted", "unreachable", "snooze", "update"),
    "referral_contacted": ("unreachable", "snooze", "update"),
}
