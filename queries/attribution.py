"""Why a rate changed between two windows: more orders where it is worse (mix), or worse where they are (rate), with doubt.

Kitagawa (1955), which for two factors is Shapley's value: with p a cell's share of the orders and b its share of bad ones,
mix is (p1 - p0) · ((b0 + b1)/2 - (B0 + B1)/2) and rate is (p0 + p1)/2 · (b1 - b0); no order of factors is assumed, and
the contributions add up to the change of the whole exactly. Bad orders are told apart by a cause each, so that the rate
of a cell splits further without a remainder.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from queries.statistics import true_discoveries

Floats = NDArray[np.float64]
Effect = Literal["mix", "rate"]
Code = str | None

MOST_POOLED: Final = 5
"""With fewer kinds than this their days are looked at together."""

Z_90: Final = 1.644854
"""Two-sided 90 % of the normal distribution."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Orders of one kind in one window: how many, and of the bad ones how many by cause. `block` is the part of the window
    (a day) they belong to: what moves whole days together is then no surprise."""

    kind: Code
    n: int
    bad: Mapping[Code, int]
    block: int = 0


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """A part of the change of the bad share: of a kind by mix, or of a kind and cause by rate; `low` and `high` bound 90 %."""

    effect: Effect
    kind: Code
    cause: Code
    change: float
    low: float
    high: float
    p: float
    is_significant: bool


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """The change of the bad share from `before` to `after`, in contributions that add up to it, the largest first.

    `low` and `high` bound the whole change (90 %), `dispersion` is how much more days differ than independent orders would.
    """

    before: float
    after: float
    n_before: int
    n_after: int
    low: float
    high: float
    dispersion: float
    contributions: tuple[Contribution, ...]

    @property
    def change(self) -> float:
        """The bad share after minus that before."""
        return self.after - self.before

    @property
    def significant(self) -> tuple[Contribution, ...]:
        """What stands when of those named at most one in ten may be chance."""
        return tuple(part for part in self.contributions if part.is_significant)


@dataclass(frozen=True, kw_only=True)
class _Side:
    """One window: orders by kind, bad ones by kind and cause, and the sizes."""

    n: Floats
    bad: Floats

    @property
    def total(self) -> float:
        return float(self.n.sum())

    @property
    def share(self) -> Floats:
        return self.n / self.total

    @property
    def rate(self) -> float:
        return float(self.bad.sum()) / self.total


def attribute(before: Iterable[Cell], after: Iterable[Cell], *, rate: float = 0.1) -> Attribution | None:
    """The change from one window to the other; None where either has no orders.

    Intervals are the delta method's over multinomial counts, widened by how much the blocks of a window differ more than
    independent orders (a quasi-likelihood factor, never below 1). What is significant is decided over all contributions
    at once, so that at most the share `rate` of those named is chance (Benjamini & Hochberg 1995).
    """
    sides = [list(before), list(after)]
    if not all(sum(cell.n for cell in side) for side in sides):
        return None
    kinds = sorted({cell.kind for side in sides for cell in side if cell.n}, key=_sorting)
    causes = sorted({cause for side in sides for cell in side for cause in cell.bad}, key=_sorting)
    old, new = (_side(side, kinds, causes) for side in sides)
    spread = max(_dispersion(side, kinds) for side in sides)
    mix, by_rate, errors = _effects(old, new, spread)
    parts: list[tuple[Effect, Code, Code, float, float]] = []
    for i, kind in enumerate(kinds):
        parts.append(("mix", kind, None, float(mix[i]), errors.mix[i]))
        parts += [
            ("rate", kind, cause, float(by_rate[i, j]), errors.rate[i][j])
            for j, cause in enumerate(causes)
            if old.bad[i, j] or new.bad[i, j]
        ]
    ps = [_p(change, error) for *_, change, error in parts]
    standing = true_discoveries(ps, rate=rate)
    found = [
        Contribution(
            effect=effect, kind=kind, cause=cause, change=change, low=change - Z_90 * error, high=change + Z_90 * error,
            p=ps[position], is_significant=position in standing,
        )
        for position, (effect, kind, cause, change, error) in enumerate(parts)
    ]  # fmt: skip
    together = [_dispersion([replace(cell, kind=None) for cell in side], [None]) for side in sides]
    half = Z_90 * errors.whole * math.sqrt(max(together) / spread)
    return Attribution(
        before=old.rate,
        after=new.rate,
        n_before=int(old.total),
        n_after=int(new.total),
        low=new.rate - old.rate - half,
        high=new.rate - old.rate + half,
        dispersion=spread,
        contributions=tuple(sorted(found, key=lambda part: -abs(part.change))),
    )


def _sorting(code: Code) -> tuple[bool, str]:
    return code is None, code or ""


def _side(cells: list[Cell], kinds: list[Code], causes: list[Code]) -> _Side:
    n, bad = np.zeros(len(kinds)), np.zeros((len(kinds), len(causes)))
    places, reasons = {kind: i for i, kind in enumerate(kinds)}, {cause: j for j, cause in enumerate(causes)}
    for cell in cells:
        if not cell.n:
            continue
        n[places[cell.kind]] += cell.n
        for cause, count in cell.bad.items():
            bad[places[cell.kind], reasons[cause]] += count
    return _Side(n=n, bad=bad)


def _dispersion(cells: list[Cell], kinds: list[Code]) -> float:
    """How much more a kind's blocks differ than independent orders would: Pearson's chi-squared over its degrees of freedom,
    of the middle kind (so that one kind whose rate really moved does not blur all others); at least 1."""
    of_kinds = [_chi_squared([cell for cell in cells if cell.kind == kind]) for kind in kinds]
    known = [(total, freedom) for total, freedom in of_kinds if freedom]
    if len(known) < MOST_POOLED:
        return max(1.0, sum(total for total, _ in known) / freedom) if (freedom := sum(f for _, f in known)) else 1.0
    # The median of chi-squared over its degrees of freedom is less than 1 (Wilson & Hilferty 1931).
    return max(1.0, median(total / freedom / (1 - 2 / (9 * freedom)) ** 3 for total, freedom in known))


def _chi_squared(cells: list[Cell]) -> tuple[float, int]:
    """Pearson's chi-squared of the bad ones in the blocks around their common rate, and its degrees of freedom."""
    blocks: dict[int, tuple[int, int]] = {}
    for cell in cells:
        n, bad = blocks.get(cell.block, (0, 0))
        blocks[cell.block] = (n + cell.n, bad + sum(cell.bad.values()))
    n_all, bad_all = sum(n for n, _ in blocks.values()), sum(bad for _, bad in blocks.values())
    share = bad_all / n_all if n_all else 0.0
    expected = [(n, bad) for n, bad in blocks.values() if n * share * (1 - share) >= 1]
    total = sum((bad - n * share) ** 2 / (n * share * (1 - share)) for n, bad in expected)
    return total, max(0, len(expected) - 1)


@dataclass(frozen=True, kw_only=True)
class _Errors:
    mix: list[float]
    rate: list[list[float]]
    whole: float


def _effects(old: _Side, new: _Side, spread: float) -> tuple[Floats, Floats, _Errors]:
    """Mix by kind, rate by kind and cause, and the standard error of each."""
    rates = [side.bad / np.where(side.n > 0, side.n, 1)[:, None] for side in (old, new)]
    # A kind that one window lacks has only come or gone: all of it is mix.
    rates = [np.where(side.n[:, None] > 0, own, other) for side, own, other in zip((old, new), rates, rates[::-1], strict=True)]
    middle = (rates[0].sum(axis=1) + rates[1].sum(axis=1)) / 2
    whole = (old.rate + new.rate) / 2
    mix = (new.share - old.share) * (middle - whole)
    by_rate = ((old.share + new.share) / 2)[:, None] * (rates[1] - rates[0])
    kinds, causes = by_rate.shape
    sides, signs = (old, new), (-1.0, 1.0)
    errors_mix = [
        math.sqrt(
            spread * sum(_mix_variance(i, side, sign, (new, old), middle, whole) for side, sign in zip(sides, signs, strict=True))
        )
        for i in range(kinds)
    ]
    share = (old.share + new.share) / 2
    errors_rate = [
        [
            math.sqrt(
                spread
                * sum(
                    _rate_variance(i, j, side, float(share[i]), float(rates[1][i, j] - rates[0][i, j]))
                    for side, sign in zip(sides, signs, strict=True)
                )
            )
            for j in range(causes)
        ]
        for i in range(kinds)
    ]
    total = sum(side.rate * (1 - side.rate) / side.total for side in sides)
    return mix, by_rate, _Errors(mix=errors_mix, rate=errors_rate, whole=math.sqrt(spread * total))


def _mix_variance(i: int, side: _Side, sign: float, both: tuple[_Side, _Side], middle: Floats, whole: float) -> float:
    """Variance of one kind's mix from one window's counts: an order moves it by its kind, its badness, and the whole's rate."""
    new, old = both
    moved = float(new.share[i] - old.share[i])
    p, b = float(side.share[i]), float(side.bad[i].sum() / side.n[i]) if side.n[i] else 0.0
    to_share = sign * (float(middle[i]) - whole)
    inside, outside = (moved / (2 * p) if p and side.n[i] else 0.0), -moved / 2
    # Of an order: to_share if of the kind; (bad - b) · inside if of the kind; (bad - B) · outside always.
    in_kind = to_share**2 * p * (1 - p)
    of_rate = p * b * (1 - b) * (inside**2 + 2 * inside * outside)
    of_whole = outside**2 * side.rate * (1 - side.rate) + 2 * to_share * outside * p * (b - side.rate)
    return max(0.0, in_kind + of_rate + of_whole) / side.total


def _rate_variance(i: int, j: int, side: _Side, share: float, moved: float) -> float:
    """Variance of one kind's and cause's rate effect from one window's counts; a half is added where there are few bad ones."""
    n = float(side.n[i])
    if not n:
        return 0.0
    bad = (float(side.bad[i, j]) + 0.5) / (n + 1)
    p = n / side.total
    return share**2 * bad * (1 - bad) / n + (moved / 2) ** 2 * p * (1 - p) / side.total


def _p(change: float, error: float) -> float:
    if not error:
        return 1.0
    return math.erfc(abs(change) / error / math.sqrt(2))
