"""Attribution of a change: sums exactly, covers the simulated truth, keeps quiet where nothing happened."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queries.attribution import Cell, attribute

KINDS = ("WH-A", "WH-B", "WH-C", None)
CAUSES = ("accepted", "picked", None)
COUNTS = st.lists(st.tuples(*[st.integers(0, 40)] * 4), min_size=4, max_size=4)


def cells(counts: Sequence[Sequence[int]], block: int = 0) -> list[Cell]:
    """One cell a kind: orders on time, then late ones by cause."""
    return [
        Cell(kind=kind, n=sum(row), bad=dict(zip(CAUSES, row[1:], strict=True)), block=block)
        for kind, row in zip(KINDS, counts, strict=True)
    ]


@settings(max_examples=60, deadline=None)
@given(before=COUNTS, after=COUNTS)
def test_contributions_add_up_to_the_change_exactly(
    before: list[tuple[int, int, int, int]], after: list[tuple[int, int, int, int]]
) -> None:
    found = attribute(cells(before), cells(after))
    if found is None:
        assert not sum(map(sum, before)) or not sum(map(sum, after))
        return
    assert sum(part.change for part in found.contributions) == pytest.approx(found.change, abs=1e-12)
    rates = [sum(sum(row[1:]) for row in side) / sum(map(sum, side)) for side in (before, after)]
    assert found.change == pytest.approx(rates[1] - rates[0], abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(before=COUNTS, after=COUNTS)
def test_turning_time_round_turns_every_contribution_round(
    before: list[tuple[int, int, int, int]], after: list[tuple[int, int, int, int]]
) -> None:
    there, back = attribute(cells(before), cells(after)), attribute(cells(after), cells(before))
    if there is None or back is None:
        assert there is back
        return
    forth = {(part.effect, part.kind, part.cause): part.change for part in there.contributions}
    assert {(p.effect, p.kind, p.cause): pytest.approx(-p.change, abs=1e-12) for p in back.contributions} == forth


def draw(random: np.random.Generator, shares: np.ndarray, late: np.ndarray, n: int, days: int = 7) -> list[Cell]:
    """Independent orders of some days: kinds by share, late ones by cause."""
    flat = np.concatenate([1 - late.sum(axis=1, keepdims=True), late], axis=1) * shares[:, None]
    found: list[Cell] = []
    for day in range(days):
        found += cells(random.multinomial(n // days, flat.ravel()).reshape(len(KINDS), -1).tolist(), block=day)
    return found


SHARES = np.array([0.4, 0.3, 0.2, 0.1])
LATE = np.array([[0.02, 0.03, 0.01], [0.04, 0.02, 0.02], [0.01, 0.01, 0.03], [0.05, 0.02, 0.02]])
SHIFTED = np.array([0.3, 0.3, 0.2, 0.2])
WORSE = LATE + np.array([[0.06, 0, 0], [0, 0, 0], [0, 0.01, 0], [0, 0, 0]])


def truth() -> dict[tuple[str, str | None, str | None], float]:
    """Kitagawa's formula on what the orders are drawn from."""
    bad = [side.sum(axis=1) for side in (LATE, WORSE)]
    whole = (SHARES @ bad[0] + SHIFTED @ bad[1]) / 2
    found: dict[tuple[str, str | None, str | None], float] = {}
    for i, kind in enumerate(KINDS):
        found["mix", kind, None] = (SHIFTED[i] - SHARES[i]) * ((bad[0][i] + bad[1][i]) / 2 - whole)
        for j, cause in enumerate(CAUSES):
            found["rate", kind, cause] = (SHARES[i] + SHIFTED[i]) / 2 * (WORSE[i, j] - LATE[i, j])
    return found


def test_nine_in_ten_intervals_hold_the_truth() -> None:
    random, expected, held, asked = np.random.default_rng(1), truth(), 0, 0
    for _ in range(120):
        found = attribute(draw(random, SHARES, LATE, 4200), draw(random, SHIFTED, WORSE, 4200))
        assert found is not None
        for part in found.contributions:
            asked += 1
            held += part.low <= expected[part.effect, part.kind, part.cause] <= part.high
    assert 0.88 <= held / asked <= 0.96


def test_a_planted_cause_is_named_first() -> None:
    random = np.random.default_rng(2)
    found = attribute(draw(random, SHARES, LATE, 7000), draw(random, SHARES, WORSE, 7000))
    assert found is not None
    first = found.contributions[0]
    assert (first.effect, first.kind, first.cause, first.is_significant) == ("rate", "WH-A", "accepted", True)


def test_a_week_like_the_last_names_nothing_in_nine_of_ten() -> None:
    random, loud = np.random.default_rng(3), 0
    for _ in range(100):
        found = attribute(draw(random, SHARES, LATE, 4200), draw(random, SHARES, LATE, 4200))
        assert found is not None
        loud += bool(found.significant)
    assert loud <= 14


def test_days_that_differ_as_a_whole_widen_the_intervals() -> None:
    random = np.random.default_rng(4)
    calm = attribute(draw(random, SHARES, LATE, 4200), draw(random, SHARES, LATE, 4200))
    moody: list[Cell] = []
    for day in range(7):
        moved = LATE * (0.3 if day % 2 else 1.7)
        moody += [Cell(kind=cell.kind, n=cell.n, bad=cell.bad, block=day) for cell in draw(random, SHARES, moved, 600, days=1)]
    uneasy = attribute(draw(random, SHARES, LATE, 4200), moody)
    assert calm is not None
    assert uneasy is not None
    assert calm.dispersion < 1.8 < uneasy.dispersion
    assert uneasy.high - uneasy.low > 1.2 * (calm.high - calm.low)


def test_a_kind_that_only_one_window_has_is_mix() -> None:
    found = attribute([Cell(kind="old", n=100, bad={"picked": 10})], [*cells([(100, 0, 0, 0)] * 4)])
    assert found is not None
    assert all(part.change == 0 for part in found.contributions if part.effect == "rate")


def test_nothing_is_said_where_a_window_has_no_orders() -> None:
    assert attribute([], cells([(10, 1, 1, 1)] * 4)) is None
