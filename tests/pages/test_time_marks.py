"""The business calendar of targets.yaml stands on the time axes, in the business zone and in the user's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from access.order_twin import Twin
from access.view import View
from data.targets import read_targets_file
from pages.order_axis import _Scale, _ticks
from pages.time_marks import read_axis
from pages.wall_tiles import read_tiles
from tests.pages.conftest import AS_OF
from tests.queries.desk import targets_of

OpenView = Callable[..., View]
SHIFTS = [{"name": "day", "from": "09:00", "to": "18:00"}, {"name": "Nacht", "from": "22:00", "to": "24:00"}]


@pytest.fixture
def view_with(view_of: OpenView, tmp_path: Path) -> Callable[..., View]:
    """A view under a calendar with a cut-off at 15:00 and the keys given: `view_with(language="en", holidays=[…])`."""

    def open_(language: str = "en", window: list[str] | None = None, **calendar: Any) -> View:
        view = view_of(language=language, **({"window": window} if window else {}))
        return replace(view, targets=targets_of(tmp_path / "targets.yaml", {"calendar": {"cut_off": "15:00", **calendar}}))

    return open_


def at(day: int, hour: int) -> datetime:
    """A clock hour of March 2026 in Shanghai, eight hours before UTC."""
    return datetime(2026, 3, day, hour, tzinfo=UTC) - timedelta(hours=8)


def found(view: View, start: datetime, end: datetime) -> list[tuple[str, datetime, datetime, str]]:
    return [(mark.kind, mark.start_at, mark.end_at, mark.text) for mark in read_axis(view, start, end).marks]


def test_midnight_cut_off_and_shifts_stand_at_their_clock_times(view_with: Callable[..., View]) -> None:
    assert found(view_with(shifts=SHIFTS), at(1, 16), at(2, 17)) == [
        ("shift", at(1, 18), at(1, 18), "day shift until 18:00"),
        ("shift", at(1, 22), at(1, 22), "Nacht from 22:00"),
        ("day", at(2, 0), at(2, 0), "03-02"),
        ("cut_off", at(2, 15), at(2, 15), "15:00"),
        ("shift", at(2, 9), at(2, 9), "day shift from 09:00"),
    ]


def test_a_holiday_is_a_band_without_cut_off_or_shift(view_with: Callable[..., View]) -> None:
    marks = found(view_with(shifts=SHIFTS, holidays=[date(2026, 3, 2)]), at(2, 0), at(3, 0))
    assert marks == [("holiday", at(2, 0), at(3, 0), "holiday"), ("day", at(2, 0), at(2, 0), "03-02")]


def test_a_promotion_of_three_days_is_one_band_and_a_long_axis_has_no_clock_times(view_with: Callable[..., View]) -> None:
    view = view_with(promotions=[{"name": "3.8", "from": date(2026, 3, 6), "to": date(2026, 3, 8)}], shifts=SHIFTS)
    assert found(view, at(1, 0), at(10, 0)) == [("promotion", at(6, 0), at(9, 0), "3.8")]


def test_each_day_has_the_calendar_of_its_own_edition(view_of: OpenView, tmp_path: Path) -> None:
    edition = "- valid_from: {}\n  calendar: {{cut_off: '{}'}}\n"
    (tmp_path / "t.yaml").write_text(edition.format("2020-01-01", "15:00") + edition.format("2026-03-02", "17:00"))
    view = replace(view_of(), targets=read_targets_file(tmp_path / "t.yaml"))
    cut_offs = [start for kind, start, _, _ in found(view, at(1, 0), at(3, 0)) if kind == "cut_off"]
    assert cut_offs == [at(1, 15), at(2, 17)]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Marked on the time axis: midnight 03-02, cut-off 15:00, days of holiday: 1"),
        ("zh-CN", "时间轴标记：零点（03-02）、截单 15:00、节假日 1 天"),
    ],
)
def test_what_is_marked_is_told_in_a_sentence(view_with: Callable[..., View], language: str, words: str) -> None:
    axis = read_axis(view_with(language, holidays=[date(2026, 3, 2)]), at(1, 10), at(2, 17))
    assert axis.spoken.startswith(words)
    assert "┊" in axis.tip
    assert "┊" not in axis.spoken


def test_tiles_stand_on_the_marked_axis_with_a_value_for_every_hour(view_with: Callable[..., View]) -> None:
    """From 16:00 yesterday to 17:00 today are 25 hours: midnight is after 8 of them, the cut-off after 23."""
    tiles, spoken = read_tiles(view_with())
    assert {len(tile.spark) for tile in tiles} == {25}
    assert {tuple((mark.kind, mark.start) for mark in tile.marks) for tile in tiles} == {(("day", 0.32), ("cut_off", 0.92))}
    assert "cut-off 15:00" in spoken
    assert all("┊ cut-off 15:00" in tile.tip and "┊ cut-off 15:00" in tile.info for tile in tiles)


def test_a_week_s_lines_have_a_step_for_each_day_also_without_orders(view_with: Callable[..., View]) -> None:
    tiles, _ = read_tiles(view_with(window=["7d"], promotions=[{"name": "X", "from": date(2026, 3, 1), "to": date(2026, 3, 1)}]))
    first = AS_OF - timedelta(days=7)
    assert (first.day, len(tiles[0].spark)) == (23, 8)
    assert [(mark.kind, mark.start, mark.end) for mark in tiles[0].marks] == [("promotion", 0.75, 0.875)]


@pytest.mark.parametrize(("end", "free"), [(30, True), (20, False)])
def test_no_hour_is_written_under_the_word_for_a_promise_at_the_axis_end(view_of: OpenView, end: int, free: bool) -> None:
    """At the end that word stands before its line, in the middle on both sides of it."""
    view, start = view_of(language="en"), datetime(2026, 3, 1, 16, tzinfo=UTC)
    promised = start + timedelta(hours=20)
    scale = _Scale(start=start, end=start + timedelta(hours=end))
    ticks = _ticks(view, cast("Twin", SimpleNamespace(order={"promised_at": promised})), scale)
    near = [tick for tick in ticks if tick.kind == "hour" and 0.06 < scale.share(promised) - tick.left < 0.16]
    assert (ticks[-1].kind, bool(near)) == ("promise", free)
