"""Connections of threads' own, statements prepared: one call into libpq for each."""

import threading
from collections.abc import Callable, Mapping

import psycopg
from psycopg import pq


class Prepared:
    """Gives each thread its connection; one that was given up is opened anew."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[tuple[object, ...]]],
        statements: Mapping[bytes, bytes],
    ) -> None:
        """
        Args:
            connect: opens a connection in autocommit mode.
            statements: by name.
        """
        self._connect = connect
        self._statements = statements
        self._own = threading.local()

    def pgconn(self) -> pq.abc.PGconn:
        """
        Give this thread's connection, as libpq knows it.

        Raises:
            psycopg.Error: the database is away.
        """
        known: psycopg.Connection[tuple[object, ...]] | None
        known = getattr(self._own, "connection", None)
        if known is None or known.pgconn.status != pq.ConnStatus.OK:
            known = self._connect()
            for name, statement in self._statements.items():
                prepared = known.pgconn.prepare(name, statement)
                if prepared.status != pq.ExecStatus.COMMAND_OK:
                    known.close()
                    raise psycopg.errors.error_from_result(prepared)
            self._own.connection = known
        return known.pgconn

    def hang_up(self) -> None:
        """Give this thread's connection up."""
        known = getattr(self._own, "connection", None)
        if known is not None:
            self._own.connection = None
            known.close()
