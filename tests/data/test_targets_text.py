"""Edits of the targets file: it says exactly what was asked, and every comment that can stay stays."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.order import STAGES
from data.targets import DEFAULT_FILE, Targets, parse_targets
from data.targets_change import BUSINESS_TYPE, Change, Figure, differences, figures_of, write_seconds
from data.targets_text import apply_changes

SHIPPED = DEFAULT_FILE.read_text(encoding="utf-8")
FIRST = date(2000, 1, 1)
LATER = date(2026, 11, 1)
ON_TIME = Figure(kind="target", name="on_time_rate")
EAST = Figure(kind="target", name="on_time_rate", dimension="region", code="CN-EAST")
PICKED = Figure(kind="limit", name="picked")
B2B = Figure(kind="limit", name="picked", dimension=BUSINESS_TYPE, code="b2b")

FLOW = "[{valid_from: 2000-01-01, metrics: {on_time_rate: {target: 0.9, by: {region: {CN-EAST: 0.8}}}}, stage_limits: {picked: 4h}}]\n"
ANCHORED = """# hand-made
- valid_from: 2000-01-01   # from the beginning
  metrics:
    on_time_rate: &goal 0.95  # the promise
    otif_rate: *goal
  calendar:
    holidays: []   # none yet
- valid_from: 2026-12-01
  metrics: {on_time_rate: 0.99}
"""
BARE = "- valid_from: 2000-01-01\n  minimum_count: 5"
CRLF = "# a\r\n- valid_from: 2000-01-01\r\n  metrics:\r\n    on_time_rate: 0.9 # b\r\n"
TEXTS = {"shipped": SHIPPED, "flow": FLOW, "anchored": ANCHORED, "bare": BARE, "crlf": CRLF}


def _read(text: str) -> Targets:
    return parse_targets(text, Path("targets.yaml"))


def _comments(text: str) -> list[str]:
    return [line.partition("#")[2].strip() for line in text.splitlines() if "#" in line]


figures = st.one_of(
    st.sampled_from([ON_TIME, EAST, Figure(kind="target", name="otif_rate"), Figure(kind="target", name="return_rate")]),
    st.builds(
        lambda code: Figure(kind="target", name="on_time_rate", dimension="channel", code=code),
        st.sampled_from(["jd", "618", "yes", "a: b", "天猫", "#1", "null"]),
    ),
    st.builds(lambda stage: Figure(kind="limit", name=stage), st.sampled_from(STAGES)),
    st.builds(
        lambda stage, code: Figure(kind="limit", name=stage, dimension=BUSINESS_TYPE, code=code),
        st.sampled_from(STAGES),
        st.sampled_from(["b2b", "dtc"]),
    ),
)
values = st.one_of(st.none(), st.sampled_from([0.5, 0.97, 1, 0]), st.sampled_from(["8h", "90m", "30s"]))
days = st.sampled_from([date(1999, 1, 1), FIRST, LATER, date(2026, 12, 1), date(2030, 1, 1)])


@given(
    text=st.sampled_from(sorted(TEXTS.keys() - {"shipped"})),
    changes=st.lists(st.builds(Change, figure=figures, value=values), max_size=5),
    day=days,
)
@settings(max_examples=60, deadline=None)
def test_the_text_says_what_was_asked_and_nothing_else_changes(text: str, changes: list[Change], day: date) -> None:
    before = _read(TEXTS[text])
    after = _read(apply_changes(TEXTS[text], changes, valid_from=day))
    expected = figures_of(before.on(day))
    for change in changes:
        expected.pop(change.figure, None)
        if change.value is not None:
            seconds = {"8h": 28800.0, "90m": 5400.0, "30s": 30.0}
            expected[change.figure] = seconds[change.value] if isinstance(change.value, str) else float(change.value)
    assert figures_of(after.on(day)) == expected
    assert after.on(day).calendar == before.on(day).calendar
    for edition in before.editions:
        if edition.valid_from != day:
            assert edition in after.editions
    assert {edition.valid_from for edition in after.editions} == {edition.valid_from for edition in before.editions} | {day}


@pytest.mark.parametrize("day", [FIRST, LATER])
@pytest.mark.parametrize("figure", [ON_TIME, EAST, PICKED, B2B])
def test_every_comment_of_the_shipped_file_stays(figure: Figure, day: date) -> None:
    value: float | str = 0.5 if figure.kind == "target" else "3h"
    for text in (SHIPPED, apply_changes(SHIPPED, [Change(figure=EAST, value=0.4)], valid_from=FIRST)):
        found = apply_changes(text, [Change(figure=figure, value=value)], valid_from=day)
        assert _comments(found) == _comments(SHIPPED)


def test_a_change_touches_its_own_line_only() -> None:
    found = apply_changes(SHIPPED, [Change(figure=ON_TIME, value=0.97)], valid_from=FIRST)
    lines = list(zip(SHIPPED.splitlines(), found.splitlines(), strict=True))
    assert [pair for pair in lines if pair[0] != pair[1]] == [("    on_time_rate: 0.95", "    on_time_rate: 0.97")]


def test_a_shared_value_is_changed_for_one_figure_alone() -> None:
    found = _read(apply_changes(ANCHORED, [Change(figure=ON_TIME, value=0.5)], valid_from=FIRST)).editions[0]
    assert (found.target_of("on_time_rate"), found.target_of("otif_rate")) == (0.5, 0.95)


def test_differences_are_told_from_the_day_they_count() -> None:
    before = _read(SHIPPED)
    after = _read(apply_changes(SHIPPED, [Change(figure=PICKED, value="2h")], valid_from=LATER))
    found = [(one.valid_from, one.figure, one.before, one.after) for one in differences(before, after)]
    assert found == [(LATER, PICKED, 14400.0, 7200.0)]


@pytest.mark.parametrize(
    ("seconds", "text"), [(28800, "8h"), (5400, "90m"), (172800, "48h"), (90, "90s"), (0, "0s"), (1.5, "1.5s")]
)
def test_a_length_is_spelled_in_its_largest_unit(seconds: float, text: str) -> None:
    assert write_seconds(seconds) == text
