"""What the self-test says while it waits."""

from datetime import timedelta

from sidecar.jobs.deploy.self_test import waiting

ADDRESS = "https://sidecar.example.com/salesforce/outbound-messages/hush-hush"


def test_who_waits_for_long_is_told_what_to_look_at() -> None:
    soon = waiting(False, timedelta(seconds=29), ADDRESS)
    late = waiting(False, timedelta(seconds=30), ADDRESS)

    assert soon == "self-test: waiting for the outbound message"
    assert late.startswith(f"{soon}; the org was given https://sidecar.example.com (")
    for told in ("SIDECAR_PUBLIC_URL", "https", "complete", "Setup, Outbound Messages"):
        assert told in late
    assert "hush-hush" not in late


def test_where_the_message_came_the_address_is_not_at_fault() -> None:
    late = waiting(True, timedelta(minutes=1), ADDRESS)

    assert late == "self-test: waiting for the follow-up task; does a worker run?"
