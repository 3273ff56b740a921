"""Whether the orders kept in memory hold all that a question can see, so that they may stand in for the lake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from queries.fragment import column_names
from queries.metric import Anchor
from queries.metrics import ASKABLE
from queries.query import Grain, Query


def is_kept(query: Query, periods: Iterable[Mapping[str, object]], since: datetime) -> bool:
    """Whether in every period (its parameters) each metric's rows lie at or after an instant."""
    anchors = {measure.anchor for name in query.metrics for measure in ASKABLE[name].measures}
    return are_kept(anchors, periods, since, grain=query.grain)


def are_kept(
    anchors: Iterable[Anchor], periods: Iterable[Mapping[str, object]], since: datetime, *, grain: Grain | None = None
) -> bool:
    """Whether in every period (its parameters) the anchors' rows lie at or after an instant.

    Kept is whatever was open, reached a milestone or was promised since then: a flow needs its window's start there, open
    orders their as-of, what is due the days before, orders at risk the days of those they are compared with.
    """
    found = list(periods)
    needed = [instant for anchor in anchors for period in found for instant in _earliest(anchor, period, grain)]
    return all(instant is not None and instant >= since for instant in needed)


def _earliest(anchor: Anchor, period: Mapping[str, object], grain: Grain | None) -> list[datetime | None]:
    """The earliest instants at which something must have happened to a row for the anchor to see it."""
    start, as_of = _instant(period["start"]), _instant(period["as_of"])
    if anchor.extra == "due":
        return [_instant(period["due_since"])]
    if anchor.at == "due_at":
        handling = period["return_handling"]
        return [start - handling if start and isinstance(handling, timedelta) else None]
    needed = [as_of if anchor.is_stock and grain is None else start]
    if anchor.extra == "waiting":
        needed.append(_instant(period["until"]))
    if anchor.extra == "risk":
        needed.append(_instant(period["risk_start"]))
    return needed


def _instant(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


def needs_normals(metrics: Iterable[str]) -> bool:
    """Whether a metric's measures name what is normal."""
    return any("normal_seconds" in column_names(m.expression) for name in metrics for m in ASKABLE[name].measures)
