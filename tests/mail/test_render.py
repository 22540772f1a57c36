"""Templates: what they say, what they say without values, and what they survive."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import Permanent
from sidecar.mail.render import SUBJECT_LIMIT, Rendered, names, render
from sidecar.mail.values import Values, told

FULL: Values = {
    "name": "Ada Example",
    "company": "Example GmbH",
    "phone": "+49 (0)30 1234567",
    "email": "ada@example.com",
    "referrer": "Bert Sample",
    "code": "BERT-42",
    "source": "Partner",
    "relationship": "Former colleague",
    "status": "Open",
    "changed_at": datetime(2026, 3, 3, 13, 5, tzinfo=UTC),
    "amount": Decimal("12500"),
    "currency": "EUR",
    "reason": "Chose another supplier",
    "notes": "Looks for a new supplier.\nPrefers calls.",
    "owner": "Rita Rep",
    "due_on": date(2026, 3, 5),
    "record_type": "Lead",
    "record_url": "https://example.my.salesforce.com/lightning/r/Lead/00Q/view?a=1&b=2",
    "task_url": "https://example.my.salesforce.com/lightning/r/Task/00T/view",
    "contacted_url": "https://sidecar.example.com/m/contacted",
    "unreachable_url": "https://sidecar.example.com/m/unreachable",
    "snooze_url": "https://sidecar.example.com/m/snooze",
    "update_url": "https://sidecar.example.com/m/update",
    "preferences_url": "https://sidecar.example.com/m/preferences",
}
TEXTS = [
    name
    for name in Values.__annotations__
    if name not in {"changed_at", "due_on", "amount"}
]
LETTERS = [
    "new_referral",
    "referral_contacted",
    "referral_lost",
    "referral_opportunity",
    "referral_qualified",
    "referral_won",
    "reminder",
    "response_overdue",
]


def written(
    template: str, locale: str = "en_GB", language: str = "en_US", **values: object
) -> Rendered:
    zone = ZoneInfo("Europe/Berlin")
    return render(template, values, language=language, locale=locale, zone=zone)


class Page(HTMLParser):
    """What a page consists of, as a reader of HTML sees it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.hrefs: list[str] = []
        self.shown = ""
        self._hidden = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden = tag == "style"
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.hrefs += [str(value) for name, value in attrs if name in {"href", "src"}]

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False
        self.tags.append(("/" + tag, ()))

    def handle_data(self, data: str) -> None:
        self.shown += "" if self._hidden else data


def test_there_is_a_letter_for_every_milestone_and_for_what_waits() -> None:
    assert names() == LETTERS


def test_an_unknown_template_is_permanent_and_names_the_known() -> None:
    with pytest.raises(Permanent, match="'nope': there are new_referral, referral_con"):
        written("nope")


@pytest.mark.parametrize("name", ["letter", "layout", "built-in/new_referral", "../x"])
def test_only_letters_can_be_rendered(name: str) -> None:
    with pytest.raises(Permanent):
        written(name)


@pytest.mark.parametrize(
    ("template", "subject"),
    [
        ("new_referral", "New referral: Ada Example of Example GmbH"),
        ("referral_contacted", "Referral contacted: Ada Example of Example GmbH"),
        ("referral_qualified", "Referral qualified: Ada Example of Example GmbH"),
        (
            "referral_opportunity",
            "Referral became an opportunity: Ada Example of Example GmbH",
        ),
        ("referral_won", "Referral won: Ada Example of Example GmbH"),
        ("referral_lost", "Referral lost: Ada Example of Example GmbH"),
        ("reminder", "Reminder: Ada Example of Example GmbH"),
        ("response_overdue", "Answer overdue: Ada Example of Example GmbH"),
    ],
)
def test_the_subject_says_what_happened_to_whom(template: str, subject: str) -> None:
    assert written(template, **FULL).subject == subject


@pytest.mark.parametrize("template", LETTERS)
def test_both_parts_tell_everything_that_is_known(template: str) -> None:
    letter = written(template, **FULL)

    page = Page(letter.html)
    told = [str(FULL[name]) for name in TEXTS if name in FULL]  # type: ignore[literal-required]
    for value in told:
        for line in value.splitlines():
            if line in {"EUR", "Lead"}:
                line = {"EUR": "€12,500", "Lead": "Open the lead in Salesforce"}[line]
            assert line in letter.text
            assert line in page.shown or line in page.hrefs
    for words in ("3 March 2026, 14:05 CET", "Next step by Thursday, 5 March 2026"):
        assert words in letter.text
        assert words in page.shown


# What a sentence looks like when a value fell out of it.
GAPS = re.compile(r"None|\S  \S| [,.:;]|,[,.]|\(\)|\b(of|by|at|on|to|worth)[,.:]")


@pytest.mark.parametrize("template", LETTERS)
@pytest.mark.parametrize("left", [None, "", "  \n"])
def test_with_nothing_known_a_letter_still_reads(template: str, left: object) -> None:
    letter = written(template, **dict.fromkeys(Values.__annotations__, left))

    assert letter == written(template)
    assert not GAPS.search(letter.subject)
    assert not letter.subject.endswith((":", " "))
    assert not GAPS.search(letter.text)
    assert not GAPS.search(Page(letter.html).shown)
    assert Page(letter.html).hrefs == []
    assert "\n\n\n" not in letter.text


@pytest.mark.parametrize("template", LETTERS)
@pytest.mark.parametrize("missing", list(FULL))
def test_without_any_one_value_a_letter_still_reads(
    template: str, missing: str
) -> None:
    values = {name: value for name, value in FULL.items() if name != missing}

    letter = written(template, **values)

    assert not GAPS.search(letter.subject)
    sentences = re.sub(
        r"^[A-Z][\w -]*: {2,}", "", letter.text, flags=re.M
    )  # without the labels
    assert not GAPS.search(sentences)
    assert not GAPS.search(Page(letter.html).shown)
    assert "\n\n\n" not in letter.text


@pytest.mark.parametrize(
    ("known", "step"),
    [
        ({"name": "Ada", "phone": "12345"}, "Call Ada on 12345."),
        ({"phone": "12345"}, "Call 12345."),
        ({"name": "Ada", "email": "a@example.com"}, "Write to Ada at a@example.com."),
        ({"email": "a@example.com"}, "Write to a@example.com."),
        ({"company": "Example GmbH"}, "Find a way to reach them: the record has"),
        ({"phone": "12345", "due_on": date(2026, 3, 5)}, "by Thursday, 5 March 2026:"),
        ({"name": "Ada", "next_step": "Send flowers."}, "Next step: Send flowers.\n"),
    ],
)
def test_the_next_step_is_one_that_can_be_taken(
    known: dict[str, str], step: str
) -> None:
    assert step in written("new_referral", **known).text


@pytest.mark.parametrize("template", LETTERS)
def test_a_playbook_may_name_another_next_step(template: str) -> None:
    letter = written(template, **FULL | {"next_step": "Send flowers."})

    assert "5 March 2026: Send flowers.\n\n" in letter.text
    assert "Send flowers." in Page(letter.html).shown


ANYTHING = st.text(
    st.one_of(st.characters(), st.sampled_from("<>&\"'=/{}%#@:\r\n")),
    min_size=1,
    max_size=80,
)


@pytest.mark.parametrize("template", LETTERS)
@given(values=st.dictionaries(st.sampled_from(TEXTS), ANYTHING))
def test_no_text_changes_the_page_or_the_subject(
    template: str, values: dict[str, str]
) -> None:
    letter = written(template, **values)

    assert 0 < len(letter.subject) <= SUBJECT_LIMIT
    assert letter.subject.splitlines() == [letter.subject]
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", letter.subject)
    letter.text.encode()  # raises on a lone surrogate
    page = Page(letter.html)
    plain = {name: _plain(name, value) for name, value in values.items()}
    assert page.tags == Page(written(template, **plain).html).tags
    assert all(re.match(r"https?://|mailto:|tel:", href) for href in page.hrefs)


def _plain(name: str, value: str) -> str:
    """A text without any markup that shows as many lines, and may be clicked too."""
    if Page(written("new_referral", **{name: value}).html).hrefs:
        if name == "phone":
            return "123456"
        return "a@example.com" if name == "email" else "https://example.com/"
    if name.endswith("_url"):
        return ""
    kept = told({"notes": value}, language="en_US", locale="en_US", zone=UTC)["notes"]
    return re.sub(r"\S+", "x", str(kept or ""))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "//example.com/",
        "https://",
        "https://exa mple.com/",
        'https://example.com/"onclick="alert(1)',
        "https://[broken/",
        " ",
    ],
)
def test_only_a_web_address_becomes_a_button(url: str) -> None:
    letter = written("new_referral", name="Ada", record_url=url, task_url=url)

    assert Page(letter.html).hrefs == []
    assert "Open the" not in letter.text


def test_a_button_opens_exactly_the_address() -> None:
    letter = written("new_referral", **FULL)

    hrefs = Page(letter.html).hrefs
    assert FULL["record_url"] in hrefs
    assert FULL["task_url"] in hrefs
    assert str(FULL["record_url"]) in letter.text.splitlines()


@pytest.mark.parametrize(
    ("phone", "href"),
    [
        ("+49 (0)30 1234567", "tel:+49301234567"),
        ("(555) 010-0199 x12", "tel:5550100199;ext=12"),
        ("0049 30 1234567", "tel:0049301234567"),
    ],
)
def test_a_phone_number_can_be_tapped(phone: str, href: str) -> None:
    assert Page(written("new_referral", phone=phone).html).hrefs == [href]


@pytest.mark.parametrize("phone", ["n/a", "12", "ask Bert", "1" * 40])
def test_what_is_no_phone_number_stays_text(phone: str) -> None:
    page = Page(written("new_referral", phone=phone).html)

    assert page.hrefs == []
    assert phone in page.shown


def test_an_address_cannot_smuggle_a_header_into_mailto() -> None:
    page = Page(written("new_referral", email="a@example.com?subject=x&y").html)

    assert page.hrefs == ["mailto:a@example.com%3Fsubject%3Dx%26y"]


def test_times_are_told_as_the_reader_writes_them() -> None:
    moment = datetime(2026, 3, 3, 23, 5, tzinfo=timezone(timedelta(hours=-8)))

    british = written("new_referral", "en_GB", changed_at=moment).text
    american = written("new_referral", "en_US", changed_at=moment).text

    assert "4 March 2026, 08:05 CET" in british
    assert "March 4, 2026, 8:05 AM CET" in american


def test_a_time_without_a_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="changed_at"):
        written("new_referral", changed_at=datetime(2026, 3, 3))  # noqa: DTZ001


def test_a_very_long_company_is_cut_in_the_subject_alone() -> None:
    letter = written("new_referral", name="Ada", company="Long " * 50)

    assert len(letter.subject) <= SUBJECT_LIMIT
    assert letter.subject.endswith("…")
    assert ("Long " * 50).strip() in letter.text


def test_text_that_reorders_other_text_is_disarmed() -> None:
    letter = written("new_referral", name="Ada\u202e\u2066moc.elpmaxe\u0000\ud800")

    assert letter.subject == "New referral: Adamoc.elpmaxe"


@pytest.mark.parametrize("template", LETTERS)
def test_a_page_needs_nothing_from_elsewhere(template: str) -> None:
    html = written(template, **FULL).html

    assert not re.search(
        r"<(img|link|script|iframe|object)\b|@import|url\(", html, re.I
    )


def test_styles_stand_in_the_elements_and_media_queries_in_the_head() -> None:
    html = written("new_referral", **FULL).html

    assert re.search(r'<h1 style="[^"]*font-size: 24px', html)
    assert "@media (prefers-color-scheme: dark)" in html
    assert "@media (max-width: 480px)" in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "%-->" not in html
    assert "{{" not in html


# --- templates of an operator ---------------------------------------------------


def test_an_operator_may_change_one_sentence_of_a_built_in_letter(
    tmp_path: Path,
) -> None:
    (tmp_path / "new_referral.jinja").write_text(
        '{% extends "built-in/new_referral.jinja" %}'
        "{% block subject %}Hot lead\n{{ name }}{% endblock %}"
    )

    letter = _own(tmp_path, "new_referral", name="Ada & <b>")

    assert letter.subject == "Hot lead Ada & <b>"
    assert "has been referred to you." in letter.text
    assert "<title>Hot lead Ada &amp; &lt;b&gt;</title>" in letter.html


def test_an_operator_may_add_a_letter_with_values_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "welcome.jinja").write_text(
        '{% extends "letter.jinja" %}{% block happened %}Hi {{ nickname }}.{% endblock %}'
    )

    assert "welcome" in names(tmp_path)
    assert "welcome" not in names()
    assert "Hi A." in _own(tmp_path, "welcome", nickname="A").text


def test_a_misspelt_value_in_a_template_is_permanent(tmp_path: Path) -> None:
    (tmp_path / "odd.jinja").write_text(
        '{% extends "letter.jinja" %}{% block happened %}{{ nmae }}{% endblock %}'
    )

    with pytest.raises(Permanent, match="'odd': 'nmae' is undefined"):
        _own(tmp_path, "odd", name="Ada")


def test_a_broken_template_is_permanent(tmp_path: Path) -> None:
    (tmp_path / "broken.jinja").write_text("{% if %}")

    with pytest.raises(Permanent, match="'broken'"):
        _own(tmp_path, "broken")


def _own(folder: Path, template: str, **values: object) -> Rendered:
    return render(template, values, locale="en_GB", zone=UTC, folder=folder)
