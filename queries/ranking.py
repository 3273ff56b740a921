"""Bottlenecks: places and stages by the order-hours lost there, what is unusual of it, since when, and where it goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from data.order import STAGES
from queries.series import Course, Unusual, change_point, growth, is_moving, judge
from queries.statistics import true_discoveries

Trend = Literal["growing", "steady", "easing"]
Row = Mapping[str, Any]

GREY_STAGES: Final = STAGES[: STAGES.index("accepted") + 1]
"""From the customer's order to the warehouse's acceptance: the grey zone, a stage of its own beside those it is made of."""

KNOWN_FROM: Final = {
    "warehouse": "accepted",
    "warehouse_region": "accepted",
    "lane": "accepted",
    "wave": "picked",
    "carrier": "out_for_delivery",
}
"""A place that is not known of an order before a stage: those still on their way there cannot be counted to it."""

LEAST_STUCK: Final = 5
"""Fewer orders than this make no bottleneck."""
LEAST_RISE: Final = 0.25
"""What is less than a quarter more than usual is no bottleneck, however sure."""
FALSE_SHARE: Final = 0.05
"""Of the bottlenecks named at most this share is chance."""


@dataclass(frozen=True, kw_only=True)
class Bottleneck:
    """One place and stage: passages slower than normal, of how many, the seconds they lost, and the share of all that was lost.

    `unusual` compares the order-hours of the window with the same hours of the days before, None without enough days;
    `is_significant` is decided over all places and stages at once. `stuck` is how many are slower than normal now.
    """

    place: str | None
    stage: str
    count: int
    n: int
    lost_seconds: float
    share: float
    unusual: Unusual | None
    is_significant: bool
    since: datetime | None
    trend: Trend
    growth_per_hour: float
    stuck: int


def rank(rows: Iterable[Row], courses: Mapping[tuple[str | None, ...], Course], by: str, *, hours: int) -> list[Bottleneck]:
    """The bottlenecks, those beyond chance first by the order-hours more than usual, then the others by what they cost.

    `rows` have `by`, `stage`, `lost_seconds`, `lost_count`, `lost_rate_n`; `courses` are those of what is stuck by (place,
    stage); `hours` is the window's length.
    """
    first = STAGES.index(KNOWN_FROM.get(by, STAGES[0]))
    known = [row for row in rows if row["stage"] in STAGES[first:] and row["lost_count"] and (first == 0 or row[by] is not None)]
    everything = sum(float(row["lost_seconds"]) for row in known) or 1.0
    found = [_candidate(row, courses.get((row[by], row["stage"])), by, hours, everything) for row in known]
    ps = [_p(item) for item in found]
    standing = true_discoveries(ps, rate=FALSE_SHARE)
    judged = [_told(item, courses.get((item.place, item.stage)), at in standing) for at, item in enumerate(found)]
    return sorted(judged, key=_cost, reverse=True)


def _candidate(row: Row, course: Course | None, by: str, hours: int, everything: float) -> Bottleneck:
    seconds = float(row["lost_seconds"])
    return Bottleneck(
        place=row[by],
        stage=str(row["stage"]),
        count=int(row["lost_count"]),
        n=int(row["lost_rate_n"]),
        lost_seconds=seconds,
        share=seconds / everything,
        unusual=judge(course, hours) if course else None,
        is_significant=False,
        since=None,
        trend="steady",
        growth_per_hour=0.0,
        stuck=round(float(course.level[-1])) if course else 0,
    )


def _p(item: Bottleneck) -> float:
    """What is too small to matter takes no part: it cannot be significant, and makes nothing else so."""
    unusual = item.unusual
    if unusual is None or item.count < LEAST_STUCK or unusual.beyond < LEAST_RISE * unusual.usual:
        return 1.0
    return unusual.p


def _told(item: Bottleneck, course: Course | None, is_significant: bool) -> Bottleneck:
    if course is None:
        return item
    moved = growth(course)
    trend: Trend = "steady" if not is_moving(course) else "growing" if moved > 0 else "easing"
    return Bottleneck(
        **vars(item)
        | {
            "is_significant": is_significant,
            "since": change_point(course) if is_significant else None,
            "trend": trend,
            "growth_per_hour": moved,
        }
    )


def _cost(item: Bottleneck) -> tuple[bool, float]:
    return item.is_significant, item.unusual.beyond if item.is_significant and item.unusual else item.lost_seconds


def grey_zone(rows: Iterable[Row]) -> tuple[float, float]:
    """Of all that was lost (seconds) how much was lost up to acceptance, and everything."""
    known = [(row["stage"] in GREY_STAGES, float(row["lost_seconds"] or 0.0)) for row in rows if row["stage"]]
    return sum(seconds for is_grey, seconds in known if is_grey), sum(seconds for _, seconds in known)
