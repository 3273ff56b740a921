"""Whom an administrator's session looks through."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column("sessions", sa.Column("preview_of", sa.String(64)))


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("sessions", "preview_of")
