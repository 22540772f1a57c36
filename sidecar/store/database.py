"""The way to PostgreSQL: an engine, and the schema it needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

CONNECT_ARGS: dict[str, object] = {
    "connect_timeout": 5,
    # No statement of ours is long; a hanging one must not hold a thread for ever.
    "options": "-c statement_timeout=30s -c timezone=UTC",
    "application_name": "sidecar",
    "tcp_user_timeout": 10_000,
}


def engine_for(database_url: str, *, pool_size: int = 8) -> Engine:
    """
    Build an engine; no connection is made yet.

    Args:
        database_url: a libpq address, ``postgresql://user@host/name``.
    """
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=4,
        pool_pre_ping=True,
        connect_args=CONNECT_ARGS,
        # An error's text goes into logs and rows: it must not name people.
        hide_parameters=True,
    )


def upgrade(engine: Engine) -> None:
    """Bring the schema up to date; a second caller waits for the first."""
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Tell whether the schema is the one this code was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
