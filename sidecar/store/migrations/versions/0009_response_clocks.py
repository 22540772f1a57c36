"""response clocks and their history, colleagues, calendars, versions of playbooks"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _clocks()
    _notes()
    op.create_table(
        "colleague",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("role", sa.Text(), server_default="", nullable=False),
        sa.Column("manager_id", sa.Text()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("colleague_connection_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "connection_id", "user_id", name=op.f("colleague_pkey")
        ),
    )
    op.create_table(
        "playbook_version",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("playbook_version_connection_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "connection_id", "version", name=op.f("playbook_version_pkey")
        ),
    )
    op.add_column("connection", sa.Column("calendar", sa.Text()))


def downgrade() -> None:
    op.drop_column("connection", "calendar")
    for table in (
        "playbook_version",
        "colleague",
        "response_clock_note",
        "response_clock",
    ):
        op.drop_table(table)


def _clocks() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "response_clock",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.Text(collation="C"), nullable=False),
        sa.Column("referral_key", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("milestone", sa.Text(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("playbook_version", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text()),
        sa.Column("team", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("marks", postgresql.JSONB(), nullable=False),
        sa.Column("used", sa.Interval(), nullable=False),
        sa.Column("since", moment),
        sa.Column("until", moment),
        sa.Column("rests_at", sa.Text()),
        sa.Column("told", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("due_at", moment),
        sa.Column("promised_at", moment),
        sa.Column("settled_at", moment),
        sa.Column("written", moment),
        sa.Column("write_due_at", moment),
        sa.Column(
            "write_attempts", sa.SmallInteger(), server_default="0", nullable=False
        ),
        sa.Column("write_error", sa.Text()),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("response_clock_connection_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("response_clock_pkey")),
        sa.UniqueConstraint(
            "org_id",
            "referral_key",
            "kind",
            "name",
            "milestone",
            name=op.f("response_clock_org_id_referral_key_kind_name_milestone_key"),
        ),
    )
    op.create_index(
        "response_clock_due_idx",
        "response_clock",
        ["connection_id", "due_at"],
        postgresql_where=sa.text("state in ('waiting', 'paused')"),
    )
    op.create_index(
        "response_clock_write_idx",
        "response_clock",
        ["connection_id", "write_due_at"],
        postgresql_where=sa.text("write_due_at IS NOT NULL"),
    )


def _notes() -> None:
    op.create_table(
        "response_clock_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("clock_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text()),
        sa.Column("details", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["clock_id"],
            ["response_clock.id"],
            name=op.f("response_clock_note_clock_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("response_clock_note_pkey")),
    )
    op.create_index(
        op.f("response_clock_note_clock_id_idx"), "response_clock_note", ["clock_id"]
    )
    op.create_index(
        "response_clock_stage_idx",
        "response_clock_note",
        ["clock_id", "stage"],
        unique=True,
        postgresql_where=sa.text("stage IS NOT NULL"),
    )
