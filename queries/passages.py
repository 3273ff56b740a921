"""Passages: one row per order and stage it passed through in the window, or waits in at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlglot import exp

from data.order import FORWARD_MILESTONES, MILESTONE_BIT, STAGES
from data.visit import CARRIED
from queries.base import Ctes, Request, Setting, base, stock, window_conditions
from queries.columns import WAITING_SINCE, WAITING_STAGE, opened_at, order_columns
from queries.fragment import DIALECT, bucket_sql, named, parse, select
from queries.limits import passage_limit_sql
from queries.metric import seconds

PASSAGE_COLUMNS: Final = frozenset(
    {"passage_stage", "opened_at", "closed_at", "passage_seconds", "limit_seconds", "at", "is_waiting", "node_key", "kind_key"}
)

AT_EDGES: Final = "orders_at_edges_"
"""What the CTE of orders with a milestone at a window's ends is called by, before its anchor."""

WAITING_COLUMNS: Final = frozenset(
    {f"{name}_{kind}" for name in FORWARD_MILESTONES for kind in ("at", "measured_at")}
    | {"mapped_milestones", "is_open", "as_of"}
)


def passages(request: Request) -> tuple[Ctes, str]:
    """One row per order and stage: those that ended in the window and, where asked, those still waiting at its end."""
    passthrough = _passthrough(request)
    if is_carried(passthrough, request):
        return _kept(passthrough, request)
    suffix, anchor = request.period.suffix, request.anchor.name
    is_one_scan = _is_one_scan(request, passthrough)
    ctes = _passed(request, passthrough, has_waiting=is_one_scan)
    branches = [_closed_branch(stage, ctes[-1][0], passthrough, request) for stage in request.stages]
    if request.anchor.extra == "waiting":
        waiting = f"orders_waiting{suffix}"
        ctes.append(
            (waiting, _waiting_among(ctes[-1][0], request, passthrough) if is_one_scan else _waiting(request, passthrough))
        )
        branches.append(_waiting_branch(waiting, passthrough, request))
    name = f"{anchor}_rows{suffix}"
    return [*ctes, (name, _union(branches))], name


def _is_one_scan(request: Request, passthrough: frozenset[str]) -> bool:
    """Whether one scan of the lake gives both what passed in the window and what waits at its end: it sees both alike.

    For single stages two are faster: each then looks at few rows.
    """
    setting, period = request.setting, request.period
    if request.anchor.extra != "waiting" or not setting.has_start or setting.is_recent or setting.grain:
        return False
    if request.stages != STAGES:
        return False
    now, then = (order_columns(period.sight(instant=instant)) for instant in ("as_of", "until"))
    return all(now[name] == then[name] for name in (passthrough | WAITING_COLUMNS - {"is_open", "as_of"}) & now.keys())


def _waiting(request: Request, passthrough: frozenset[str]) -> exp.Select:
    """The orders open at the window's end, or at that of each bucket, in a scan of their own."""
    return stock(
        replace(request, filters=(*request.filters, *_unreached(request))), passthrough | WAITING_COLUMNS, instant="until"
    )


def _waiting_among(table: str, request: Request, passthrough: frozenset[str]) -> exp.Select:
    """The same among the orders that were read for what passed."""
    until, is_settled = request.period.name("until"), request.period.sight().is_settled
    seen = "{0}_recorded_at" if is_settled else f"CASE WHEN {{0}}_recorded_at <= {until} THEN {{0}}_recorded_at END"
    known = {f"{name}_at": seen.format(name) for name in FORWARD_MILESTONES} | {"is_open": "TRUE", "as_of": until}
    chosen = {name: known.get(name, name) for name in sorted(WAITING_COLUMNS - passthrough)}
    rows = select(*sorted(passthrough), *(named(sql, name) for name, sql in chosen.items())).from_(table, copy=False)
    return rows.where(f"stays_open_until > {until}", dialect=DIALECT, copy=False)


def _unreached(request: Request) -> list[str]:
    """Who waits in a stage has not reached the milestone that closes it: others need not be looked at."""
    if request.stages == STAGES:
        return []
    each = " OR ".join(f"o.{stage}_at IS NULL OR o.{stage}_at > {{0}}" for stage in request.stages)
    if not request.setting.grain:
        return [f"({each.format(request.period.name('until'))})"]
    # What was reached before the first bucket need not even meet the buckets.
    before = each.replace("> {0}", f">= {request.period.name('start')}")
    return [f"({before})", f"({each.format('i.as_of')})"]


def _union(branches: Sequence[exp.Query]) -> exp.Query:
    return exp.union(*branches, distinct=False, copy=False) if len(branches) > 1 else branches[0]


def _passthrough(request: Request) -> frozenset[str]:
    """Of the columns asked for those of the order."""
    return request.columns - PASSAGE_COLUMNS | ({"business_type"} if "limit_seconds" in request.columns else set())


def stands_in_memory(request: Request) -> bool:
    """Whether the passages and waits kept in memory answer the request, with the keys of what they are compared with."""
    return is_carried(_passthrough(request), request)


def is_carried(passthrough: frozenset[str], request: Request) -> bool:
    """Whether the passages and waits kept in memory carry all that is asked of their orders."""
    named_by_filters = {column.name for text in request.filters for column in parse(text).find_all(exp.Column)}
    return request.setting.has_visits and passthrough | named_by_filters <= set(CARRIED)


def _kept(passthrough: frozenset[str], request: Request) -> tuple[Ctes, str]:
    """The same rows from the passages and waits in memory, where each is a row already."""
    branches = [kept_passages("passages", passthrough, _ended(request), request)]
    if request.anchor.extra == "waiting":
        branches.append(kept_waits(passthrough, request))
    name = f"{request.anchor.name}_rows{request.period.suffix}"
    return [(name, _union(branches))], name


def _ended(request: Request) -> list[str]:
    return window_conditions("o.at", request.setting, request.period)


def kept_passages(table: str, passthrough: frozenset[str], ended: list[str], request: Request) -> exp.Select:
    """The passages of a table in memory that ended in this way."""
    figures = {
        "passage_stage": "o.passage_stage",
        "at": "o.at",
        "passage_seconds": f"CASE WHEN o.sound_until > {request.period.name('as_of')} THEN o.passage_seconds END",
        "limit_seconds": passage_limit_sql(request.setting.limits),
        "is_waiting": "FALSE",
        "node_key": "o.node_key",
        "kind_key": "o.kind_key",
    }
    if request.setting.grain:
        figures["bucket"] = bucket_sql("o.at", request.setting.grain, request.setting.offsets)
    return _kept_branch(table, passthrough, figures, ended, request)


def kept_waits(passthrough: frozenset[str], request: Request) -> exp.Select:
    """The waits in memory at the end of the window; with a grain, of each bucket."""
    period, setting = request.period, request.setting
    if setting.grain:
        return _kept_waits_each(passthrough, request)
    instant = period.name("until")
    figures = {
        "passage_stage": "o.passage_stage",
        "at": instant,
        "passage_seconds": seconds(instant, f"CASE WHEN o.sound_until > {instant} THEN o.waiting_since END"),
        "limit_seconds": passage_limit_sql(setting.limits),
        "is_waiting": "TRUE",
        "node_key": "o.node_key",
        "kind_key": "o.kind_key",
    }
    then = ["o.passage_stage IS NOT NULL", f"o.from_at <= {instant}", f"o.until_at > {instant}"]
    return _kept_branch("waits", passthrough, figures, then, request)


def _kept_waits_each(passthrough: frozenset[str], request: Request) -> exp.Select:
    """What stays the same from bucket to bucket is worked out before the waits meet the buckets."""
    period, setting = request.period, request.setting
    kept = {name: f"o.{name}" for name in ("from_at", "until_at", "waiting_since", "sound_until")}
    same = {"passage_stage": "o.passage_stage", "limit_seconds": passage_limit_sql(setting.limits)}
    same = _wanted(same | {"node_key": "o.node_key", "kind_key": "o.kind_key"}, request)
    then = ["o.passage_stage IS NOT NULL", f"o.until_at > {period.name('start')}", f"o.from_at <= {period.name('as_of')}"]
    conditions = [*then, *request.filters]
    waits = base(passthrough, setting, sight=period.sight("created"), conditions=conditions, table="waits")
    waits = waits.select(*(named(sql, name) for name, sql in (kept | same).items()), copy=False)
    figures = {
        "passage_stage": "w.passage_stage",
        "at": "i.as_of",
        "passage_seconds": seconds("i.as_of", "CASE WHEN w.sound_until > i.as_of THEN w.waiting_since END"),
        "limit_seconds": "w.limit_seconds",
        "is_waiting": "TRUE",
        "node_key": "w.node_key",
        "kind_key": "w.kind_key",
        "bucket": "i.bucket",
    }
    chosen: list[exp.Expr] = [exp.column(name, table="w") for name in sorted(passthrough) or ["one"]]
    chosen += [named(sql, name) for name, sql in _wanted(figures, request).items()]
    each = select(*chosen).from_(waits.subquery("w", copy=False), copy=False)
    on = "w.from_at <= i.as_of AND w.until_at > i.as_of"
    return each.join(f"instants{period.suffix} AS i", on=on, dialect=DIALECT, copy=False)


def closed_at_edges(
    passthrough: frozenset[str], edges: Sequence[tuple[str, str]], request: Request
) -> tuple[Ctes, list[exp.Query]]:
    """The passages of orders begun by then that ended between each two instants (SQL), from the orders kept in memory.

    CTEs, and a SELECT for each stage and edge. As the orders lie by when they began, later ones are not even looked at; the
    few that reached a milestone there are read once for all stages.
    """
    begun = f"o.created_at < {edges[-1][1]}"
    reached = (f"o.{stage}_at >= {first} AND o.{stage}_at < {last}" for stage in request.stages for first, last in edges)
    narrowed = replace(request, filters=(*request.filters, begun, f"({' OR '.join(reached)})"))
    ctes = _passed(narrowed, passthrough | {"created_at"}, name=f"{AT_EDGES}{request.anchor.name}{request.period.suffix}")
    rows = [
        _closed_branch(stage, ctes[-1][0], passthrough, request, [f"{{at}} >= {first}", f"{{at}} < {last}", "created_at <= {at}"])
        for stage in request.stages
        for first, last in edges
    ]
    return ctes, rows


def _kept_branch(
    table: str, passthrough: frozenset[str], figures: dict[str, str], conditions: list[str], request: Request
) -> exp.Select:
    sight = request.period.sight("created")
    rows = base(passthrough, request.setting, sight=sight, conditions=[*conditions, *request.filters], table=table)
    return rows.select(*(named(sql, name) for name, sql in _wanted(figures, request).items()), copy=False)


def _passed(request: Request, passthrough: frozenset[str], *, name: str = "", has_waiting: bool = False) -> Ctes:
    """The orders that stages are read from, with `<milestone>_recorded_at` and `<milestone>_measured_at`.

    With `has_waiting` those that wait at the window's end are among them, and `stays_open_until` says until when.
    """
    name = name or f"orders_{request.anchor.name}{request.period.suffix}"
    # An order whose last milestone lies before the window has no passage in it: its file is not even opened.
    is_bounded = request.setting.has_start and not request.setting.is_recent
    start, until = request.period.name("start"), request.period.name("until")
    unsettled = [f"o.settled_at >= {f'LEAST({start}, {until})' if has_waiting else start}"] if is_bounded else []
    if is_bounded and request.stages != STAGES:
        ended = (window_conditions(f"o.{stage}_at", request.setting, request.period) for stage in request.stages)
        unsettled.append("(" + " OR ".join(f"({' AND '.join(conditions)})" for conditions in ended) + ")")
    is_settled = request.period.sight().is_settled
    reached = FORWARD_MILESTONES[: FORWARD_MILESTONES.index(request.stages[-1]) + 1]
    measured_at = frozenset(f"{milestone}_measured_at" for milestone in reached)
    columns = passthrough | {"mapped_milestones"} | (frozenset() if is_settled else measured_at)
    rows = base(columns, request.setting, sight=request.period.sight(), conditions=[*request.filters, *unsettled])
    recorded = (f"o.{milestone}_at AS {milestone}_recorded_at" for milestone in reached)
    rows = rows.select(*recorded, *(["o.open_until_at AS stays_open_until"] if has_waiting else []), dialect=DIALECT, copy=False)
    if not is_settled:
        return [(name, rows)]
    rows = rows.select("o.inferred_milestones | o.impossible_milestones AS unsound", dialect=DIALECT, copy=False)
    measured = (
        f"CASE WHEN (unsound & {MILESTONE_BIT[milestone]}) = 0 THEN {milestone}_recorded_at END AS {milestone}_measured_at"
        for milestone in reached
    )
    return [(name, rows), (f"measured_{name}", select("*", *measured).from_(name, copy=False))]


def _passage(passthrough: frozenset[str], figures: dict[str, str]) -> exp.Select:
    chosen = [exp.column(name) for name in sorted(passthrough)]
    return select(*chosen, *(named(sql, name) for name, sql in figures.items()))


def _wanted(figures: dict[str, str], request: Request) -> dict[str, str]:
    """Of a passage's figures those that the question needs."""
    return {name: sql for name, sql in figures.items() if name in request.columns or name in ("passage_stage", "bucket")}


def _limit_sql(setting: Setting, stage: str) -> str:
    return next((limit.sql() for limit in setting.limits if limit.stage == stage), "NULL")


def _closed_branch(
    stage: str, table: str, passthrough: frozenset[str], request: Request, ended: Sequence[str] | None = None
) -> exp.Query:
    recorded = f"{stage}_recorded_at"
    conditions = window_conditions("{at}", request.setting, request.period) if ended is None else ended
    figures = {
        "passage_stage": f"'{stage}'",
        "at": recorded,
        "passage_seconds": seconds(f"{stage}_measured_at", opened_at(stage)),
        "limit_seconds": f"CAST({_limit_sql(request.setting, stage)} AS DOUBLE)",
        "is_waiting": "FALSE",
    }
    if request.setting.grain:
        figures["bucket"] = bucket_sql(recorded, request.setting.grain, request.setting.offsets)
    passage = _passage(passthrough, _wanted(figures, request)).from_(table, copy=False)
    return passage.where(*(text.format(at=recorded) for text in conditions), dialect=DIALECT, copy=False)


def _waiting_branch(table: str, passthrough: frozenset[str], request: Request) -> exp.Query:
    limits = " ".join(f"WHEN '{limit.stage}' THEN {limit.sql()}" for limit in request.setting.limits)
    figures = {
        "passage_stage": "passage_stage",
        "at": "as_of",
        "passage_seconds": seconds("as_of", "waiting_since"),
        "limit_seconds": f"CAST(CASE passage_stage {limits} END AS DOUBLE)" if limits else "CAST(NULL AS DOUBLE)",
        "is_waiting": "TRUE",
    }
    inner = _passage(passthrough | {"as_of"}, {"passage_stage": WAITING_STAGE, "waiting_since": WAITING_SINCE}).from_(
        table, copy=False
    )
    if request.setting.grain:
        figures["bucket"] = "bucket"
        inner = inner.select("bucket", copy=False)
    passage = _passage(passthrough, _wanted(figures, request)).from_(inner.subquery("waiting", copy=False), copy=False)
    return passage.where("passage_stage IS NOT NULL", copy=False)
