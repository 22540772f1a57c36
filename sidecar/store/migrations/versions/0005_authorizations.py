"""authorizations in the browser, and the app's secret beside a refresh token"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "connection", sa.Column("client_secret_sealed", sa.Text(), nullable=True)
    )
    op.create_table(
        "authorization",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("ticket_hash", sa.Text(), nullable=False),
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("authorization_pkey")),
        sa.UniqueConstraint("ticket_hash", name=op.f("authorization_ticket_hash_key")),
        sa.UniqueConstraint("state_hash", name=op.f("authorization_state_hash_key")),
    )


def downgrade() -> None:
    op.drop_table("authorization")
    op.drop_column("connection", "client_secret_sealed")
