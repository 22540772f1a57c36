"""Channels: added with a secret address, listed without it, tried, removed."""

import json

import pytest
from chat.chat_peer import Answer, listening

from sidecar.store.tables import audit, chat_channel

URL = "https://hooks.slack.com/services/T1/B1/secret"
PLAYBOOK = """
version: "1"
milestones:
  won: [{action: tell, chat: {channel: sales, text: "Won: {prospect}"}}]
"""


@pytest.fixture
def connection(connect):
    return connect()[0]


def add(sidecar, connection, name="sales", *more, url=URL, kind="slack"):
    given = ("--kind", kind, "--url-file", "-", *more)
    return sidecar("channels", "add", connection.id, name, *given, given=url)


def test_a_channels_address_is_kept_sealed_and_never_shown(sidecar, wiring, connection):
    result = add(sidecar, connection, "sales", "--language", "de")
    assert (result.exit_code, result.stderr) == (0, "")

    listed = sidecar("channels", "list", "--json")
    assert [{**row, "created_at": None} for row in json.loads(listed.stdout)] == [
        {
            "connection_id": connection.id,
            "name": "sales",
            "kind": "slack",
            "language": "de",
            "created_at": None,
        }
    ]
    with wiring.engine.connect() as db:
        kept = [*db.execute(chat_channel.select()), *db.execute(audit.select())]
    assert "secret" not in f"{kept} {result.output} {listed.output}"


@pytest.mark.parametrize(
    ("name", "url", "kind", "told"),
    [
        ("Sales", URL, "slack", "use small letters, digits and hyphens"),
        ("sales", "https://example.com/services/secret", "slack", "is not Slack"),
        ("sales", URL, "teams", "runs no Teams workflow"),
        ("sales", "", "slack", "cannot be read"),
    ],
)
def test_what_is_no_channel_is_told_so_without_the_address(
    sidecar, connection, name, url, kind, told
):
    result = add(sidecar, connection, name, url=url, kind=kind)

    assert result.exit_code in {1, 2}
    assert told in result.stderr
    assert "secret" not in result.output
    assert "no channels" in sidecar("channels", "list").stdout


def test_a_name_stands_for_one_channel_of_a_connection(sidecar, connection):
    add(sidecar, connection)

    again = add(sidecar, connection)
    assert again.exit_code == 2
    assert "has a channel 'sales'" in again.stderr
    assert (
        sidecar(
            "channels", "add", 99, "x", "--kind", "slack", "--url-file", "-", given=URL
        ).exit_code
        == 1
    )


def test_a_trial_posts_one_line_in_the_channels_language(sidecar, connection):
    with listening() as peer:
        add(sidecar, connection, "sales", "--language", "de", url=peer.url())

        result = sidecar("channels", "test", connection.id, "sales")
        assert (result.exit_code, result.stdout) == (0, "200 ok\n")
        assert peer.said == ["Der Referral-Sidecar schreibt in diesen Kanal."]

        peer.answers.append(Answer(404, "no_service"))
        result = sidecar("channels", "test", connection.id, "sales")
        assert result.exit_code == 1
        assert "404 no_service: the webhook is disabled" in result.stderr
    assert sidecar("channels", "test", connection.id, "other").exit_code == 1


def test_a_playbook_posts_to_channels_that_are_there(sidecar, connection, folder):
    """And a channel stays as long as the playbook posts to it."""
    file = folder / "acme.yaml"
    file.write_text(PLAYBOOK)
    assert sidecar("playbooks", "check", file).exit_code == 0

    refused = sidecar("playbooks", "set", connection.id, file)
    assert refused.exit_code == 1
    assert "has no channel sales: `sidecar channels add`" in refused.stderr

    add(sidecar, connection)
    assert sidecar("playbooks", "set", connection.id, file).exit_code == 0
    refused = sidecar("channels", "remove", connection.id, "sales")
    assert refused.exit_code == 1
    assert "playbook 1 posts to 'sales'" in refused.stderr

    file.write_text('{version: "2", milestones: {}}')
    assert sidecar("playbooks", "set", connection.id, file).exit_code == 0
    assert sidecar("channels", "remove", connection.id, "sales").exit_code == 0
    assert sidecar("channels", "remove", connection.id, "sales").exit_code == 1
