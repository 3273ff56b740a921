"""Scorecards: a small member with three bad days is not last by chance, a large one that is bad is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from queries.scorecard import score

START = datetime(2026, 3, 1, tzinfo=UTC)


def days(member: str, counts: list[tuple[int, int]]) -> list[dict[str, object]]:
    """One row a day: good ones of how many."""
    return [
        {"carrier": member, "bucket_at": START + timedelta(days=day), "rate": good / n if n else None, "rate_n": n}
        for day, (good, n) in enumerate(counts)
    ]


def drawn(random: np.random.Generator, member: str, rate: float, n: int) -> list[dict[str, object]]:
    return days(member, [(int(random.binomial(n, rate)), n) for _ in range(14)])


def country() -> list[dict[str, object]]:
    """Ten large carriers, one of them really bad; a small one whose first days were as all others', three were bad by chance."""
    random = np.random.default_rng(1)
    rows = [row for number in range(9) for row in drawn(random, f"C{number}", 0.95, 1000)]
    rows += drawn(random, "BAD", 0.85, 1000)
    return rows + days("SMALL", [(2, 2)] * 11 + [(1, 2)] * 3)


def test_chance_ranks_no_small_one_last() -> None:
    middle, scores = score(country(), "carrier", "rate", target=0.9)
    found = {item.member: item for item in scores}
    assert scores[0].member == "BAD"
    assert found["BAD"].verdict == "worse"
    assert found["SMALL"].rate < 0.9
    assert found["SMALL"].verdict == "usual"
    assert found["SMALL"].days_below == 3
    assert middle == pytest.approx(0.95, abs=0.01)


def test_alike_members_are_not_told_apart() -> None:
    random = np.random.default_rng(2)
    rows = [row for number in range(20) for row in drawn(random, f"C{number}", 0.95, 300)]
    _, scores = score(rows, "carrier", "rate", target=None)
    assert sum(item.verdict != "usual" for item in scores) <= 2
    assert max(item.estimate for item in scores) - min(item.estimate for item in scores) < 0.02


def test_nothing_gives_nothing() -> None:
    assert score(days("C1", [(0, 0)]), "carrier", "rate", target=None) == (0.0, [])


def test_days_that_missed_the_target_in_a_row_are_counted_on_the_targets_side() -> None:
    rows = days("C1", [(19, 20), (16, 20), (15, 20)])
    assert [item.days_below for item in score(rows, "carrier", "rate", target=0.9)[1]] == [2]
    assert [item.days_below for item in score(rows, "carrier", "rate", target=0.76, is_ceiling=True)[1]] == [0]
    assert [item.days_below for item in score(rows, "carrier", "rate", target=0.5, is_ceiling=True)[1]] == [3]


def test_many_members_with_an_order_each_are_not_told_apart() -> None:
    """Two hundred sellers of one to three orders, seven in ten of them good: counted, most are all or nothing."""
    random = np.random.default_rng(3)
    sizes = random.integers(1, 4, 200)
    rows = [row for number, n in enumerate(sizes) for row in days(f"S{number}", [(int(random.binomial(n, 0.7)), int(n))])]
    middle, scores = score(rows, "carrier", "rate", target=0.95)
    assert middle == pytest.approx(0.7, abs=0.1)
    assert sum(item.verdict != "usual" for item in scores) <= 10
