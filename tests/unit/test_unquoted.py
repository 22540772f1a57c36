"""What others say of a failure is kept; what they repeat of people is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.jobs.unquoted import unquoted
from sidecar.referral.follow_up import Chat, Email, Task
from sidecar.store.claims import End

POST = Chat("sales", "New: Ada", {"name": "Ada Example", "status": "Lost"})
EMAIL = Email("new_referral", "005", {"name": "Ada Example", "status": "Lost"})


def task(subject: str, description: str = "As agreed") -> Task:
    return Task(subject, description, "2026-12-01", "High", None, None, None)


def test_a_refusal_that_quotes_the_subject_keeps_its_reason():
    said = "STRING_TOO_LONG: Subject: data value too large: Call Ada (max length=9)"

    end = unquoted(End("dead", error=said), task("Call Ada"))

    assert end == End(
        "dead",
        error="STRING_TOO_LONG: Subject: data value too large: *** (max length=9)",
    )


def test_a_mail_servers_words_keep_the_readers_address_and_lose_the_prospects():
    email = Email(
        "new_referral",
        "005",
        {"email": "ada@example.com", "name": "Ada Example", "status": "Lost"},
    )
    said = "550 rita@example.com: Lost; about Ada Example, ada@example.com"

    end = unquoted(End("waiting", error=said), email)

    assert end.error == "550 rita@example.com: Lost; about ***, ***"


@given(st.text(min_size=4).filter(lambda said: "*" not in said), st.text())
def test_what_is_said_of_people_never_stays(said, around):
    end = unquoted(End("dead", error=f"{around}{said}{around}"), task(said))

    assert said not in (end.error or "")


def test_a_channels_words_lose_the_post():
    end = unquoted(End("dead", error="Slack: 400 New: Ada, Ada Example, Lost"), POST)

    assert end.error == "Slack: 400 ***, ***, Lost"


@pytest.mark.parametrize("what", [POST, EMAIL])
def test_an_answer_that_repeats_what_it_has_taken_is_no_place_for_it_either(what):
    end = unquoted(End("done", receipt='200 {"text": "Ada Example"} Lost'), what)

    assert end == End("done", receipt='200 {"text": "***"} Lost')


def test_an_id_that_salesforce_gave_stays_whole():
    end = unquoted(End("done", receipt="00T000000000001AAA"), task("0000"))

    assert end.receipt == "00T000000000001AAA"


def test_without_an_error_there_is_nothing_to_look_at():
    assert unquoted(End("done", receipt="00T"), task("Call Ada")) == End(
        "done", receipt="00T"
    )
