"""A time axis and what the business calendar marks on it; every chart over time draws the same marks.

Instants are aware; where a mark stands is a share of the axis (0–1), so that a chart of any width can place it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

MarkKind = Literal["day", "shift", "cut_off", "holiday", "promotion"]

GLYPHS: Final[dict[MarkKind, str]] = {"day": "│", "shift": "╷", "cut_off": "┊", "holiday": "░", "promotion": "▒"}
"""How a mark looks, in a character: what a tip puts before its words."""


@dataclass(frozen=True, kw_only=True)
class TimeMark:
    """Something of the calendar: a moment (`start_at` is `end_at`) or the time up to `end_at`; `text` says what it is."""

    kind: MarkKind
    start_at: datetime
    end_at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class AxisMark:
    """A mark's place on an axis: shares of its length, equal for a moment."""

    kind: MarkKind
    start: float
    end: float
    text: str


@dataclass(frozen=True, kw_only=True)
class TimeAxis:
    """The time from `start_at` up to `end_at` with its marks; `spoken` tells them in a sentence, `tip` in a line each."""

    start_at: datetime
    end_at: datetime
    marks: tuple[TimeMark, ...] = ()
    spoken: str = ""
    tip: str = ""

    def share(self, instant: datetime) -> float:
        """Where an instant stands: 0 at the start, 1 at the end, clipped; 0 on an axis without length."""
        length = (self.end_at - self.start_at).total_seconds()
        return min(1.0, max(0.0, (instant - self.start_at).total_seconds() / length)) if length > 0 else 0.0

    def places(self) -> tuple[AxisMark, ...]:
        """The marks' places, rounded to a thousandth; bands first, so that moments are drawn over them."""
        placed = (
            AxisMark(
                kind=mark.kind, start=round(self.share(mark.start_at), 3), end=round(self.share(mark.end_at), 3), text=mark.text
            )
            for mark in self.marks
        )
        return tuple(sorted(placed, key=lambda mark: (mark.start == mark.end, mark.start)))


def tip_of(lines: Iterable[tuple[MarkKind, str]]) -> str:
    """A line for each kind of mark, its look before its words."""
    return "\n".join(f"{GLYPHS[kind]} {text}" for kind, text in lines)
