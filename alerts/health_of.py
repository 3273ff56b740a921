"""How each rule's evaluation goes: its last instant, failures in a row with the last reason, the source that stops it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from alerts.tables import STATES


@dataclass(frozen=True, kw_only=True)
class Health:
    """One rule's health; nothing known yet by default."""

    at: datetime | None = None
    errors: int = 0
    error: str = ""
    frozen_by: str = ""


def read_health(store: Engine) -> dict[str, Health]:
    """Every evaluated rule's health, by name."""
    with store.connect() as connection:
        rows = connection.execute(select(STATES)).mappings()
        return {
            row["rule"]: Health(at=row["at"], errors=row["errors"], error=row["error"], frozen_by=row["frozen_by"])
            for row in rows
        }
