"""Where orders went, how long stages take, which shift ships: figures that can be counted by hand."""

from __future__ import annotations

from collections.abc import Callable

from access.view import View
from components.chain import Sankey, Spreads
from pages.flow import read_plane
from pages.flow_dwells import read_spreads
from pages.flow_question import Question, looked_at, read_question
from pages.flow_ranking import read_ranking
from pages.flow_shifts import read_shifts
from pages.flow_strip import read_stages
from pages.flow_ways import read_sankey
from pages.map_question import read_question as read_map_question
from pages.map_stuck import read_stuck
from queries.query import Query

OpenView = Callable[..., View]


def test_ways_are_counted_and_told_twice(view_of: OpenView) -> None:
    """Of 576 orders those older than an hour were paid, than four shipped; delivered after ten, Shanghai's after thirty."""
    chart = read_sankey(view_of()).chart
    assert isinstance(chart, Sankey)
    assert chart.notes == ("576", "564", "528", "396")
    assert [row[1:5] for row in chart.table] == [
        ("564", "97.9%", "12", "–"),
        ("528", "91.7%", "36", "–"),
        ("396", "68.8%", "132", "–"),
    ]
    assert [node.value for node in chart.nodes if node.kind == "waiting"] == ["12", "36", "132"]
    assert all(node.top >= 0 and node.top + node.height <= 1 for node in chart.nodes)


def test_what_leaves_a_milestone_is_as_thick_as_what_came(view_of: OpenView) -> None:
    chart = read_sankey(view_of()).chart
    assert isinstance(chart, Sankey)
    for node in (node for node in chart.nodes if node.kind == "through" and node.column < 3):
        leaving = sum(ribbon.height for ribbon in chart.ribbons if ribbon.start == node.column)
        assert abs(leaving - node.height) < 1e-9


def test_a_leads_ways_are_the_own_orders_only(view_of: OpenView) -> None:
    chart = read_sankey(view_of("lead", "CN-EAST")).chart
    assert isinstance(chart, Sankey)
    assert chart.notes[0] == "288"


def test_without_orders_the_ways_say_so(view_of: OpenView) -> None:
    card = read_sankey(view_of(province=["CN-XZ"]))
    assert card.chart is None
    assert card.text == "No order was created in this window and these filters."


def test_dwells_tell_who_still_waits(view_of: OpenView) -> None:
    """Shipping takes three hours, paying one, told to a step of five per cent; 36 orders wait to be shipped."""
    view = view_of()
    chart = read_spreads(view, read_stages(view)).chart
    assert isinstance(chart, Spreads)
    rows = {row.name: row for row in chart.rows}
    assert rows["ship"].now == "3 h – 3 h"
    assert rows["ship"].open.startswith("36, half over")
    assert rows["pay"].usual == "61 min – 61 min"
    assert max(rows["ship"].passed) == 1.0
    assert sum(bar > 0 for bar in rows["ship"].passed) == 1


def test_shifts_share_out_what_was_shipped(view_of: OpenView) -> None:
    """Twelve orders an hour: 96 in each shift of eight hours and in the night that none holds."""
    view = view_of()
    grid = read_shifts(view).grid
    assert grid is not None
    assert len(grid.rows) == 3
    assert [cell.text for cell in grid.row_totals] == ["96", "96", "96"]
    whole = view.run(Query(metrics=("shipped_count",), window=view.window)).row(0)[0]
    assert whole == 3 * 96


def test_the_map_names_what_the_flow_page_names(view_of: OpenView) -> None:
    """Two days are too few to say what is unusual: nothing is named, on neither page."""
    view = view_of()
    stuck = read_stuck(view, read_map_question(view, {"rank": ["warehouse"]}))
    assert stuck is not None
    listed = read_ranking(view, Question(split="warehouse", metric="on_time_rate", beside="last_week")).worst
    assert listed is not None
    assert stuck.worst.items == tuple(item for item in listed.items if item.state != "neutral")
    assert stuck.href == "/flow?split=warehouse"
    assert read_question({"split": ["warehouse"]}).split == "warehouse"
    assert read_stuck(view, read_map_question(view, {"span": ["24h"], "at": ["2026-03-02T00:00:00Z"]})) is None


def test_a_window_that_is_over_is_seen_at_its_end(view_of: OpenView) -> None:
    """At noon of the first day orders of four hours were there: the last one's to be paid, the others' to be shipped."""
    view = looked_at(view_of(window=["2026-02-28T00:00:00Z..2026-02-28T12:00:00Z"]))
    assert {stage.code: stage.passing.level[-1] for stage in read_stages(view)} == {"paid": 12, "shipped": 36}
    assert looked_at(view_of()).as_of == view_of().as_of


def test_a_longer_window_says_what_of_it_is_shown(view_of: OpenView) -> None:
    assert read_plane(view_of(), read_question({})).notice is None
    notice = read_plane(view_of(window=["all"]), read_question({})).notice
    assert notice is not None
    assert "2026-02-16" in notice.text
