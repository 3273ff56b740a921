"""Identities of a company's sign-on, sign-ins under way, flags, locks, approvals of unmasked exports, accounts taken away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables and columns."""
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(255), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        sa.Column("user_name", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "sign_ons",
        sa.Column("id_sha256", sa.String(64), primary_key=True),
        sa.Column("next_path", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "flags",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_name", sa.String(64), nullable=False, index=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("dismissed_at", sa.BigInteger),
        sa.Column("dismissed_by", sa.String(64)),
    )
    op.create_table(
        "export_requests",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("asked_by", sa.String(64), nullable=False, index=True),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("row_count", sa.Integer, nullable=False),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("is_approved", sa.Boolean),
        sa.Column("fetched_at", sa.BigInteger),
    )
    op.add_column("users", sa.Column("locked_at", sa.BigInteger))
    op.add_column("users", sa.Column("deleted_at", sa.BigInteger))


def downgrade() -> None:
    """Remove them."""
    for column in ("deleted_at", "locked_at"):
        op.drop_column("users", column)
    for table in ("export_requests", "flags", "sign_ons", "identities"):
        op.drop_table(table)
