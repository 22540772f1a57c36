"""a connection's old address, taken beside the new one until told otherwise"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connection", sa.Column("old_hook_key_hash", sa.Text()))
    op.add_column(
        "connection",
        sa.Column("old_hook_key_used_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_unique_constraint(
        op.f("connection_old_hook_key_hash_key"), "connection", ["old_hook_key_hash"]
    )


def downgrade() -> None:
    op.drop_constraint(op.f("connection_old_hook_key_hash_key"), "connection")
    op.drop_column("connection", "old_hook_key_used_at")
    op.drop_column("connection", "old_hook_key_hash")
