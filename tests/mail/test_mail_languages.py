"""Every sentence that a rep may read is there in each language, whole and unbroken."""

import re
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from test_render import FULL, LETTERS, Page, written

import sidecar
from sidecar.mail.languages import FOLDER, LANGUAGES, formats, language_of
from sidecar.mail.render import render

PACKAGE = Path(sidecar.__file__).parent
TRANSLATED = [language for language in LANGUAGES if language != "en"]
PLACES = re.compile(r"%\((\w+)\)s|%%")


def extracted() -> dict[str, list[str]]:
    """Every message of templates and code, with the files that have it."""
    with (FOLDER / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found: dict[str, list[str]] = defaultdict(list)
    keywords = {"_": None, "gettext": None, "marked": None}
    for name, _line, message, _, _ in extract_from_dir(
        PACKAGE, methods, options, keywords=keywords
    ):
        found[str(message)].append(name)
    return found


def catalog(language: str) -> Catalog:
    with (FOLDER / language / "mail.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_untranslated_and_nothing_is_left_over(language: str) -> None:
    messages = extracted()
    assert len(messages) > 50
    known = {str(entry.id): entry for entry in catalog(language) if entry.id}

    assert sorted(set(messages) - set(known)) == [], "not in the catalog"
    assert sorted(set(known) - set(messages)) == [], "nobody says this any more"
    assert [text for text, entry in known.items() if entry.fuzzy] == []
    assert [text for text, entry in known.items() if not entry.string] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_places_of_its_message(language: str) -> None:
    for entry in catalog(language):
        if not entry.id:
            continue
        given, said = str(entry.id), str(entry.string)
        assert set(PLACES.findall(said)) == set(PLACES.findall(given)), given
        assert "%" not in PLACES.sub("", said), said
        assert said == said.strip(), said
        ends = [text[-1] if text[-1] in ".!:?," else "" for text in (given, said)]
        assert ends[0] == ends[1], said


def test_no_text_of_a_template_is_left_in_english() -> None:
    """What stands outside of ``_()`` in a template is no word."""
    for path in sorted((PACKAGE / "mail/templates").rglob("*.*")):
        text = path.read_text()
        text = re.sub(r"<style>.*?</style>|\{#.*?#\}", "", text, flags=re.S)
        text = re.sub(r"<!--.*?-->|\{%.*?%\}|\{\{.*?\}\}|<[^>]+>", "", text, flags=re.S)
        text = re.sub(r"#[0-9a-f]{6}|&nbsp;", "", text)
        assert not re.search(r"[A-Za-z]{2}", text), path.name


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("template", LETTERS)
def test_a_letter_holds_no_english_sentence(template: str, language: str) -> None:
    english = written(template, **FULL)
    letter = written(template, f"{language}_{language.upper()}", language, **FULL)

    assert f'<html lang="{language}-{language.upper()}"' in letter.html
    assert letter.subject != english.subject
    names = {line for value in FULL.values() for line in _words(str(value))}
    both = set(_words(english.text)) & set(_words(letter.text)) - names
    assert both <= {"E-mail", "Status", "Notes", "Source"}
    assert Page(letter.html).tags == Page(english.html).tags


def _words(text: str) -> list[str]:
    """The sentences and labels of a text."""
    pieces = re.split(r"\n|(?<=[.!:?]) +| {2,}", text)
    return [
        piece.strip(" :")
        for piece in pieces
        if re.search("[a-z]", piece) and not piece.startswith("http")
    ]


@pytest.mark.parametrize(
    ("language", "locale", "day", "moment", "money"),
    [
        ("en_US", "en_US", "Thursday, March 5, 2026", "2:05 PM", "€12,500"),
        ("en_US", "en_GB", "Thursday, 5 March 2026", "14:05", "€12,500"),
        ("en_US", "de_DE", "Thursday, 5 March 2026", "14:05", "12.500\xa0€"),
        ("en_US", "xx_YY", "Thursday, 5 March 2026", "14:05", "12,500\xa0€"),
        ("de", "de_DE", "Donnerstag, 5. März 2026", "14:05", "12.500\xa0€"),
        ("de", "de_CH", "Donnerstag, 5. März 2026", "14:05", "EUR\xa012\u2019500"),
        ("de", "de_DE_EURO", "Donnerstag, 5. März 2026", "14:05", "12.500\xa0€"),
        ("fr", "fr_FR", "jeudi 5 mars 2026", "14:05", "12\u202f500\xa0€"),
        ("fr", "fr_CA", "jeudi 5 mars 2026", "14 h 05", "12\xa0500\xa0€"),
        ("ja", "ja_JP", "Thursday, 5 March 2026", "14:05", "12,500\xa0€"),
    ],
)
def test_dates_times_and_money_are_the_readers(
    language: str, locale: str, day: str, moment: str, money: str
) -> None:
    letter = written(
        "referral_won",
        locale,
        language,
        due_on=date(2026, 3, 5),
        changed_at=datetime(2026, 3, 3, 13, 5, tzinfo=UTC),
        amount=Decimal("12500.00"),
        currency="eur",
    )
    for words in (day, moment, money):
        assert words in letter.text


def test_cents_are_told_where_there_are_any() -> None:
    letter = written("referral_won", amount=Decimal("12500.5"), currency="EUR")

    assert "€12,500.50" in letter.text


def test_an_amount_of_no_known_currency_is_a_number() -> None:
    assert "worth 12,500." in written("referral_won", amount=Decimal(12500)).text
    strange = written("referral_won", amount=Decimal(12500), currency="XXQ")
    assert "XXQ12,500" in strange.text.replace("\xa0", "")
    assert "NaN" in written("referral_won", amount=Decimal("NaN")).text


@pytest.mark.parametrize("key", ["", "_", "pt_BR", "EN_us", "zh_Hans_CN", "de-AT"])
def test_any_language_and_locale_can_be_read(key: str) -> None:
    language = language_of(key)

    assert language in LANGUAGES
    assert formats(language, key).language == language
    assert render("new_referral", {}, language=key, locale=key, zone=UTC).subject
