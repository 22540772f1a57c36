"""when reports are due, and the mails that carry them"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _schedule()
    _mail()


def downgrade() -> None:
    op.drop_table("report_mail")
    op.drop_table("report_schedule")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    default = None if nullable else sa.text("clock_timestamp()")
    return sa.Column(
        name, sa.DateTime(timezone=True), nullable=nullable, server_default=default
    )


def _work(attempts: sa.types.TypeEngine[int]) -> list[sa.Column[object]]:
    return [
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempts", attempts, server_default="0", nullable=False),
        _moment("due_at"),
        sa.Column("error", sa.Text(), nullable=True),
        _moment("created_at"),
    ]


def _of_connection(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["connection_id"], ["connection.id"], name=op.f(f"{table}_connection_id_fkey")
    )


def _schedule() -> None:
    op.create_table(
        "report_schedule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("recipients_sealed", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), server_default="en_US", nullable=False),
        sa.Column("runs_at", sa.DateTime(timezone=True), nullable=False),
        *_work(sa.Integer()),
        sa.Column("failures", sa.SmallInteger(), server_default="0", nullable=False),
        _moment("ran_for", nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        _of_connection("report_schedule"),
        sa.PrimaryKeyConstraint("id", name=op.f("report_schedule_pkey")),
        sa.UniqueConstraint(
            "connection_id",
            "report",
            name=op.f("report_schedule_connection_id_report_key"),
        ),
    )


def _mail() -> None:
    op.create_table(
        "report_mail",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("to_sealed", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        *_work(sa.SmallInteger()),
        sa.Column("receipt", sa.Text(), nullable=True),
        _moment("settled_at", nullable=True),
        _of_connection("report_mail"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("report_mail_person_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("report_mail_pkey")),
        sa.UniqueConstraint("key", name=op.f("report_mail_key_key")),
    )
    op.create_index(op.f("report_mail_person_id_idx"), "report_mail", ["person_id"])
    op.create_index(
        op.f("report_mail_open_idx"),
        "report_mail",
        ["connection_id", "due_at"],
        postgresql_where=sa.text("state in ('waiting', 'sending')"),
    )
    op.create_index(
        op.f("report_mail_full_idx"),
        "report_mail",
        ["settled_at"],
        postgresql_where=sa.text("sealed <> '' AND settled_at IS NOT NULL"),
    )
