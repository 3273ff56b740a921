"""Normal: how long comparable orders took in a stage on usual days, so that what an order loses beyond it can be counted.

A node's normal (`data.comparable` says what is comparable) is what nine in ten of its orders kept to on the median day of
the history, so that a few bad days do not become normal. It is drawn to its region's, the more the fewer orders it stands
on, and moved by what customer tier and part of the week usually cost in that stage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlglot import exp

from data.comparable import COMPARED_COLUMNS, kind_key_sql, node_key_sql
from data.order import FORWARD_MILESTONES
from data.recent import Derived
from data.targets import Edition, Targets
from data.zone import offset_sql, offsets
from queries.base import Ctes, Period, Request, Setting, kept
from queries.clock import DAY_MS, bucket_start
from queries.columns import Sight, order_columns
from queries.fragment import DIALECT, parse, select
from queries.metric import PASSED
from queries.passages import passages, stands_in_memory
from queries.query import RESOLUTION

KEPT_NORMALS: Final = "normals"
"""The table in memory that holds the normals of the newest day of data."""

QUANTILE: Final = 0.9
"""Nine in ten comparable orders take no longer."""

SHRINKAGE: Final = 50
"""A node with so many orders in the history stands half for itself, half for its region."""

LEAST_A_DAY: Final = 10
"""With fewer orders a day than this the days are not looked at one by one but together."""

STORED: Final = frozenset({"normal_counted", "normal_levels", "normal_logs", KEPT_NORMALS})
"""CTEs that are read more than once: worked out once, or the history would be counted sixteen times."""

KEYS: Final = frozenset({"node_key", "kind_key"})
SAME: Final = frozenset({"passage_stage", "at", "passage_seconds", "region_code"})
BIN: Final = "CAST(FLOOR(20 * LN(passage_seconds / 60 + 1)) AS INTEGER)"
"""Times are counted in steps of five per cent: finer than anyone asks for, and quick to count."""
SECONDS_OF_BIN: Final = "60 * (EXP(({bin} + 1) / 20.0) - 1)"
PERIOD: Final = Period(suffix="_normal")


def normal_days(as_of: datetime, zone: ZoneInfo, edition: Edition) -> dict[str, object]:
    """The history that an instant's normals are taken from: the days before its own, seen at their end."""
    today = bucket_start(as_of, "day", zone)
    return {
        "start_normal": today - timedelta(seconds=edition.normal_history_seconds),
        "end_normal": today,
        "as_of_normal": today - RESOLUTION,
        "normal_minimum": edition.normal_minimum_count,
    }


def normals_named(values: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
    """Which normals a period's parameters name."""
    return tuple((name, values[name]) for name in ("start_normal", "end_normal", "as_of_normal", "normal_minimum"))


def passages_with_normals(request: Request) -> tuple[Ctes, str]:
    """Passages with `normal_seconds` beside them; null for a node without a history and where few orders are comparable."""
    ctes, rows = _keyed_passages(replace(request, columns=request.columns - {"normal_seconds"}))
    # One CTE of normals serves all periods of a statement: orders of both are measured by the same yardstick.
    normals = [] if request.period.suffix else normal_ctes(request.setting)
    name = f"{rows}_beside_normals"
    return [*ctes, *normals, (name, beside_normals(rows))], name


def normal_ctes(setting: Setting) -> Ctes:
    """The CTE `normals`, from memory where the setting has them, else with those it is made of."""
    if setting.has_normals:
        return [(KEPT_NORMALS, exp.select("c.*").from_(kept(KEPT_NORMALS, "c")))]
    return _normals(replace(setting, grain=None, has_start=True, has_visits=False))


NORMAL_SECONDS: Final = "EXP(n.log_seconds + COALESCE(k.log_seconds, 0))"
"""Of the normals `n` of a node and `k` of a kind."""


def beside_normals(rows: str) -> exp.Select:
    """The rows, which have `node_key` and `kind_key`, with `normal_seconds`."""
    return (
        select("r.*", f"{NORMAL_SECONDS} AS normal_seconds")
        .from_(exp.to_table(rows, alias="r"), copy=False)
        .join(f"{KEPT_NORMALS} AS n", on="n.key = r.node_key", join_type="left", dialect=DIALECT, copy=False)
        .join(f"{KEPT_NORMALS} AS k", on="k.key = r.kind_key", join_type="left", dialect=DIALECT, copy=False)
    )


def join_normals(rows: exp.Select) -> exp.Select:
    """Passages `o` that are kept in memory, joined to the normals kept there: `n` of the node, `k` of the kind."""
    for alias, key in (("n", "node_key"), ("k", "kind_key")):
        rows = rows.join(kept(KEPT_NORMALS, alias), on=f"{alias}.key = o.{key}", join_type="left", dialect=DIALECT)
    return rows


def _keyed_passages(request: Request) -> tuple[Ctes, str]:
    """The passages with the keys of what they are compared with."""
    wanted = request.columns | SAME
    if stands_in_memory(request):
        return passages(replace(request, columns=wanted | KEYS))
    ctes, rows = passages(replace(request, columns=wanted | frozenset(COMPARED_COLUMNS)))
    opened = "(EPOCH_MS(at) - CAST(passage_seconds * 1000 AS BIGINT))"
    kind = kind_key_sql("passage_stage", opened, offset_sql(opened, request.setting.offsets))
    keyed = select("*", f"{node_key_sql('passage_stage')} AS node_key", f"{kind} AS kind_key").from_(rows, copy=False)
    return [*ctes, (f"{rows}_keyed", keyed)], f"{rows}_keyed"


def _normals(setting: Setting) -> Ctes:
    """CTEs, the last one `normals`: `key`, `log_seconds`: of a node its seconds, of a kind what it adds, as logarithms."""
    request = Request(anchor=PASSED, columns=SAME, filters=(), setting=setting, period=PERIOD)
    ctes, history = _keyed_passages(request)
    day = f"(EPOCH_MS(at) + {offset_sql('EPOCH_MS(at)', setting.offsets)}) // {DAY_MS}"
    stage = "HASH(COALESCE(region_code, ''), passage_stage) AS stage_key"
    counted = select("node_key", "kind_key", stage, f"{day} AS day", f"{BIN} AS bin")
    counted = counted.from_(history, copy=False).where("passage_seconds IS NOT NULL", copy=False)
    return [*ctes, ("normal_times", counted), *_steps()]


_COUNTED: Final = """
    SELECT COALESCE(node_key, kind_key) AS key, GROUPING(node_key) AS is_kind, stage_key, day, bin, COUNT(*) AS n
    FROM normal_times
    GROUP BY GROUPING SETS ((stage_key, node_key, day, bin), (stage_key, kind_key, day, bin))
"""
_SAME_STAGE: Final = "s.level = 2 AND s.stage_key = o.stage_key AND o.level < 2 AND s.n >= $normal_minimum"


def _steps() -> Ctes:
    """From times counted by step to each key's own quantile, and from that to the normals; level 0 is nodes, 1 kinds, 2 stages."""
    keys = ("key", "level", "stage_key")
    joined = ", ".join(keys)
    own = select("key", "CAST(is_kind AS INTEGER) AS level", "stage_key", "day", "bin", "n").from_("normal_counted")
    stages = select("stage_key AS key", "2 AS level", "stage_key", "day", "bin", "SUM(n) AS n").from_("normal_counted")
    stages = stages.where("is_kind = 0").group_by("stage_key", "day", "bin")
    pooled = select(*keys, "NULL AS day", "bin", "SUM(n) AS n").from_("normal_levels").group_by(*keys, "bin")
    by_day = f"PARTITION BY {joined}, day"
    reached = select(
        *keys, "day", "bin", f"SUM(n) OVER ({by_day} ORDER BY bin) AS reached", f"SUM(n) OVER ({by_day}) AS total"
    ).from_("normal_bins")
    first = f"MIN(bin) FILTER (WHERE reached >= {QUANTILE} * total) AS bin"
    quantiles = select(*keys, "day", first, "MAX(total) AS n").from_("normal_reached").group_by(*keys, "day")
    figures = ("MAX(n) FILTER (WHERE day IS NULL) AS n", "COUNT(day) AS days", "MAX(bin) FILTER (WHERE day IS NULL) AS pooled")
    usual = select(*keys, *figures, "MEDIAN(bin) FILTER (WHERE day IS NOT NULL) AS usual")
    usual = usual.from_("normal_quantiles").group_by(*keys)
    seconds = SECONDS_OF_BIN.format(bin=f"CASE WHEN n >= {LEAST_A_DAY} * days THEN usual ELSE pooled END")
    logs = select(*keys, "CAST(n AS DOUBLE) AS n", f"LN({seconds}) AS log_seconds").from_("normal_usual")
    drawn = f"o.n / (o.n + {SHRINKAGE}) * (o.log_seconds - s.log_seconds)"
    normals = select("o.key", f"CASE WHEN o.level = 0 THEN s.log_seconds ELSE 0 END + {drawn} AS log_seconds")
    normals = normals.from_(exp.to_table("normal_logs", alias="o"))
    return [
        ("normal_counted", parse(_COUNTED).copy()),  # type: ignore[list-item]
        ("normal_levels", exp.union(own, stages, distinct=False)),
        ("normal_bins", exp.union(select(*keys, "day", "bin", "n").from_("normal_levels"), pooled, distinct=False)),
        ("normal_reached", reached),
        ("normal_quantiles", quantiles),
        ("normal_usual", usual),
        ("normal_logs", logs),
        (KEPT_NORMALS, normals.join("normal_logs AS s", on=_SAME_STAGE, dialect=DIALECT)),
    ]


def kept_normals(zone: ZoneInfo, read_targets: Callable[[], Targets]) -> Derived:
    """What `Recent` keeps of the history, over all regions: made anew when the day or what is known of these days changes."""
    setting = Setting(
        scope_size=None,
        offsets=offsets(zone),
        limits=(),
        cut_off_ms=0,
        holidays=(),
        grain=None,
        has_start=True,
        is_recent=True,
        has_visits=True,
    )
    *steps, (_, rows) = _normals(setting)
    for name, query in steps:
        rows = rows.with_(name, as_=query, materialized=True if name in STORED else None)
    return Derived(
        name=KEPT_NORMALS,
        sql=rows.sql(DIALECT),
        touches="o.created_at < $end_normal AND o.settled_at >= $start_normal",
        values_at=lambda as_of: normal_days(as_of, zone, read_targets().at(as_of, zone)),
        told=_told(),
    )


def _told() -> str:
    """What the history knows of one order: where that stays the same the normals do."""
    seen = order_columns(Sight(as_of="$as_of_normal", is_recent=True))
    instants = [seen[f"{name}_{kind}"] for name in FORWARD_MILESTONES for kind in ("at", "measured_at")]
    return f"HASH({', '.join((*instants, *(f'o.{name}' for name in COMPARED_COLUMNS), 'o.mapped_milestones'))})"
