"""The word that somebody may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches

# Comparing is slow: among very many words only those that begin alike are compared.
_MOST = 400


def near(word: str, known: Iterable[str], *, likeness: float = 0.8) -> str:
    """
    Give the known word that is most like this one, or '' if none is.

    Args:
        likeness: from 0 to 1, of which at least so much is wanted.
    """
    by_lower = {other.lower(): other for other in known}
    candidates = list(by_lower)
    if len(candidates) > _MOST:
        start = word.lower()[:3]
        alike = [other for other in candidates if other.startswith(start)]
        candidates = alike[:_MOST]
    found = get_close_matches(word.lower(), candidates, n=1, cutoff=likeness)
    return by_lower[found[0]] if found else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the end of a sentence that names the nearest known word, or ''."""
    found = near(word, known)
    return f"; did you mean {found}?" if found else ""
