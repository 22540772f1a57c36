"""The words of others without ours in them: answers like to quote what they answer."""

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
    """
    Blacken what a follow-up says of people where its error or its receipt repeats it.

    A receipt of Salesforce's is an id, and stays whole.
    """
    said = [text for text in _said(what) if len(text) >= _SHORTEST]
    said.sort(key=len, reverse=True)
    error, receipt = _without(said, end.error), end.receipt
    if isinstance(what, Email | Word | Chat):
        receipt = _without(said, receipt)
    return replace(end, error=error, receipt=receipt)


def _without(said: Sequence[str], text: str | None) -> str | None:
    for quoted in said if text else ():
        text = (text or "").replace(quoted, MASK)
    return text


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
