"""The words of others without ours in them: refusals like to quote what they refuse."""

from dataclasses import replace

from sidecar.logs import MASK
from sidecar.referral.follow_up import Email, Task
from sidecar.store.follow_ups import End

_OF_NOBODY = {"status", "source"}
_SHORTEST = 4
"""Anything shorter stands in many a text that quotes nobody."""


def unquoted(end: End, what: Task | Email) -> End:
    """Blacken what a follow-up says of people where its error repeats it."""
    if not end.error:
        return end
    error = end.error
    said = (
        (what.subject, what.description)
        if isinstance(what, Task)
        else tuple(what.values[word] for word in what.values.keys() - _OF_NOBODY)
    )
    for text in sorted(said, key=len, reverse=True):
        if len(text) >= _SHORTEST:
            error = error.replace(text, MASK)
    return replace(end, error=error)
