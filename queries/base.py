"""The base: the only place that reads the lake's tables. Scope, as-of and snapshot are applied here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlglot import exp

from data.lake import RECENT
from data.leading import LISTED
from data.order import STAGES
from data.zone import Offsets
from queries.clock import DAY_MS
from queries.columns import Sight, order_columns
from queries.fragment import DIALECT, local_ms, named, parse, select, utc_ms
from queries.limits import Limit
from queries.metric import Anchor
from queries.query import Grain

Ctes = list[tuple[str, exp.Query]]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Everything but the values that decides the SQL of the row sources.

    `is_recent` reads the orders kept in memory, `has_visits` also the stages that they passed and waited in, `has_waits` at
    least those waited in at the ends, `has_normals` what is normal kept beside them, `cells` the passages counted by the hour,
    `order_cells` the orders, `has_open_cells` when they were open, `flow_cells` what entered and left. `all_begun`: the creation
    of every order is known. With `has_older` the older orders kept beside the recent ones are read too.
    """

    scope_size: int | None
    offsets: Offsets
    limits: tuple[Limit, ...]
    cut_off_ms: int
    holidays: tuple[tuple[int, int], ...]
    grain: Grain | None
    has_start: bool
    all_begun: bool = False
    is_recent: bool = False
    has_visits: bool = False
    has_waits: bool = False
    has_normals: bool = False
    cells: tuple[str, ...] = ()
    order_cells: tuple[str, ...] = ()
    has_open_cells: bool = False
    flow_cells: tuple[str, ...] = ()
    has_older: bool = False


@dataclass(frozen=True, kw_only=True)
class Period:
    """Which period's parameters a statement part uses: `$start`, `$start_previous` …

    `is_settled` says that no milestone lies after the period's as-of and end, `is_known` only that none lies after its as-of,
    `is_current` that its last instant is as-of, `has_comparables` that what orders at risk are compared with is kept in
    memory, `has_visits` that the stages passed and waited in are.
    """

    suffix: str = ""
    is_settled: bool = False
    is_known: bool = False
    is_current: bool = False
    has_comparables: bool = False
    has_visits: bool = False

    def name(self, parameter: str) -> str:
        """The parameter's SQL for this period."""
        parameter = "as_of" if parameter == "until" and self.is_current else parameter
        return f"${parameter}{self.suffix}"

    def sight(self, *certain: str, instant: str = "as_of") -> Sight:
        """The sight at one of the period's instants, of rows whose milestones `certain` are known to lie before it."""
        is_settled = self.is_settled or (self.is_known and self.name(instant) == self.name("as_of"))
        return Sight(as_of=self.name(instant), is_settled=is_settled, certain=frozenset({"created", *certain}))


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a row source must deliver: the columns named and the filters that can go into its scan; of passages only these stages."""

    anchor: Anchor
    columns: frozenset[str]
    filters: tuple[str, ...]
    setting: Setting
    period: Period
    stages: tuple[str, ...] = STAGES


def scope_condition(size: int | None) -> list[str]:
    """The condition that keeps a row inside the scope; none for everything, FALSE for no region."""
    if size is None:
        return []
    if size == 0:
        return ["FALSE"]
    return ["o.region_code IN (" + ", ".join(f"$scope_{i}" for i in range(size)) + ")"]


def ship_due_by_cut_off(setting: Setting) -> str:
    """The end of the working day in which an order without a promise must be shipped: the day its cut-off falls on."""
    local = local_ms("o.created_at", setting.offsets)
    # After its cut-off a day is the next one.
    day = f"(({local} + {DAY_MS - 1 - setting.cut_off_ms}) // {DAY_MS})"
    if setting.holidays:
        jumps = " ".join(f"WHEN {holiday} THEN {working}" for holiday, working in setting.holidays)
        day = f"(CASE {day} {jumps} ELSE {day} END)"
    end = utc_ms(f"({day} + 1) * {DAY_MS}", setting.offsets)
    return f"TO_TIMESTAMP(({end} - 1) / 1000.0)"


def kept(name: str, alias: str) -> exp.Expr:
    """A table of the recent orders in memory; they are those of the snapshot, or the statement is not run."""
    alias_ = exp.TableAlias(this=exp.to_identifier(alias))
    return exp.Table(this=exp.to_identifier(name), db=exp.to_identifier(RECENT), alias=alias_)


def table_at(name: str, alias: str) -> exp.Expr:
    """A table of the lake at the snapshot."""
    version = exp.HistoricalData(this="AT", kind="VERSION", expression=exp.Placeholder(this="version"))
    return exp.Table(
        this=exp.to_identifier(name),
        db=exp.to_identifier("lake"),
        alias=exp.TableAlias(this=exp.to_identifier(alias)),
        when=version,
    )


def base(columns: Iterable[str], setting: Setting, *, sight: Sight, conditions: list[str], table: str = "orders") -> exp.Select:
    """The orders inside scope that exist at the sight's instant, meeting the conditions, with the columns named.

    Every row of lake.orders that a statement reads comes through here; `table` names the kept rows where they are recent.
    """
    sight = replace(sight, is_recent=setting.is_recent)
    table = LISTED if setting.has_older and table == "orders" else table
    known = order_columns(sight) | {"ship_due_at": f"COALESCE(o.promised_ship_at, {ship_due_by_cut_off(setting)})"}
    chosen = [named(known[name], name) for name in sorted(set(columns) & known.keys())]
    # What a later source or a return named before its order came is no order yet; in memory there is no such row.
    settled = [] if setting.is_recent or setting.all_begun else ["o.created_at IS NOT NULL"]
    existing = settled if sight.is_settled else [f"o.created_at <= {sight.as_of}"]
    where = [*existing, *scope_condition(setting.scope_size), *conditions]
    read = kept(table, "o") if setting.is_recent else table_at("orders", "o")
    rows = select(*(chosen or [named("1", "one")])).from_(read, copy=False)
    return rows.where(*(parse(condition) for condition in where), copy=False)


def window_conditions(column: str, setting: Setting, period: Period, *, end: str = "end") -> list[str]:
    """Conditions that an instant lies in the period's window, ended by as-of."""
    conditions = [f"{column} >= {period.name('start')}"] if setting.has_start else []
    return [*conditions, f"{column} < {period.name(end)}"]


def stock(request: Request, columns: frozenset[str] = frozenset(), *, instant: str = "as_of") -> exp.Select:
    """Open orders at as-of; with a grain, at the end of each bucket (one row per order and bucket)."""
    period, wanted = request.period, request.columns | columns
    if request.setting.grain is None:
        sight = period.sight(instant=instant)
        return base(wanted, request.setting, sight=sight, conditions=[f"o.open_until_at > {sight.as_of}", *request.filters])
    conditions = ["o.open_until_at > i.as_of", f"o.open_until_at > {period.name('start')}", *request.filters]
    conditions.append(f"o.created_at <= {period.name('as_of')}")
    rows = base(wanted, request.setting, sight=Sight(as_of="i.as_of"), conditions=conditions)
    rows = rows.join(f"instants{period.suffix} AS i", join_type="cross", dialect=DIALECT, copy=False)
    return rows.select("i.bucket", copy=False)
