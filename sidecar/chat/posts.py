"""What a chat post says, whoever carries it; text may hold what a stranger typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Fact(NamedTuple):
    """A line of what is known; ``label`` is empty for a line that speaks for itself."""

    label: str
    text: str


class Button(NamedTuple):
    """What opens in a browser."""

    label: str
    href: str


@dataclass(frozen=True)
class Post:
    """A sentence, what is known, and where it can be seen. All of it is plain text."""

    text: str
    facts: Sequence[Fact] = ()
    button: Button | None = None


def cut(text: str, most: int) -> str:
    """Shorten a text to so many characters, and show that it goes on."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
