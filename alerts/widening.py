"""One question in the place of several that differ in one filter only: by that filter's dimension too, each then takes its part.

What holds for single values is in the wider answer as it is. Several values or all of them are added up, where that is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.rule import Group
from queries.dimensions import ALL_ROWS, DIMENSIONS
from queries.metric import Metric
from queries.metrics import METRICS
from queries.query import Filter
from queries.scope import Scope

Figure = tuple[float | None, int | None]
Figures = dict[Group, Figure]
"""Value and number of orders per group; the number is None where the metric does not say it."""

FEWEST: Final = 2
"""Of so many questions on one figure becomes one."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One query's identity: what is asked over which groups and orders, in whose scope, for which closed window."""

    group_by: tuple[str, ...]
    filters: tuple[Filter, ...]
    scope: Scope
    window: timedelta
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Wide:
    """A question by one dimension more, the last; for each metric the questions that its answer may answer."""

    ask: Ask
    narrow: Mapping[str, tuple[Ask, ...]]


def wide_asks(wanted: Mapping[Ask, Sequence[str]]) -> list[Wide]:
    """The wider questions worth asking for these questions and their metrics: those for the most of them first, none twice."""
    candidates: dict[Ask, dict[str, list[Ask]]] = {}
    for ask, metrics in wanted.items():
        for wide in _wider(ask):
            for metric in metrics:
                candidates.setdefault(wide, {}).setdefault(metric, []).append(ask)
    for wide, narrow in candidates.items():
        plain = replace(wide, group_by=wide.group_by[:-1])
        for metric in wanted.get(plain, ()):
            narrow.setdefault(metric, []).append(plain)
    served, found = set[tuple[Ask, str]](), list[Wide]()
    for wide, narrow in sorted(candidates.items(), key=lambda item: -sum(len(asks) for asks in item[1].values())):
        chosen = {}
        for metric, asks in narrow.items():
            open_ = [ask for ask in asks if (ask, metric) not in served and _is_taken(ask, wide, METRICS[metric])]
            if len(open_) >= FEWEST:
                chosen[metric] = tuple(open_)
                served |= {(ask, metric) for ask in open_}
        if chosen:
            found.append(Wide(ask=wide, narrow=chosen))
    return found


def narrowed(figures: Figures, ask: Ask, wide: Ask, metric: str) -> Figures | None:
    """A question's figures of a metric out of those of the wider one; None where they do not tell them."""
    values = _values_of(ask, wide)
    if values is not None and len(values) == 1:
        return {group[:-1]: found for group, found in figures.items() if group[-1] == values[0]}
    parts: dict[Group, list[Figure]] = {}
    for group, found in figures.items():
        if values is None or group[-1] in values:
            parts.setdefault(group[:-1], []).append(found)
    added = {group: _added(METRICS[metric], several) for group, several in parts.items()}
    known = {group: found for group, found in added.items() if found is not None}
    return known if len(known) == len(added) else None


def _wider(ask: Ask) -> Iterable[Ask]:
    """The question without one of its filters, by that filter's dimension too.

    Only by what every row has, as text: whoever has no groups is answered even without any row.
    """
    for item in ask.filters if ask.group_by else ():
        dimension = DIMENSIONS[item.dimension]
        if dimension.rows == ALL_ROWS and all(isinstance(code, str) for code in dimension.codes) and None not in item.values:
            rest = tuple(other for other in ask.filters if other is not item)
            yield replace(ask, group_by=(*ask.group_by, item.dimension), filters=rest)


def _values_of(ask: Ask, wide: Ask) -> tuple[str | None, ...] | None:
    """Which values of the wider question's dimension a question is for; None for all."""
    left = [item for item in ask.filters if item not in wide.filters and item.dimension == wide.group_by[-1]]
    return left[0].values if left else None


def _is_taken(ask: Ask, wide: Ask, metric: Metric) -> bool:
    values = _values_of(ask, wide)
    return (values is not None and len(values) == 1) or _adds_up(metric)


def _adds_up(metric: Metric) -> bool:
    """Whether a metric is a count, or a share of counts: of groups side by side it adds up to the last digit."""
    if not all(measure.expression.startswith("COUNT") for measure in metric.measures):
        return False
    if metric.kind == "sum":
        return metric.unit == "count"
    return metric.kind == "ratio" and metric.n == metric.measures[1].name


def _added(metric: Metric, figures: Sequence[Figure]) -> Figure | None:
    """Groups side by side as one; None where one of them has parts without a whole, which its share does not tell."""
    if metric.kind == "sum":
        total = sum(value or 0 for value, _ in figures)
        return total, round(total)
    part, whole = metric.measures[:2]
    if part.anchor != whole.anchor and any(not n for _, n in figures):
        return None
    wholes = sum(n or 0 for _, n in figures)
    parts = sum(round(value * n) for value, n in figures if value is not None and n)
    return parts / wholes if wholes else None, wholes
