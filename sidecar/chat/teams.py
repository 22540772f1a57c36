"""A post as a Teams workflow takes it: one Adaptive Card.

The template "Post to a channel when a webhook request is received" reads a message with
``attachments``. Text stands in ``TextRun``, in which there is no Markdown; a mention
would need an entity of its own beside the card, and there is none.

Sources: learn.microsoft.com: "Create incoming webhooks with Workflows for Microsoft
Teams"; "Retirement of Office 365 connectors within Microsoft Teams" (connectors and
their message cards ended in May 2026: only workflows are called here);
adaptivecards.io, "TextRun" and "RichTextBlock" (version 1.2), "Action.OpenUrl".
"""

from typing import Any

from sidecar.chat.posts import Post, cut

_LONGEST = 3_000
"""Teams takes 28 KB of a message; a post has a text, about ten facts and a button."""


def body(post: Post) -> dict[str, Any]:
    """Write a post as the body of a webhook call."""
    said = [_block(_run(cut(post.text, _LONGEST), weight="Bolder"))]
    said += [
        _block(
            *([_run(f"{label}: ", isSubtle=True)] if label else []),
            _run(cut(text, _LONGEST // 10)),
        )
        for label, text in post.facts
    ]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": cut(post.text, _LONGEST // 10),
        "body": said,
    }
    if post.button:
        button = {
            "type": "Action.OpenUrl",
            "title": post.button.label,
            "url": post.button.href,
        }
        card["actions"] = [button]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _block(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **more: object) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **more}
