"""deployments, and what they installed"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OPEN = sa.text("state in ('waiting', 'sending', 'asking')")


def upgrade() -> None:
    op.add_column("connection", sa.Column("hook_key_sealed", sa.Text(), nullable=True))
    op.create_table(
        "deployment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("modules", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("options", postgresql.JSONB(), nullable=False),
        sa.Column("undoes", sa.BigInteger(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failures", sa.SmallInteger(), server_default="0", nullable=False),
        _moment("due_at"),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("async_id", sa.Text(), nullable=True),
        sa.Column("admin_sealed", sa.Text(), nullable=True),
        sa.Column("progress", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("facts", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("findings", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("plan", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("report", postgresql.JSONB(), nullable=True),
        sa.Column("cancel_asked_at", sa.DateTime(timezone=True), nullable=True),
        _moment("created_at"),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("deployment_connection_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["undoes"], ["deployment.id"], name=op.f("deployment_undoes_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("deployment_pkey")),
    )
    op.create_index(
        "deployment_one_open_idx",
        "deployment",
        ["connection_id"],
        unique=True,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "deployment_files",
        sa.Column("deployment_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployment.id"],
            name=op.f("deployment_files_deployment_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "deployment_id", "name", name=op.f("deployment_files_pkey")
        ),
    )
    op.create_table(
        "installed",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("modules", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("deployment_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("before_sealed", sa.Text(), nullable=False),
        _moment("installed_at"),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("installed_connection_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployment.id"],
            name=op.f("installed_deployment_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("installed_pkey")),
    )


def downgrade() -> None:
    op.drop_table("installed")
    op.drop_table("deployment_files")
    op.drop_index(
        "deployment_one_open_idx", table_name="deployment", postgresql_where=_OPEN
    )
    op.drop_table("deployment")
    op.drop_column("connection", "hook_key_sealed")


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        server_default=sa.text("clock_timestamp()"),
        nullable=False,
    )
