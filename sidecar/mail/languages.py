"""In which language a mail is written, and how its reader writes dates and money.

Catalogs are ``locales/<language>/mail.po``: text that a translator edits, compiled when
it is first read. The messages in the templates are English, and are the keys.
"""

import gettext
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("en", "de", "fr")
"""English first: it stands in for a language that we do not speak."""

FOLDER = Path(__file__).with_name("locales")


def language_of(key: str) -> str:
    """
    Choose one of ``LANGUAGES`` for a user.

    Args:
        key: as Salesforce names a user's language, ``LanguageLocaleKey``: ``en_US``,
            ``de``, ``fr_CA``; anything else is read as English.
    """
    language = key.replace("-", "_").partition("_")[0].lower()
    return language if language in LANGUAGES else LANGUAGES[0]


@lru_cache(maxsize=64)
def formats(language: str, locale_key: str) -> Locale:
    """
    Find how dates, numbers and money are written.

    Months and weekdays have names, so the words follow the language that the mail is
    in; order and separators follow where its reader is.

    Args:
        language: one of ``LANGUAGES``.
        locale_key: as Salesforce names a user's locale, ``LocaleSidKey``: ``de_DE``,
            ``en_GB``, ``de_DE_EURO``, ``zh_Hans_CN``. Without a country that is
            known, English is written as in Europe, not as in the United States.

    Source:
        "Supported Locales (ICU)", Salesforce Help.
    """
    parts = locale_key.replace("-", "_").split("_")[1:]
    countries = [part for part in parts if len(part) == 2 and part.isalpha()]
    fallback = "en_150" if language == "en" else language
    for name in (*(f"{language}_{country.upper()}" for country in countries), fallback):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(language)


@lru_cache(maxsize=len(LANGUAGES))
def translations(language: str) -> gettext.NullTranslations:
    """Load a language's catalog; English needs none."""
    if language == LANGUAGES[0]:
        return gettext.NullTranslations()
    with (FOLDER / language / "mail.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def marked(message: str) -> str:
    """Mark a message for the catalogs, where it is translated later."""
    return message
