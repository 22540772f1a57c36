"""The word that somebody may have meant."""

from bisect import bisect
from collections.abc import Iterable
from difflib import get_close_matches

# Comparing is slow: among more words, only those are compared that stand beside the
# word in the alphabet.
_MOST = 80


class Words:
    """Known words, put in order once: asking costs the same however many they are."""

    def __init__(self, known: Iterable[str]) -> None:
        self._by_lower = {word.lower(): word for word in known}
        self._sorted = sorted(self._by_lower)

    def near(self, word: str, *, likeness: float = 0.8) -> str:
        """
        Give the known word that is most like this one, or '' if none is.

        Args:
            likeness: from 0 to 1, of which at least so much is wanted.
        """
        word, candidates = word.lower()[:200], self._sorted
        if len(candidates) > _MOST:
            place = bisect(candidates, word)
            candidates = candidates[max(0, place - _MOST // 2) : place + _MOST // 2]
        found = get_close_matches(word, candidates, n=1, cutoff=likeness)
        return self._by_lower[found[0]] if found else ""

    def nearest(self, word: str) -> str:
        """Give the end of a sentence that names the nearest word, or ''."""
        found = self.near(word)
        return f"; did you mean {found}?" if found else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The same for a few words that are asked once."""
    return Words(known).nearest(word)
