"""Orders that rules about single orders match, and what people confirmed of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "review_entries",
        sa.Column("rule", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(64), primary_key=True),
        sa.Column("order_id", sa.String(256), primary_key=True),
        sa.Column("region_code", sa.String(16)),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("needed", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("entered_at", sa.BigInteger, nullable=False),
        sa.Column("left_at", sa.BigInteger),
        sa.Column("episode", sa.Integer, nullable=False),
        sa.Column("told_by", sa.BigInteger, index=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("snapshot", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "review_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("order_id", sa.String(256), nullable=False),
        sa.Column("episode", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("snapshot", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_review_changes_order", "review_changes", ["channel", "order_id", "rule"])
    refuse_changes("review_changes")


def refuse_changes(table: str) -> None:
    """Keep what was written: neither changed nor removed."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )


def downgrade() -> None:
    """Remove the tables."""
    for table in ("review_changes", "review_entries"):
        op.drop_table(table)
