"""Laws of the semantic layer, tried on random orders: scope is restriction, as-of is forgetting, the door holds."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data.order import CLOSING_MILESTONES, FORWARD_MILESTONES, MILESTONES
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.query import Filter, Query, Window
from queries.scope import Scope
from tests.queries.desk import AS_OF, Desk, Row

BEGIN = AS_OF - timedelta(days=4)
REGIONS = ("R1", "R2", "R3", None)
PLAIN_FIELDS = ("region", "city", "warehouse", "exception")
HOURS = st.integers(0, 119)
TARGETS = {
    "stage_limits": dict.fromkeys(FORWARD_MILESTONES[1:], "5h"),
    "at_risk": {"history": "20d", "minimum_count": 1},
    "normal": {"history": "2d", "minimum_count": 1},
}


def at(hours: int) -> datetime:
    """An instant in the days around as-of, a multiple of an hour."""
    return BEGIN + timedelta(hours=hours)


@st.composite
def orders(draw: st.DrawFn) -> list[Row]:
    """A handful of orders whose milestones come in any order, some inferred, some after as-of, of some not yet the beginning."""
    found = []
    for number in range(draw(st.integers(0, 7))):
        reached = draw(st.lists(st.sampled_from(MILESTONES[1:]), unique=True, max_size=6))
        begun = draw(st.integers(0, 9)) > 0
        row: Row = {"id": f"O{number}", "created": at(draw(st.integers(0, 100))) if begun else None}
        row |= {name: at(draw(HOURS)) for name in reached}
        row["region"] = draw(st.sampled_from(REGIONS))
        row["city"] = draw(st.sampled_from(["Wuhan", "N' OR '1'='1", None]))
        row["inferred"] = [name for name in reached if draw(st.integers(0, 4)) == 0]
        row["mapped"] = draw(st.sampled_from([FORWARD_MILESTONES, ("created", "approved", "shipped", "delivered")]))
        row |= {name: at(draw(HOURS)) for name in ("promised", "promised_ship") if draw(st.booleans())}
        if draw(st.integers(0, 2)) == 0:
            row |= {"exception": "held", "failed_attempt_count": 1, "exception_at": at(draw(HOURS))}
        row |= {
            "quantity": 2.0,
            "delivered_quantity": draw(st.sampled_from([1.0, 2.0, None])),
            "amount": 10.0,
            "freight_cost": 1.5,
        }
        found.append(row)
    return found


@st.composite
def attached(draw: st.DrawFn, kinds: tuple[str, ...], instants: tuple[str, ...]) -> list[Row]:
    """A few returns or complaints of those orders, and of one that is not there."""
    numbers = range(draw(st.integers(0, 4)))
    rows = [{"id": n, "order": f"O{draw(st.integers(0, 7))}", "kind": draw(st.sampled_from(kinds))} for n in numbers]
    return [row | {name: at(draw(HOURS)) for name in instants} for row in rows]


LAKES = st.tuples(
    orders(),
    attached(("refund", "exchange"), ("requested", "received", "closed")),
    attached(("delay", "damaged"), ("created", "closed")),
)
EXAMPLES = int(os.environ.get("LAW_EXAMPLES", "2"))
"""How many lakes each law is tried on; `make soak` asks for many."""

SLOW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    print_blob=True,
)


def _queries(*, by: tuple[str, ...], window: Window) -> list[Query]:
    """All metrics that have the dimensions, in a few questions."""
    rows = ({"orders", "passages"}, {"returns"}, {"complaints"})
    names = [[name for name, metric in METRICS.items() if metric.anchor.rows in kinds] for kinds in rows]
    return [Query(metrics=tuple(group), by=by, window=window) for group in names]


WINDOW = Window(start=BEGIN, end=AS_OF + timedelta(hours=12))


def _figures(rows: list[Row]) -> list[Row]:
    """The rows with fractions to nine digits: sums come in any order."""
    return [{name: float(f"{value:.9g}") if isinstance(value, float) else value for name, value in row.items()} for row in rows]


@SLOW
@given(lake=LAKES, regions=st.sets(st.sampled_from(["R1", "R2", "R3", "R9"])), by=st.sampled_from(["city", "status", "stage"]))
def test_a_scope_restricts_the_full_answer_and_does_nothing_else(desk: Desk, lake: Any, regions: set[str], by: str) -> None:
    filled = desk.filled(*lake).with_targets(TARGETS)
    scope = Scope.of_regions(regions)
    for query in _queries(by=("region", by), window=WINDOW):
        full = [row for row in filled.ask(query) if row["region"] in regions]
        assert _figures(filled.ask(query, scope=scope)) == _figures(full)


@SLOW
@given(lake=LAKES, regions=st.sets(st.sampled_from(["R1", "R2"]), min_size=1))
def test_a_scope_gives_what_a_lake_of_only_its_regions_gives(desk: Desk, lake: Any, regions: set[str]) -> None:
    everything, returns, complaints = lake
    queries = _queries(by=(), window=WINDOW)
    scoped = [_figures(desk.filled(*lake).with_targets(TARGETS).ask(query, scope=Scope.of_regions(regions))) for query in queries]
    own = desk.filled([row for row in everything if row["region"] in regions], returns, complaints).with_targets(TARGETS)
    assert scoped == [_figures(own.ask(query)) for query in queries]


def _forgotten(rows: list[Row], names: tuple[str, ...], exist_by: str, as_of: datetime) -> list[Row]:
    """The rows as they were at `as_of`: what came later removed."""
    gone = {name for name in names if name != exist_by}
    kept = [row for row in rows if row[exist_by] is None or row[exist_by] <= as_of]
    return [{name: value for name, value in row.items() if name not in gone or value <= as_of} for row in kept]


def _orders_forgotten(rows: list[Row], as_of: datetime) -> list[Row]:
    kept = _forgotten(rows, MILESTONES, "created", as_of)
    for row in kept:
        if row.get("exception_at", as_of) > as_of:
            for name in ("exception", "failed_attempt_count", "exception_at"):
                del row[name]
        row["inferred"] = [name for name in row["inferred"] if name in row]
    return kept


@SLOW
@given(
    lake=LAKES,
    hours=st.integers(0, 100),
    by=st.sampled_from([("region",), ("status", "city"), ("stage", "exception"), ("age_bucket", "weekday")]),
)
def test_as_of_is_forgetting(desk: Desk, lake: Any, hours: int, by: tuple[str, ...]) -> None:
    as_of = at(hours)
    given_orders, returns, complaints = lake
    past = (
        _orders_forgotten(given_orders, as_of),
        _forgotten(returns, ("requested", "received", "closed"), "requested", as_of),
        _forgotten(complaints, ("created", "closed"), "created", as_of),
    )
    queries = _queries(by=by, window=WINDOW)
    filled = desk.filled(*lake).with_targets(TARGETS)
    then = [_figures(filled.ask(query, as_of=as_of)) for query in queries]
    forgotten = desk.filled(*past).with_targets(TARGETS)
    assert then == [_figures(forgotten.ask(query, as_of=as_of)) for query in queries]


@SLOW
@given(lake=LAKES, by=st.sampled_from(["status", "stage", "city"]))
def test_knowing_that_nothing_lies_after_as_of_changes_no_answer(desk: Desk, lake: Any, by: str) -> None:
    filled, as_of = desk.filled(*lake).with_targets(TARGETS), at(120)
    for query in _queries(by=(by,), window=Window(start=BEGIN, end=as_of)):
        assert _figures(filled.ask(query, as_of=as_of, newest=at(119))) == _figures(filled.ask(query, as_of=as_of))


@SLOW
@given(lake=LAKES)
def test_a_series_of_a_stock_gives_in_each_bucket_what_as_of_its_end_gives(desk: Desk, lake: Any) -> None:
    filled = desk.filled(*lake).with_targets(TARGETS)
    metrics = tuple(name for name, metric in METRICS.items() if metric.anchor.is_stock)
    window = Window(start=BEGIN, end=AS_OF)
    for row in filled.ask(Query(metrics=metrics, by=("stage",), window=window, grain="day"), as_of=AS_OF):
        end = row.pop("bucket_at") + timedelta(days=1, milliseconds=-1)
        alone = filled.ask(Query(metrics=metrics, by=("stage",)), as_of=end)
        assert _figures([row])[0] in _figures(alone)


def _open_counts(row: Row, instant: datetime) -> Row:
    """What an order counts for among the open ones at an instant, by its milestones; empty where it is not open."""
    reached = {name for name in (*MILESTONES, "promised", "promised_ship") if row.get(name) is not None and row[name] <= instant}
    if "created" not in reached or reached & set(CLOSING_MILESTONES):
        return {}
    shipped, allocated = reached & {"shipped", "out_for_delivery"}, reached & {"allocated", "accepted", "picked", "packed"}
    due = {name for name in ("promised", "promised_ship") if name in row and row[name] < instant}
    return {
        "backlog_count": 1,
        "unallocated_count": int("allocated" in row["mapped"] and not (allocated | shipped)),
        "overdue_count": int("promised" in due),
        "undispatched_count": int("shipped" in row["mapped"] and not shipped),
        "overdue_ship_count": int("promised_ship" in due and not shipped),
    }


PROMISED_NOW = {"id": "O", "created": at(20), "promised": at(88), "promised_ship": at(88), "mapped": FORWARD_MILESTONES}


@SLOW
@example(rows=[PROMISED_NOW], by=(), hours=(17, 90), minutes=-120)
@given(
    rows=orders(),
    by=st.sampled_from([(), ("region",), ("city", "region")]),
    hours=st.sampled_from([(0, 120), (17, 90)]),
    minutes=st.sampled_from([40, -70, -120]),
)
def test_open_orders_counted_over_their_span_are_those_open_at_each_end(
    desk: Desk, rows: list[Row], by: tuple[str, ...], hours: tuple[int, int], minutes: int
) -> None:
    filled = desk.filled(rows)
    metrics = tuple(name for name, metric in METRICS.items() if any(measure.during for measure in metric.measures))
    window, as_of = Window(start=at(hours[0]), end=at(hours[1])), at(hours[1]) + timedelta(minutes=minutes)
    expected: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for hour in (hour for hour in range(*hours) if at(hour) <= as_of):
        for row in rows:
            counts = _open_counts(row, min(at(hour + 1) - timedelta(milliseconds=1), as_of))
            if counts:
                expected[(at(hour), *(row[name] for name in by))].update({name: counts[name] for name in metrics})
    found = filled.ask(Query(metrics=metrics, by=by, window=window, grain="hour"), as_of=as_of)
    answer = {(row["bucket_at"], *(row[name] for name in by)): {name: row[name] for name in metrics} for row in found}
    assert answer == expected


@SLOW
@given(
    lake=LAKES,
    chosen=st.lists(st.sampled_from(REGIONS), max_size=4),
    cities=st.lists(st.sampled_from(["Wuhan", "N' OR '1'='1", None, ""]), max_size=3),
)
def test_a_filter_keeps_groups_and_cannot_widen_the_scope(
    desk: Desk, lake: Any, chosen: list[str | None], cities: list[str | None]
) -> None:
    filled = desk.filled(*lake).with_targets(TARGETS)
    scope = Scope.of_regions(["R1"])
    where = (Filter("region", tuple(chosen)), Filter("city", tuple(cities)))
    query = Query(metrics=("order_count", "backlog_count", "dwell_seconds_p50"), by=("region", "city"), window=WINDOW)
    narrow = filled.ask(Query(metrics=query.metrics, by=query.by, where=where, window=WINDOW), scope=scope)
    wide = filled.ask(query, scope=scope)
    assert narrow == [row for row in wide if row["region"] in chosen and row["city"] in cities]
    assert {row["region"] for row in narrow} <= {"R1"}


def _full(desk: Desk) -> Desk:
    made = [{"id": f"O{n}", "region": region, "created": at(10 + n), "promised": at(40)} for n, region in enumerate(REGIONS)]
    returns = [{"id": n, "order": f"O{n}", "kind": "refund", "requested": at(20)} for n in range(4)]
    return desk.filled(made, returns, [{"id": n, "order": f"O{n}", "kind": "delay", "created": at(20)} for n in range(4)])


NOBODY: list[Callable[[], Scope]] = [
    lambda: Scope.NONE,
    lambda: Scope.of_regions(["N' OR '1'='1"]),
    lambda: Scope.of_regions(["R9"]),
]


@pytest.mark.parametrize("scope", NOBODY, ids=["no region", "a region that is a piece of SQL", "a region that does not exist"])
@pytest.mark.parametrize("by", ["region", "status"])
def test_a_scope_without_orders_has_no_groups(desk: Desk, scope: Callable[[], Scope], by: str) -> None:
    filled = _full(desk)
    assert [filled.ask(query, scope=scope()) for query in _queries(by=(by,), window=WINDOW)] == [[], [], []]


def test_without_groups_no_region_gives_zeros_and_nulls(desk: Desk) -> None:
    rows = [row for query in _queries(by=(), window=WINDOW) for row in _full(desk).ask(query, scope=Scope.NONE)]
    assert {value for row in rows for value in row.values()} <= {0, None}


def test_an_order_of_unknown_region_is_seen_by_everything_only(desk: Desk) -> None:
    query = Query(metrics=("order_count",), window=WINDOW)
    filled = _full(desk)
    assert filled.ask(query) == [{"order_count": 4}]
    assert filled.ask(query, scope=Scope.of_regions(["R1", "R2", "R3"])) == [{"order_count": 3}]


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_answers_by_every_dimension_it_has(desk: Desk, metric: str) -> None:
    filled = _full(desk).with_targets(TARGETS)
    rows = METRICS[metric].anchor.rows
    by = tuple(name for name, entry in DIMENSIONS.items() if rows in entry.rows)
    query = Query(
        metrics=(metric,), by=by, window=Window(start=BEGIN, end=AS_OF), grain="day", compare=("previous", "last_week", "target")
    )
    columns = [*by, "bucket_at", metric]
    assert list(filled.statement(query).columns[: len(columns)]) == columns
    filled.ask(query)


def test_as_of_must_be_an_aware_instant(desk: Desk) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        desk.statement(Query(metrics=("order_count",)), as_of=AS_OF.astimezone(UTC).replace(tzinfo=None))
