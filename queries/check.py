"""Whether a question can be asked: names exist, dimensions exist for the metrics, sizes are sound."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from data.targets import Targets
from queries.dimensions import DIMENSIONS
from queries.metrics import ASKABLE, METRICS
from queries.query import COMPARISONS, GRAINS, Query, QueryError

MAX_VALUES = 1000
"""More values than this in one filter are refused."""

NO_TEXT: Final = re.compile(r"[\x00\ud800-\udfff]")
"""Signs that no text of an order holds, and that end or break what an engine is given: NUL, and halves of a sign."""


def suggest(word: str, known: Iterable[str]) -> str:
    """The end of an error message: the nearest known names, or where to find them."""
    near = get_close_matches(word, list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"use one of {', '.join(known)}"


def check(query: Query) -> None:
    """Raise QueryError, with a remedy, for anything in the question that has no meaning."""
    if not query.metrics:
        raise QueryError("no metric is named: `python cli.py metrics` lists them")
    _check_names("metric", query.metrics, ASKABLE)
    _check_names("dimension", query.by, DIMENSIONS)
    _check_names("dimension", dict.fromkeys(item.dimension for item in query.where), DIMENSIONS)
    _check_names("comparison", query.compare, COMPARISONS)
    if query.grain is not None:
        _check_names("grain", (query.grain,), GRAINS)
    for name in query.metrics:
        _check_metric(name, query)
    _check_sizes(query)
    _check_order(query)


def _check_names(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    seen = set()
    for name in names:
        if name not in known:
            raise QueryError(f"there is no {what} {name!r}: {suggest(name, known)}")
        if name in seen:
            raise QueryError(f"the {what} {name!r} is named twice: name it once")
        seen.add(name)


def _check_metric(name: str, query: Query) -> None:
    metric = ASKABLE[name]
    for dimension in (*query.by, *(item.dimension for item in query.where)):
        if metric.anchor.rows not in DIMENSIONS[dimension].rows:
            fitting = [other for other, entry in METRICS.items() if entry.anchor.rows in DIMENSIONS[dimension].rows]
            raise QueryError(f"{name} has no dimension {dimension!r}: it belongs to {', '.join(fitting)}")
    start_missing = query.window is None or query.window.start is None
    if metric.needs_hours and start_missing and query.grain is None:
        raise QueryError(f"{name} needs a window with a start: for example 24h, 7d or A..B")
    is_series_of_stock = query.grain is not None and (metric.anchor.is_stock or metric.anchor.extra == "waiting")
    if is_series_of_stock and start_missing:
        raise QueryError(f"{name} by {query.grain} needs a window with a start: for example 7d or A..B")


def _check_sizes(query: Query) -> None:
    for item in query.where:
        if len(item.values) > MAX_VALUES:
            raise QueryError(f"the filter on {item.dimension} has {len(item.values)} values: at most {MAX_VALUES} are allowed")
    if query.limit is not None and query.limit < 1:
        raise QueryError(f"limit {query.limit} keeps nothing: use 1 or more")


def _check_order(query: Query) -> None:
    if query.order_by is None:
        return
    name = query.order_by.removeprefix("-")
    known = [*query.by, *(["bucket_at"] if query.grain else []), *_figures(query)]
    if name not in known:
        raise QueryError(f"results cannot be ordered by {name!r}: {suggest(name, known)}")


def _figures(query: Query) -> list[str]:
    """The columns of the answer that hold figures."""
    found = []
    for metric in query.metrics:
        counts = [f"{metric}_n"] if ASKABLE[metric].n else []
        found += [metric, *counts]
        for comparison in query.compare:
            other = f"{metric}_{comparison}"
            found += [other, f"{other}_difference"]
            if comparison != "target":
                found += [f"{other}_difference_share", *(f"{count}_{comparison}" for count in counts)]
    return found


def unknown_targets(targets: Targets) -> list[str]:
    """What a targets file names that is no metric or dimension, one sentence each; such a target is never used."""
    found = []
    for target in dict.fromkeys(target for edition in targets.editions for target in edition.metric_targets):
        if target.metric not in METRICS:
            found.append(f"there is no metric {target.metric!r}: {suggest(target.metric, METRICS)}")
        if target.dimension is not None and target.dimension not in DIMENSIONS:
            found.append(f"there is no dimension {target.dimension!r}: {suggest(target.dimension, DIMENSIONS)}")
    return found
