"""Which alerts are firing now, as far as somebody may know of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Engine, and_, or_, select

from alerts.places import is_visible
from alerts.tables import INSTANCES, RULES
from queries.scope import Scope

ACTIVE: Final = ("firing", "recovering")


@dataclass(frozen=True, kw_only=True)
class Firing:
    """One alert: its rule, the values of its group by dimension, its level, since when, and the figure that raised it."""

    rule: str
    level: str
    labels: dict[str, str | None] = field(default_factory=dict)
    since: datetime | None = None
    value: float | None = None


def firing_alerts(store: Engine, *, scope: Scope, user: str) -> list[Firing]:
    """The alerts firing on figures inside the scope, the latest first; of personal rules only the user's own."""
    shared = or_(RULES.c.is_personal.is_(False), RULES.c.owner == user)
    live = INSTANCES.join(RULES, and_(RULES.c.name == INSTANCES.c.rule, RULES.c.status == "live"))
    chosen = select(INSTANCES).select_from(live).where(INSTANCES.c.state.in_(ACTIVE), shared)
    with store.connect() as connection:
        rows = connection.execute(chosen.order_by(INSTANCES.c.since.desc(), INSTANCES.c.rule)).mappings().all()
    return [
        Firing(rule=row["rule"], level=row["level"] or "", labels=row["labels"], since=row["since"], value=row["value"])
        for row in rows
        if is_visible(None if row["regions"] is None else frozenset(row["regions"]), scope)
    ]
