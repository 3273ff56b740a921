"""How sure a comparison is: the few statistics that pages and rules share, in plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

MAD_TO_SIGMA: Final = 1.4826
"""Makes the median absolute deviation estimate the standard deviation of normal values (Hampel 1974)."""

Z_95: Final = 1.959964
"""Two-sided 95 % of the normal distribution."""


def robust_z(value: float, history: Sequence[float], *, least: int = 4) -> float | None:
    """How many robust standard deviations a value lies from the median of its history.

    (value - median) / (1.4826 · MAD). None with fewer than `least` values, and for a changed value of a history that
    never varied: there is nothing to measure the change by.
    """
    if len(history) < least:
        return None
    middle = median(history)
    deviation = median(abs(past - middle) for past in history)
    if deviation == 0:
        return 0.0 if value == middle else None
    return (value - middle) / (MAD_TO_SIGMA * deviation)


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Bad ones among `n` of one kind, and among the `n_rest` of all others."""

    bad: int
    n: int
    bad_rest: int
    n_rest: int

    @property
    def ratio(self) -> float | None:
        """The share of bad ones over that of the others (relative risk); None where the others have none."""
        if not self.n or not self.n_rest or not self.bad_rest:
            return None
        return (self.bad / self.n) / (self.bad_rest / self.n_rest)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the ratio (Katz 1978, on the logarithm); None without a bad one on either side."""
        ratio = self.ratio
        if ratio is None or not self.bad:
            return None
        error = math.sqrt(1 / self.bad - 1 / self.n + 1 / self.bad_rest - 1 / self.n_rest)
        return ratio * math.exp(-Z_95 * error), ratio * math.exp(Z_95 * error)

    @property
    def difference(self) -> float:
        """The share of bad ones minus that of the others."""
        return self.bad / self.n - self.bad_rest / self.n_rest

    @property
    def difference_interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference (Newcombe 1998, from Wilson's intervals of both shares)."""
        low, high = wilson(self.bad, self.n)
        low_rest, high_rest = wilson(self.bad_rest, self.n_rest)
        share, rest = self.bad / self.n, self.bad_rest / self.n_rest
        below = math.hypot(share - low, high_rest - rest)
        above = math.hypot(high - share, rest - low_rest)
        return self.difference - below, self.difference + above

    @property
    def p(self) -> float:
        """Two-sided p of equal shares (pooled normal approximation); 1 where nothing can be told apart."""
        if not self.n or not self.n_rest:
            return 1.0
        pooled = (self.bad + self.bad_rest) / (self.n + self.n_rest)
        error = math.sqrt(pooled * (1 - pooled) * (1 / self.n + 1 / self.n_rest))
        return math.erfc(abs(self.difference) / error / math.sqrt(2)) if error else 1.0


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (1927)."""
    share, z2 = part / whole, Z_95**2
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    half = Z_95 * math.sqrt(share * (1 - share) / whole + z2 / (4 * whole**2)) / (1 + z2 / whole)
    return max(0.0, middle - half), min(1.0, middle + half)


def true_discoveries(ps: Sequence[float], *, rate: float = 0.05) -> frozenset[int]:
    """Which of many tests stand when at most `rate` of those named may be chance (Benjamini & Hochberg 1995): positions."""
    order = sorted(range(len(ps)), key=lambda position: ps[position])
    last = max((rank for rank, position in enumerate(order, 1) if ps[position] <= rate * rank / len(ps)), default=0)
    return frozenset(order[:last])
