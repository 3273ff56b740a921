"""The drill: its path, shares of the problem, what stands out and what does not, and the panel's contract."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from access.view import View
from pages.contract import excluded_count
from pages.contrasts import contrasts_of, find_contrasts, read_contrasts
from pages.drill import prepare, read_plane
from pages.drill_path import next_dimensions, path_of
from pages.drill_reading import OFFERED, read_crumbs, read_level, read_ranking
from pages.panel import Subject, read_figure, read_panel
from pages.problems import PROBLEMS
from queries.listing import Listing
from queries.metrics import METRICS
from queries.query import Filter, Query
from tests.queries.test_laws import EXAMPLES

OpenView = Callable[..., View]


def test_the_ranking_tells_figures_and_shares_of_the_problem(view_of: OpenView) -> None:
    """Shanghai's 72 promises of the day are all late, nobody else's."""
    view = view_of(region=["CN-EAST"])
    ranking = read_ranking(view, read_level(view, {}))
    found = {row.name: (row.value, row.note, row.share) for row in ranking.rows}
    assert found == {"Shanghai": ("100.0%", "100%", 1.0), "Jiangsu": ("0.0%", "0%", 0.0)}
    assert parse_qs(urlsplit(ranking.rows[0].href).query) == {
        "metric": ["late_rate"], "region": ["CN-EAST"], "province": ["CN-SH"],
    }  # fmt: skip
    assert urlsplit(ranking.rows[0].alert).path == "/rules"
    assert parse_qs(urlsplit(ranking.rows[0].alert).query) == {
        "draft": ["new"], "metric": ["late_rate"], "region": ["CN-EAST"], "province": ["CN-SH"],
    }  # fmt: skip


def test_the_path_leads_back_step_by_step(view_of: OpenView) -> None:
    view = view_of(region=["CN-EAST"], province=["CN-SH"], channel=["jd"])
    *crumbs, orders = read_crumbs(view, read_level(view, {"metric": ["exception_rate"]}))
    assert orders.href.startswith("/orders?")
    assert "part=bad" in orders.href
    assert [crumb.name for crumb in crumbs] == ["Everywhere", "East China", "Shanghai"]
    assert [sorted(parse_qs(urlsplit(crumb.href).query)) for crumb in crumbs] == [
        ["channel", "metric"],
        ["channel", "metric", "region"],
        ["channel", "metric", "province", "region"],
    ]


WAYS: list[tuple[dict[str, list[str]], list[str]]] = [
    ({}, ["region", "warehouse"]),
    ({"region": ["CN-EAST"]}, ["province", "warehouse"]),
    ({"province": ["CN-SH"]}, ["city", "warehouse"]),
    ({"city": ["Shanghai"]}, ["warehouse", "channel"]),
    ({"warehouse": ["WH-SHA"]}, ["wave", "region"]),
    ({"region": ["CN-EAST", "CN-SOUTH"]}, ["region", "warehouse"]),
]


@pytest.mark.parametrize(("asked", "expected"), WAYS)
def test_the_next_step_follows_the_last_one(view_of: OpenView, asked: dict[str, list[str]], expected: list[str]) -> None:
    view = view_of(**asked)
    assert list(next_dimensions(view, "late_rate", view.filters))[:2] == expected


def test_only_single_values_are_steps() -> None:
    where = (Filter("province", ("CN-SH", "CN-JS")), Filter("region", ("CN-EAST",)), Filter("wave", (None,)))
    assert [(step.dimension, step.code) for step in path_of(where)] == [("region", "CN-EAST"), ("wave", None)]


def test_each_group_stands_against_all_others() -> None:
    found = dict(contrasts_of([("a", 30, 100), ("b", 5, 100), ("c", 15, 100), ("d", 1, 5)], minimum=30))
    assert set(found) == {"a", "b", "c"}
    assert (found["a"].bad, found["a"].n, found["a"].bad_rest, found["a"].n_rest) == (30, 100, 21, 205)


def test_what_stands_out_is_found_and_what_does_not_is_not(view_of: OpenView) -> None:
    """In the east all late orders are Shanghai's; channels and the one warehouse are alike."""
    view = view_of(region=["CN-EAST"])
    found = find_contrasts(view, PROBLEMS["late_rate"])
    assert [(finding.dimension, finding.code) for finding in found] == [("province", "CN-SH")]
    assert found[0].excess == 72


def test_nothing_stands_out_is_an_answer(view_of: OpenView) -> None:
    parts = read_contrasts(view_of(province=["CN-SH"]), PROBLEMS["late_rate"])
    assert (parts.rows, parts.empty) == ((), "Nothing stands out here beyond chance.")


@pytest.mark.parametrize("metric", PROBLEMS)
def test_bad_and_all_of_every_problem_are_counts(view_of: OpenView, metric: str) -> None:
    view, problem = view_of(), PROBLEMS[metric]
    row = view.run(Query(metrics=problem.metrics(), window=view.window)).row(0, named=True)
    assert 0 <= problem.bad(row) <= problem.n(row) or problem.n(row) == 0


def test_the_problems_offered_are_problems() -> None:
    assert set(OFFERED) <= set(PROBLEMS)


@pytest.mark.parametrize("metric", list(METRICS)[:: 2 if EXAMPLES <= 5 else 1])
def test_a_panel_tells_every_metric_and_its_orders_are_its_n(view_of: OpenView, metric: str) -> None:
    view = view_of()
    subject = Subject(metric=metric, where=(Filter("channel", ("tmall",)),))
    panel, row = read_panel(view, subject), read_figure(view, subject)
    assert panel.contract is not None
    assert panel.contract.sql.count("SELECT") >= 1
    names = [fact.name for fact in panel.contract.facts]
    assert {"Meaning", "Counts", "Time", "Leaves out", "Target", "Snapshot"} <= set(names)
    excluded = excluded_count(metric, row)
    assert excluded is None or excluded >= 0
    n = row.get(f"{metric}_n")
    if n is not None:
        query = subject.query(view)
        assert view.count_orders(Listing(metric=metric, where=query.where, window=query.window)) == n


def test_exclusions_are_counted(view_of: OpenView) -> None:
    """Promised 20 h after creation: those of the first 28 hours, 12 an hour; no quantity is known, so none is in full or not."""
    row = read_figure(view_of(window=["all"]), Subject(metric="otif_rate", window="all"))
    assert (row["promised_rows"], row["otif_rate_n"], excluded_count("otif_rate", row)) == (336, 0, 336)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_no_key_is_left_untranslated(view_of: OpenView, language: str) -> None:
    view = view_of(language=language, region=["CN-EAST"])
    for metric in OFFERED:
        prepare(view, {"metric": [metric], "figure": [metric]})
        text = json.dumps(
            asdict(read_plane(view, read_level(view, {"metric": [metric], "figure": [metric]}))), ensure_ascii=False
        )
        assert re.findall(r"\b(?:drill|heatmaps|panel|contract|frame|wall|dimensions|metrics|label)\.[a-z_.]+", text) == []
        assert re.findall(r"\{(?!name\})[a-z_]+\}", text) == []


def test_words_that_are_none_fall_back(view_of: OpenView) -> None:
    level = read_level(view_of(), {"metric": ["nonsense"], "split": ["order"], "figure": ["x"]})
    assert (level.metric, level.split, level.figure) == ("late_rate", "region", "")
    assert read_level(view_of(), {"metric": ["dwell_seconds_p90"]}).metric == "over_limit_rate"


def draw_drill(home: str, language: str, regions: tuple[str, ...]) -> None:
    from datetime import UTC, datetime
    from pathlib import Path

    import streamlit as st

    from access.reading import Reading
    from access.user import User
    from access.view import open_view
    from config import read_settings
    from pages.drill import render

    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    user = User(name="someone", display_name="someone", role="lead" if regions else "manager", regions=regions)
    reading, now = Reading(read_settings({}, home=Path(home), threads=1)), datetime(2026, 3, 2, 8, tzinfo=UTC)
    render(open_view(reading, user, parameters, now=now, language=language, stays_valid=lambda: None))


@pytest.mark.parametrize(("language", "regions"), [("en", ()), ("zh-CN", ("CN-EAST",))])
def test_the_page_draws_without_a_fault_inside_its_scope(view_of: OpenView, language: str, regions: tuple[str, ...]) -> None:
    home = str(view_of().reading.settings.home)
    app = AppTest.from_function(draw_drill, kwargs={"home": home, "language": language, "regions": regions}, default_timeout=60)
    app.query_params["figure"] = "backlog_count"
    app.query_params["warehouse"] = ["WH-SHA", "WH-GONE"]
    app.run()
    assert [error.value for error in app.exception] == []
    parts = {element.proto.component_name.split("_")[-1]: json.loads(element.proto.json) for element in app.get("bidi_component")}
    assert any("WH-GONE" in problem for problem in parts["topbar"]["problems"])
    assert not re.search("Guangdong|广东|CN-GD", json.dumps(parts["plane"], ensure_ascii=False)) or not regions
