"""Bottlenecks: a null week names nothing, a planted one is named first with its beginning, and small matters never are."""

from __future__ import annotations

from datetime import timedelta

from queries.ranking import LEAST_STUCK, Bottleneck, rank
from queries.series import Course
from tests.queries.test_detectors import END, blocked, quiet

PLACES = 60


def ranked(courses: dict[tuple[str | None, ...], Course], count: int = 40) -> list[Bottleneck]:
    """The ranking of a day of these places, each with so many orders slower than normal."""
    rows = [
        {"warehouse": place, "stage": stage, "lost_seconds": 3600.0 * count, "lost_count": count, "lost_rate_n": 10 * count}
        for place, stage in courses
    ]
    return rank(rows, courses, "warehouse", hours=24)


def null_week(seed: int) -> dict[tuple[str | None, ...], Course]:
    """Places whose hours differ by chance only."""
    return {(f"WH-{place}", "accepted"): quiet(1000 * seed + place) for place in range(PLACES)}


def test_null_weeks_stay_quiet() -> None:
    named = [sum(item.is_significant for item in ranked(null_week(seed))) for seed in range(20)]
    assert sum(count > 0 for count in named) <= 3, named


def test_a_planted_bottleneck_is_named_first_with_its_beginning() -> None:
    courses = null_week(1)
    courses["WH-STUCK", "accepted"] = blocked(5, 12)
    first, *rest = ranked(courses)
    assert (first.place, first.is_significant, first.trend) == ("WH-STUCK", True, "growing")
    assert first.since is not None
    assert abs(first.since - (END - timedelta(hours=11))) <= timedelta(hours=3)
    assert not any(item.is_significant for item in rest)


def test_a_handful_of_orders_is_no_bottleneck() -> None:
    found = ranked({("WH-STUCK", "accepted"): blocked(5, 12)}, count=LEAST_STUCK - 1)
    assert [item.is_significant for item in found] == [False]
