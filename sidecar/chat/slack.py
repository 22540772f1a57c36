"""A post as Slack's incoming webhooks take it.

Whatever is said stands in ``plain_text`` objects, in which Slack reads no formatting,
no mention and no emoji. ``&``, ``<`` and ``>`` are escaped all the same, as everywhere:
``<!channel>`` in a prospect's name calls nobody.

Sources: docs.slack.dev: "Sending messages using incoming webhooks"; "Formatting message
text" (escaping); "Section block" and "Text object" (3,000 characters), "Button element"
(75 characters of a label, 3,000 of an address).
"""

from typing import Any

from sidecar.chat.posts import Post, cut

_SECTION = 3_000
_LABEL = 75
_FALLBACK = 1_000
"""What a notification shows; Slack would take more."""

_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def body(post: Post) -> dict[str, Any]:
    """Write a post as the body of a webhook call."""
    blocks = [_section(post.text)]
    if post.facts:
        blocks.append(
            _section(
                "\n".join(
                    f"{label}: {text}" if label else text for label, text in post.facts
                )
            )
        )
    if post.button:
        button = {
            "type": "button",
            "text": _plain(post.button.label, _LABEL),
            "url": post.button.href,
        }
        blocks.append({"type": "actions", "elements": [button]})
    return {
        "text": _escaped(post.text, _FALLBACK),
        "blocks": blocks,
        # No page that a stranger named is fetched and shown.
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain(text, _SECTION)}


def _plain(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _escaped(text, most), "emoji": False}


def _escaped(text: str, most: int) -> str:
    """Escape a text that is to be no longer than so many characters afterwards."""
    room, fits = most, 0
    for sign in text:
        room -= len(_ESCAPED.get(sign, sign))
        fits += room >= 0
    return "".join(_ESCAPED.get(sign, sign) for sign in cut(text, max(fits, 1)))
