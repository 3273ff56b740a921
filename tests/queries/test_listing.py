"""The rows behind every figure: exactly as many as its n, the bad ones among them, in pages that do not shift."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from data.lake import Newest
from data.order import MILESTONES
from queries.dimensions import DIMENSIONS
from queries.listing import MOST_ROWS, Cursor, Listing, Moment, Part, build_count, build_listing, build_page, cursor_at
from queries.listing_columns import LISTING_COLUMNS
from queries.metrics import METRICS
from queries.query import Filter, Query, QueryError, Window
from queries.run import run
from queries.scope import Scope
from tests.queries.desk import AS_OF, Desk, Row
from tests.queries.test_laws import BEGIN, EXAMPLES, LAKES, REGIONS, SLOW, TARGETS, at

WINDOW = Window(start=BEGIN, end=AS_OF + timedelta(hours=12))
LONGEST_PAGE = 1000
HOURS_IN_WINDOW = (AS_OF + timedelta(milliseconds=1) - BEGIN) / timedelta(hours=1)
ADDED = {"over_limit_seconds": "excess_seconds", "lost_seconds": "lost_seconds", "order_amount": "amount"}
"""Sums of something else than rows: what their rows add up to is checked, by the column named."""


GROUPED = ("region", "status", "stage", "age_bucket", "hour", "exception", "return_kind", "complaint_kind")


@pytest.fixture(scope="module")
def full(desk: Desk) -> Desk:
    """A few dozen orders of every kind, some late, inferred, contradictory, cancelled; with returns and complaints."""
    return desk.filled(*a_lake()).with_targets(TARGETS)


def a_lake() -> tuple[list[Row], list[Row], list[Row]]:
    """Orders, returns and complaints of every kind."""
    orders, returns, complaints = [], [], []
    for number in range(48):
        side = (("cancelled",), ("return_requested", "returned"), ())[number % 3]
        reached = (*MILESTONES[1 : 1 + min(9, number % 12)], *side)
        spread = timedelta(minutes=7 * number)
        row: Row = {"id": f"O{number:02d}", "created": at(number), "region": REGIONS[number % 5 % 4], "amount": 10.0 + number}
        row |= {name: at(number + step * (1 + number % 8)) + spread for step, name in enumerate(reached, 1)}
        row |= {"paid": at(number - 1)} if number % 7 == 6 and "paid" in row else {}
        row |= {"promised": at(number + (90 if number % 6 == 2 else 20)), "promised_ship": at(number + 9)}
        row |= {
            "inferred": reached[number % 3 :: 3] if number % 4 else (),
            "quantity": 2.0,
            "delivered_quantity": 1.0 + number % 2,
        }
        row |= {"exception": "held", "failed_attempt_count": 1, "exception_at": at(number + 2)} if number % 5 == 0 else {}
        row |= {"city": None, "carrier": "C1"} if number % 2 else {"city": "Wuhan", "source_order_ids": f"X{number} Y{number}"}
        orders.append(row | {"freight_cost": 1.0 + number % 5})
    for number in range(20):
        of, kind = {"id": number, "order": f"O{number:02d}"}, number % 2
        closed = at(number * 4 + (9 if number % 3 else 30)) + timedelta(minutes=number)
        returns.append(of | {"kind": ("refund", "exchange")[kind], "requested": at(number * 4), "closed": closed})
        complaints.append(of | {"order": f"O0{number % 9}", "kind": ("delay", "damaged")[kind], "created": at(number * 5)})
    return orders, returns, complaints


def moment(desk: Desk, **changes: Any) -> Moment:
    """The desk's moment; `newest` may be an instant alone."""
    known: dict[str, Any] = {
        "scope": desk.scope,
        "version": desk.version,
        "as_of": desk.as_of,
        "zone": desk.zone,
        "targets": desk.targets,
    }
    newest = changes.get("newest")
    return Moment(**(known | changes | ({"newest": Newest(at=newest)} if isinstance(newest, datetime) else {})))


def test_what_was_named_before_its_order_came_is_no_order_yet(desk: Desk) -> None:
    """A later source's row and a return of an order nobody knows: no figure and no list holds them, however they are seen."""
    hours = {"shipped": 9, "delivered": 5, "promised": 7}
    row: Row = {"id": "O1", "created": None} | {name: AS_OF - timedelta(hours=hour) for name, hour in hours.items()}
    back = {"id": "R1", "order": "O1", "kind": "refund", "requested": AS_OF - timedelta(hours=4), "closed": AS_OF}
    counts = (
        "order_count",
        "shipped_count",
        "delivered_count",
        "backlog_count",
        "late_rate_n",
        "return_count",
        "over_limit_count",
    )
    filled = desk.filled([row, {"id": "O2", "created": AS_OF - timedelta(hours=3)}], [back]).with_targets(TARGETS)
    newest = filled.lake.newest_milestone(filled.version)
    assert newest is not None
    assert not newest.all_begun
    for known in (None, AS_OF - timedelta(hours=5)):
        figures = {name: filled.ask(Query(metrics=(name.removesuffix("_n"),)), newest=known)[0][name] for name in counts}
        assert figures == dict.fromkeys(counts, 0) | {"order_count": 1, "backlog_count": 1}
        rows = run(filled.lake, build_listing(Listing(), moment(filled, newest=known)))
        assert rows["order_id"].to_list() == ["O2"]
    begun = desk.filled([{"id": "O2", "created": AS_OF}])
    newest = begun.lake.newest_milestone(begun.version)
    assert newest is not None
    assert newest.all_begun


def at_once(desk: Desk, listing: Listing, **changes: Any) -> list[Row]:
    """The rows of a list read in one step, as whole lists are."""
    return run(desk.lake, build_listing(listing, moment(desk, **changes))).to_dicts()


def listed(desk: Desk, listing: Listing, **changes: Any) -> list[Row]:
    """The rows of a page; read in two steps (as pages are, whole lists are not) and in one, which must be the same."""
    here = moment(desk, **changes)
    once = run(desk.lake, build_listing(listing, here))
    if listing.limit > LONGEST_PAGE:
        return once.to_dicts()
    page = run(desk.lake, build_page(listing, here))
    twice = run(desk.lake, build_listing(listing, here, page=page))
    assert twice.rows() == once.rows()
    return once.to_dicts()


def count(desk: Desk, listing: Listing, **changes: Any) -> int:
    """How many rows the list has."""
    return int(run(desk.lake, build_count(listing, moment(desk, **changes)))["order_count"][0])


def figures(desk: Desk, metric: str, by: tuple[str, ...], where: tuple[Filter, ...] = ()) -> dict[tuple[object, ...], float]:
    """Each group's n by the metric's own statement, or for sums the figure; groups of nothing left out."""
    found = {}
    for row in desk.ask(Query(metrics=(metric,), by=by, where=where, window=WINDOW)):
        figure = row[f"{metric}_n"] if METRICS[metric].n else row[metric]
        hours = HOURS_IN_WINDOW if METRICS[metric].unit == "per_hour" else 1
        found[tuple(row[name] for name in by)] = round((figure or 0) * hours, 6)
    return {group: figure for group, figure in found.items() if figure}


def behind(desk: Desk, metric: str, by: tuple[str, ...], where: tuple[Filter, ...] = ()) -> dict[tuple[object, ...], float]:
    """How many rows the list behind the figure has in each group; for sums what they add up to."""
    listing = Listing(metric=metric, where=where, window=WINDOW)
    if metric not in ADDED:
        rows = run(desk.lake, build_count(listing, moment(desk), by=by)).to_dicts()
        return {tuple(row[name] for name in by): float(row["order_count"]) for row in rows if row["order_count"]}
    rows = listed(desk, replace(listing, columns=(ADDED[metric], *by), limit=MOST_ROWS))
    found: dict[tuple[object, ...], float] = {}
    for row in rows:
        group = tuple(row[name] for name in by)
        found[group] = found.get(group, 0) + float(row[ADDED[metric]] or 0)
    return {group: round(figure, 6) for group, figure in found.items() if round(figure, 6)}


def grouped_by(metric: str) -> list[str]:
    """The dimensions tried for a metric: those whose rows are counted, and for sums those a list can show."""
    metric_rows, rows = METRICS[metric].anchor.rows, METRICS[metric].counted_anchor.rows
    names = [name for name in GROUPED if {metric_rows, rows} <= set(DIMENSIONS[name].rows)]
    return [name for name in names if name in LISTING_COLUMNS and name != "stage"] if metric in ADDED else names


def tried(metric: str) -> list[str]:
    """One of those dimensions, another one for each metric; all of them where many examples are asked for."""
    names = grouped_by(metric)
    turn = list(METRICS).index(metric)
    return names if EXAMPLES > 5 else [names[turn % len(names)]] if names else []


@pytest.mark.parametrize("metric", METRICS)
def test_as_many_rows_are_listed_as_the_figure_counts(full: Desk, metric: str) -> None:
    whole = figures(full, metric, ())
    assert behind(full, metric, ()) == whole
    for name in tried(metric):
        groups = figures(full, metric, (name,))
        assert behind(full, metric, (name,)) == groups, name
        assert sum(groups.values()) == pytest.approx(sum(whole.values())), name
        for (value,) in list(groups)[: max(1, EXAMPLES // 5)]:
            where = (Filter(name, (None if value is None else str(value),)),)
            assert behind(full, metric, (), where) == {(): groups[(value,)]} == figures(full, metric, (), where), where


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_something_to_list(full: Desk, metric: str) -> None:
    assert count(full, Listing(metric=metric, window=WINDOW)) > 0
    assert count(full, Listing(metric=metric, part="bad", window=WINDOW)) > 0


@SLOW
@given(lake=LAKES, metrics=st.sets(st.sampled_from(sorted(METRICS)), min_size=4, max_size=4), data=st.data())
def test_whatever_the_orders_the_list_is_as_long_as_n(desk: Desk, lake: Any, metrics: set[str], data: st.DataObject) -> None:
    filled = desk.filled(*lake).with_targets(TARGETS)
    for metric in sorted(metrics):
        by = (data.draw(st.sampled_from(grouped_by(metric) or ["region"]), label=metric),)
        assert behind(filled, metric, by) == figures(filled, metric, by), metric


@pytest.mark.parametrize("metric", [name for name, entry in METRICS.items() if entry.kind == "ratio" and entry.unit == "rate"])
def test_the_bad_rows_of_a_share_are_the_part_that_is_bad(full: Desk, metric: str) -> None:
    (row,) = full.ask(Query(metrics=(metric,), window=WINDOW))
    bad, n = count(full, Listing(metric=metric, part="bad", window=WINDOW)), row[f"{metric}_n"]
    share = row[metric] if METRICS[metric].better == "lower" else 1 - row[metric]
    if metric == "grey_zone_delay_share":  # a share of seconds, not of rows
        assert 0 < bad <= n
    else:
        assert bad == pytest.approx(share * n)


def test_bad_rows_of_a_statistic_lie_beyond_its_target_or_else_beyond_the_figure(full: Desk) -> None:
    metric = "order_cycle_seconds_p50"
    rows = listed(full, Listing(metric=metric, window=WINDOW, columns=("order_cycle_seconds",)))
    cycles = sorted(row["order_cycle_seconds"] for row in rows)
    beyond = [cycle for cycle in cycles if cycle > median(cycles)]
    assert count(full, Listing(metric=metric, part="bad", window=WINDOW)) == len(beyond)
    strict = full.with_targets(TARGETS | {"metrics": {metric: "9h"}})
    beyond = [cycle for cycle in cycles if cycle > 9 * 3600]
    assert count(strict, Listing(metric=metric, part="bad", window=WINDOW)) == len(beyond)


def test_a_list_shows_what_the_order_is_and_how_late(desk: Desk) -> None:
    orders: list[Row] = [
        {"id": "A", "created": "10 10:00", "promised": "12 10:00", "delivered": "12 13:30", "amount": 12.5},
        {"id": "B", "created": "19 00:00", "promised": "19 12:00", "paid": "19 01:00", "city": "Wuhan", "region": "R2"},
        {"id": "C", "created": "18 10:00", "promised": "25 10:00", "exception": "held"},
    ]
    columns = ("order_id", "status", "stage", "age_seconds", "late_by_seconds", "amount", "exception", "waited_seconds")
    rows = listed(desk.filled(orders), Listing(columns=columns, order_by="-late_by_seconds"))
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("B", "paid", "approved", 24 * 3600, 12 * 3600, None, None, 23 * 3600),
        ("A", "delivered", None, None, 3.5 * 3600, 12.5, None, None),
        ("C", "created", "paid", 38 * 3600, None, None, "held", 38 * 3600),
    ]


@pytest.mark.parametrize("name", ["order_id", "city", "status", "amount", "promised_at", "late_by_seconds"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_pages_follow_each_other_without_gap_or_repetition(full: Desk, name: str, sign: str) -> None:
    listing = Listing(window=WINDOW, columns=(name,), order_by=sign + name, limit=20)
    everything = [row["order_id"] for row in listed(full, replace(listing, limit=1000))]
    first = listed(full, listing)
    second = listed(full, replace(listing, after=cursor_at(listing, first[-1])))
    third = listed(full, replace(listing, after=cursor_at(listing, second[-1])))
    assert [row["order_id"] for row in first + second + third] == everything
    back = listed(full, replace(listing, before=cursor_at(listing, third[0])))
    assert back[::-1] == second


@pytest.mark.parametrize("metric", ["over_limit_rate", "return_count", "complaint_count"])
def test_pages_of_passages_returns_and_complaints_follow_each_other(full: Desk, metric: str) -> None:
    limit = 25 if metric == "over_limit_rate" and EXAMPLES <= 5 else 7
    listing = Listing(metric=metric, window=WINDOW, limit=limit)
    everything, rows = listed(full, replace(listing, limit=1000)), listed(full, listing)
    for _ in range(len(everything) // limit + 1):
        rows += listed(full, replace(listing, after=cursor_at(listing, rows[-1])))
    assert rows == everything
    assert len({tuple(row[name] for name in listing.key) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("search", "found"), [("O07", ["O07"]), ("O0", [f"O{n:02d}" for n in range(10)]), ("Y4", ["O04"] + [f"O{n}" for n in range(40, 48, 2)]),
    ("wuh", [f"O{n:02d}" for n in range(0, 48, 2)]), ("' OR 1=1 --", []), ("%", [])]
)  # fmt: skip
def test_search_finds_orders_by_the_beginning_of_a_number_or_a_city(full: Desk, search: str, found: list[str]) -> None:
    listing = Listing(window=WINDOW, search=search, columns=("order_id",), order_by="order_id", limit=1000)
    assert [row["order_id"] for row in listed(full, listing)] == found
    assert count(full, listing) == len(found)


@pytest.mark.parametrize("metric", [None, "late_rate", "return_count", "over_limit_rate", "at_risk_count"])
def test_only_the_orders_named_are_listed(full: Desk, metric: str | None) -> None:
    listing = Listing(metric=metric, window=WINDOW, columns=("order_id",), limit=1000)
    everything = listed(full, listing)
    named = sorted({(row["channel"], row["order_id"]) for row in everything})[::2]
    chosen = replace(listing, among=(*named, ("nowhere", named[0][1] if named else "O1")))
    expected = [row for row in everything if (row["channel"], row["order_id"]) in named]
    assert listed(full, chosen) == expected
    assert count(full, chosen) == len(expected)
    assert listed(full, replace(listing, among=())) == []


@pytest.mark.parametrize(
    ("metric", "part"),
    [
        (metric, part)
        for turn, metric in enumerate([None, *METRICS])
        for step, part in enumerate(get_args(Part))
        if EXAMPLES > 5 or turn % 2 == step
    ],
)
def test_a_list_stays_inside_the_scope(full: Desk, metric: str | None, part: Part) -> None:
    """All rows of one metric, the bad ones of the next; both of each where many examples are asked for."""
    listing = Listing(metric=metric, part=part, window=WINDOW, columns=("region",), limit=1000)
    everything = {row["order_id"] for row in at_once(full, listing) if row["region"] == "R1"}
    own = at_once(full, listing, scope=Scope.of_regions(["R1"]))
    assert {row["region"] for row in own} <= {"R1"}
    if not (metric and METRICS[metric].listed.value and part == "bad"):  # beyond the own figure is another line in each scope
        assert {row["order_id"] for row in own} == everything
    assert at_once(full, listing, scope=Scope.NONE) == []


@pytest.mark.parametrize("metric", [None, *METRICS])
def test_every_read_of_a_list_goes_through_the_base(full: Desk, metric: str | None) -> None:
    for part in get_args(Part):
        listing = Listing(metric=metric, part=part, window=WINDOW, where=(Filter("city", ("x'; DROP TABLE lake.orders; --",)),))
        sql = build_listing(listing, moment(full, scope=Scope.of_regions(["R1", "R2"]))).sql
        assert "DROP" not in sql
        for table in (table for table in parse_one(sql, dialect="duckdb").find_all(exp.Table) if table.db == "lake"):
            select = table.find_ancestor(exp.Select)
            assert select is not None
            assert "o.region_code IN ($scope_0, $scope_1)" in select.args["where"].sql("duckdb")
            assert table.args["when"].sql("duckdb") == "AT (VERSION => $version)"


@pytest.mark.parametrize(
    ("listing", "words"),
    [
        (Listing(metric="on_time_rat"), "did you mean"),
        (Listing(columns=("amont",)), "did you mean amount"),
        (Listing(columns=("return_id",)), "has no column"),
        (Listing(order_by="-nothing_like_it"), "there is no column"),
        (Listing(limit=0), "1 to"),
        (Listing(search="x" * 65), "at most 64"),
        (Listing(metric="return_count", after=Cursor(value=None, created_at=AS_OF, key=("web", "A"))), "another list"),
        (Listing(where=(Filter("return_kind", ("refund",)),)), "no dimension"),
    ],
)
def test_what_cannot_be_listed_is_refused_with_a_remedy(full: Desk, listing: Listing, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        build_listing(listing, moment(full))
