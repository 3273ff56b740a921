"""The desk: work items, every change to them, and saved views."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "work_items",
        sa.Column("channel", sa.String(64), primary_key=True),
        sa.Column("order_id", sa.String(256), primary_key=True),
        sa.Column("region_code", sa.String(16)),
        sa.Column("assignee", sa.String(64), index=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("done_trouble", sa.String(16)),
        sa.Column("done_promised_at", sa.BigInteger),
        sa.Column("follow_up_at", sa.BigInteger),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(64), nullable=False),
    )
    op.create_table(
        "work_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("order_id", sa.String(256), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("region_code", sa.String(16)),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("field", sa.String(16), nullable=False),
        sa.Column("value_before", sa.JSON),
        sa.Column("value_after", sa.JSON),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("undoes", sa.Integer),
    )
    op.create_index("ix_work_changes_order", "work_changes", ["channel", "order_id", "version"], unique=True)
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False, index=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("page", sa.String(64), nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
    )


def downgrade() -> None:
    """Remove the tables."""
    for table in ("saved_views", "work_changes", "work_items"):
        op.drop_table(table)
