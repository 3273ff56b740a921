"""At risk: open orders that comparable orders say will miss their promise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlglot import exp

from data.order import FORWARD_MILESTONES
from data.recent import Derived, Horizon
from data.targets import Edition, Targets
from queries.base import Ctes, Period, Request, Setting, base, kept, stock
from queries.clock import bucket_start
from queries.columns import WAITING_SINCE, Sight
from queries.fragment import DIALECT, select
from queries.metric import AT_RISK as AT_RISK_ANCHOR
from queries.passages import WAITING_COLUMNS, is_carried

STEPS: Final = tuple(round(step * 0.05, 2) for step in range(1, 20))
"""What comparable orders needed is kept as these quantiles: a distribution in twenty equal steps."""

KEPT_COMPARABLES: Final = "comparables"
"""The table in memory that holds what delivered orders needed, for the newest day of data."""

BEFORE_DELIVERY: Final = FORWARD_MILESTONES[:-1]
GROUPS: Final = ("region_code", "business_type")
JUDGED: Final = frozenset({"is_at_risk", "promised_at"})


def _milliseconds(later: str, earlier: str) -> str:
    return f"EPOCH_MS({later}) - EPOCH_MS({earlier})"


FURTHEST: Final = (
    "CASE " + " ".join(f"WHEN {name}_at IS NOT NULL THEN '{name}'" for name in reversed(FORWARD_MILESTONES)) + " END"
)
WAITED: Final = _milliseconds("as_of", "waiting_since")
ALLOWED: Final = _milliseconds("promised_at", "waiting_since")
NEEDED: Final = tuple(f"needed_{step}" for step in range(1, len(STEPS) + 1))


def _longer_than(value: str) -> str:
    """How many of the steps, which ascend, lie beyond a value: a search by halves, where a list would be walked row by row."""
    return f"(CASE WHEN {value} IS NOT NULL THEN {_steps_beyond(value, 0, len(NEEDED))} END)"


def _steps_beyond(value: str, first: int, end: int) -> str:
    if first == end:
        return str(len(NEEDED) - first)
    middle = (first + end) // 2
    lower, upper = _steps_beyond(value, first, middle), _steps_beyond(value, middle + 1, end)
    return f"CASE WHEN {NEEDED[middle]} > {value} THEN {lower} ELSE {upper} END"


AT_RISK: Final = (
    "CASE WHEN promised_at >= as_of AND comparable_count >= $risk_minimum "
    f"THEN waited_steps = 0 OR 2 * {_longer_than('allowed')} > waited_steps END"
)
"""In danger when most comparable orders that had waited as long needed longer than this one is allowed."""


def risk(request: Request) -> tuple[Ctes, str]:
    """Open orders with `is_at_risk`, by comparable orders: same region, business type and furthest milestone."""
    suffix, grain = request.period.suffix, request.setting.grain
    waiting, delivered, needed, comparables, rows = (
        f"{name}{suffix}" for name in ("orders_at_risk", "orders_comparable", "needed", "comparables", "at_risk_rows")
    )
    days = ("risk_end",) if grain else ()
    known, open_orders = _waiting(request, waiting)
    timed = select("*", f"{WAITED} AS waited", f"{ALLOWED} AS allowed").from_(known.subquery("known", copy=False), copy=False)
    joined = (
        select("w.*", *(f"c.{name}" for name in (*NEEDED, "comparable_count")))
        .from_(timed.subquery("w", copy=False), copy=False)
        .join(f"{comparables} AS c", on=_same((*days, *GROUPS, "furthest")), join_type="left", dialect=DIALECT, copy=False)
    )
    stepped = select("*", f"{_longer_than('waited')} AS waited_steps").from_(joined.subquery("stepped", copy=False), copy=False)
    judged = select("*", f"{AT_RISK} AS is_at_risk").from_(stepped.subquery("compared", copy=False), copy=False)
    keys = (*days, *GROUPS)
    compared: Ctes = [
        (delivered, _delivered(request)),
        (needed, _needed(delivered, keys)),
        (comparables, _comparables(needed, keys)),
    ]
    if request.period.has_comparables:
        compared = [(comparables, exp.select("c.*").from_(kept(KEPT_COMPARABLES, "c")))]
    return [(waiting, open_orders), *compared, (rows, judged)], rows


def _waiting(request: Request, name: str) -> tuple[exp.Select, exp.Select]:
    """The open orders with their furthest milestone and since when it is that; and those they are read from."""
    period, grain, wanted = request.period, request.setting.grain, {"promised_at", *GROUPS}
    if grain is None and is_carried(request.columns - JUDGED, request):
        as_of = period.name("as_of")
        now = [f"o.from_at <= {as_of}", f"o.until_at > {as_of}", *request.filters]
        columns = (request.columns | {*GROUPS, "as_of"}) - JUDGED
        rows = base(columns, request.setting, sight=period.sight("created"), conditions=now, table="waits")
        rows = rows.select("o.promised_at", "o.furthest", copy=False)
        rows = rows.select(f"CASE WHEN o.sound_until > {as_of} THEN o.waiting_since END AS waiting_since", copy=False)
        return select("*").from_(name, copy=False), rows
    open_orders = stock(request, WAITING_COLUMNS | wanted)
    open_orders = open_orders.select("i.risk_end", copy=False) if grain else open_orders
    return select("*", f"{FURTHEST} AS furthest", f"{WAITING_SINCE} AS waiting_since").from_(name, copy=False), open_orders


def _same(keys: tuple[str, ...]) -> str:
    return " AND ".join(f"c.{key} IS NOT DISTINCT FROM w.{key}" for key in keys)


def _delivered(request: Request) -> exp.Select:
    """Orders delivered in the days before as-of's own; the question's filters do not narrow what is comparable."""
    period, setting = request.period, request.setting
    columns = {*GROUPS} | {f"{name}_measured_at" for name in FORWARD_MILESTONES}
    if not setting.grain:
        conditions = [f"o.delivered_at < {period.name('risk_end')}", f"o.delivered_at >= {period.name('risk_start')}"]
        return base(columns, setting, sight=period.sight("delivered"), conditions=conditions)
    earliest = f"o.delivered_at >= {period.name('risk_start')}"
    sight = Sight(as_of="d.risk_end", certain=frozenset({"created", "delivered"}))
    rows = base(
        columns, setting, sight=sight, conditions=[earliest, "o.delivered_at >= d.risk_start", "o.delivered_at < d.risk_end"]
    )
    days = select("risk_start", "risk_end").distinct().from_(f"instants{period.suffix}")
    return rows.join(days.subquery("d"), join_type="cross", copy=False).select("d.risk_end", copy=False)


def _needed(table: str, keys: tuple[str, ...]) -> exp.Select:
    """What orders needed from each milestone to delivery, and how many there are."""
    figures = []
    for name in BEFORE_DELIVERY:
        needed = _milliseconds("delivered_measured_at", f"{name}_measured_at")
        figures += [
            f"QUANTILE_CONT({needed}, [{', '.join(map(str, STEPS))}]) AS needed_{name}",
            f"COUNT({needed}) AS {name}_count",
        ]
    return select(*keys, *figures).from_(table, copy=False).group_by(*keys, copy=False)


def _comparables(table: str, keys: tuple[str, ...]) -> exp.Query:
    """The same with a row for each milestone, the steps as columns."""
    rows = []
    for name in BEFORE_DELIVERY:
        steps = (f"needed_{name}[{index + 1}] AS {column}" for index, column in enumerate(NEEDED))
        rows.append(select(*keys, f"'{name}' AS furthest", *steps, f"{name}_count AS comparable_count").from_(table, copy=False))
    return exp.union(*rows, distinct=False, copy=False)


def has_comparables(held: Horizon, period: Mapping[str, object]) -> bool:
    """Whether what is kept in memory was needed in the very days that a period (its parameters) compares with."""
    kept = dict(held.derived).get(KEPT_COMPARABLES)
    return kept == tuple((name, period[name]) for name in ("risk_end", "risk_start"))


def kept_comparables(zone: ZoneInfo, read_targets: Callable[[], Targets]) -> Derived:
    """What `Recent` keeps of delivered orders, so that a page need not measure half a million of them at each snapshot.

    The same SQL as in a statement whose period is settled, over all regions: the region is a key.
    """
    period = Period(is_settled=True)
    setting = Setting(
        scope_size=None, offsets=((0, 0),), limits=(), cut_off_ms=0, holidays=(), grain=None, has_start=False, is_recent=True
    )
    request = Request(anchor=AT_RISK_ANCHOR, columns=frozenset(), filters=(), setting=setting, period=period)
    rows = _comparables("needed", GROUPS)
    rows = rows.with_("delivered", as_=_delivered(request)).with_("needed", as_=_needed("delivered", GROUPS))
    return Derived(
        name=KEPT_COMPARABLES,
        sql=rows.sql(DIALECT),
        touches="o.delivered_at >= $risk_start AND o.delivered_at < $risk_end",
        values_at=lambda as_of: risk_days(as_of, zone, read_targets().at(as_of, zone)),
    )


def risk_days(as_of: datetime, zone: ZoneInfo, edition: Edition) -> dict[str, datetime]:
    """From when until when orders at risk look for comparable delivered orders: the days before as-of's own."""
    today = bucket_start(as_of, "day", zone)
    return {"risk_start": today - timedelta(seconds=edition.at_risk_history_seconds), "risk_end": today}
