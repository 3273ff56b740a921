"""From question to statement: one SELECT over rows that scope, as-of and snapshot have already been applied to.

The text depends on the question's shape only and is kept (`compose`); all values are parameters. The same
question at the next snapshot is the same text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from data.lake import Newest
from data.recent import Horizon
from data.targets import Edition, Targets
from data.zone import epoch_ms
from queries.cells import held_cells
from queries.check import check
from queries.clock import DAY_MS, STEP_MS, offset_ms, previous_length, shift_days
from queries.compose import compose
from queries.horizon import is_kept, needs_normals
from queries.metrics import ASKABLE
from queries.normal import KEPT_NORMALS
from queries.open_cells import holds_open_cells
from queries.order_cells import held_order_cells
from queries.query import COMPARISONS, Comparison, Grain, Query, QueryError, Window
from queries.risk import has_comparables
from queries.scope import Scope
from queries.setting import Span, setting_of, setting_values, span_values, where_shapes, where_values
from queries.shape import Comparand, Shape, TargetShape

GRAIN_MS: Final[dict[Grain, int]] = STEP_MS | {"day": DAY_MS, "week": 7 * DAY_MS}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One SELECT with its named parameters; `columns` are the result's, in order.

    `kept_version` is the lake's version whose recent orders it reads from memory, None where it reads the lake only.
    """

    sql: str
    parameters: dict[str, object]
    columns: tuple[str, ...]
    kept_version: int | None = None


def build(
    query: Query,
    *,
    scope: Scope,
    snapshot: int,
    version: int,
    as_of: datetime,
    zone: ZoneInfo,
    targets: Targets,
    newest: Newest | None = None,
    horizon: Horizon | None = None,
) -> Statement:
    """The statement that answers `query` inside `scope`, knowing `snapshot` (at DuckLake's `version`), at `as_of`.

    `newest` says that no milestone of that version is later (`Lake.newest_milestone`): the answer is the same, but an
    as-of not before it needs no second look at what contradicts what. `horizon` says which orders are kept in memory:
    where they hold all that is asked, they are read in the lake's place, with the same answer. Columns: dimensions, `bucket_at` with a grain,
    each metric with `<metric>_n`, then its comparisons. Raises QueryError for names the registries do not have and
    for questions that have no answer.
    """
    if as_of.tzinfo is None:
        raise QueryError(f"as-of {as_of} has no time zone: give an aware instant")
    if snapshot < 1:
        raise QueryError("there is no snapshot yet: take in a file first")
    check(query)
    now = Span(window=query.window or Window.all_until(as_of), as_of=as_of, newest=newest)
    spans: dict[Comparison, Span] = {
        name: _earlier(now, name, zone) for name in COMPARISONS if name != "target" and name in query.compare
    }
    edition = targets.at(as_of, zone)
    periods: dict[str, Span] = {"": now} | {str(name): span for name, span in spans.items()}
    by_span = {name: span_values(span, query.grain, zone, edition) for name, span in periods.items()}
    held = horizon if horizon and horizon.version == version and is_kept(query, by_span.values(), horizon.since) else None
    if held and needs_normals(query.metrics) and not has_normals(held, by_span[""]):
        held = None
    shape = _shape(query, scope, now, spans, edition, zone)
    if held:
        visits = {name: is_kept(query, [values], held.visits_since) for name, values in by_span.items()}
        cells = held_cells(held, edition, by_span[""], shape.setting.offsets)
        shape = _kept_shape(shape, by_span, held, visits=visits, cells=cells)
    composed = compose(shape)
    values = setting_values(scope, version, edition) | where_values(query.where) | _target_values(query, scope, edition)
    for name, found in by_span.items():
        values |= {f"{key}_{name}" if name else key: value for key, value in found.items()}
    return Statement(
        sql=composed.sql,
        parameters={name: values[name] for name in sorted(composed.parameters)},
        columns=composed.columns,
        kept_version=held.version if held else None,
    )


def _kept_shape(
    shape: Shape,
    by_span: Mapping[str, Mapping[str, object]],
    held: Horizon,
    *,
    visits: Mapping[str, bool],
    cells: tuple[str, ...],
) -> Shape:
    """The shape that reads the orders kept in memory, and for each period the stages and comparables kept for its very days."""

    def is_kept_for(name: str, is_settled: bool) -> bool:
        return is_settled and shape.setting.grain is None and has_comparables(held, by_span[name])

    ends = [values["until"] for values in by_span.values()]
    has_waits = all(visits.values()) or (
        shape.setting.grain is None and all(isinstance(end, datetime) and end >= held.visits_since for end in ends)
    )
    setting = replace(
        shape.setting,
        is_recent=True,
        has_visits=visits[""],
        has_waits=has_waits,
        has_normals=True,
        cells=cells,
        order_cells=held_order_cells(held, shape.setting.offsets),
        has_open_cells=holds_open_cells(held, shape.setting.offsets),
    )
    return replace(
        shape,
        setting=setting,
        has_comparables=is_kept_for("", shape.is_settled),
        comparands=tuple(
            replace(c, has_comparables=is_kept_for(c.name, c.is_settled), has_visits=visits[c.name]) for c in shape.comparands
        ),
    )


def has_normals(held: Horizon, values: Mapping[str, object]) -> bool:
    """Whether the normals kept in memory are those of the very days that a period's parameters name."""
    kept = _derived_for(held, KEPT_NORMALS)
    start = values["start_normal"]
    is_held = isinstance(start, datetime) and held.visits_since <= start and bool(kept)
    return is_held and all(values[name] == value for name, value in kept.items())


def _derived_for(held: Horizon, table: str) -> dict[str, object]:
    """The parameters that a table kept in memory was made with."""
    kept: dict[str, object] = dict(dict(held.derived).get(table, ()))  # type: ignore[call-overload]
    return kept


def _earlier(now: Span, name: Comparison, zone: ZoneInfo) -> Span:
    """The period before, or a week earlier, its as-of moved alike: both are seen equally ripe."""
    window = now.window
    if name == "previous":
        if window.start is None:
            raise QueryError("a window without a start has no previous period: name one, for example 24h or A..B")
        days, rest = previous_length(window, zone)
    else:
        days, rest = 7, timedelta()

    def moved(instant: datetime) -> datetime:
        return shift_days(instant, -days, zone) - rest if days else instant - rest

    start = None if window.start is None else moved(window.start)
    return Span(window=Window(start=start, end=moved(window.end)), as_of=moved(now.as_of), newest=now.newest)


def _shape(query: Query, scope: Scope, now: Span, spans: dict[Comparison, Span], edition: Edition, zone: ZoneInfo) -> Shape:
    return Shape(
        metrics=query.metrics,
        by=query.by,
        where=where_shapes(query.where),
        comparands=tuple(
            Comparand(
                name=name,
                bucket_shift=_bucket_shift(query, now, span, zone),
                is_settled=span.is_settled,
                is_known=span.is_known,
                is_current=span.is_current,
            )
            for name, span in spans.items()
        ),
        targets=_target_shapes(query, scope, edition) if "target" in query.compare else (),
        compares_target="target" in query.compare,
        order_by=query.order_by,
        limit=query.limit,
        is_settled=now.is_settled,
        is_known=now.is_known,
        is_current=now.is_current,
        setting=setting_of(scope, now, edition, grain=query.grain, zone=zone),
    )


def _target_shapes(query: Query, scope: Scope, edition: Edition) -> tuple[TargetShape, ...]:
    return tuple(
        TargetShape(metric=name, has_common=general, dimension=dimension, count=len(own))
        for name in query.metrics
        for general, dimension, own in [_targets_of(name, query, scope, edition)]
    )


def _targets_of(name: str, query: Query, scope: Scope, edition: Edition) -> tuple[bool, str | None, list[tuple[str, float]]]:
    """Whether the overall target applies, and the targets of single groups; a target of a sum is the whole's only."""
    whole = scope.everything and not query.by and not query.where and not query.grain
    general = edition.target_of(name) is not None and (ASKABLE[name].kind != "sum" or whole)
    for dimension in query.by:
        own = [
            (str(target.code), target.value)
            for target in edition.metric_targets
            if target.metric == name and target.dimension == dimension
        ]
        if own:
            return general, dimension, own
    return general, None, []


def _target_values(query: Query, scope: Scope, edition: Edition) -> dict[str, object]:
    values: dict[str, object] = {}
    for name in query.metrics:
        values[f"target_{name}"] = edition.target_of(name)
        for index, (code, value) in enumerate(_targets_of(name, query, scope, edition)[2]):
            values |= {f"target_{name}_code_{index}": code, f"target_{name}_{index}": value}
    return values


def _bucket_shift(query: Query, now: Span, then: Span, zone: ZoneInfo) -> int:
    """By how much the earlier period's bucket numbers lie before the current ones; a whole number of buckets."""
    if query.grain is None:
        return 0
    if query.grain == "month" or now.window.start is None or then.window.start is None:
        raise QueryError("months and windows without a start cannot be compared by bucket: use --grain day and A..B")
    shift = epoch_ms(now.window.start) - epoch_ms(then.window.start)
    if query.grain not in STEP_MS:
        shift += offset_ms(zone, now.window.start) - offset_ms(zone, then.window.start)
    if shift % GRAIN_MS[query.grain]:
        raise QueryError(f"the compared period does not fall on whole {query.grain}s: use a finer grain or another window")
    return shift
