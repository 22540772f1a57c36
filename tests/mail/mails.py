"""Every mail in every language, with values of every kind, for tests to look at."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from sidecar.mail import examples, report_examples, report_page
from sidecar.mail.examples import buttons, example
from sidecar.mail.languages import LANGUAGES
from sidecar.mail.preview import dead
from sidecar.mail.render import TOGETHER, Rendered, names, render, render_together

LONG = {
    "name": "Maximiliane-Alexandra von Hohenstein-Wolkenburg zu Schwarzenfels",
    "company": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbau GmbH",
    "email": "maximiliane.alexandra.von.hohenstein-wolkenburg@mail.example.com",
    "referrer": "X" * 90,
    "notes": f"https://example.com/{'a' * 120}\n{'word ' * 80}",
}
HOSTILE = {
    "name": '<script>alert(1)</script>"><img src=x onerror=alert(1)>',
    "company": "--><!--% if 1 %--> {{ 7 * 7 }} {% raw %} </style></td></table>",
    "referrer": "\u202egnp.exe\u202c \u2066x\u2069 \x00",
    "notes": "<!--[if mso]><p>\n]]>\n&lt;b&gt; &amp;amp;",
    "record_url": "javascript:alert(1)",
}
FROM_THE_RIGHT = {
    "name": "דוד כהן",
    "company": 'חברת הדוגמה בע"מ',
    "referrer": "أحمد العربي",
    "notes": "הערה ראשונה (1)\nشكر كبير!",
    "phone": "+972 3 123 4567",
}
OTHERWISE: dict[str, dict[str, Any]] = {
    "example": {},
    "long": LONG,
    "hostile": HOSTILE,
    "from the right": FROM_THE_RIGHT,
}
REPORTS = tuple(report_examples.PAGES)
ALL = [(name, language) for name in examples.letters() for language in LANGUAGES]
_OF_VALUES = {*names(), TOGETHER, *REPORTS}
"""Those that tell of anything that somebody typed."""


def letter(template: str, language: str, kind: str = "example") -> Rendered:
    """Render a mail; ``nothing`` is one without any value."""
    if template not in _OF_VALUES:
        return examples.letter(
            template, language=language, public_url="https://sidecar.example.com"
        )
    if template in REPORTS:
        return _report(template, language, kind)
    if template == TOGETHER:
        return _together(language, kind)
    values = (
        {}
        if kind == "nothing"
        else example(template)
        | dead("https://sidecar.example.com", buttons(template))
        | OTHERWISE[kind]
    )
    return render(template, values, language=language, locale="", zone=UTC)


def _report(name: str, language: str, kind: str) -> Rendered:
    """Render a report; its pictures are not there, so that their words are seen."""
    speaks = report_page.voice(language, "", UTC)
    given: dict[str, str] = {"reader": ""}
    if kind != "nothing":
        values = example(name) | OTHERWISE[kind]
        given = {
            "who": f"{values['name']}, {values['company']}",
            "rep": values["referrer"],
            "kind": values["company"],
            "reader": "Maria Manager",
            **dead("https://sidecar.example.com", ["preferences_url"]),
        }
    return report_page.render(report_examples.page(name, speaks, **given), speaks)


def _together(language: str, kind: str) -> Rendered:
    """Render three referrals as one mail, of which one has come far since."""

    def said(*templates: str) -> list[tuple[str, dict[str, Any]]]:
        links = dead("https://sidecar.example.com", buttons("new_referral"))
        if kind == "nothing":
            return [(name, {}) for name in templates]
        return [(name, example(name) | links | OTHERWISE[kind]) for name in templates]

    return render_together(
        [
            said("new_referral"),
            said("referral_contacted", "referral_qualified"),
            said("referral_won"),
        ],
        {} if kind == "nothing" else {"owner": "Rita Rep"},
        language=language,
        locale="",
        zone=UTC,
    )


def kinds(template: str, language: str) -> Iterator[tuple[str, Rendered]]:
    """Give a mail with each kind of values, under the kind's name."""
    for kind in (*OTHERWISE, "nothing") if template in _OF_VALUES else ("example",):
        yield kind, letter(template, language, kind)
