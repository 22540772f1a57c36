"""secrets of the events door, what it has taken once, certificates seen"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "connection", sa.Column("integration_user_id", sa.Text(), nullable=True)
    )
    op.create_table(
        "webhook_secret",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("header", sa.Text(), nullable=True),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("retires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("webhook_secret_connection_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("webhook_secret_pkey")),
    )
    op.create_index(
        op.f("webhook_secret_connection_id_idx"), "webhook_secret", ["connection_id"]
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Text(collation="C"), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "connection_id", "message_id", name=op.f("webhook_delivery_pkey")
        ),
    )
    op.create_index(
        op.f("webhook_delivery_received_at_idx"), "webhook_delivery", ["received_at"]
    )
    op.create_table(
        "client_certificate",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.Text(collation="C"), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("client_certificate_connection_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "connection_id", "fingerprint", name=op.f("client_certificate_pkey")
        ),
    )


def downgrade() -> None:
    op.drop_table("client_certificate")
    op.drop_table("webhook_delivery")
    op.drop_table("webhook_secret")
    op.drop_column("connection", "integration_user_id")
