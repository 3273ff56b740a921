"""Which figures are about something bad that can be counted, and how many bad orders a figure stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from access.view import View
from pages.figures import plain
from queries.metrics import METRICS
from queries.query import Filter, Query


@dataclass(frozen=True, kw_only=True)
class Problem:
    """How a metric counts bad rows: a share's part (or what is missing to one), or a count of its own `of` a population."""

    metric: str
    of: str = ""

    def metrics(self) -> tuple[str, ...]:
        """What to ask for to know bad rows and all rows."""
        return (self.metric, self.of) if self.of else (self.metric,)

    def bad(self, row: Mapping[str, Any], metric: str | None = None) -> int:
        """How many rows of this group are bad."""
        name = metric or self.metric
        value = plain(row[name])
        if value is None:
            return 0
        if METRICS[name].unit == "count":
            return round(value)
        return round((1 - value if METRICS[name].better == "higher" else value) * int(row[f"{name}_n"]))

    def n(self, row: Mapping[str, Any]) -> int:
        """How many rows this group has."""
        return int(row[self.of] or 0) if self.of else int(row[f"{self.metric}_n"] or 0)


def _is_share(name: str) -> bool:
    entry = METRICS[name]
    return entry.unit == "rate" and entry.better != "neutral" and entry.n == entry.measures[1].name


_COUNTS: Final = {
    "overdue_count": "backlog_count",
    "overdue_ship_count": "backlog_count",
    "unallocated_count": "backlog_count",
    "undispatched_count": "backlog_count",
}

PROBLEMS: Final[dict[str, Problem]] = {
    name: Problem(metric=name, of=_COUNTS.get(name, "")) for name in METRICS if name in _COUNTS or _is_share(name)
}
"""Every share with a good and a bad side, and the counts of what should not be."""

STAND_INS: Final = {"speed": "over_limit_rate", "state": "overdue_count", "quality": "exception_rate"}
"""Where a figure counts nothing bad (a median, a volume), the problem of its group stands in for it."""


def ask_problem(view: View, problem: Problem, by: tuple[str, ...], where: Sequence[Filter]) -> list[dict[str, Any]]:
    """The problem's figures (with targets) by dimensions over the view's window; the same question has the same answer."""
    asked = Query(metrics=problem.metrics(), by=by, where=tuple(where), window=view.window, compare=("target",))
    return view.run(asked).to_dicts()


def problem_of(metric: str) -> Problem | None:
    """The problem a metric counts; None where it counts none."""
    return PROBLEMS.get(metric)


def stand_in(metric: str, group: str) -> str:
    """The metric itself where it counts a problem, else the one of its group, else late delivery."""
    return metric if metric in PROBLEMS else STAND_INS.get(group, "late_rate")
