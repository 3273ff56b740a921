"""What a rule about single orders would have matched: how many at the end of each day, and how many now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from queries.order_match import day_of

ORDER_DAYS: Final = (7, 30)


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day: the orders that matched at its end (the last: at the instant of the trial), and those not matched before."""

    on: date
    matched: int = 0
    fresh: int = 0


@dataclass(frozen=True, kw_only=True)
class OrderTrial:
    """The days of a trial, oldest first."""

    days: tuple[Day, ...]

    @property
    def now(self) -> int:
        """How many matched at the trial's instant."""
        return self.days[-1].matched if self.days else 0

    @property
    def fresh_a_day(self) -> float:
        """How many orders newly matched a day, the first day left out: there all are new."""
        later = self.days[1:]
        return sum(day.fresh for day in later) / len(later) if later else 0.0


def trial_from(rows: Sequence[Mapping[str, Any]], *, until: date, days: int) -> OrderTrial:
    """The trial in the answer to `queries.order_match.build_daily`; days without a row had no match."""
    known = {day_of(row["bucket"]): row for row in rows}
    dates = [until - timedelta(days=back) for back in range(days - 1, -1, -1)]
    return OrderTrial(
        days=tuple(
            Day(on=on, matched=int(known[on]["matched"]), fresh=int(known[on]["fresh"])) if on in known else Day(on=on)
            for on in dates
        )
    )


def trial_to_json(trial: OrderTrial) -> dict[str, Any]:
    """The trial as it is kept with a version."""
    return {"kind": "order", "days": [[day.on.isoformat(), day.matched, day.fresh] for day in trial.days]}


def trial_from_json(report: Mapping[str, Any]) -> OrderTrial:
    """The trial that was kept."""
    return OrderTrial(
        days=tuple(Day(on=date.fromisoformat(on), matched=matched, fresh=fresh) for on, matched, fresh in report.get("days", ()))
    )
