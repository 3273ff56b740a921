"""A fresh sign-in at the company's provider counts as the password for some minutes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the columns."""
    op.add_column("sessions", sa.Column("confirmed_at", sa.BigInteger))
    op.add_column("sign_ons", sa.Column("confirms", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    """Remove them."""
    op.drop_column("sign_ons", "confirms")
    op.drop_column("sessions", "confirmed_at")
