"""words to referrers: who wants none any more, and who was thanked for how many"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connection", _moment("word_lane_until", nullable=True))
    op.create_index(
        op.f("follow_up_word_idx"),
        "follow_up",
        ["connection_id", "recipient_id", "settled_at"],
        postgresql_where=sa.text("kind = 'word'"),
    )
    _referrer_stop()
    op.create_table(
        "recognition",
        sa.Column("org_id", sa.Text(collation="C"), nullable=False),
        sa.Column("referrer_id", sa.Text(collation="C"), nullable=False),
        sa.Column("mark", sa.SmallInteger(), nullable=False),
        sa.Column("follow_up_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "referrer_id", "mark", name=op.f("recognition_pkey")
        ),
    )


def downgrade() -> None:
    op.drop_table("recognition")
    op.drop_table("referrer_stop")
    op.drop_index("follow_up_word_idx", "follow_up")
    op.drop_column("connection", "word_lane_until")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    default = None if nullable else sa.text("clock_timestamp()")
    return sa.Column(
        name, sa.DateTime(timezone=True), nullable=nullable, server_default=default
    )


def _referrer_stop() -> None:
    op.create_table(
        "referrer_stop",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("referrer_id", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        _moment("due_at"),
        sa.Column("error", sa.Text()),
        _moment("created_at"),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("referrer_stop_connection_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("referrer_stop_pkey")),
    )
    op.create_index(
        op.f("referrer_stop_holds_idx"),
        "referrer_stop",
        ["connection_id", "referrer_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'done'"),
    )
