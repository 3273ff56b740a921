"""The flow page: figures that can be counted by hand, sums that add up, words in both languages, nothing for an empty selection."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest
from streamlit.testing.v1 import AppTest

from access.bottlenecks import read_times
from access.view import View
from components.charts import Bands, Forest, Strip, Waterfall
from pages.flow import prepare, read_plane
from pages.flow_question import Question, read_question
from pages.flow_strip import read_stages, read_strip
from pages.flow_times import steps_of
from queries.query import Filter

OpenView = Callable[..., View]
ASKED = Question(split="warehouse", metric="on_time_rate", beside="last_week")


def charts(view: View, question: Question = ASKED) -> dict[str, object]:
    return {card.title: card.chart for card in read_plane(view, question).cards}


def test_the_strip_counts_what_waits_comes_and_goes(view_of: OpenView) -> None:
    """Twelve orders an hour at half past: paid after 1 h, shipped after 4 h; in the last 24 h 288 came and as many went on."""
    stages = {stage.code: stage for stage in read_stages(view_of())}
    assert list(stages) == ["paid", "shipped", "delivered"]
    paid, shipped = stages["paid"].passing, stages["shipped"].passing
    assert (paid.entered.sum(), paid.left.sum(), paid.level[-1]) == (288, 288, 12)
    assert (shipped.entered.sum(), shipped.left.sum(), shipped.level[-1]) == (288, 288, 36)
    assert stages["shipped"].speed["dwell_seconds_p50"] == 3 * 3600


def test_a_lead_sees_only_the_own_orders(view_of: OpenView) -> None:
    """Shanghai and Jiangsu: half of the orders."""
    stages = {stage.code: stage for stage in read_stages(view_of("lead", "CN-EAST"))}
    assert stages["paid"].passing.entered.sum() == 144
    told = json.dumps([asdict(card) for card in read_plane(view_of("lead", "CN-EAST"), ASKED).cards], ensure_ascii=False)
    assert "WH-BJS" not in told
    assert "CN-GD" not in told


def test_steps_add_up_from_promised_to_actual(view_of: OpenView) -> None:
    """Delivered after 10 h, Shanghai's after 30 h, promised after 20 h: against Guangdong all of the difference is delivery."""
    view = view_of()
    now = read_times(view, (Filter("province", ("CN-SH",)),), view.window)
    other = read_times(view, (Filter("province", ("CN-GD",)),), view.window)
    assert now is not None
    assert other is not None
    assert (now.actual, now.promised, other.actual) == (30 * 3600, 20 * 3600, 10 * 3600)
    assert sum(now.stages.values()) + now.rest == now.actual
    steps = steps_of(view, now, other)
    assert [step.value for step in steps if step.name in ("deliver", "reserve in the promise")] == ["−10 h", "+20 h"]
    assert steps[-2].end == pytest.approx(steps[-1].end)


def test_every_chart_is_drawn(view_of: OpenView) -> None:
    found = [type(chart) for chart in charts(view_of(window=["24h"])).values() if chart is not None]
    assert {Strip, Forest, Bands} <= set(found)
    other = charts(view_of(), Question(split="province", metric="on_time_rate", beside="region/CN-SOUTH"))
    assert any(isinstance(chart, Waterfall) for chart in other.values())


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("split", ["warehouse", "region", "lane"])
def test_every_word_is_in_the_catalogue(view_of: OpenView, language: str, split: str) -> None:
    view = view_of(language=language)
    told = json.dumps(
        asdict(read_plane(view, Question(split=split, metric="on_time_rate", beside="last_week"))), ensure_ascii=False
    )
    assert re.findall(r"\b(?:flow|panel|wall|dimensions|metrics|label|format)\.[a-z_]+\.[a-z_.]+", told) == []


def test_an_empty_selection_says_so_and_leads_out(view_of: OpenView) -> None:
    plane = read_plane(view_of(province=["CN-XZ"], window=["1h"]), ASKED)
    assert plane.notice is not None
    assert not plane.cards
    assert plane.notice.title == "No order passes a stage"
    assert plane.notice.href == "/flow?window=1h"
    gone = read_plane(view_of(warehouse=["GONE"]), ASKED).notice
    assert gone is not None
    assert "GONE" in gone.text


def test_unknown_words_of_the_address_fall_back() -> None:
    assert read_question({"split": ["x"], "metric": ["order_count"], "beside": ["city/Wuhan"]}) == ASKED


def draw_flow(home: str, language: str, regions: tuple[str, ...]) -> None:
    """The page as the shell runs it, for a lead of the regions or a manager."""
    from datetime import UTC, datetime
    from pathlib import Path

    from access.reading import Reading
    from access.user import User
    from access.view import open_view
    from config import read_settings
    from pages.flow import render

    user = User(name="someone", display_name="someone", role="lead" if regions else "manager", regions=regions)
    reading, now = Reading(read_settings({}, home=Path(home), threads=1)), datetime(2026, 3, 2, 8, tzinfo=UTC)
    render(open_view(reading, user, {}, now=now, language=language, stays_valid=lambda: None))


@pytest.mark.parametrize(("language", "regions"), [("en", ()), ("zh-CN", ("CN-EAST",))])
def test_the_page_draws_without_a_fault_inside_its_scope(view_of: OpenView, language: str, regions: tuple[str, ...]) -> None:
    home = str(view_of().reading.settings.home)
    app = AppTest.from_function(draw_flow, kwargs={"home": home, "language": language, "regions": regions}, default_timeout=120)
    assert not app.run().exception
    prepare(view_of(), {})


@pytest.mark.parametrize(
    ("language", "silent", "empty"),
    [
        ("en", "No source reports: review, allocate", "No order passes or waits here in this window: review, allocate"),
        ("zh-CN", "没有数据源上报：", "窗口内没有订单经过或等待："),
    ],
)
def test_stages_that_no_source_reports_are_named(view_of: OpenView, language: str, silent: str, empty: str) -> None:
    """The contract maps created, paid, shipped and delivered; of a source whose contract is not known only what is empty is said."""
    view = view_of(language=language)
    (source,) = view.sources
    fed = frozenset({"orders.created_at", "orders.paid_at", "orders.shipped_at", "orders.delivered_at"})
    known = replace(view, sources=(replace(source, feeds=fed),))
    unclear, clear = (read_strip(seen, read_stages(seen)).chart.note for seen in (view, known))  # type: ignore[union-attr]
    assert unclear.startswith(empty)
    assert clear.startswith(silent)
    assert empty[:12] not in clear
