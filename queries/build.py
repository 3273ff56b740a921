"""From question to statement: one SELECT over rows that scope, as-of and snapshot have already been applied to.

The text depends on the question's shape only and is kept (`compose`); all values are parameters. The same
question at the next snapshot is the same text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from data.targets import Edition, Targets
from data.zone import epoch_ms
from queries.base import Limit, Setting
from queries.check import check
from queries.clock import DAY_MS, EPOCH, HOUR_MS, bucket_start, buckets, offset_ms, offsets_between, previous_length, shift_days
from queries.compose import compose
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.query import COMPARISONS, RESOLUTION, Comparison, Grain, Query, QueryError, Window
from queries.scope import Scope
from queries.shape import Comparand, Shape, TargetShape, WhereShape

MAX_BUCKETS: Final = 20_000
"""More points than this in one series are refused."""

GRAIN_MS: Final[dict[Grain, int]] = {"hour": HOUR_MS, "day": DAY_MS, "week": 7 * DAY_MS}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One SELECT with its named parameters; `columns` are the result's, in order."""

    sql: str
    parameters: dict[str, object]
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Span:
    """A period in instants: the window cut at as-of, and the window as asked."""

    window: Window
    as_of: datetime
    newest: datetime | None

    @property
    def end(self) -> datetime:
        return min(self.window.end, self.as_of + RESOLUTION)

    @property
    def until(self) -> datetime:
        return self.end - RESOLUTION

    @property
    def is_settled(self) -> bool:
        return self.newest is not None and self.newest <= self.until


def build(
    query: Query,
    *,
    scope: Scope,
    snapshot: int,
    version: int,
    as_of: datetime,
    zone: ZoneInfo,
    targets: Targets,
    newest: datetime | None = None,
) -> Statement:
    """The statement that answers `query` inside `scope`, knowing `snapshot` (at DuckLake's `version`), at `as_of`.

    `newest` says that no milestone of that version is later (`Lake.newest_milestone`): the answer is the same, but an
    as-of not before it needs no second look at what contradicts what. Columns: dimensions, `bucket_at` with a grain,
    each metric with `<metric>_n`, then its comparisons. Raises QueryError for names the registries do not have and
    for questions that have no answer.
    """
    if as_of.tzinfo is None:
        raise QueryError(f"as-of {as_of} has no time zone: give an aware instant")
    if snapshot < 1:
        raise QueryError("there is no snapshot yet: take in a file first")
    check(query)
    now = _Span(window=query.window or Window.all_until(as_of), as_of=as_of, newest=newest)
    spans: dict[Comparison, _Span] = {
        name: _earlier(now, name, zone) for name in COMPARISONS if name != "target" and name in query.compare
    }
    edition = targets.at(as_of, zone)
    shape = _shape(query, scope, now, spans, edition, zone)
    composed = compose(shape)
    values = _values(query, scope, version, edition)
    for suffix, span in {"": now, **{f"_{name}": span for name, span in spans.items()}}.items():
        values |= {f"{name}{suffix}": value for name, value in _span_values(span, query.grain, zone, edition).items()}
    return Statement(
        sql=composed.sql, parameters={name: values[name] for name in sorted(composed.parameters)}, columns=composed.columns
    )


def _earlier(now: _Span, name: Comparison, zone: ZoneInfo) -> _Span:
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
    return _Span(window=Window(start=start, end=moved(window.end)), as_of=moved(now.as_of), newest=now.newest)


def _shape(query: Query, scope: Scope, now: _Span, spans: dict[Comparison, _Span], edition: Edition, zone: ZoneInfo) -> Shape:
    return Shape(
        metrics=query.metrics,
        by=query.by,
        where=tuple(
            WhereShape(
                dimension=item.dimension,
                count=sum(value is not None for value in item.values),
                has_null=None in item.values,
            )
            for item in query.where
        ),
        comparands=tuple(
            Comparand(name=name, bucket_shift=_bucket_shift(query, now, span, zone), is_settled=span.is_settled)
            for name, span in spans.items()
        ),
        targets=_target_shapes(query, scope, edition) if "target" in query.compare else (),
        compares_target="target" in query.compare,
        order_by=query.order_by,
        limit=query.limit,
        is_settled=now.is_settled,
        setting=_setting(query, scope, now, spans, edition, zone),
    )


def _setting(query: Query, scope: Scope, now: _Span, spans: dict[Comparison, _Span], edition: Edition, zone: ZoneInfo) -> Setting:
    last = max(now.window.end, now.as_of) + timedelta(days=62)
    return Setting(
        scope_size=None if scope.everything else len(scope.regions),
        offsets=offsets_between(zone, None, last),
        limits=_limits(edition),
        cut_off_ms=_clock_ms(edition),
        holidays=_holiday_jumps(edition.calendar.holidays),
        grain=query.grain,
        has_start=now.window.start is not None,
    )


def _clock_ms(edition: Edition) -> int:
    cut_off = edition.calendar.cut_off
    return (cut_off.hour * 3600 + cut_off.minute * 60 + cut_off.second) * 1000


def _holiday_jumps(holidays: tuple[date, ...]) -> tuple[tuple[int, int], ...]:
    """(holiday, next working day) as days since 1970."""
    days = {(holiday - EPOCH.date()).days for holiday in holidays}
    jumps = []
    for day in sorted(days):
        working = day
        while working in days:
            working += 1
        jumps.append((day, working))
    return tuple(jumps)


def _business_types(edition: Edition) -> tuple[str, ...]:
    return tuple(sorted({limit.business_type for limit in edition.stage_limits if limit.business_type}))


def _limits(edition: Edition) -> tuple[Limit, ...]:
    types = _business_types(edition)
    stages = dict.fromkeys(limit.stage for limit in edition.stage_limits)
    known = {(limit.stage, limit.business_type) for limit in edition.stage_limits}
    return tuple(
        Limit(
            stage=stage,
            has_common=(stage, None) in known,
            types=tuple(index for index, name in enumerate(types) if (stage, name) in known),
        )
        for stage in stages
    )


def _limit_values(edition: Edition) -> dict[str, object]:
    types = _business_types(edition)
    values: dict[str, object] = {f"limit_type_{index}": name for index, name in enumerate(types)}
    for limit in edition.stage_limits:
        suffix = "" if limit.business_type is None else f"_{types.index(limit.business_type)}"
        values[f"limit_{limit.stage}{suffix}"] = float(limit.seconds)
    return values


def _target_shapes(query: Query, scope: Scope, edition: Edition) -> tuple[TargetShape, ...]:
    return tuple(
        TargetShape(metric=name, has_common=general, dimension=dimension, count=len(own))
        for name in query.metrics
        for general, dimension, own in [_targets_of(name, query, scope, edition)]
    )


def _targets_of(name: str, query: Query, scope: Scope, edition: Edition) -> tuple[bool, str | None, list[tuple[str, float]]]:
    """Whether the overall target applies, and the targets of single groups; a target of a sum is the whole's only."""
    whole = scope.everything and not query.by and not query.where and not query.grain
    general = edition.target_of(name) is not None and (METRICS[name].kind != "sum" or whole)
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


def _values(query: Query, scope: Scope, version: int, edition: Edition) -> dict[str, object]:
    values: dict[str, object] = {"version": version}
    values |= {f"scope_{index}": region for index, region in enumerate(scope.regions)}
    for index, item in enumerate(query.where):
        known = [value for value in item.values if value is not None]
        values |= {f"where_{index}_{i}": _code(item.dimension, value) for i, value in enumerate(known)}
    return values | _limit_values(edition) | _target_values(query, scope, edition) | _setting_values(edition)


def _setting_values(edition: Edition) -> dict[str, object]:
    return {
        "return_handling_ms": round(edition.return_handling_seconds * 1000),
        "risk_minimum": edition.at_risk_minimum_count,
    }


def _code(dimension: str, value: str) -> str | int:
    codes = DIMENSIONS[dimension].codes
    if codes and isinstance(codes[0], int):
        return int(value) if str(value).isdigit() else -1
    return value


def _span_values(span: _Span, grain: Grain | None, zone: ZoneInfo, edition: Edition) -> dict[str, object]:
    history = timedelta(seconds=edition.at_risk_history_seconds)
    today = bucket_start(span.as_of, "day", zone)
    values: dict[str, object] = {
        "as_of": span.as_of,
        "start": span.window.start,
        "end": span.end,
        "due_end": span.window.end,
        "due_since": span.window.start and span.window.start - timedelta(days=2 + len(edition.calendar.holidays)),
        "until": span.until,
        "risk_start": today - history,
        "risk_end": today,
    }
    if grain and span.window.start is not None:
        found = buckets(span.window.start, span.end, grain, zone)
        if len(found) > MAX_BUCKETS:
            raise QueryError(f"{len(found)} buckets by {grain} are too many: use a coarser grain or a shorter window")
        instants = [min(end - RESOLUTION, span.until) for _, end in found]
        days = [bucket_start(instant, "day", zone) for instant in instants]
        values |= {
            "each_bucket": [_bucket_number(start, grain, zone) for start, _ in found],
            "each_as_of": instants,
            "each_risk_start": [day - history for day in days],
            "each_risk_end": days,
            "risk_start": min(days, default=today) - history,
        }
    return values


def _bucket_number(start: datetime, grain: Grain, zone: ZoneInfo) -> int:
    """Hours as UTC ms, days and longer as ms of the local midnight."""
    if grain == "hour":
        return epoch_ms(start)
    day = start.astimezone(zone).date()
    return (day - EPOCH.date()).days * DAY_MS


def _bucket_shift(query: Query, now: _Span, then: _Span, zone: ZoneInfo) -> int:
    """By how much the earlier period's bucket numbers lie before the current ones; a whole number of buckets."""
    if query.grain is None:
        return 0
    if query.grain == "month" or now.window.start is None or then.window.start is None:
        raise QueryError("months and windows without a start cannot be compared by bucket: use --grain day and A..B")
    shift = epoch_ms(now.window.start) - epoch_ms(then.window.start)
    if query.grain != "hour":
        shift += offset_ms(zone, now.window.start) - offset_ms(zone, then.window.start)
    if shift % GRAIN_MS[query.grain]:
        raise QueryError(f"the compared period does not fall on whole {query.grain}s: use a finer grain or another window")
    return shift
