"""to which address a mail went, what goes before others, what belongs to one mail"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("follow_up", sa.Column("sent_to", sa.LargeBinary()))
    op.create_index(
        op.f("follow_up_before_idx"),
        "follow_up",
        ["recipient_id", "referral_key"],
        postgresql_where=sa.text(
            "kind = 'email' AND "
            "(state = 'sending' OR state = 'waiting' AND error IS NOT NULL)"
        ),
    )
    for column in ("digest_key", "sent_to"):
        op.create_index(
            op.f(f"follow_up_{column}_idx"),
            "follow_up",
            [column],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )


def downgrade() -> None:
    for name in ("sent_to", "digest_key", "before"):
        op.drop_index(f"follow_up_{name}_idx", "follow_up")
    op.drop_column("follow_up", "sent_to")
