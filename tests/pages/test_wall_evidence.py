"""What is called worse is worse beyond chance; a finish is projected from the present rate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pages.wall_bars import Progress
from pages.wall_worst import Evidence

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def test_a_rise_on_many_orders_is_worse_and_the_same_rise_on_few_is_chance() -> None:
    assert Evidence(share=0.14, n=700, share_before=0.04, n_before=700).is_worse
    assert not Evidence(share=0.14, n=20, share_before=0.04, n_before=20).is_worse
    assert not Evidence(share=0.04, n=700, share_before=0.14, n_before=700).is_worse


def test_z_is_the_two_proportion_statistic() -> None:
    """0.30 of 100 against 0.20 of 100, pooled 0.25: 0.1 / sqrt(0.25 * 0.75 * 0.02) = 1.632993."""
    assert Evidence(share=0.30, n=100, share_before=0.20, n_before=100).z == pytest.approx(1.632993, abs=1e-6)


def test_without_a_week_to_compare_whatever_is_beyond_its_limit_counts() -> None:
    evidence = Evidence(share=0.2, n=100, share_before=None, n_before=0)
    assert evidence.z is None
    assert evidence.is_worse


def test_the_margin_is_wilsons_half_width_relative_to_the_share() -> None:
    """Share 0.5 of 100: half width 0.0961, so 19.2 % of the share (Wilson 1927)."""
    assert Evidence(share=0.5, n=100, share_before=None, n_before=0).margin == pytest.approx(0.1923, abs=5e-4)


def progress(due: int, done: int, rate: float, usual: float | None = None) -> Progress:
    return Progress(code="WH-SHA", due=due, done=done, rate=rate, usual=usual)


def test_a_finish_is_what_is_left_at_the_present_rate() -> None:
    assert progress(100, 40, 20.0).finish(NOW) == NOW + timedelta(hours=3)
    assert progress(100, 100, 0.0).finish(NOW) == NOW
    assert progress(100, 40, 0.0).finish(NOW) is None


def test_behind_is_measured_against_the_same_time_last_week() -> None:
    assert progress(100, 40, 20.0, usual=0.6).behind == pytest.approx(0.2)
    assert progress(100, 40, 20.0).behind == 1.0
