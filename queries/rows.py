"""Row sources: for each anchor the SELECT whose rows a measure counts. Scope, as-of and snapshot are applied here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from sqlglot import exp, parse_one

from data.order import FORWARD_MILESTONES, MILESTONE_BIT, STAGES
from queries.clock import DAY_MS
from queries.columns import RAW_COLUMNS, WAITING_SINCE, WAITING_STAGE, opened_at, order_columns
from queries.metric import Anchor, seconds
from queries.query import Grain

DIALECT: Final = "duckdb"
Ctes = list[tuple[str, exp.Query]]

PASSAGE_COLUMNS: Final = frozenset({"passage_stage", "opened_at", "closed_at", "passage_seconds", "limit_seconds", "at"})
RETURN_COLUMNS: Final = {
    "return_kind": "r.kind",
    "requested_at": "r.requested_at",
    "received_at": "CASE WHEN r.received_at <= {as_of} THEN r.received_at END",
    "closed_at": "CASE WHEN r.closed_at <= {as_of} THEN r.closed_at END",
    "due_at": "r.requested_at + TO_MILLISECONDS($return_handling_ms)",
}
COMPLAINT_COLUMNS: Final = {"complaint_kind": "r.kind", "complained_at": "r.created_at"}


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A stage's limit as parameters: `$limit_<stage>`, and `$limit_<stage>_<i>` for `$limit_type_<i>`."""

    stage: str
    has_common: bool
    types: tuple[int, ...]

    def sql(self) -> str:
        """SQL of the limit in seconds for one order."""
        common = f"$limit_{self.stage}" if self.has_common else "NULL"
        cases = " ".join(f"WHEN business_type = $limit_type_{i} THEN $limit_{self.stage}_{i}" for i in self.types)
        return f"CASE {cases} ELSE {common} END" if cases else common


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Everything but the values that decides the SQL of the row sources."""

    scope_size: int | None
    offsets: tuple[tuple[int, int], ...]
    limits: tuple[Limit, ...]
    cut_off_ms: int
    holidays: tuple[tuple[int, int], ...]
    grain: Grain | None
    has_start: bool


@dataclass(frozen=True, kw_only=True)
class Period:
    """Which period's parameters a statement part uses: `$start`, `$start_previous` …"""

    suffix: str = ""

    def name(self, parameter: str) -> str:
        """The parameter's SQL for this period."""
        return f"${parameter}{self.suffix}"


@lru_cache(maxsize=4096)
def parse(sql: str) -> exp.Expr:
    """One SQL fragment as a tree; shared, so copy before changing."""
    return parse_one(sql, dialect=DIALECT)


@lru_cache(maxsize=4096)
def column_names(sql: str) -> frozenset[str]:
    """The unqualified columns that a fragment names."""
    return frozenset(column.name for column in parse(sql).find_all(exp.Column) if not column.table)


def local_ms(instant: str, offsets: tuple[tuple[int, int], ...]) -> str:
    """SQL of the clock reading in the business zone, ms since 1970, of an instant."""
    return f"(EPOCH_MS({instant}) + {offset_sql(f'EPOCH_MS({instant})', offsets)})"


def offset_sql(milliseconds: str, offsets: tuple[tuple[int, int], ...]) -> str:
    """SQL of the zone's offset at an instant given in ms: a number, or a CASE over its changes, newest first."""
    if len(offsets) == 1:
        return str(offsets[0][1])
    cases = " ".join(f"WHEN {milliseconds} >= {since} THEN {offset}" for since, offset in reversed(offsets[1:]))
    return f"CASE {cases} ELSE {offsets[0][1]} END"


def utc_ms(local: str, offsets: tuple[tuple[int, int], ...]) -> str:
    """SQL of the instant (ms) of a clock reading; a skipped reading is the change itself, a repeated one its first."""
    if len(offsets) == 1:
        return f"({local} - {offsets[0][1]})"
    steps = [(since + max(before, offset), offset) for (_, before), (since, offset) in pairwise(offsets)]
    cases = " ".join(f"WHEN {local} >= {since} THEN {offset}" for since, offset in reversed(steps))
    return f"({local} - CASE {cases} ELSE {offsets[0][1]} END)"


def scope_condition(size: int | None) -> list[str]:
    """The condition that keeps a row inside the scope; none for everything, FALSE for no region."""
    if size is None:
        return []
    if size == 0:
        return ["FALSE"]
    return ["o.region_code IN (" + ", ".join(f"$scope_{i}" for i in range(size)) + ")"]


def _ship_due(setting: Setting) -> str:
    """The end of the working day in which an order must be shipped: as promised, else by the cut-off."""
    local = local_ms("o.created_at", setting.offsets)
    day = f"({local} // {DAY_MS} + CASE WHEN {local} % {DAY_MS} > {setting.cut_off_ms} THEN 1 ELSE 0 END)"
    if setting.holidays:
        jumps = " ".join(f"WHEN {holiday} THEN {working}" for holiday, working in setting.holidays)
        day = f"(CASE {day} {jumps} ELSE {day} END)"
    end = utc_ms(f"({day} + 1) * {DAY_MS}", setting.offsets)
    return f"COALESCE(o.promised_ship_at, TO_TIMESTAMP(({end} - 1) / 1000.0))"


def _table(name: str, alias: str) -> exp.Expr:
    version = exp.HistoricalData(this="AT", kind="VERSION", expression=exp.Placeholder(this="version"))
    return exp.Table(
        this=exp.to_identifier(name),
        db=exp.to_identifier("lake"),
        alias=exp.TableAlias(this=exp.to_identifier(alias)),
        when=version,
    )


def base(columns: Iterable[str], setting: Setting, *, as_of: str, conditions: list[str]) -> exp.Select:
    """The orders inside scope that exist at `as_of`, meeting the conditions, with the columns named.

    Every row of lake.orders that a statement reads comes through here.
    """
    known = order_columns(as_of) | {"ship_due_at": _ship_due(setting)}
    chosen = [exp.alias_(parse(known[name]).copy(), name) for name in sorted(set(columns) & known.keys())]
    where = [f"o.created_at <= {as_of}", *scope_condition(setting.scope_size), *conditions]
    select = exp.select(*(chosen or [exp.alias_(exp.Literal.number(1), "one")])).from_(_table("orders", "o"))
    return select.where(*(parse(condition).copy() for condition in where), copy=False)


def window_conditions(column: str, setting: Setting, period: Period, *, end: str = "end") -> list[str]:
    """Conditions that an instant lies in the period's window, ended by as-of."""
    conditions = [f"{column} >= {period.name('start')}"] if setting.has_start else []
    return [*conditions, f"{column} < {period.name(end)}"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a row source must deliver: the columns named and the filters that can go into its scan."""

    anchor: Anchor
    columns: frozenset[str]
    filters: tuple[str, ...]
    setting: Setting
    period: Period


def source(request: Request) -> tuple[Ctes, str]:
    """The CTEs that deliver the anchor's rows, and the name of the last one."""
    anchor = request.anchor
    if anchor.rows == "passages":
        return _passages(request)
    if anchor.rows in ("returns", "complaints"):
        return _attached(request)
    if anchor.extra == "risk":
        return _risk(request)
    name = f"orders_{anchor.name}{request.period.suffix}"
    return [(name, _stock(request) if anchor.is_stock else _flow(request))], name


def _flow(request: Request) -> exp.Select:
    anchor, as_of = request.anchor, request.period.name("as_of")
    if anchor.extra == "due":
        conditions = window_conditions(_ship_due(request.setting), request.setting, request.period, end="due_end")
        conditions.append(f"(o.mapped_milestones & {MILESTONE_BIT['shipped']}) <> 0")
    else:
        conditions = window_conditions(f"o.{anchor.at}", request.setting, request.period)
    columns = request.columns | {str(anchor.at)}
    return base(columns, request.setting, as_of=as_of, conditions=[*conditions, *request.filters])


def _stock(request: Request, columns: frozenset[str] = frozenset(), *, instant: str = "as_of") -> exp.Select:
    """Open orders at as-of; with a grain, at the end of each bucket (one row per order and bucket)."""
    period, wanted = request.period, request.columns | columns
    if request.setting.grain is None:
        as_of = period.name(instant)
        return base(wanted, request.setting, as_of=as_of, conditions=[f"o.open_until_at > {as_of}", *request.filters])
    conditions = ["o.open_until_at > i.as_of", f"o.open_until_at > {period.name('start')}", *request.filters]
    conditions.append(f"o.created_at <= {period.name('as_of')}")
    select = base(wanted, request.setting, as_of="i.as_of", conditions=conditions)
    return select.join(f"instants{period.suffix} AS i", join_type="cross", dialect=DIALECT).select("i.bucket")


def _attached(request: Request) -> tuple[Ctes, str]:
    """Returns or complaints of the orders in the scoped base."""
    anchor, period = request.anchor, request.period
    as_of, name = period.name("as_of"), f"{request.anchor.name}_rows{period.suffix}"
    table, known = ("order_returns", RETURN_COLUMNS) if anchor.rows == "returns" else ("order_complaints", COMPLAINT_COLUMNS)
    existing = "r.requested_at" if anchor.rows == "returns" else "r.created_at"
    at = known[str(anchor.at)].format(as_of=as_of)
    raw = "r.closed_at" if anchor.at == "closed_at" else at
    conditions = [*window_conditions(raw, request.setting, period), f"{existing} <= {as_of}", *request.filters]
    select = base(request.columns - known.keys(), request.setting, as_of=as_of, conditions=conditions)
    wanted = sorted((request.columns | {str(anchor.at)}) & known.keys())
    select = select.select(*(exp.alias_(parse(known[column].format(as_of=as_of)).copy(), column) for column in wanted))
    on = parse("r.channel = o.channel AND r.order_id = o.order_id").copy()
    return [(name, select.join(_table(table, "r"), on=on, join_type="inner"))], name


def _passages(request: Request) -> tuple[Ctes, str]:
    """One row per order and stage: those that ended in the window and, where asked, those still waiting at its end."""
    passthrough = request.columns - PASSAGE_COLUMNS | {"business_type"}
    suffix, anchor = request.period.suffix, request.anchor.name
    passed, name = f"orders_{anchor}{suffix}", f"{anchor}_rows{suffix}"
    branches = [_closed_branch(stage, passed, passthrough, request) for stage in STAGES]
    ctes: Ctes = [(passed, _passed_base(request, passthrough))]
    if request.anchor.extra == "waiting":
        waiting = f"orders_waiting{suffix}"
        ctes.append((waiting, _stock(request, passthrough | _WAITING_COLUMNS, instant="until")))
        branches.append(_waiting_branch(waiting, passthrough, request))
    return [*ctes, (name, exp.union(*branches, distinct=False, copy=False))], name


_WAITING_COLUMNS: Final = frozenset(
    {f"{name}_{kind}" for name in FORWARD_MILESTONES for kind in ("at", "measured_at")}
    | {"mapped_milestones", "is_open", "as_of"}
)


def _passed_base(request: Request, passthrough: frozenset[str]) -> exp.Select:
    columns = passthrough | {f"{name}_measured_at" for name in FORWARD_MILESTONES} | {"mapped_milestones"}
    select = base(columns, request.setting, as_of=request.period.name("as_of"), conditions=list(request.filters))
    return select.select(*(f"o.{stage}_at AS {stage}_recorded_at" for stage in STAGES), dialect=DIALECT)


def _passage(passthrough: frozenset[str], figures: dict[str, str]) -> exp.Select:
    chosen = [exp.column(name) for name in sorted(passthrough)]
    return exp.select(*chosen, *(exp.alias_(parse(sql).copy(), name) for name, sql in figures.items()))


def _limit_sql(setting: Setting, stage: str) -> str:
    return next((limit.sql() for limit in setting.limits if limit.stage == stage), "NULL")


def _closed_branch(stage: str, table: str, passthrough: frozenset[str], request: Request) -> exp.Query:
    opened, recorded = opened_at(stage), f"{stage}_recorded_at"
    figures = {
        "passage_stage": f"'{stage}'",
        "at": recorded,
        "passage_seconds": seconds(f"{stage}_measured_at", opened),
        "limit_seconds": f"CAST({_limit_sql(request.setting, stage)} AS DOUBLE)",
    }
    if request.setting.grain:
        figures["bucket"] = bucket_sql(recorded, request.setting)
    select = _passage(passthrough, figures).from_(table)
    return select.where(*window_conditions(recorded, request.setting, request.period), dialect=DIALECT)


def _waiting_branch(table: str, passthrough: frozenset[str], request: Request) -> exp.Query:
    limits = " ".join(f"WHEN '{limit.stage}' THEN {limit.sql()}" for limit in request.setting.limits)
    figures = {
        "passage_stage": "passage_stage",
        "at": "as_of",
        "passage_seconds": seconds("as_of", "waiting_since"),
        "limit_seconds": f"CAST(CASE passage_stage {limits} END AS DOUBLE)" if limits else "CAST(NULL AS DOUBLE)",
    }
    inner = _passage(passthrough | {"as_of"}, {"passage_stage": WAITING_STAGE, "waiting_since": WAITING_SINCE}).from_(table)
    if request.setting.grain:
        figures["bucket"] = "bucket"
        inner = inner.select("bucket")
    return _passage(passthrough, figures).from_(inner.subquery("waiting")).where("passage_stage IS NOT NULL")


def bucket_sql(instant: str, setting: Setting) -> str:
    """SQL of the bucket that holds an instant, as a number: hours as UTC ms, days and longer as local ms."""
    local, offsets = local_ms(instant, setting.offsets), setting.offsets
    if setting.grain == "hour":
        hour = f"{local} // 3600000 * 3600000"
        return f"({hour} - {offset_sql(f'EPOCH_MS({instant})', offsets)})"
    if setting.grain == "week":
        return f"(({local} // {DAY_MS} + 3) // 7 * 7 - 3) * {DAY_MS}"
    if setting.grain == "month":
        return f"EPOCH_MS(DATE_TRUNC('month', MAKE_TIMESTAMP({local} * 1000)))"
    return f"{local} // {DAY_MS} * {DAY_MS}"


def _risk(request: Request) -> tuple[Ctes, str]:
    """Open orders with the chance, by comparable orders of the last weeks, to be delivered in time."""
    suffix, grain = request.period.suffix, request.setting.grain
    names = {key: f"{key}{suffix}" for key in ("orders_at_risk", "orders_comparable", "comparables", "at_risk_rows")}
    wanted = _WAITING_COLUMNS | {"promised_at", "region_code", "business_type", "mapped_milestones"}
    rows = exp.select("*", f"{_FURTHEST} AS furthest", f"{WAITING_SINCE} AS waiting_since", dialect=DIALECT)
    keys = ("bucket",) if grain else ()
    on = [f"c.{key} IS NOT DISTINCT FROM w.{key}" for key in (*keys, "region_code", "business_type", "furthest")]
    joined = (
        exp.select("w.*", f"{_AT_RISK} AS is_at_risk", dialect=DIALECT)
        .from_(rows.from_(names["orders_at_risk"]).subquery("w"))
        .join(f"{names['comparables']} AS c", on=" AND ".join(on), join_type="left", dialect=DIALECT)
    )
    return [
        (names["orders_at_risk"], _stock(request, wanted)),
        (names["orders_comparable"], _comparable_base(request)),
        (names["comparables"], _comparables(names["orders_comparable"], keys)),
        (names["at_risk_rows"], joined),
    ], names["at_risk_rows"]


_FURTHEST: Final = (
    "CASE " + " ".join(f"WHEN {name}_at IS NOT NULL THEN '{name}'" for name in reversed(FORWARD_MILESTONES)) + " END"
)
_STEPS: Final = tuple(round(step * 0.05, 2) for step in range(1, 20))
_LONGER: Final = "LENGTH(LIST_FILTER(c.needed, LAMBDA x : x > {}))"
_WAITED: Final = seconds("w.as_of", "w.waiting_since")
_ALLOWED: Final = seconds("w.promised_at", "w.waiting_since")
_AT_RISK: Final = (
    f"w.promised_at >= w.as_of AND c.comparable_count >= $risk_minimum "
    f"AND ({_LONGER.format(_WAITED)} = 0 OR 2 * {_LONGER.format(_ALLOWED)} > {_LONGER.format(_WAITED)})"
)
"""In danger when most comparable orders that had waited as long needed longer than this one has; by steps of 5 %."""


def _comparable_base(request: Request) -> exp.Select:
    period, setting = request.period, request.setting
    columns = {"region_code", "business_type"} | {f"{name}_measured_at" for name in FORWARD_MILESTONES}
    as_of = "i.as_of" if setting.grain else period.name("as_of")
    conditions = [f"o.delivered_at <= {as_of}", f"o.delivered_at > {as_of} - TO_MILLISECONDS($risk_history_ms)"]
    if not setting.grain:
        return base(columns, setting, as_of=as_of, conditions=conditions)
    conditions.append(f"o.delivered_at > {period.name('start')} - TO_MILLISECONDS($risk_history_ms)")
    select = base(columns, setting, as_of=as_of, conditions=conditions)
    return select.join(f"instants{period.suffix} AS i", join_type="cross", dialect=DIALECT).select("i.bucket")


def _comparables(table: str, keys: tuple[str, ...]) -> exp.Query:
    columns = [*keys, "region_code", "business_type"]
    needed = [(name, seconds("delivered_measured_at", f"{name}_measured_at")) for name in FORWARD_MILESTONES[:-1]]
    selects = [
        exp.select(*columns, f"'{name}' AS furthest", f"{sql} AS seconds", dialect=DIALECT).from_(table) for name, sql in needed
    ]
    union = exp.union(*selects, distinct=False, copy=False)
    quantiles = f"QUANTILE_CONT(seconds, [{', '.join(map(str, _STEPS))}]) AS needed"
    grouped = exp.select(*columns, "furthest", quantiles, "COUNT(seconds) AS comparable_count", dialect=DIALECT)
    return grouped.from_(union.subquery("passages")).group_by(*columns, "furthest")


def is_pushable(sql: str) -> bool:
    """Whether a filter names only columns that no later instant changes, so that it can go into the scan."""
    return column_names(sql) <= RAW_COLUMNS


def qualified(sql: str) -> str:
    """The fragment over columns of `o`, the order in the base."""
    tree = parse(sql).copy()
    for column in tree.find_all(exp.Column):
        if not column.table:
            column.set("table", exp.to_identifier("o"))
    return tree.sql(DIALECT)
