"""Bounds set by headquarters: how low and how high a metric's thresholds may lie; analysts tune inside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, select

from access.audit import Actor, record
from access.store import writing
from alerts.conditions import LEVELS, Constant
from alerts.rule import Rule, RuleError
from alerts.tables import BOUNDS
from queries.check import suggest
from queries.metrics import METRICS

Bound = tuple[float | None, float | None]


def read_bounds(store: Engine) -> dict[str, Bound]:
    """(least, most) by metric."""
    with store.connect() as connection:
        return _bounds(connection)


def set_bound(store: Engine, metric: str, bound: Bound | None, actor: Actor, *, now: datetime) -> None:
    """Set or (None) lift the bounds of a metric. Raises RuleError."""
    if metric not in METRICS:
        raise RuleError(f"there is no metric {metric!r}: {suggest(metric, METRICS)}")
    least, most = bound or (None, None)
    if least is not None and most is not None and least > most:
        raise RuleError(f"{metric}: the least {least:g} lies above the most {most:g}: swap them")
    with writing(store) as connection:
        connection.execute(delete(BOUNDS).where(BOUNDS.c.metric == metric))
        if bound is not None:
            connection.execute(BOUNDS.insert().values(metric=metric, least=least, most=most, actor=actor.name, changed_at=now))
        detail = {"least": least, "most": most}
        record(connection, at=now, actor=actor, action="bound_changed", object_kind="metric", object_id=metric, detail=detail)


def check_bounds(connection: Connection, rule: Rule, role: str) -> None:
    """Raise RuleError where a threshold lies outside the bounds of headquarters; an administrator is not bound."""
    if role in ("admin", "system"):
        return
    known: Mapping[str, Bound] = _bounds(connection)
    for condition in rule.conditions:
        least, most = known.get(condition.metric, (None, None))
        if not isinstance(condition.compare, Constant):
            continue
        thresholds = [condition.threshold, *(threshold for _, threshold in condition.groups)]
        for value in (threshold.start(level) for threshold in thresholds for level in LEVELS):
            if value is not None and ((least is not None and value < least) or (most is not None and value > most)):
                span = f"{'-∞' if least is None else f'{least:g}'} to {'∞' if most is None else f'{most:g}'}"
                raise RuleError(f"{condition.metric}: {value:g} lies outside the bounds of headquarters ({span})")


def _bounds(connection: Connection) -> dict[str, Bound]:
    rows = connection.execute(select(BOUNDS.c.metric, BOUNDS.c.least, BOUNDS.c.most))
    return {metric: (least, most) for metric, least, most in rows}
