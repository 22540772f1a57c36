"""What is said in a channel is said as text, whatever somebody has typed."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from sidecar.chat import slack, teams
from sidecar.chat.posts import Button, Fact, Post

TEXTS = st.text(max_size=4000) | st.sampled_from(
    ["<!channel>", "<@U1>", "@here", "&lt;", "*b*", "[x](https://example.com)", ":a:"]
)
HREF = "https://example.my.salesforce.com/00Q000000000001EAA"
POSTS = st.builds(
    Post,
    TEXTS.filter(bool),
    st.lists(st.builds(Fact, st.sampled_from(["", "Phone"]), TEXTS), max_size=9),
    st.none() | st.just(Button("Open", HREF)),
)


def plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text, "emoji": False}


def test_slack_is_told_the_text_what_is_known_and_where_it_is() -> None:
    known = [Fact("", "Ada of X & Y"), Fact("Phone", "555")]

    assert slack.body(Post("New: Ada", known, Button("Open", HREF))) == {
        "text": "New: Ada",
        "blocks": [
            {"type": "section", "text": plain("New: Ada")},
            {"type": "section", "text": plain("Ada of X &amp; Y\nPhone: 555")},
            {
                "type": "actions",
                "elements": [{"type": "button", "text": plain("Open"), "url": HREF}],
            },
        ],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def test_teams_is_told_the_same_in_a_card() -> None:
    post = Post("New: Ada", [Fact("", "Ada"), Fact("Phone", "5")], Button("Open", HREF))
    (attachment,) = teams.body(post)["attachments"]
    card = attachment["content"]

    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert [[run["text"] for run in block["inlines"]] for block in card["body"]] == [
        ["New: Ada"],
        ["Ada"],
        ["Phone: ", "5"],
    ]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open", "url": HREF}]


@given(POSTS)
def test_no_post_to_slack_calls_anybody_or_is_too_long(post: Post) -> None:
    body = slack.body(post)

    said = [body["text"]] + [
        block["text"]["text"] for block in body["blocks"] if "text" in block
    ]
    for text in said:
        assert len(text) <= 3000
        assert not re.search("[<>]", text)
        assert not re.search("&(?!amp;|lt;|gt;)", text)
    assert said[0]
    assert "mrkdwn" not in json.dumps(body)


@given(POSTS)
def test_no_post_to_teams_formats_calls_anybody_or_is_too_long(post: Post) -> None:
    (attachment,) = teams.body(post)["attachments"]
    card = attachment["content"]

    # Elsewhere in a card there is Markdown.
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert "msteams" not in card
    runs = [run["text"] for block in card["body"] for run in block["inlines"]]
    assert sum(map(len, runs)) < 7_000


@given(st.text(min_size=1, max_size=2000))
def test_a_text_that_fits_is_whole(text: str) -> None:
    (section,) = slack.body(Post(text))["blocks"]

    whole = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert (section["text"]["text"] == whole) == (len(whole) <= 3000)
