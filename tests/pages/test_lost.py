"""Filter values nobody's order has are named; places outside a lead's regions are refused with a way on."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from access.outside import outside
from access.view import View
from pages.lost import lost_sentences, lost_values
from queries.query import Filter
from queries.scope import Scope

OpenView = Callable[..., View]
EAST = Scope.of_regions(["CN-EAST"])


def test_a_value_that_no_order_has_is_lost_and_the_others_stay(view_of: OpenView) -> None:
    view = view_of(warehouse=["WH-SHA", "WH-GONE", "null"], channel=["jd"], stage=["packed"])
    assert lost_values(view) == (Filter("warehouse", ("WH-GONE",)),)
    assert lost_sentences(view) == ("No order has this Warehouse (any more): WH-GONE",)


def test_a_lead_learns_nothing_of_what_exists_elsewhere(view_of: OpenView) -> None:
    """WH-CAN ships to the south only: for the east it is as lost as a warehouse that never was."""
    view = view_of("lead", "CN-EAST", warehouse=["WH-CAN", "WH-GONE"])
    assert lost_values(view) == (Filter("warehouse", ("WH-CAN", "WH-GONE")),)
    assert "in your area" in lost_sentences(view)[0]


OUTSIDE: list[tuple[Scope, str, tuple[str | None, ...], bool]] = [
    (EAST, "region", ("CN-SOUTH",), True),
    (EAST, "region", ("CN-SOUTH", "CN-EAST"), False),
    (EAST, "region", ("CN-NOWHERE",), True),
    (EAST, "region", (None,), True),
    (EAST, "province", ("CN-GD", "CN-BJ"), True),
    (EAST, "province", ("CN-GD", "CN-SH"), False),
    (EAST, "province", ("XX-YY",), False),
    (EAST, "city", ("Guangzhou",), False),
    (Scope.ALL, "region", ("CN-SOUTH",), False),
    (Scope.NONE, "region", ("CN-SOUTH",), True),
]


@pytest.mark.parametrize(("scope", "dimension", "values", "is_outside"), OUTSIDE)
def test_a_place_elsewhere_is_known_without_looking(
    scope: Scope, dimension: str, values: tuple[str | None, ...], is_outside: bool
) -> None:
    filters = (Filter(dimension, values), Filter("channel", ("jd",)))
    assert outside(scope, filters) == (filters[:1] if is_outside else ())


def draw_elsewhere(home: str, language: str) -> None:
    from datetime import UTC, datetime
    from pathlib import Path

    from access.outside import outside
    from access.reading import Reading
    from access.user import User
    from access.view import open_view
    from config import read_settings
    from pages.elsewhere import render_elsewhere

    user = User(name="east", display_name="east", role="lead", regions=("CN-EAST",))
    reading, now = Reading(read_settings({}, home=Path(home), threads=1)), datetime(2026, 3, 2, 8, tzinfo=UTC)
    asked = {"region": ["CN-SOUTH"], "window": ["7d"]}
    view = open_view(reading, user, asked, now=now, language=language, stays_valid=lambda: None)
    render_elsewhere(view, "pages.wall", "/wall", outside(view.scope, view.address.filters))


@pytest.mark.parametrize(("language", "title"), [("en", "Not in your area"), ("zh-CN", "不在您的区域内")])
def test_a_place_elsewhere_is_told_with_a_way_on(view_of: OpenView, language: str, title: str) -> None:
    home = str(view_of().reading.settings.home)
    app = AppTest.from_function(draw_elsewhere, kwargs={"home": home, "language": language}, default_timeout=60)
    app.run()
    assert [error.value for error in app.exception] == []
    parts = [json.loads(element.proto.json) for element in app.get("bidi_component") if "board" in element.proto.component_name]
    assert (parts[0]["notice"]["title"], parts[0]["notice"]["href"]) == (title, "/wall?window=7d")
    assert parts[0]["tiles"] == []
