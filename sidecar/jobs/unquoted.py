"""The words of others without ours in them: refusals like to quote what they refuse."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sidecar.logs import MASK
from sidecar.referral.follow_up import (
    Chat,
    Email,
    JoinCampaign,
    SetField,
    Task,
    What,
    Word,
)
from sidecar.store.claims import End

_OF_NOBODY = {"status", "source", "milestone", "at"}
_SHORTEST = 4
"""Anything shorter stands in many a text that quotes nobody."""


def unquoted(end: End, what: What) -> End:
    """Blacken what a follow-up says of people where its error repeats it."""
    if not end.error:
        return end
    error = end.error
    for text in sorted(_said(what), key=len, reverse=True):
        if len(text) >= _SHORTEST:
            error = error.replace(text, MASK)
    return replace(end, error=error)


def _said(what: What) -> Sequence[str]:
    match what:
        case Task():
            return [what.subject, what.description]
        case Email() | Word():
            return _told(what.values)
        case Chat():
            return [what.text, *_told(what.values)]
        case SetField():
            return [what.value]
        case JoinCampaign():
            return []


def _told(values: Mapping[str, str]) -> list[str]:
    return [values[word] for word in values.keys() - _OF_NOBODY]
