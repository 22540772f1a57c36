"""persons with keys of their own, their traits, and what is emptied"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _persons()
    for table in ("referral", "follow_up"):
        _people_of(table)
    op.create_index(
        op.f("follow_up_full_idx"),
        "follow_up",
        ["settled_at"],
        postgresql_where=sa.text("sealed <> '' AND settled_at IS NOT NULL"),
    )
    op.add_column("event", sa.Column("emptied_at", sa.DateTime(timezone=True)))
    op.create_index(
        op.f("event_full_idx"),
        "event",
        ["received_at"],
        postgresql_where=sa.text("emptied_at IS NULL AND state <> 'waiting'"),
    )


def downgrade() -> None:
    op.drop_index("event_full_idx", "event")
    op.drop_column("event", "emptied_at")
    op.drop_index("follow_up_full_idx", "follow_up")
    for table in ("referral", "follow_up"):
        op.drop_column(table, "referrer_id")
        op.drop_column(table, "person_id")
    op.drop_table("person_trait")
    op.drop_table("person")
    op.drop_table("secret")


def _persons() -> None:
    op.create_table(
        "secret",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("secret_pkey")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("org_id", sa.Text(collation="C"), nullable=False),
        sa.Column("key_sealed", sa.Text()),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("erased_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("person_pkey")),
        sa.CheckConstraint(
            "(key_sealed IS NULL) = (erased_at IS NOT NULL)",
            name=op.f("person_key_check"),
        ),
    )
    op.create_table(
        "person_trait",
        sa.Column("org_id", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("person_trait_person_id_fkey")
        ),
        sa.PrimaryKeyConstraint(
            "org_id", "kind", "digest", "person_id", name=op.f("person_trait_pkey")
        ),
    )
    op.create_index(op.f("person_trait_person_id_idx"), "person_trait", ["person_id"])


def _people_of(table: str) -> None:
    for name in ("person_id", "referrer_id"):
        op.add_column(table, sa.Column(name, sa.BigInteger()))
        op.create_foreign_key(
            op.f(f"{table}_{name}_fkey"), table, "person", [name], ["id"]
        )
    op.create_index(op.f(f"{table}_person_id_idx"), table, ["person_id"])
    op.create_index(
        op.f(f"{table}_referrer_id_idx"),
        table,
        ["referrer_id"],
        postgresql_where=sa.text("referrer_id IS NOT NULL"),
    )
