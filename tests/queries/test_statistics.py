"""Each statistic against values computed by hand."""

from __future__ import annotations

import pytest

from queries.statistics import Contrast, robust_z, true_discoveries, wilson


def test_robust_z_is_the_distance_from_the_median_in_scaled_mads() -> None:
    """1, 2, 3, 4, 100: median 3, deviations 2, 1, 0, 1, 97, their median 1; (6 - 3) / 1.4826."""
    assert robust_z(6, [1, 2, 3, 4, 100]) == pytest.approx(2.023472, abs=1e-6)
    assert robust_z(0, [1, 2, 3, 4, 100]) == pytest.approx(-2.023472, abs=1e-6)


def test_robust_z_needs_history_that_varies() -> None:
    assert robust_z(6, [1, 2, 3]) is None
    assert robust_z(6, [5, 5, 5, 5]) is None
    assert robust_z(5, [5, 5, 5, 5]) == 0


def test_a_ratio_of_shares_has_the_katz_interval() -> None:
    """30 of 100 against 20 of 200: 0.3 / 0.1 = 3; error √(1/30 - 1/100 + 1/20 - 1/200) = 0.261406; 3·e^(∓0.512347)."""
    contrast = Contrast(bad=30, n=100, bad_rest=20, n_rest=200)
    assert contrast.ratio == pytest.approx(3.0)
    assert contrast.interval == pytest.approx((1.797263, 5.007615), abs=1e-5)


def test_a_difference_of_shares_has_newcombes_interval() -> None:
    """Newcombe (1998), table II (a): 56/70 against 48/80 by method 10 is 0.0524 to 0.3339."""
    interval = Contrast(bad=56, n=70, bad_rest=48, n_rest=80).difference_interval
    assert interval == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_wilson_as_published() -> None:
    """Newcombe (1998a): 81 of 263 is 0.2553 to 0.3662, 0 of 20 is 0 to 0.1611."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)


def test_p_is_that_of_the_pooled_z() -> None:
    """30 of 100 against 20 of 100: z 1.632993, two-sided 0.102470."""
    assert Contrast(bad=30, n=100, bad_rest=20, n_rest=100).p == pytest.approx(0.102470, abs=1e-6)
    assert Contrast(bad=0, n=10, bad_rest=0, n_rest=10).p == 1
    assert Contrast(bad=3, n=10, bad_rest=0, n_rest=0).p == 1


def test_nothing_bad_among_the_others_is_no_ratio() -> None:
    assert Contrast(bad=3, n=10, bad_rest=0, n_rest=10).ratio is None
    assert Contrast(bad=0, n=10, bad_rest=2, n_rest=10).interval is None


def test_many_tests_are_held_to_their_number() -> None:
    """Benjamini & Hochberg's own fifteen p values: four stand at 5 %."""
    ps = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert true_discoveries(ps) == {0, 1, 2, 3}
    assert true_discoveries(list(reversed(ps))) == {11, 12, 13, 14}
    assert true_discoveries([0.2, 0.9]) == frozenset()
    assert true_discoveries([]) == frozenset()
