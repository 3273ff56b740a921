"""Timing that can be compared: the things compared take turns, and the median counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

Act = Callable[[], object]


def seconds_of(act: Act) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def alternate(acts: Sequence[Act], rounds: int) -> list[float]:
    """Each act's median seconds over the rounds, after one round that does not count; every other round runs backwards."""
    taken: list[list[float]] = [[] for _ in acts]
    for act in acts:
        act()
    for turn in range(rounds):
        order = range(len(acts)) if turn % 2 == 0 else reversed(range(len(acts)))
        for index in order:
            taken[index].append(seconds_of(acts[index]))
    return [median(times) for times in taken]
