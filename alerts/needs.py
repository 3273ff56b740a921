"""Which sources a rule's figures need, up to which instant they speak, and whether one of them is silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from access.freshness import SourceFreshness
from alerts.rule import Rule, RuleError
from alerts.values import write_length
from data.order import STAGES
from queries.dimensions import DIMENSIONS
from queries.fragment import column_names
from queries.metric import OPEN, Anchor
from queries.metrics import METRICS
from queries.order_fields import ORDER_FIELDS

KINDS: Final = {"orders": "orders", "passages": "orders", "returns": "returns", "complaints": "complaints"}
CLOSING: Final = frozenset({"delivered_at", "cancelled_at", "returned_at"})
DERIVED: Final = {
    "is_open": CLOSING,
    "is_at_risk": frozenset({"delivered_at", "promised_at"}),
    "passage_seconds": frozenset(f"{stage}_at" for stage in STAGES),
    "passage_stage": frozenset(f"{stage}_at" for stage in STAGES),
    "limit_seconds": frozenset[str](),
    "complained_at": frozenset({"created_at"}),
    "due_at": frozenset({"requested_at"}),
    "ship_due_at": frozenset({"promised_ship_at", "shipped_at"}),
}
"""Columns of a row that no source delivers as such, with those they are made of."""

IDENTITY: Final = frozenset(
    f"{kind}.{column}" for kind in ("orders", "returns", "complaints") for column in ("order_id", "channel")
)
"""Every source names its orders; that alone makes it no source of a figure."""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Up to which instant a rule may be evaluated (None: nothing is there), and the silent source that freezes it."""

    until: datetime | None
    frozen_by: str = ""


@lru_cache(maxsize=512)
def columns_of_metric(name: str) -> frozenset[str]:
    """The columns a metric is made of, as `kind.column` (`orders.delivered_at`)."""
    found: set[str] = set()
    for measure in METRICS[name].measures:
        kind = KINDS[measure.anchor.rows]
        found |= {f"{kind}.{column}" for column in _own_columns(measure.anchor, measure.expression)}
    return frozenset(found)


def _own_columns(anchor: Anchor, expression: str) -> set[str]:
    named = set(column_names(expression)) | ({anchor.at} if anchor.at else set(CLOSING))
    found: set[str] = set()
    for column in named:
        plain = column.replace("_measured_at", "_at")
        found |= DERIVED.get(plain, frozenset({plain}))
    return found


def needed_columns(rule: Rule) -> frozenset[str]:
    """The columns of all metrics of the rule, and of the dimensions it groups and filters by."""
    found = frozenset[str]().union(*(columns_of_metric(name) for name in rule.metrics))
    if rule.order is not None:
        named = frozenset[str]().union(
            *(_own_columns(OPEN, ORDER_FIELDS[test.field].expression) for test in rule.order.pick.tests)
        )
        found |= {f"orders.{column}" for column in named}
    dimensions = {*rule.group_by, *(item.dimension for item in rule.filters)}
    found |= {f"orders.{column}" for name in dimensions if (column := DIMENSIONS[name].column)}
    return found - IDENTITY


def check_rhythm(rule: Rule, sources: Sequence[SourceFreshness]) -> None:
    """Raise RuleError for a window shorter than the time between two snapshots of a source it needs: most would be empty."""
    if rule.order is not None or all(METRICS[name].anchor.is_stock for name in rule.metrics):
        return
    needed = needed_columns(rule)
    for source in sources:
        if source.feeds & needed and source.due_seconds and rule.window.total_seconds() < source.due_seconds:
            due = write_length(timedelta(seconds=source.due_seconds))
            raise RuleError(
                f"the window {write_length(rule.window)} is shorter than the {due} in which {source.source} sends a snapshot: "
                f"lengthen it to at least {due}"
            )


def readiness(rule: Rule, sources: Sequence[SourceFreshness]) -> Readiness:
    """How far the rule may be evaluated with the sources as they are.

    The least as-of of the live sources that feed what it needs; a column that only silent sources feed freezes it.
    Where every source was delivered once, the newest as-of counts.
    """
    if not sources:
        return Readiness(until=None)
    live = [source for source in sources if source.state != "once"]
    if not live:
        return Readiness(until=max(source.as_of for source in sources))
    needed = needed_columns(rule)
    feeding = [source for source in live if source.feeds & needed] or live
    silent = [source for source in feeding if source.state == "stale"]
    alive = [source for source in feeding if source.state != "stale"]
    covered = frozenset[str]().union(*(source.feeds for source in alive))
    for source in silent:
        if (source.feeds & needed) - covered or not alive:
            return Readiness(until=min(source.as_of for source in feeding), frozen_by=source.source)
    return Readiness(until=min(source.as_of for source in alive))
