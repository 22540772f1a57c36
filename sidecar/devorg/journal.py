"""Undo: what one request did, in the order it was done, until it is committed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Journal:
    """
    The undo log of the request in progress.

    Every change of the org appends how to take it back. A savepoint that is left
    by an exception takes back what happened within it. What must not be taken
    back (sending) is put off with ``on_commit``.
    """

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        self._on_commit: list[Callable[[], None]] = []

    def undo(self, how: Callable[[], None]) -> None:
        """Remember how to take back what was just done."""
        self._undo.append(how)

    def on_commit(self, what: Callable[[], None]) -> None:
        """Do ``what`` when the request ends well; never when it is taken back."""
        self._on_commit.append(what)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Take back everything done within, if an exception leaves it."""
        mark, promised = len(self._undo), len(self._on_commit)
        try:
            yield
        except BaseException:
            self._take_back(mark)
            del self._on_commit[promised:]
            raise

    def rollback(self) -> None:
        """Take back everything since the last commit."""
        self._take_back(0)
        self._on_commit.clear()

    def commit(self) -> None:
        """Make it final, then do what was put off."""
        self._undo.clear()
        promised, self._on_commit = self._on_commit, []
        for what in promised:
            what()

    def _take_back(self, mark: int) -> None:
        while len(self._undo) > mark:
            self._undo.pop()()
