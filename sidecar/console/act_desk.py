"""What the pages behind a mail need of the service, and how one of them is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from flask import url_for
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Engine

from sidecar.doorbell import Doorbell
from sidecar.keyring import Keyring
from sidecar.mail.languages import formats, language_of, translations
from sidecar.salesforce.records import Records
from sidecar.salesforce.session import Sessions
from sidecar.settings import Settings

_TEMPLATES = {
    "form": "act_form.html",
    "preferences": "act_preferences.html",
    "silence": "act_silence.html",
    **dict.fromkeys(
        ("referral", "no_referral", "no_record", "outside", "away"), "canvas.html"
    ),
}
_SAID = "act_said.html"


class Desk(Protocol):
    """What the pages need of the service."""

    @property
    def now(self) -> Callable[[], datetime]:
        """The service's clock."""

    @property
    def settings(self) -> Settings:
        """The settings."""

    @property
    def engine(self) -> Engine:
        """PostgreSQL."""

    @property
    def keyring(self) -> Keyring:
        """Knows our own links."""

    @property
    def sessions(self) -> Sessions:
        """Calls into orgs."""

    @property
    def records(self) -> Records:
        """Who reps are."""

    @property
    def doorbell(self) -> Doorbell:
        """Workers, who tell Salesforce."""


@dataclass(frozen=True)
class Page:
    """
    One page.

    Attributes:
        name: what there is to show or to say; see the templates.
        locale: as Salesforce names one.
        values: what it shows.
    """

    name: str
    status: HTTPStatus = HTTPStatus.OK
    locale: str = "en_US"
    values: Mapping[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """Write it."""
        language = language_of(self.locale)
        template = _environment(language).get_template(_TEMPLATES.get(self.name, _SAID))
        return template.render(
            {"who": None, "record_url": None, "act": None, **self.values},
            name=self.name,
            lang=formats(language, self.locale).language,
            style=url_for("console.static", filename="act.css"),
        )


def translate(message: str, locale: str) -> str:
    """Say a message of the catalogs in the language of a locale."""
    return translations(language_of(locale)).gettext(message)


@lru_cache(maxsize=8)
def _environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(  # type: ignore[attr-defined]
        translations(language), newstyle=True
    )
    return made
