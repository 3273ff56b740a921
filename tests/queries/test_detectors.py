"""Detectors and courses on planted truth: found when it is there, quiet when it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from queries.detectors import find_decay, find_nodes, find_silence, poisson_at_most
from queries.series import Course, change_point, courses, growth, is_moving, judge, student_quantile_95, student_tail

END = datetime(2026, 3, 20, 12, tzinfo=UTC)
WEEK = 7 * 24


def course(entered: np.ndarray, left: np.ndarray, start: float = 0.0) -> Course:
    """A course whose last hour is whole."""
    level = np.maximum(0, start + np.cumsum(entered - left))
    starts = tuple(END - timedelta(hours=len(entered) - 1 - hour) for hour in range(len(entered)))
    return Course(starts=starts, entered=entered.astype(float), left=left.astype(float), level=level, hours=level)


def quiet(seed: int, mean: float = 20.0) -> Course:
    """A week whose hours differ by chance and by the hour of the day."""
    random = np.random.default_rng(seed)
    of_day = mean * (1 + 0.8 * np.sin(np.arange(WEEK) * 2 * np.pi / 24))
    entered = random.poisson(of_day)
    return course(entered, np.minimum(np.concatenate([[0], entered[:-1]]), entered.sum()))


def blocked(seed: int, hours: int) -> Course:
    """The same, but for the newest hours in which nothing goes out."""
    whole = quiet(seed)
    left = whole.left.copy()
    left[-hours:] = 0
    return course(whole.entered, left)


def test_a_blocked_node_that_is_still_fed_is_found_with_its_beginning() -> None:
    found = find_nodes({("WH-A", "accepted"): blocked(1, 5), ("WH-B", "accepted"): quiet(2), (None, "accepted"): blocked(3, 5)})
    assert [(item.kind, item.place) for item in found] == [("blocked_but_fed", ("WH-A",))]
    assert found[0].since == END - timedelta(hours=4)


def test_quiet_nodes_stay_quiet() -> None:
    nodes: dict[tuple[str | None, ...], Course] = {(f"WH-{seed}", "accepted"): quiet(seed) for seed in range(150)}
    assert find_nodes(nodes) == []
    assert find_silence({("paid",): quiet(9)}) == []


def test_a_node_that_slows_while_its_queue_grows_is_found() -> None:
    whole = quiet(4, mean=60)
    left = whole.left.copy()
    left[-6:] = np.floor(left[-6:] * 0.4)
    assert [item.kind for item in find_nodes({("WH-A", "picked"): course(whole.entered, left)})] == ["slower_than_queue"]


def test_a_silent_stage_is_found() -> None:
    found = find_silence({("delivered",): blocked(5, 4)})
    assert [(item.kind, item.stage, item.since) for item in found] == [("silent", "delivered", END - timedelta(hours=3))]


@pytest.mark.parametrize(("shares", "is_found"), [([0.1] * 7, False), ([0.1] * 4 + [0.3] * 3, True), ([0.1] * 6 + [0.4], False)])
def test_three_bad_days_in_a_row_are_decay_and_one_is_not(shares: list[float], is_found: bool) -> None:
    passing = course(np.full(WEEK, 10), np.full(WEEK, 10))
    slow = np.repeat([round(10 * share) for share in shares], 24)
    stuck = course(slow, slow)
    found = find_decay({("YUNHE", "out_for_delivery"): stuck}, {("YUNHE", "out_for_delivery"): passing})
    assert bool(found) == is_found


def only_begun(whole: Course, passed: float) -> Course:
    """The same course, looked at while so much of its newest hour has passed."""
    values = {name: getattr(whole, name).copy() for name in ("entered", "left", "hours")}
    for value in values.values():
        value[-1] *= passed
    return replace(whole, **values, passed=passed)


@pytest.mark.parametrize("passed", [0.0, 0.05, 0.5, 1.0])
def test_an_hour_that_has_only_begun_is_compared_with_as_much_of_it(passed: float) -> None:
    steady = np.full(WEEK, 60.0)
    as_usual = only_begun(course(steady, steady, start=50), passed)
    for length in (1, 3, 24):
        verdict = judge(as_usual, length)
        assert verdict is not None
        assert verdict.hours == pytest.approx(verdict.usual)
        assert verdict.hours == pytest.approx(50 * (length - 1 + passed))
    # Two thirds went out in the hours that are over, and as much waits as usual and half again.
    slower = steady.copy()
    slower[-3:] = 42
    queue = course(steady, slower, start=40)
    assert find_nodes({("WH-A", "picked"): only_begun(queue, passed)}) == []


def test_growth_counts_the_time_that_has_passed() -> None:
    rising = course(np.full(WEEK, 60.0), np.full(WEEK, 50.0))
    begun = replace(rising, level=np.append(rising.level[:-1], rising.level[-2] + 5), passed=0.5)
    assert growth(rising) == growth(begun) == pytest.approx(10)


def test_a_silence_within_the_hour_that_has_only_begun_is_none() -> None:
    heard = course(np.full(WEEK, 12.0), np.append(np.full(WEEK - 2, 12.0), [0.0, 0.0]))
    assert find_silence({("delivered",): heard})
    assert find_silence({("delivered",): only_begun(heard, 0.05)})
    rare = course(np.full(WEEK, 7.0), np.append(np.full(WEEK - 2, 7.0), [0.0, 0.0]))
    assert find_silence({("delivered",): rare})
    assert find_silence({("delivered",): only_begun(rare, 0.05)}) == []


def test_an_unusual_day_is_judged_and_an_ordinary_one_is_not() -> None:
    alike = [judge(quiet(seed), 24) for seed in range(60)]
    assert sum(verdict is not None and verdict.p < 0.01 for verdict in alike) <= 2
    verdict = judge(blocked(1, 12), 24)
    assert verdict is not None
    assert verdict.p < 0.001
    assert verdict.low > 0


def test_a_change_point_is_where_the_level_rose() -> None:
    found = change_point(blocked(6, 10))
    assert found is not None
    assert abs(found - (END - timedelta(hours=9))) <= timedelta(hours=2)
    assert sum(change_point(quiet(seed)) is not None for seed in range(40)) <= 3


def test_growth_is_told_by_the_hour_and_against_chance() -> None:
    assert growth(blocked(1, 5)) > 5
    assert is_moving(blocked(1, 5))
    assert not is_moving(course(np.full(WEEK, 9), np.full(WEEK, 9)))


def test_a_course_adds_up_order_hours() -> None:
    """One order enters at 10:15 and leaves at 12:45, another waits since before: 2.5 h and all of the time."""
    start, as_of = END - timedelta(hours=4), END + timedelta(minutes=30)
    rows = pl.DataFrame(
        {
            "stage": ["paid"] * 3,
            "bucket_at": [start - timedelta(hours=1), END - timedelta(hours=2), END],
            "entered_count": [1, 1, 0],
            "left_count": [0, 0, 1],
            "entered_rest_seconds": [0.0, 2700.0, 0.0],
            "left_rest_seconds": [0.0, 0.0, 2700.0],
        }
    )
    found = courses(rows, ("stage",), start, as_of)["paid",]
    assert found.level.tolist() == [1, 1, 2, 2, 1]
    assert found.hours.tolist() == pytest.approx([1, 1, 1.75, 2, 0.75])


def test_tails_are_those_of_the_tables() -> None:
    assert student_quantile_95(5) == pytest.approx(2.015, abs=0.001)
    assert student_quantile_95(4) == pytest.approx(2.132, abs=0.001)
    assert student_tail(0, 7) == pytest.approx(0.5)
    assert poisson_at_most(2, 3.0) == pytest.approx(0.4232, abs=0.0001)
