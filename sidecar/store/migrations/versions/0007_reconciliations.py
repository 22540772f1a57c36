"""reconciliations, which statuses referrals have reached, and each day's count"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    _reconciliation()
    _reached()
    _completeness()


def downgrade() -> None:
    op.drop_table("completeness")
    op.drop_table("reached")
    op.drop_table("reconciliation")


def _moment(
    name: str, *, nullable: bool = False, now: bool = False
) -> sa.Column[object]:
    default = _NOW if now else None
    type_ = sa.DateTime(timezone=True)
    return sa.Column(name, type_, nullable=nullable, server_default=default)


def _reconciliation() -> None:
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        _moment("since"),
        _moment("covers_from"),
        _moment("began_at", nullable=True),
        sa.Column("todo", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("objects", postgresql.JSONB(), server_default="{}", nullable=False),
        _moment("looked_at", nullable=True),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failures", sa.SmallInteger(), server_default="0", nullable=False),
        _moment("due_at", now=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("recovered", sa.Integer(), server_default="0", nullable=False),
        _moment("created_at", now=True),
        _moment("done_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("reconciliation_connection_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("reconciliation_pkey")),
    )
    # The regular one never ends; of the others, one at a time.
    op.create_index(
        "reconciliation_regular_idx",
        "reconciliation",
        ["connection_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'regular'"),
    )
    op.create_index(
        "reconciliation_one_open_idx",
        "reconciliation",
        ["connection_id"],
        unique=True,
        postgresql_where=sa.text(
            "kind <> 'regular' and state in ('waiting', 'sending')"
        ),
    )


def _reached() -> None:
    op.create_table(
        "reached",
        sa.Column("org_id", sa.Text(collation="C"), nullable=False),
        sa.Column("referral_key", sa.Text(collation="C"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(collation="C"), nullable=False),
        _moment("reached_at"),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        _moment("heard_at", nullable=True),
        _moment("confirmed_at", nullable=True),
        sa.PrimaryKeyConstraint(
            "org_id", "referral_key", "status", name=op.f("reached_pkey")
        ),
    )
    op.create_index(
        op.f("reached_connection_id_reached_at_idx"),
        "reached",
        ["connection_id", "reached_at"],
    )


def _completeness() -> None:
    counts = ("expected", "received", "recovered", "in_hand", "unexplained")
    op.create_table(
        "completeness",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        _moment("counted_at"),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("completeness_connection_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("connection_id", "day", name=op.f("completeness_pkey")),
    )
