"""Settings: a value that can be used, or the variable's name and what it takes."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.keyring import new_key
from sidecar.settings import Settings, WrongSetting, from_environ

VARIABLES = [f"SIDECAR_{field.name.upper()}" for field in fields(Settings)]


def test_without_variables_everything_has_its_default() -> None:
    assert from_environ({"PATH": "/bin", "SIDECAR": "x"}) == Settings()


def test_what_is_given_is_taken(tmp_path: Path) -> None:
    one, other = new_key(), new_key()
    file = tmp_path / "file"
    file.touch()

    assert from_environ(
        {
            "SIDECAR_DATABASE_URL": "postgresql://sidecar@db.example/sidecar",
            "SIDECAR_REDIS_URL": "unix:///run/redis.sock",
            "SIDECAR_PUBLIC_URL": "https://referrals.example.com/sidecar/",
            "SIDECAR_KEYS": f" {one} , {other},",
            "SIDECAR_KEYS_FILE": str(file),
            "SIDECAR_SMTP_URL": "smtp+starttls://user:pw@mail.example.com",
            "SIDECAR_MAIL_FROM": "Sales <sales@example.com>",
            "SIDECAR_CA_FILE": str(file),
            "SIDECAR_DEMO": "True",
            "SIDECAR_MAX_MESSAGE_BYTES": "2048",
            "SIDECAR_LOG_FORMAT": "text",
        }
    ) == Settings(
        database_url="postgresql://sidecar@db.example/sidecar",
        redis_url="unix:///run/redis.sock",
        public_url="https://referrals.example.com/sidecar",
        keys=(one, other),
        keys_file=file,
        smtp_url="smtp+starttls://user:pw@mail.example.com",
        mail_from="Sales <sales@example.com>",
        ca_file=file,
        demo=True,
        max_message_bytes=2048,
        log_format="text",
    )


@pytest.mark.parametrize("name", VARIABLES)
def test_an_empty_variable_is_none(name: str) -> None:
    assert from_environ({name: ""}) == Settings()


def test_a_slip_of_the_pen_does_not_pass_unnoticed() -> None:
    with pytest.raises(WrongSetting, match="SIDECAR_DATABSE_URL is no setting"):
        from_environ({"SIDECAR_DATABSE_URL": "postgresql://x"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("database_url", "mysql://user:hush-hush@host/name"),
        ("database_url", "nonsense"),
        ("redis_url", "http://:hush-hush@127.0.0.1"),
        ("redis_url", "127.0.0.1:6379"),
        ("smtp_url", "mail.example.com"),
        ("smtp_url", "http://user:hush-hush@mail.example.com"),
        ("keys", "hush-hush"),
        ("keys", "c29tZS1rZXktdGhhdC1pcy1jdXQtc2hvcnQtb2YtMzIt"),
        ("keys_file", "/nowhere/keys"),
        ("ca_file", "/"),
        ("ca_file", "/a\0b"),
        ("public_url", "ftp://example.com"),
        ("public_url", "example.com"),
        ("public_url", "https://"),
        ("public_url", "https://["),
        ("public_url", "https://user@example.com"),
        ("public_url", "https://example.com?a=b"),
        ("public_url", "https://example.com:port"),
        ("public_url", "https://example.com/a b"),
        ("mail_from", "Referrals"),
        ("mail_from", "Referrals <a@example.com>\r\nBcc: b@example.com"),
        ("demo", "yes"),
        ("max_message_bytes", "1023"),
        ("lease_seconds", "0"),
        ("sweep_seconds", "often"),
        ("max_message_bytes", "-4096"),
        ("max_message_bytes", "1e6"),
        ("max_message_bytes", "²²²²"),  # digits to Python, but no number
        ("max_message_bytes", "9" * 5000),
        ("log_format", "xml"),
    ],
)
def test_a_wrong_value_is_told_with_its_variable_and_never_with_its_password(
    field: str, value: str
) -> None:
    name = f"SIDECAR_{field.upper()}"

    with pytest.raises(WrongSetting, match=name) as raised:
        from_environ({name: value})

    assert "hush-hush" not in str(raised.value)


@given(name=st.sampled_from(VARIABLES), value=st.text())
def test_whatever_the_value_it_is_taken_or_refused_by_name(
    name: str, value: str
) -> None:
    try:
        from_environ({name: value})
    except WrongSetting as exc:
        told = str(exc)
    else:
        return
    assert name in told


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings().demo = True  # type: ignore[misc]
