"""Which open orders meet which picks, in one statement; and how many met one at the end of each day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from queries.base import Period, Request, Setting
from queries.build import Statement
from queries.clock import DAY_MS, EPOCH, bucket_start, shift_days
from queries.compose import Composed, written
from queries.fragment import column_names, named, parse, select
from queries.listing import Listing, Moment, shape_of, statement_of
from queries.listing_compose import ListingShape, composed_of, listed_rows
from queries.metric import OPEN
from queries.order_fields import Pick, pick_sql, pick_values
from queries.query import RESOLUTION, Window
from queries.rows import source
from queries.scope import Scope
from queries.setting import Span, setting_of, setting_values, span_values

KEY: Final = ("channel", "order_id", "region_code")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One pick, asked inside a scope of its own (within the moment's)."""

    pick: Pick
    scope: Scope


def build_matches(asked: Sequence[Asked], moment: Moment, *, among: Sequence[tuple[str, str]] | None = None) -> Statement:
    """Every open order that meets one of the picks: channel, order_id, region_code, and `match_<i>` for each pick.

    `among` looks at these orders (channel, order_id) only. Raises QueryError.
    """
    shape, values = shape_of(Listing(population="open", among=None if among is None else tuple(among)), moment)
    conditions = tuple(_condition(one, f"match_{place}") for place, one in enumerate(asked))
    for place, one in enumerate(asked):
        values |= _values(one, f"match_{place}")
    return statement_of(_compose_matches(shape, conditions), values, shape, moment)


def _condition(asked: Asked, prefix: str) -> str:
    sql = f"({pick_sql(asked.pick, prefix)})"
    if asked.scope.everything:
        return sql
    names = ", ".join(f"${prefix}_region_{place}" for place in range(len(asked.scope.regions)))
    return f"{sql} AND region_code IN ({names})" if names else "FALSE"


def _values(asked: Asked, prefix: str) -> dict[str, object]:
    regions: dict[str, object] = {f"{prefix}_region_{place}": code for place, code in enumerate(asked.scope.regions)}
    return pick_values(asked.pick, prefix) | regions


@lru_cache(maxsize=256)
def _compose_matches(shape: ListingShape, conditions: tuple[str, ...]) -> Composed:
    columns = frozenset(KEY).union(*(column_names(sql) for sql in conditions))
    rows = listed_rows(shape, columns)
    chosen = {name: name for name in KEY} | {f"match_{i}": f"COALESCE({sql}, FALSE)" for i, sql in enumerate(conditions)}
    answer = rows.answer.select(*(named(sql, name) for name, sql in chosen.items()), copy=False)
    answer = answer.where(parse(" OR ".join(f"({sql})" for sql in conditions) or "FALSE"), copy=False)
    return composed_of(answer, rows, shape)


@dataclass(frozen=True, kw_only=True)
class DailyShape:
    """All that decides the text of a count by day."""

    condition: str
    setting: Setting


def build_daily(asked: Asked, moment: Moment, *, days: int) -> Statement:
    """How many open orders met the pick at the end of each of the last days (the last: at as-of), and how many newly so.

    Columns: `bucket` (`day_of` reads it), `matched`, `fresh`; a day without any has no row.
    """
    first = shift_days(bucket_start(moment.as_of, "day", moment.zone), 1 - days, moment.zone)
    span = Span(window=Window(start=first, end=moment.as_of + RESOLUTION), as_of=moment.as_of, newest=moment.newest)
    edition = moment.targets.at(moment.as_of, moment.zone)
    shape = DailyShape(
        condition=_condition(asked, "match"),
        setting=setting_of(moment.scope, span, edition, grain="day", zone=moment.zone),
    )
    values = span_values(span, "day", moment.zone, edition) | setting_values(moment.scope, moment.version, edition)
    values |= _values(asked, "match")
    composed = _compose_daily(shape)
    parameters = {name: values[name] for name in sorted(composed.parameters)}
    return Statement(sql=composed.sql, parameters=parameters, columns=composed.columns)


@lru_cache(maxsize=128)
def _compose_daily(shape: DailyShape) -> Composed:
    columns = frozenset(KEY) | column_names(shape.condition)
    request = Request(anchor=OPEN, columns=columns, filters=(), setting=shape.setting, period=Period())
    ctes, name = source(request)
    instants = select("UNNEST(CAST($each_bucket AS BIGINT[])) AS bucket", "UNNEST(CAST($each_as_of AS TIMESTAMPTZ[])) AS as_of")
    since = "MIN(bucket) OVER (PARTITION BY channel, order_id) AS since"
    met = select("bucket", since).from_(name, copy=False).where(parse(shape.condition), copy=False)
    figures = ("bucket", "COUNT(*) AS matched", "COUNT(*) FILTER (WHERE since = bucket) AS fresh")
    answer = select(*figures).from_("met", copy=False).group_by("bucket", copy=False).order_by("bucket", copy=False)
    for own, query in [("instants", instants), *ctes, ("met", met)]:
        answer = answer.with_(own, as_=query, copy=False)
    return written(answer)


def day_of(bucket: int) -> date:
    """The calendar day of a bucket of `build_daily`."""
    return EPOCH.date() + timedelta(days=bucket // DAY_MS)
