"""used links, which mails a rep wants, addresses that take none, mails held back"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _mail_link()
    _mail_preference()
    _mail_suppression()
    op.add_column("connection", _moment("mail_lane_until", nullable=True))
    op.add_column("follow_up", sa.Column("recipient_id", sa.Text(collation="C")))
    op.add_column("follow_up", sa.Column("held", sa.Text()))
    op.add_column("follow_up", sa.Column("digest_key", sa.Text(collation="C")))
    op.create_index(
        op.f("follow_up_recipient_idx"),
        "follow_up",
        ["connection_id", "recipient_id", "settled_at"],
        postgresql_where=sa.text("kind = 'email'"),
    )


def downgrade() -> None:
    op.drop_index("follow_up_recipient_idx", "follow_up")
    for column in ("digest_key", "held", "recipient_id"):
        op.drop_column("follow_up", column)
    op.drop_column("connection", "mail_lane_until")
    op.drop_table("mail_suppression")
    op.drop_table("mail_preference")
    op.drop_table("mail_link")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _mail_link() -> None:
    op.create_table(
        "mail_link",
        sa.Column("digest", sa.Text(collation="C"), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("follow_up_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        _moment("used_at"),
        _moment("done_at", nullable=True),
        _moment("expires_at"),
        sa.PrimaryKeyConstraint("digest", name=op.f("mail_link_pkey")),
    )
    op.create_index(op.f("mail_link_expires_at_idx"), "mail_link", ["expires_at"])


def _mail_preference() -> None:
    op.create_table(
        "mail_preference",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("mails", sa.Text(), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        _moment("changed_at"),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("mail_preference_connection_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "connection_id", "user_id", name=op.f("mail_preference_pkey")
        ),
    )


def _mail_suppression() -> None:
    op.create_table(
        "mail_suppression",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("address_sealed", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _moment("since"),
        sa.PrimaryKeyConstraint("id", name=op.f("mail_suppression_pkey")),
    )
