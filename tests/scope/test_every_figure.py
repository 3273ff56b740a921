"""Every metric by every dimension, through the View's shared cache, for every kind of user: nothing of elsewhere.

Walks the live registries: a new metric or dimension is tried without anyone remembering.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.reading import Reading
from access.user import Role, User
from access.view import View, open_view
from data.lake import LakeError
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.query import Filter, Query, QueryError, Window
from tests.queries.test_laws import EXAMPLES
from tests.scope.conftest import AS_OF, EAST, MARK

WINDOW = Window(start=AS_OF - timedelta(days=3), end=AS_OF)
FREE_TEXT = tuple(name for name, entry in DIMENSIONS.items() if entry.column and entry.column not in ("status",))


def view_of(reading: Reading, role: str, *regions: str, **parameters: list[str]) -> View:
    """A user's view, as the interface opens it."""
    user = User(name=role, display_name=role, role=cast(Role, role), regions=regions)
    return open_view(reading, user, parameters, now=AS_OF, language="en", stays_valid=lambda: None)


def fitting(metric: str) -> list[str]:
    """The dimensions a metric has."""
    return [name for name, entry in DIMENSIONS.items() if METRICS[metric].anchor.rows in entry.rows]


def _rows(view: View, query: Query) -> list[dict[str, Any]]:
    rows = [
        {name: float(f"{value:.9g}") if isinstance(value, float) else value for name, value in row.items()}
        for row in view.run(query).to_dicts()
    ]
    return sorted(rows, key=str)


def _families(dimension: str) -> list[tuple[str, ...]]:
    """Every metric that has the dimension, together with those whose rows are of the same kind."""
    kinds = ({"orders", "passages"}, {"returns"}, {"complaints"})
    families = (
        tuple(name for name, metric in METRICS.items() if metric.anchor.rows in kind and dimension in fitting(name))
        for kind in kinds
    )
    return [family for family in families if family]


def _tried(dimension: str) -> list[tuple[str, ...]]:
    """Of each family every sixth metric, other ones for each dimension; all of them where many examples are asked for."""
    step = 6 if EXAMPLES <= 5 else 1
    turn = list(DIMENSIONS).index(dimension) % step
    return [tried for family in _families(dimension) if (tried := family[turn::step])]


def _counts_something(row: dict[str, Any], metrics: tuple[str, ...]) -> bool:
    """Whether any figure of the group is more than nothing: a kind only others have is an empty group in the whole answer."""
    return any(row[metric] for metric in metrics)


def _named(row: dict[str, Any]) -> list[Any]:
    return [value for value in row.values() if not isinstance(value, float)]


def _is_same(mine: object, theirs: object) -> bool:
    """Sums of fractions differ in their last digit with the order in which they are added."""
    if isinstance(mine, float) and isinstance(theirs, float):
        return math.isclose(mine, theirs, rel_tol=3e-8)
    return mine == theirs


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_lead_gets_the_full_answer_restricted_to_the_region_whoever_asks_first(reading: Reading, dimension: str) -> None:
    everyone, east, south = (view_of(reading, "manager"), view_of(reading, "lead", EAST), view_of(reading, "lead", "CN-SOUTH"))
    for place, metrics in enumerate(_tried(dimension)):
        query = Query(metrics=metrics, by=tuple(dict.fromkeys(("region", dimension))), window=WINDOW)
        views = (everyone, east, south) if place % 2 else (south, east, everyone)
        answers = {view.scope: _rows(view, query) for view in views}
        full = [row for row in answers[everyone.scope] if _counts_something(row, metrics)]
        for view, region in ((east, EAST), (south, "CN-SOUTH")):
            own = [row for row in answers[view.scope] if _counts_something(row, metrics)]
            assert [_named(row) for row in own] == [_named(row) for row in full if row["region"] == region]
            for mine, theirs in zip(own, (row for row in full if row["region"] == region), strict=True):
                assert [name for name, value in mine.items() if not _is_same(value, theirs[name])] == []
        assert MARK not in str(answers[east.scope])


@pytest.mark.parametrize("name", FREE_TEXT)
def test_list_to_choose_from_holds_nothing_of_elsewhere(reading: Reading, name: str) -> None:
    query = Query(metrics=("order_count",), by=(name,), window=WINDOW)
    assert _rows(view_of(reading, "manager"), query)
    assert MARK not in str(_rows(view_of(reading, "lead", EAST), query))
    assert MARK not in str(_rows(view_of(reading, "analyst", EAST), query))


def test_the_word_would_be_seen(reading: Reading) -> None:
    seen = {
        name for name in FREE_TEXT if MARK in str(_rows(view_of(reading, "manager"), Query(metrics=("order_count",), by=(name,))))
    }
    assert {"channel", "city", "warehouse", "wave", "carrier", "category", "customer_tier", "exception"} <= seen


@pytest.mark.parametrize("role", ["lead", "analyst"])
@pytest.mark.parametrize("regions", [(), ("",), ("N' OR '1'='1",), ("CN-NOWHERE",), ("%",)])
def test_no_usable_region_is_nothing_at_all(reading: Reading, role: str, regions: tuple[str, ...]) -> None:
    view = view_of(reading, role, *regions)
    for metrics in _families("channel"):
        assert _rows(view, Query(metrics=metrics, by=("channel",), window=WINDOW)) == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True)
@given(
    metric=st.sampled_from(sorted(METRICS)),
    values=st.lists(st.sampled_from([None, EAST, "CN-SOUTH", "CN-NORTH", "' OR 1=1 --", MARK]), min_size=1, max_size=5),
    hours=st.integers(-5, 60),
    data=st.data(),
)
def test_no_filter_instant_or_comparison_widens_the_scope(
    reading: Reading, metric: str, values: list[str | None], hours: int, data: st.DataObject
) -> None:
    names = data.draw(st.lists(st.sampled_from(fitting(metric)), min_size=1, max_size=2, unique=True))
    filtered = data.draw(st.sampled_from(fitting(metric)))
    as_of = (AS_OF - timedelta(hours=hours)).isoformat()
    try:
        view = view_of(reading, "lead", EAST, as_of=[as_of])
        where = (Filter(filtered, tuple(values)),)
        rows = _rows(view, Query(metrics=(metric,), by=tuple(names), where=where, window=WINDOW, compare=("last_week", "target")))
    except (QueryError, LakeError):
        return
    assert MARK not in str(rows)


@pytest.mark.parametrize("snapshot", ["1", "2"])
def test_time_travel_is_scoped_too(reading: Reading, snapshot: str) -> None:
    query = Query(metrics=("order_count",), by=("region", "warehouse"))
    everyone = _rows(view_of(reading, "manager", snapshot=[snapshot]), query)
    assert MARK in str(everyone)
    mine = _rows(view_of(reading, "lead", EAST, snapshot=[snapshot]), query)
    assert mine == [row for row in everyone if row["region"] == EAST]
    assert mine
