"""A mail is looked at before it is sent, and a look opens no door."""

import re
import struct
import sys
from pathlib import Path

import pytest
from messages import lead_id, message, notification

from sidecar.intake import arrivals, outbound_message
from sidecar.mail import chromium, links
from sidecar.mail.examples import letters
from sidecar.mail.languages import LANGUAGES
from sidecar.store import audit, follow_ups

drawn = pytest.mark.skipif(chromium.find() is None, reason="there is no Chromium")


@pytest.fixture
def preview(sidecar, folder):
    """Preview a mail where there is no Chromium; what was written, by its ending."""

    def write(*args, **environ):
        done = sidecar("mail", "preview", *args, "--to", folder, PATH="/", **environ)
        return done, {path.suffix: path.read_text() for path in folder.iterdir()}

    return write


@pytest.fixture
def known(wiring, connect):
    """A referral that was heard of, with its follow-ups; gives its record's id."""
    connection, _ = connect()
    told = {
        "Id": lead_id(1),
        "FirstName": "Zoe",
        "LastName": "Sample",
        "Email": "zoe@example.com",
        "Company": "Sample & Sons <Ltd>",
        "Referral_Key__c": lead_id(1),
        "Referral_Status__c": "Submitted",
        "SystemModstamp": wiring.now().isoformat(),
    }
    read = outbound_message.read(message([notification(1, told)]))
    wiring.process(wiring.keep(arrivals.of(read, connection, wiring.now())))
    return lead_id(1)


def test_the_mails_that_there_are_are_listed(sidecar) -> None:
    result = sidecar("mail", "templates", "--language", "de")

    assert result.exit_code == 0
    for name in letters():
        assert name in result.stdout
    assert "Neue Empfehlung: Ada Example" in result.stdout


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_record_a_mail_tells_of_people_who_do_not_exist(
    preview, language: str
) -> None:
    result, written = preview("new_referral", "--language", language)

    assert result.exit_code == 0
    assert "Ada Example" in written[".html"]
    assert f'lang="{language}' in written[".html"]
    assert written[".txt"].startswith("Subject: ")
    assert "+49 (0)30 1234567" in written[".txt"]


def test_it_needs_neither_a_database_nor_settings(run, folder: Path) -> None:
    result = run("mail", "preview", "reminder", "--to", folder, PATH="/")

    assert result.exit_code == 0


def test_without_a_chromium_it_says_so_and_writes_the_rest(preview) -> None:
    result, written = preview("reminder")

    assert result.exit_code == 0
    assert "no pictures: there is no Chromium on the PATH" in result.stdout
    assert set(written) == {".html", ".txt"}


def test_a_chromium_that_draws_nothing_is_told_of_and_the_rest_is_written(
    preview,
) -> None:
    result, written = preview("reminder", "--chromium", sys.executable)

    assert result.exit_code == 1
    assert "no pictures: Chromium has ended: " in result.stderr
    assert set(written) == {".html", ".txt"}


def test_what_cannot_be_written_is_told_with_its_place(sidecar, folder: Path) -> None:
    (folder / "file").touch()
    result = sidecar("mail", "preview", "reminder", "--to", folder / "file/below")

    assert result.exit_code == 1
    assert f"{folder}/file/below/reminder.en.html cannot be written" in result.stderr


def test_an_unknown_mail_is_refused_with_those_that_there_are(preview) -> None:
    result, written = preview("../nope")

    assert result.exit_code == 1
    assert "no mail '../nope': there are" in result.stderr
    assert written == {}


def test_with_a_record_a_mail_tells_what_is_known_of_it(preview, known: str) -> None:
    result, written = preview("new_referral", "--record", known[:15])

    assert result.exit_code == 0
    assert "Zoe Sample of Sample & Sons <Ltd>" in written[".txt"]
    assert "Zoe Sample of Sample &amp; Sons &lt;Ltd&gt;" in written[".html"]
    assert f"https://127.0.0.1:1/{known}" in written[".txt"]
    assert "Ada" not in written[".html"]
    assert "Not reachable" in written[".txt"]


@pytest.mark.parametrize("real", [False, True])
def test_no_link_of_a_preview_lets_anybody_in(
    preview, wiring, known: str, real: bool
) -> None:
    _, written = preview("new_referral", *(["--record", known] if real else []))

    found = re.findall(r'href="(https?://[^"]+)"', written[".html"])
    ours = [url for url in found if url.startswith("https://sidecar.example.com")]
    assert len(ours) == 5
    for url in ours:
        assert links.read(url.rpartition(links.PREFIX)[2], wiring.keyring) is None


def test_a_preview_changes_nothing_but_the_audit_trail(
    preview, wiring, known: str
) -> None:
    def planned():
        with wiring.engine.connect() as db:
            return follow_ups.listing(db)

    before = planned()
    assert before

    preview("referral_won", "--record", known)

    assert planned() == before
    with wiring.engine.connect() as db:
        (noted,) = audit.listing(db, limit=9)
    assert (noted.what, noted.about) == ("mail.preview", known)


def test_of_what_nobody_knows_there_is_nothing_to_see(preview) -> None:
    result, written = preview("new_referral", "--record", lead_id(7))

    assert result.exit_code == 1
    assert f"nothing is known of {lead_id(7)}" in result.stderr
    assert written == {}


def test_of_who_is_erased_there_is_nothing_to_see(preview, sidecar, known: str) -> None:
    erased = sidecar("privacy", "erase", "--email", "zoe@example.com", "--yes")
    assert erased.exit_code == 0

    result, written = preview("new_referral", "--record", known)

    assert result.exit_code == 1
    assert written == {}


def test_only_who_wrote_them_can_read_the_files(preview, folder: Path) -> None:
    preview("reminder")

    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}


@drawn
def test_a_mail_is_drawn_as_wide_as_a_desk_and_a_phone_show_it(
    sidecar, folder: Path
) -> None:
    result = sidecar("mail", "preview", "new_referral", "--to", folder)

    assert result.exit_code == 0
    pictures = {path.name: path.read_bytes() for path in folder.glob("*.png")}
    assert set(pictures) == {
        f"new_referral.en.{width}.{shade}.png"
        for width in (600, 360)
        for shade in ("light", "dark")
    }
    assert len(set(pictures.values())) == 4
    for name, data in pictures.items():
        width, height = struct.unpack(">II", data[16:24])
        assert width == int(name.split(".")[2])
        assert 500 < height < 3000
