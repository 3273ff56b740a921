"""The question: metrics by dimensions, filtered, in a window, at a grain, compared; plain data without time or scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Self, get_args
from zoneinfo import ZoneInfo

Grain = Literal["minute", "five_minutes", "quarter", "hour", "day", "week", "month"]
Comparison = Literal["previous", "last_week", "target"]

GRAINS: Final[tuple[Grain, ...]] = get_args(Grain)
COMPARISONS: Final[tuple[Comparison, ...]] = get_args(Comparison)
RESOLUTION: Final = timedelta(milliseconds=1)
"""All instants are whole milliseconds, so `(a, b]` is `[a + RESOLUTION, b + RESOLUTION)`."""


class QueryError(ValueError):
    """A question that cannot be asked; the message names the part, the reason and the remedy."""


@dataclass(frozen=True)
class Filter:
    """Keep rows whose dimension has one of these codes; None stands for unknown."""

    dimension: str
    values: tuple[str | None, ...]


@dataclass(frozen=True)
class Window:
    """Instants from `start` (None: from the beginning) up to, not including, `end`; both aware."""

    start: datetime | None
    end: datetime

    def __post_init__(self) -> None:
        """Raise QueryError for naive instants or an end before the start."""
        for instant in (self.start, self.end):
            if instant is not None and instant.tzinfo is None:
                raise QueryError(f"{instant} has no time zone: a window's ends are aware instants")
        if self.start is not None and self.end < self.start:
            raise QueryError(f"the window ends ({self.end}) before it starts ({self.start}): swap its ends")

    @classmethod
    def last(cls, length: timedelta, as_of: datetime) -> Self:
        """The time up to and including `as_of`: (as_of - length, as_of]."""
        return cls(start=as_of - length + RESOLUTION, end=as_of + RESOLUTION)

    @classmethod
    def all_until(cls, as_of: datetime) -> Self:
        """Everything up to and including `as_of`."""
        return cls(start=None, end=as_of + RESOLUTION)

    @classmethod
    def day_of(cls, as_of: datetime, zone: ZoneInfo) -> Self:
        """The whole calendar day of `as_of` in `zone`, its rest included."""
        midnight = as_of.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(start=midnight, end=midnight + timedelta(days=1))


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is asked: `metrics` by the dimensions `by`, for rows passing every filter in `where`.

    `window` None means everything up to as-of; stock metrics are taken at as-of (with a grain: at each bucket's
    end). `order_by` is a result column, `-` in front for descending (unknown last); `limit` keeps the first groups.
    """

    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    where: tuple[Filter, ...] = ()
    window: Window | None = None
    grain: Grain | None = None
    compare: tuple[Comparison, ...] = ()
    order_by: str | None = None
    limit: int | None = None
