"""The post of a follow-up: the playbook's words, and what a mail would tell.

As in a mail, nothing is told that the record's notes say.
"""

from typing import cast
from zoneinfo import ZoneInfo

from sidecar.chat.posts import Button, Fact, Post
from sidecar.jobs import rep_letters
from sidecar.mail import values
from sidecar.mail.languages import marked, translations
from sidecar.referral.follow_up import Chat
from sidecar.store.channels import Channel
from sidecar.store.claims import Attempt
from sidecar.store.connections import OrgConnection


def post(
    connection: OrgConnection, attempt: Attempt, chat: Chat, channel: Channel
) -> Post:
    """Write the post of a follow-up in the language of its channel."""
    words = values.told(
        {
            **chat.values,
            "record_type": rep_letters.RECORD_TYPES.get(attempt.record_id[:3]),
            "record_url": f"{connection.instance_url}/{attempt.record_id}",
        },
        language=channel.language,
        locale=channel.language,
        zone=ZoneInfo(connection.time_zone),
    )
    facts = [Fact("", str(words["who"]))] if words["who"] else []
    known = cast("list[values.Fact]", words["facts"])
    facts += [Fact(fact.label, " ".join(fact.lines)) for fact in known]
    href = words["record_url"]
    button = Button(str(words["open_record"]), str(href)) if href else None
    return Post(values.one_line(chat.text), facts, button)


def trial(channel: Channel) -> Post:
    """Write what shows that a channel can be reached."""
    say = translations(channel.language).gettext
    return Post(say(marked("The referral sidecar posts to this channel.")))
