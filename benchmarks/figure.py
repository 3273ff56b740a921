"""What a benchmark gives: figures with units and budgets; and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

Unit = Literal["seconds", "ratio", "bytes", "count", "per_second"]

OUT: Final = Path(__file__).resolve().parent / "out"
"""Where generated lakes are kept, ignored by git."""


class BenchmarkError(RuntimeError):
    """A benchmark cannot be run here, or what it compares is not the same; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured value; with a budget it is met at or below it."""

    name: str
    value: float
    unit: Unit
    budget: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the budget is kept; None without one."""
        return None if self.budget is None else self.value <= self.budget

    def as_json(self) -> dict[str, Any]:
        """The figure for the result, with `budget` and `met` where it has a budget."""
        told: dict[str, Any] = {"name": self.name, "value": float(f"{self.value:.4g}"), "unit": self.unit}
        return told if self.budget is None else told | {"budget": self.budget, "met": self.met}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What every benchmark is given: how many orders over how many days, where lakes lie, how often to repeat."""

    orders: int
    days: int = 90
    out: Path = OUT
    rounds: int = 5
    say: Callable[[str], None] = field(default=lambda text: None)
