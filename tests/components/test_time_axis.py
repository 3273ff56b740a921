"""Marks stand where their instants lie on the axis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from components.time_axis import MarkKind, TimeAxis, TimeMark, tip_of

START = datetime(2026, 3, 1, tzinfo=UTC)


def mark(kind: MarkKind, start: float, end: float) -> TimeMark:
    return TimeMark(kind=kind, start_at=START + timedelta(hours=start), end_at=START + timedelta(hours=end), text=kind)


def test_a_mark_stands_at_its_share_of_the_axis_and_is_cut_at_its_ends() -> None:
    axis = TimeAxis(
        start_at=START, end_at=START + timedelta(hours=10), marks=(mark("cut_off", 2.5, 2.5), mark("promotion", -5, 4))
    )
    assert [(place.kind, place.start, place.end) for place in axis.places()] == [("promotion", 0, 0.4), ("cut_off", 0.25, 0.25)]


def test_moments_are_drawn_over_days() -> None:
    axis = TimeAxis(start_at=START, end_at=START + timedelta(hours=48), marks=(mark("day", 0, 0), mark("holiday", 24, 48)))
    assert [place.kind for place in axis.places()] == ["holiday", "day"]


def test_an_axis_without_length_has_no_places_but_its_start() -> None:
    assert TimeAxis(start_at=START, end_at=START, marks=(mark("day", 0, 0),)).places()[0].start == 0


def test_a_tip_shows_each_kind_s_look_before_its_words() -> None:
    assert tip_of([("cut_off", "cut-off 16:00"), ("holiday", "holidays: 2 days")]) == "┊ cut-off 16:00\n░ holidays: 2 days"
