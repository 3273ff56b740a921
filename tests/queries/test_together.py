"""Questions asked together: each gets the answer it gets alone, and what several look at is read once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.order import MILESTONES, STAGES
from queries.build import Statement
from queries.listing import Listing, build_listing
from queries.metrics import METRICS
from queries.query import Filter, Query, Window
from queries.run import RunError, run, run_together
from queries.scope import Scope
from queries.together import read_together
from tests.queries.desk import AS_OF, Desk, Row
from tests.queries.test_laws import LAKES, REGIONS, SLOW, TARGETS
from tests.queries.test_listing import a_lake, moment

DAY = Window.last(timedelta(hours=24), AS_OF)
EARLY = AS_OF - timedelta(hours=30)
FIGURES = tuple(name for name, metric in METRICS.items() if metric.anchor.rows in ("orders", "passages"))


def statements(desk: Desk, metric: str, where: tuple[Filter, ...], **changes: Any) -> list[Statement]:
    """What a panel asks of a figure, and a grid that holds it: in all, in parts, over time, against last week; and its orders."""
    window = Window.last(timedelta(hours=24), changes.get("as_of", desk.as_of))
    asked = [
        Query(metrics=(metric,), window=window, by=("region",)),
        Query(metrics=(metric,), window=window, by=("city",), where=where),
        Query(metrics=(metric,), window=window, where=where, compare=("last_week", "target")),
        Query(metrics=(metric,), window=window, where=where, grain="hour"),
    ]
    own = {name: value for name, value in changes.items() if name in ("scope", "as_of")}
    here = moment(desk, newest=desk.newest, **own)
    listing = Listing(metric=metric, where=where, window=window, columns=("order_id", "city", "status"), limit=9)
    return [*(desk.statement(query, **changes) for query in asked), build_listing(listing, here)]


def differences(desk: Desk, asked: list[Statement]) -> list[tuple[list[Row], list[Row]]]:
    """The statements that, asked together, have another answer than asked alone."""
    together = read_together(asked)
    if together is None:
        return []
    found = run_together(desk.lake, asked, together)
    assert found.keys() == together.readers.keys()
    alone = {place: run(desk.lake, asked[place]) for place in found}
    return [
        (frame.to_dicts(), alone[place].to_dicts())
        for place, frame in found.items()
        if not frame.equals(alone[place]) or frame.schema != alone[place].schema
    ]


@SLOW
@given(
    lake=LAKES,
    metrics=st.lists(st.sampled_from(FIGURES), min_size=4, max_size=4, unique=True),
    region=st.sampled_from(REGIONS),
    stage=st.sampled_from(STAGES),
    regions=st.sampled_from([None, ("R1",), ("R1", "R2"), ()]),
    as_of=st.sampled_from([AS_OF, EARLY]),
)
def test_answers_got_together_are_those_got_alone(
    desk: Desk, lake: Any, metrics: list[str], region: str | None, stage: str, regions: tuple[str, ...] | None, as_of: Any
) -> None:
    filled = desk.filled(*lake).with_targets(TARGETS)
    scope = Scope.ALL if regions is None else Scope.of_regions(regions)
    for metric in metrics:
        staged = (Filter("stage", (stage,)),) if METRICS[metric].anchor.rows == "passages" else ()
        where = (Filter("region", (region,)), *staged)
        assert differences(filled, statements(filled, metric, where, scope=scope, as_of=as_of)) == []


@pytest.mark.parametrize("metric", ["over_limit_rate", "order_cycle_seconds_p90", "late_rate", "backlog_count", "exception_rate"])
@pytest.mark.parametrize("newest", [None, AS_OF])
def test_figures_of_the_same_orders_read_them_once(desk: Desk, metric: str, newest: Any) -> None:
    rows, returns, complaints = a_lake()
    kept = [row for row in rows if all(row[name] <= AS_OF for name in MILESTONES if name in row)]
    filled = replace(desk.filled(kept, returns, complaints).with_targets(TARGETS), newest=newest)
    stages = (Filter("stage", ("shipped",)),) if METRICS[metric].anchor.rows == "passages" else ()
    asked = statements(filled, metric, (Filter("region", ("R1",)), *stages))
    together = read_together(asked)
    assert together is not None
    assert {1, 2, 4} <= together.readers.keys()
    before = sum(statement.sql.count("lake.orders") for statement in asked)
    after = sum(together.readers.get(place, statement).sql.count("lake.orders") for place, statement in enumerate(asked))
    assert after + len(together.takes) < before
    assert differences(filled, asked) == []
    assert any(run(filled.lake, asked[place]).height for place in together.readers)


def test_nothing_is_shared_between_scopes_filters_windows_or_versions(desk: Desk) -> None:
    filled = desk.filled(*a_lake()).with_targets(TARGETS)
    query = Query(metrics=("order_cycle_seconds_p90",), window=DAY)
    one = filled.statement(query, scope=Scope.of_regions(["R1"]))
    others = [
        filled.statement(query, scope=Scope.of_regions(["R2"])),
        filled.statement(query, scope=Scope.ALL),
        filled.statement(query, scope=Scope.of_regions(["R1"]), version=filled.version - 1),
        filled.statement(replace(query, where=(Filter("region", ("R1",)),)), scope=Scope.of_regions(["R1"])),
        filled.statement(replace(query, window=Window.last(timedelta(hours=23), AS_OF)), scope=Scope.of_regions(["R1"])),
    ]
    assert [read_together([one, other]) for other in others] == [None] * len(others)
    assert read_together([one, filled.statement(replace(query, by=("city",)), scope=Scope.of_regions(["R1"]))]) is not None


@pytest.mark.parametrize("metric", ["order_cycle_seconds_p90", "dwell_seconds_p90", "over_limit_rate", "exception_rate"])
@pytest.mark.parametrize("newest", [None, AS_OF])
def test_many_orders_are_not_held(desk: Desk, metric: str, newest: Any) -> None:
    """Those of a long window, or of one without a beginning, are read anew by each question."""
    filled = replace(desk.filled(*a_lake()).with_targets(TARGETS), newest=newest)
    stage = (Filter("stage", ("shipped",)),) if METRICS[metric].anchor.rows == "passages" else ()
    for window, where in (
        (window, where) for window in (Window.last(timedelta(days=9), AS_OF), Window.all_until(AS_OF)) for where in ((), stage)
    ):
        asked = [filled.statement(Query(metrics=(metric,), by=by, window=window, where=where)) for by in ((), ("city",))]
        together = read_together(asked)
        taken = [take.statement.sql for take in together.takes] if together else []
        assert [sql for sql in taken if "open_until_at >" not in sql] == []


def test_scope_binds_what_is_read_once_and_each_reader(desk: Desk) -> None:
    filled = desk.filled(*a_lake()).with_targets(TARGETS)
    asked = statements(filled, "over_limit_rate", (Filter("stage", ("shipped",)),), scope=Scope.of_regions(["R1"]))
    together = read_together(asked)
    assert together is not None
    scoped = [take.statement for take in together.takes] + list(together.readers.values())
    for statement in scoped:
        assert statement.sql.count("o.region_code IN") == statement.sql.count("lake.orders AS o") + statement.sql.count("taken_")
        assert statement.parameters["scope_0"] == "R1"


def test_only_what_the_door_admits_is_asked_together(desk: Desk) -> None:
    filled = desk.filled(*a_lake())
    asked = [filled.statement(Query(metrics=("order_cycle_seconds_p90",), by=by, window=DAY)) for by in ((), ("city",))]
    together = read_together(asked)
    assert together is not None
    take = replace(together.takes[0].statement, sql="SELECT * FROM lake.quarantine")
    for forbidden, statements_ in (
        (replace(together, takes=(replace(together.takes[0], statement=take),)), asked),
        (together, [replace(asked[0], sql="DELETE FROM lake.orders"), asked[1]]),
    ):
        with pytest.raises(RunError, match="refused"):
            run_together(filled.lake, statements_, forbidden)
