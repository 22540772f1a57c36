"""How Alembic runs: in one transaction, under a lock, never waiting for long."""

from alembic import context
from sqlalchemy import Connection, text

from sidecar.store.tables import metadata

# Any number will do, as long as nobody else on this database uses it.
_LOCK = 7_249_113


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        context.run_migrations()


_run(context.config.attributes["connection"])
