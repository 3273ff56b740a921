"""The recent orders in memory: the same answers as from the lake, whatever came since, and never those of another version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from math import isclose
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.lake import Lake
from data.order import MILESTONES
from data.recent import Recent
from queries.cells import kept_cells
from queries.dwells import kept_dwells
from queries.flow_cells import kept_flow_cells
from queries.horizon import needs_normals
from queries.listing import Listing, Part, build_count, build_listing
from queries.metric import Anchor
from queries.metrics import METRICS
from queries.normal import kept_normals
from queries.open_cells import kept_open_cells
from queries.order_cells import ORDER_CELLS, kept_order_cells
from queries.query import Comparison, Filter, Grain, Query, Window
from queries.risk import kept_comparables
from queries.run import MovedOn, run
from queries.scope import Scope
from queries.twin import OrderKey, build_order, build_returns, build_sightings
from tests.data.intake import contract_of, home, take_in, write_csv
from tests.queries.desk import AS_OF, Desk, Row, targets_of
from tests.queries.test_laws import BEGIN, EXAMPLES, LAKES, SLOW, TARGETS
from tests.queries.test_listing import a_lake, moment

SPAN = timedelta(days=3)
SINCE = AS_OF - SPAN
WINDOWS = (
    Window(start=SINCE, end=AS_OF + timedelta(hours=12)),
    Window(start=AS_OF - timedelta(hours=30), end=AS_OF - timedelta(hours=2)),
    Window.last(timedelta(hours=24), AS_OF),
    Window(start=AS_OF - timedelta(hours=29, minutes=23), end=AS_OF - timedelta(hours=2, minutes=51)),
)


def recent_of(desk: Desk, span: timedelta = SPAN) -> Recent:
    """Nothing kept yet; comparables and normals by the desk's targets."""
    kept = (kept_comparables(desk.zone, lambda: desk.targets), kept_normals(desk.zone, lambda: desk.targets))
    counted = (*kept_cells(desk.zone, lambda: desk.targets), *kept_flow_cells(desk.zone, lambda: desk.targets))
    counted = (*counted, kept_dwells(), *kept_order_cells(), kept_open_cells())
    return Recent(desk.lake, derived=kept, counted=counted, spans=(span,), zone=desk.zone)


def questions(window: Window, by: tuple[str, ...], grain: Grain | None, compare: tuple[Comparison, ...]) -> list[Query]:
    """Every metric, those of one anchor together: it decides whether memory may answer, and so does what needs normals."""
    anchors: dict[tuple[Anchor, bool], list[str]] = {}
    for name, metric in METRICS.items():
        anchors.setdefault((metric.anchor, needs_normals((name,))), []).append(name)
    return [Query(metrics=tuple(names), by=by, window=window, grain=grain, compare=compare) for names in anchors.values()]


def _are_same(left: list[Row], right: list[Row]) -> bool:
    """Whether two answers agree, fractions to nine digits: sums come in any order."""
    values = [(a.get(name), value) for a, b in zip(left, right, strict=False) for name, value in b.items()]
    return len(left) == len(right) and all(
        isclose(a, b, rel_tol=1e-9) if isinstance(a, float) and isinstance(b, float) else a == b for a, b in values
    )


def differences(desk: Desk, recent: Recent, queries: list[Query], **changes: Any) -> list[tuple[Query, list[Row], list[Row]]]:
    """The questions that memory, where it may answer, answers otherwise than the lake."""
    horizon = recent.advance(desk.version, AS_OF)
    found = []
    for query in queries:
        statement = desk.statement(query, horizon=horizon, **changes)
        if statement.kept_version is None:
            continue
        kept, lake = run(desk.lake, statement).to_dicts(), desk.ask(query, **changes)
        if not _are_same(kept, lake):
            found.append((query, kept, lake))
    return found


@SLOW
@given(
    lake=LAKES,
    window=st.sampled_from(WINDOWS),
    by=st.sampled_from([(), ("region",), ("stage",), ("city", "status"), ("age_bucket",), ("hour",)]),
    grain=st.sampled_from([None, None, "hour"]),
    as_of=st.sampled_from([AS_OF, AS_OF - timedelta(hours=7), AS_OF - timedelta(hours=40)]),
    settled=st.booleans(),
)
def test_memory_answers_every_question_as_the_lake_does(
    desk: Desk, lake: Any, window: Window, by: tuple[str, ...], grain: Grain | None, as_of: Any, settled: bool
) -> None:
    filled = desk.filled(*lake).with_targets(TARGETS)
    newest = max((value for row in lake[0] for value in row.values() if hasattr(value, "tzinfo")), default=AS_OF)
    filled = replace(filled, newest=newest if settled else None)
    compare: tuple[Comparison, ...] = () if grain else ("previous",)
    assert differences(filled, recent_of(filled), questions(window, by, grain, compare), as_of=as_of) == []


@SLOW
@given(lake=LAKES, regions=st.sets(st.sampled_from(["R1", "R2"]), max_size=2), value=st.sampled_from(["R1", "R3", None]))
def test_scope_and_filters_bind_in_memory_too(desk: Desk, lake: Any, regions: set[str], value: str | None) -> None:
    filled = desk.filled(*lake).with_targets(TARGETS)
    queries = [replace(query, where=(Filter("region", (value,)),)) for query in questions(WINDOWS[0], ("stage",), None, ())]
    assert differences(filled, recent_of(filled), queries, scope=Scope.of_regions(regions)) == []


@pytest.mark.parametrize("visits", [timedelta(days=40), timedelta(hours=30), timedelta(hours=20)])
def test_passages_counted_by_the_hour_answer_as_the_lake_does(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, visits: timedelta
) -> None:
    """Also where the passages themselves are kept for fewer days than they are counted."""
    monkeypatch.setattr("data.recent.VISIT_SPAN", visits)
    rows = a_lake()
    newest = max(value for row in rows[0] for value in row.values() if hasattr(value, "tzinfo"))
    filled = desk.filled(*rows).with_targets(TARGETS)
    recent = recent_of(filled, timedelta(days=40))
    horizon = recent.advance(filled.version, AS_OF)
    counting = [name for name, metric in METRICS.items() if metric.anchor.rows == "passages" and metric.measures[0].counted]
    kinds = [tuple(name for name in counting if needs_normals((name,)) == is_normed) for is_normed in (False, True)]
    asked = [
        Query(metrics=metrics, by=by, window=window, grain=grain, compare=() if grain else ("previous",))
        for metrics in kinds
        for window in (WINDOWS[3], Window.last(timedelta(hours=49), newest), Window.last(timedelta(minutes=20), AS_OF))
        for by in ((), ("stage",), ("region", "channel"), ("province", "hour", "weekday"), ("warehouse",))
        for grain in (None, "hour")
    ][:: 7 if EXAMPLES <= 5 else 1]
    counted = [query for query in asked if "_cells AS o" in filled.statement(query, horizon=horizon).sql]
    assert len([query for query in counted if query.metrics == kinds[0]]) >= len(asked) // 4
    assert any(query.metrics == kinds[1] for query in counted) == (visits > timedelta(days=5))
    assert differences(filled, recent, counted) == []
    assert differences(replace(filled, newest=newest), recent, counted, as_of=newest) == []


def order_questions(windows: Sequence[Window], desk: Desk, recent: Recent) -> list[Query]:
    """Questions about orders that are answered from what is counted of them by the hour."""
    horizon = recent.advance(desk.version, AS_OF)
    kinds = (("order_count", "exception_rate", "arrival_rate_per_hour"), ("on_time_rate", "late_rate", "promised_rows"))
    places: tuple[tuple[str, ...], ...] = ((), ("region", "channel"), ("province", "hour", "weekday"), ("lane",))
    asked = [
        Query(metrics=metrics, by=by, where=where, window=window, grain=grain, compare=() if grain else ("previous",))
        for metrics in kinds
        for window in windows
        for by in places
        for where in ((), (Filter("region", ("R1", None)),))
        for grain in (None, "hour", "day")
    ][:: 5 if EXAMPLES <= 5 else 1]
    counted = [
        query
        for query in asked
        if any(f"recent.{name} AS o" in desk.statement(query, horizon=horizon).sql for name in ORDER_CELLS)
    ]
    assert len(counted) > len(asked) // 2
    return counted


@SLOW
@given(lake=LAKES, as_of=st.sampled_from([AS_OF, AS_OF - timedelta(hours=7), AS_OF - timedelta(hours=40)]), settled=st.booleans())
def test_orders_counted_by_the_hour_answer_as_the_lake_does(desk: Desk, lake: Any, as_of: Any, settled: bool) -> None:
    filled = desk.filled(*lake).with_targets(TARGETS)
    newest = max((value for row in lake[0] for value in row.values() if hasattr(value, "tzinfo")), default=AS_OF)
    filled, recent = replace(filled, newest=newest if settled else None), recent_of(filled, timedelta(days=40))
    assert differences(filled, recent, order_questions(WINDOWS, filled, recent), as_of=as_of) == []


@SLOW
@given(
    lake=LAKES,
    grain=st.sampled_from(["hour", "day"]),
    minutes=st.sampled_from([0, 20, 180]),
)
def test_open_orders_counted_by_the_hour_are_those_of_the_lake(desk: Desk, lake: Any, grain: Grain, minutes: int) -> None:
    """Also promises in the hour of as-of, before and after it, and what was closed before it began or fell due."""
    given_orders, *attached = lake
    newest = max((value for row in given_orders for name, value in row.items() if name in MILESTONES and value), default=AS_OF)
    as_of = newest + timedelta(minutes=minutes)
    soon = [as_of + timedelta(minutes=minute) for minute in (-59, -1, 0, 1, 45)]
    more: list[Row] = [{"id": f"N{n}", "created": as_of - timedelta(hours=50 - n), "promised": at} for n, at in enumerate(soon)]
    closed: tuple[dict[str, int], ...] = (
        {"created": 10, "cancelled": 20},
        {"created": 40, "delivered": 30},
        {"created": 40, "delivered": 30, "promised": 20},
        {"created": 30, "delivered": 10, "promised": 40},
    )
    more += [
        {"id": f"C{n}", "region": f"C{n}"} | {name: as_of - timedelta(hours=ago) for name, ago in hours.items()}
        for n, hours in enumerate(closed)
    ]
    filled = replace(desk.filled([*given_orders, *more], *attached).with_targets(TARGETS), newest=newest)
    recent = recent_of(filled, timedelta(days=40))
    windows = (
        Window(start=BEGIN, end=as_of + timedelta(days=1)),
        Window(start=as_of - timedelta(hours=31, minutes=7), end=as_of + timedelta(hours=5)),
    )
    metrics = ("backlog_count", "overdue_count")
    asked = [
        Query(metrics=metrics, by=by, window=window, grain=grain, where=where)
        for window in windows
        for by in ((), ("region",), ("channel", "business_type"))
        for where in ((), (Filter("region", ("R1", "C1", None)),))
    ]
    horizon = recent.advance(filled.version, AS_OF)
    assert all("recent.open_cells" in filled.statement(query, horizon=horizon, as_of=as_of).sql for query in asked)
    assert differences(filled, recent, asked, as_of=as_of) == []
    assert differences(replace(filled, newest=None), recent, asked, as_of=as_of - timedelta(hours=11)) == []


def test_orders_that_not_every_sight_takes_alike_are_seen_as_of_then(desk: Desk) -> None:
    """An exception seen later, a cancellation taken for granted later, a promise older than its order: as seen before and after."""
    hours: tuple[dict[str, int], ...] = (
        {"created": 30, "exception": 20},
        {"created": 30, "exception": 6},
        {"created": 40, "promised": 20, "cancelled": 6},
        {"created": 40, "promised": 20, "cancelled": 26},
        {"created": 12, "promised": 20},
        {"created": 40, "promised": 20, "delivered": 6},
        {"created": 40, "promised": 20, "delivered": 21},
    )
    rows: list[Row] = []
    for number, spans in enumerate(hours * 2):
        row: Row = {"id": f"O{number}", "promised": AS_OF - timedelta(hours=19), "inferred": ["cancelled"] if number < 7 else []}
        row |= {name: AS_OF - timedelta(hours=hour) for name, hour in spans.items() if name != "exception"}
        row |= {"exception": "held", "exception_at": AS_OF - timedelta(hours=spans["exception"])} if "exception" in spans else {}
        rows.append(row)
    ago = {"promised": timedelta(hours=20), "delivered": timedelta(hours=21)}
    rows.append({"id": "X", "created": None} | {name: AS_OF - span for name, span in ago.items()})
    rows.append({"id": "P", "created": AS_OF - timedelta(hours=60), "promised": AS_OF - timedelta(minutes=10)})
    filled = desk.filled(rows).with_targets(TARGETS)
    recent = recent_of(filled, timedelta(days=40))
    windows = [Window(start=AS_OF - timedelta(hours=45, minutes=13), end=AS_OF - timedelta(hours=15, minutes=40)), *WINDOWS]
    for since in (0, 4, 10, 15):
        asked = order_questions(windows, filled, recent)
        assert differences(filled, recent, asked, as_of=AS_OF - timedelta(hours=since)) == []
    soon = AS_OF - timedelta(minutes=40)
    asked = order_questions([Window.last(timedelta(hours=30), soon)], filled, recent)
    assert differences(replace(filled, newest=AS_OF - timedelta(hours=6)), recent, asked, as_of=soon) == []
    rates = [
        filled.ask(
            Query(metrics=("on_time_rate",), window=windows[0]), as_of=AS_OF - timedelta(hours=since), horizon=recent.horizon
        )
        for since in (0, 10, 15)
    ]
    assert [row["on_time_rate_n"] for (row,) in rates] == [11, 12, 10]


@pytest.mark.parametrize(
    ("metrics", "table"),
    [
        (("order_count",), "created_regions"),
        (("late_rate", "promised_rows"), "promised_regions"),
        (("over_limit_rate",), "passage_cells"),
        (("backlog_count",), "open_cells"),
    ],
    ids=["begun", "promised", "passed", "open"],
)
def test_a_group_that_came_and_went_again_is_not_listed(tmp_path: Path, metrics: tuple[str, ...], table: str) -> None:
    """An order corrected to another place and channel leaves cells that cancel each other out."""
    names = ("created", "paid", "approved", "promised")
    columns = {"order_id": "id", "channel": "'web'", "province_code": "province", "business_type": "kind"}
    contract = contract_of(columns=columns | {f"{name}_at": name for name in names})
    hours = [(AS_OF - timedelta(hours=hour)).isoformat() for hour in (30, 29, 25, 10)]
    rows = [(f"O{number}", "CN-SH", "b2c", *hours) for number in range(9)]
    with Lake.open_writer(home(tmp_path)) as lake:
        desk = Desk(
            lake=lake, folder=tmp_path, targets=targets_of(tmp_path / "targets.yaml", TARGETS), newest=AS_OF - timedelta(hours=1)
        )
        recent = recent_of(desk, timedelta(days=40))
        for hour, changing in enumerate((("X", "CN-GD", "b2b", *hours), ("X", "CN-SC", "b2c", *hours))):
            path = tmp_path / f"o_{AS_OF + timedelta(minutes=hour):%Y%m%dT%H%M%S}.csv"
            told = [changing] if hour else [*rows, changing]
            take_in(lake, contract, write_csv(path, told, ("id", "province", "kind", *names)))
            desk = replace(desk, version=lake.newest_version())
            horizon = recent.advance(desk.version, AS_OF)
        gone = lake.cursor().execute(f"SELECT count(*) FROM recent.{table} WHERE region_code = 'CN-SOUTH'").fetchone()
        assert gone is not None
        assert gone[0] >= 2
        grain: Grain | None = "hour" if table == "open_cells" else None
        window = Window(start=AS_OF - timedelta(hours=40), end=AS_OF)
        for by in (("region",), ("region", "business_type")):
            query = Query(metrics=metrics, by=by, window=window, grain=grain)
            assert f"recent.{table}" in desk.statement(query, horizon=horizon).sql
            assert differences(desk, recent, [query]) == []
            assert {row["region"] for row in desk.ask(query, horizon=horizon)} == {"CN-EAST", "CN-SOUTHWEST"}


def test_each_period_reads_its_stages_where_they_are_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.recent.VISIT_SPAN", timedelta(hours=30))
    filled = desk.filled(*a_lake()).with_targets(TARGETS)
    recent = recent_of(filled, timedelta(days=40))
    recent.advance(filled.version, AS_OF)
    metrics = ("dwell_seconds_p50", "dwell_seconds_p90", "over_limit_seconds")
    query = Query(metrics=metrics, by=("stage",), window=Window.last(timedelta(hours=20), AS_OF), compare=("previous",))
    sql = filled.statement(query, horizon=recent.horizon).sql
    assert "recent.passages" in sql
    assert "recent.orders" in sql
    assert differences(filled, recent, [query, replace(query, by=("city",))]) == []


def test_a_passage_that_a_later_instant_contradicts_counts_for_whoever_looks_before_it(desk: Desk) -> None:
    hours = {"created": 10, "accepted": 8, "picked": 5, "paid": 1}
    row = {"id": "O1"} | {name: AS_OF - timedelta(hours=hour) for name, hour in hours.items()}
    filled = desk.filled([row]).with_targets(TARGETS)
    window = Window(start=AS_OF - timedelta(hours=12), end=AS_OF - timedelta(hours=3))
    query = Query(metrics=("over_limit_rate",), by=("stage",), window=window)
    recent = recent_of(filled)
    assert differences(filled, recent, [query], as_of=AS_OF - timedelta(hours=2)) == []
    found = filled.ask(query, as_of=AS_OF - timedelta(hours=2))
    assert {row["stage"]: row["over_limit_rate_n"] for row in found}["picked"] == 1


FAR = Window(start=AS_OF - timedelta(hours=45, minutes=30), end=AS_OF - timedelta(hours=40, minutes=30))
"""Its whole hours are 45 to 41 hours ago: half an hour at each end is in no whole hour."""


def at_the_edges(name: str) -> list[Row]:
    """Orders with this instant in either end of `FAR`: begun before it, after it, outside the window, or contradicted later."""
    ends = (AS_OF - timedelta(hours=45, minutes=20), AS_OF - timedelta(hours=40, minutes=50))
    minutes = {"before": -300, "soon after": 10, "hours after": 120, "after all": 700}
    rows: list[Row] = [
        {"id": f"{when} {number}", "created": end + timedelta(minutes=later), name: end}
        for number, end in enumerate(ends)
        for when, later in minutes.items()
    ]
    spans = {"created": -60, "accepted": -30, "picked": 0, "paid": 240}
    rows += [
        {"id": f"C{number}"} | {milestone: end + timedelta(minutes=minute) for milestone, minute in spans.items()}
        for number, end in enumerate(ends)
    ]
    return rows


@pytest.mark.parametrize("visits", [timedelta(hours=41), timedelta(hours=60)])
def test_stages_that_ended_at_the_windows_far_ends_count_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, visits: timedelta
) -> None:
    """Also those that ended before their order began, and where of the ends' passages only the last hour's are kept."""
    monkeypatch.setattr("data.recent.VISIT_SPAN", visits)
    filled = desk.filled(at_the_edges("paid")).with_targets(TARGETS)
    recent = recent_of(filled, timedelta(days=40))
    horizon = recent.advance(filled.version, AS_OF)
    for by in (("stage",), ("stage", "channel")):
        query = Query(metrics=("over_limit_rate", "over_limit_seconds"), by=by, window=FAR)
        assert "_cells AS o" in filled.statement(query, horizon=horizon).sql
        for hours in (0, 30, 38, 40):
            assert differences(filled, recent, [query], as_of=AS_OF - timedelta(hours=hours)) == []
        assert sum(row["over_limit_rate_n"] for row in filled.ask(query, horizon=horizon)) > 0


def test_orders_promised_or_begun_at_the_windows_far_ends_count_once(desk: Desk) -> None:
    """Also those promised before they began, or with an exception that not every sight knows."""
    rows = at_the_edges("promised")
    rows += [{"id": f"E{n}", "exception": "held", "exception_at": AS_OF} | row for n, row in enumerate(rows[:8]) if row.pop("id")]
    rows = [row | {"id": f"O{number}"} for number, row in enumerate(rows)]
    filled = desk.filled(rows).with_targets(TARGETS)
    recent = recent_of(filled, timedelta(days=40))
    for hours in (0, 30, 38, 40):
        assert differences(filled, recent, order_questions([FAR], filled, recent), as_of=AS_OF - timedelta(hours=hours)) == []


def test_open_orders_are_looked_at_one_by_one_where_more_is_known_later(desk: Desk) -> None:
    """In the very hour of as-of one order begins and another is delivered, after it: one of two is open then."""
    as_of = AS_OF - timedelta(hours=11, minutes=40)
    later = as_of + timedelta(minutes=10)
    rows = [{"id": "O1", "created": as_of - timedelta(hours=5), "delivered": later}, {"id": "O2", "created": later}]
    filled = replace(desk.filled(rows).with_targets(TARGETS), newest=later)
    recent = recent_of(filled, timedelta(days=40))
    query = Query(metrics=("backlog_count",), by=("region",), window=Window.last(timedelta(hours=3), as_of), grain="hour")
    assert differences(filled, recent, [query], as_of=as_of) == []
    assert [row["backlog_count"] for row in filled.ask(query, as_of=as_of, horizon=recent.horizon)][-1] == 1


def test_limits_that_have_changed_are_not_those_counted(desk: Desk) -> None:
    filled = desk.filled(*a_lake()).with_targets(TARGETS)
    horizon = recent_of(filled, timedelta(days=40)).advance(filled.version, AS_OF)
    query = Query(metrics=("over_limit_rate",), window=WINDOWS[0])
    assert "passage_cells" in filled.statement(query, horizon=horizon).sql
    other = filled.with_targets({**TARGETS, "stage_limits": {"picked": "90m"}})
    assert "passage_cells" not in other.statement(query, horizon=horizon).sql


def test_a_question_about_older_days_reads_the_lake(desk: Desk) -> None:
    filled = desk.filled([{"id": "O1", "created": AS_OF - timedelta(days=30)}])
    horizon = recent_of(filled).advance(filled.version, AS_OF)
    for window in (None, Window(start=SINCE - timedelta(hours=1), end=AS_OF)):
        assert filled.statement(Query(metrics=("order_count",), window=window), horizon=horizon).kept_version is None
    stock = filled.statement(Query(metrics=("backlog_count",)), horizon=horizon)
    assert stock.kept_version == filled.version
    assert run(filled.lake, stock).to_dicts() == [{"backlog_count": 1}]


def test_memory_of_another_version_is_never_read(desk: Desk) -> None:
    filled = desk.filled([{"id": "O1", "created": AS_OF - timedelta(hours=3)}])
    recent = recent_of(filled)
    statement = filled.statement(Query(metrics=("backlog_count",)), horizon=recent.advance(filled.version, AS_OF))
    later = desk.filled([{"id": f"O{n}", "created": AS_OF - timedelta(hours=3)} for n in range(2)])
    recent.advance(later.version, AS_OF)
    with pytest.raises(MovedOn):
        run(later.lake, statement)


def test_what_is_searched_is_found_where_it_lies(desk: Desk) -> None:
    """In a list of everything, which the lake answers, and of the last days; for all and for a region."""
    filled = desk.filled(*a_lake()).with_targets(TARGETS)
    horizon = recent_of(filled).advance(filled.version, AS_OF)
    narrowed = 0
    for text in ("O0", "O07", "X", "Y12", "wu", "O9", "武", "É"):
        for window in (None, WINDOWS[0]):
            for scope in (Scope.ALL, Scope.of_regions(["R1"])):
                listing = Listing(search=text, window=window)
                there, here = moment(filled, scope=scope), moment(filled, scope=scope, horizon=horizon)
                assert run(filled.lake, build_listing(listing, here)).equals(run(filled.lake, build_listing(listing, there))), (
                    text
                )
                counted, lake = (run(filled.lake, build_count(listing, at, by=("region",))) for at in (here, there))
                assert counted.equals(lake), text
                narrowed += "$search_first" in build_count(listing, here).sql
    assert narrowed > 16
    other = replace(horizon, version=filled.version + 1) if horizon else None
    assert "$search_first" not in build_count(Listing(search="O0"), moment(filled, horizon=other)).sql


def test_an_order_is_looked_for_where_its_number_lies(desk: Desk) -> None:
    filled = desk.filled(*a_lake()).with_targets(TARGETS)
    horizon = recent_of(filled).advance(filled.version, AS_OF)
    for number in ("O00", "O17", "O99"):
        for scope in (Scope.ALL, Scope.of_regions(["R1"])):
            key = OrderKey(channel="web", order_id=number)
            there, here = moment(filled, scope=scope), moment(filled, scope=scope, horizon=horizon)
            for build in (build_order, build_returns, build_sightings):
                assert build(key, here).sql != build(key, there).sql
                assert run(filled.lake, build(key, here)).equals(run(filled.lake, build(key, there)))


@pytest.mark.parametrize("part", get_args(Part))
def test_memory_lists_the_rows_that_the_lake_lists(desk: Desk, part: Part) -> None:
    filled = desk.filled(*a_lake()).with_targets(TARGETS)
    horizon = recent_of(filled, timedelta(days=40)).advance(filled.version, AS_OF)
    window, kept = Window(start=BEGIN, end=AS_OF + timedelta(hours=12)), 0
    tried = [None, *METRICS][get_args(Part).index(part) % 2 :: 2 if EXAMPLES <= 5 else 1]
    for metric in tried:
        listing = Listing(metric=metric, part=part, window=None if metric and METRICS[metric].anchor.is_stock else window)
        statement = build_listing(listing, moment(filled, horizon=horizon))
        count = build_count(listing, moment(filled, horizon=horizon), by=("region",))
        assert run(filled.lake, statement).equals(run(filled.lake, build_listing(listing, moment(filled)))), metric
        assert run(filled.lake, count).equals(run(filled.lake, build_count(listing, moment(filled), by=("region",)))), metric
        kept += statement.kept_version == count.kept_version == filled.version
    assert kept > len(tried) - 5
