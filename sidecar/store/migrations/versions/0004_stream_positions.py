"""how far each stream has been read"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stream_position",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("replay_id", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("stream_position_connection_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "connection_id", "topic", name=op.f("stream_position_pkey")
        ),
    )


def downgrade() -> None:
    op.drop_table("stream_position")
