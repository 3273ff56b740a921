"""Bounds set by headquarters: how low and how high a metric's thresholds may lie; analysts tune inside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, select, update

from access.audit import Actor, record
from access.store import writing
from alerts.book import live_rules
from alerts.conditions import LEVELS, Constant
from alerts.rule import Rule, RuleError
from alerts.tables import BOUNDS, EVENTS, RULES
from alerts.values import kept_note
from queries.check import suggest
from queries.metrics import METRICS

Bound = tuple[float | None, float | None]


@dataclass(frozen=True, kw_only=True)
class SetBound:
    """The bounds of one metric, and who set them when."""

    metric: str
    bound: Bound
    actor: str
    at: datetime


def list_bounds(store: Engine) -> list[SetBound]:
    """Every metric's bounds, by metric."""
    with store.connect() as connection:
        rows = connection.execute(select(BOUNDS).order_by(BOUNDS.c.metric)).mappings()
        return [
            SetBound(metric=row["metric"], bound=(row["least"], row["most"]), actor=row["actor"], at=row["changed_at"])
            for row in rows
        ]


def rules_outside(store: Engine, metric: str, bound: Bound) -> list[Rule]:
    """The live shared rules with a limit of the metric that lies outside: they stay live until their next version."""
    return [live.rule for live in live_rules(store) if not live.is_personal and _first_outside(live.rule, {metric: bound})]


def set_mandatory(store: Engine, name: str, actor: Actor, *, is_mandatory: bool, reason: str, now: datetime) -> None:
    """Make a live shared rule mandatory, so that nobody pauses or retires it, or leave it to the analysts again. Raises RuleError."""
    if not reason.strip():
        raise RuleError("say why: the reason is kept with the rule")
    with writing(store) as connection:
        row = connection.execute(select(RULES).where(RULES.c.name == name).with_for_update()).mappings().one_or_none()
        if row is None:
            raise RuleError(f"there is no rule {name!r}: choose one of the list")
        if row["is_personal"]:
            raise RuleError(f"{name} is personal: only a shared rule can be mandatory")
        if is_mandatory and row["status"] != "live":
            raise RuleError(f"{name} is not live: publish it first")
        connection.execute(update(RULES).where(RULES.c.name == name).values(is_mandatory=is_mandatory, changed_at=now))
        reason = kept_note(reason)
        action = "mandatory" if is_mandatory else "voluntary"
        values = {"rule": name, "version": row["live_version"], "at": now, "actor": actor.name, "action": action}
        connection.execute(EVENTS.insert().values(**values, reason=reason))
        detail = {"mandatory": is_mandatory, "reason": reason}
        record(connection, at=now, actor=actor, action=f"rule_{action}", object_kind="rule", object_id=name, detail=detail)


def read_bounds(store: Engine) -> dict[str, Bound]:
    """(least, most) by metric."""
    with store.connect() as connection:
        return _bounds(connection)


def set_bound(store: Engine, metric: str, bound: Bound | None, actor: Actor, *, now: datetime) -> None:
    """Set or (None) lift the bounds of a metric; the audit keeps what they were. Raises RuleError."""
    if metric not in METRICS:
        raise RuleError(f"there is no metric {metric!r}: {suggest(metric, METRICS)}")
    least, most = bound or (None, None)
    if least is not None and most is not None and least > most:
        raise RuleError(f"{metric}: the least {least:g} lies above the most {most:g}: swap them")
    with writing(store) as connection:
        before = _bounds(connection).get(metric, (None, None))
        connection.execute(delete(BOUNDS).where(BOUNDS.c.metric == metric))
        if bound is not None:
            connection.execute(BOUNDS.insert().values(metric=metric, least=least, most=most, actor=actor.name, changed_at=now))
        detail = {"least": [_told(before[0]), _told(least)], "most": [_told(before[1]), _told(most)]}
        record(connection, at=now, actor=actor, action="bound_changed", object_kind="metric", object_id=metric, detail=detail)


def check_bounds(connection: Connection, rule: Rule, role: str) -> None:
    """Raise RuleError where a threshold lies outside the bounds of headquarters; an administrator is not bound."""
    if role in ("admin", "system"):
        return
    found = _first_outside(rule, _bounds(connection))
    if found:
        metric, value, (least, most) = found
        span = f"{'-∞' if least is None else f'{least:g}'} to {'∞' if most is None else f'{most:g}'}"
        raise RuleError(f"{metric}: {value:g} lies outside the bounds of headquarters ({span})")


def _told(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _first_outside(rule: Rule, known: Mapping[str, Bound]) -> tuple[str, float, Bound] | None:
    """The first limit that lies outside, with its metric and bounds; limits against a period or a baseline have none."""
    for condition in rule.conditions:
        least, most = known.get(condition.metric, (None, None))
        if not isinstance(condition.compare, Constant):
            continue
        thresholds = [condition.threshold, *(threshold for _, threshold in condition.groups)]
        for value in (threshold.start(level) for threshold in thresholds for level in LEVELS):
            if value is not None and ((least is not None and value < least) or (most is not None and value > most)):
                return condition.metric, value, (least, most)
    return None


def _bounds(connection: Connection) -> dict[str, Bound]:
    rows = connection.execute(select(BOUNDS.c.metric, BOUNDS.c.least, BOUNDS.c.most))
    return {metric: (least, most) for metric, least, most in rows}
