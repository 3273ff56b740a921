"""An order's life on one time axis: each stage as it went, what is usual, the limit, the promise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from access.order_twin import Passage, Twin
from access.view import View
from components.board import State
from components.format import dash, duration, exact_instant
from components.twin import Axis, Span, Tick
from i18n import label, translate
from pages.links import filter_changes, instant_text, link
from pages.wording import state_name

STEPS: Final = (1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 720)
"""Hours between ticks; the first that gives at most eight is taken."""
MOST_TICKS: Final = 8
ROOM: Final = 0.06
"""The share of the axis that a label needs."""
AT_THE_END, END_ROOM = 0.94, 0.16
"""A promise at the end of the axis is written before its line: it takes its whole width there."""
HEADS: Final = ("stage", "dwell", "usual", "limit")


@dataclass(frozen=True, kw_only=True)
class _Scale:
    start: datetime
    end: datetime

    def share(self, instant: datetime) -> float:
        return min(1.0, max(0.0, (instant - self.start) / (self.end - self.start)))


def state_of(view: View, late: float | None) -> State:
    """How an order stands against its promise: late beyond the limit, late, or neither."""
    if late is None or late <= 0:
        return "neutral"
    return "critical" if late > view.targets.at(view.as_of, view.zone).delayed_seconds else "warning"


def axis_of(view: View, twin: Twin) -> Axis:
    """The stages on one axis from the first instant to the last (the promise included)."""
    language, scale = view.language, _scale(twin)
    return Axis(
        title=translate(language, "twin.axis.title"),
        scope=translate(language, "twin.axis.scope", start=exact_instant(scale.start, view.zone), zone=view.zone.key),
        heads=tuple(translate(language, f"twin.axis.{name}") for name in HEADS),
        spans=tuple(_span(view, twin, passage, scale) for passage in twin.passages if passage.opened_at is not None),
        ticks=_ticks(view, twin, scale),
        dots=(),
        legend=translate(language, "twin.axis.legend"),
        empty=translate(language, "twin.axis.empty"),
    )


def _scale(twin: Twin) -> _Scale:
    order = twin.order
    ends = [passage.closed_at or order["as_of"] for passage in twin.passages]
    starts = [passage.opened_at for passage in twin.passages if passage.opened_at is not None]
    known = [*ends, *starts, order["created_at"], *([order["promised_at"]] if order["promised_at"] else [])]
    start, end = min(known), max(known)
    return _Scale(start=start, end=max(end, start + timedelta(minutes=1)))


def _span(view: View, twin: Twin, passage: Passage, scale: _Scale) -> Span:
    language, opened = view.language, passage.opened_at or scale.start
    closed = passage.closed_at or twin.order["as_of"]
    left, usual = scale.share(opened), passage.usual
    usual_left = None if usual is None else scale.share(opened + timedelta(seconds=usual.p10))
    usual_end = None if usual is None else scale.share(opened + timedelta(seconds=usual.p90))
    state = _state(passage)
    return Span(
        name=label(language, "stage", passage.stage),
        left=left,
        width=max(0.0, scale.share(closed) - left),
        usual_left=usual_left,
        usual_width=None if usual_left is None or usual_end is None else usual_end - usual_left,
        dwell=duration(language, passage.seconds, short=True),
        usual=_usual(language, passage),
        limit=duration(language, passage.limit_seconds, short=True),
        state=state,
        state_word=state_name(language, state) if state in ("critical", "warning") else "",
        tip=_tip(view, passage, opened),
        href=_href(view, twin, passage),
        is_waiting=passage.is_waiting,
        mark=translate(language, "twin.inferred") if passage.is_inferred else "",
    )


def _href(view: View, twin: Twin, passage: Passage) -> str:
    """The comparable orders of this stage."""
    window = twin.compared_window
    if passage.usual is None or window is None or window.start is None:
        return ""
    others: dict[str, None] = {filter_.dimension: None for filter_ in view.address.filters}
    changes = {**others, **filter_changes(twin.compared[passage.usual.level]), "stage": passage.stage}
    span = f"{instant_text(window.start)}..{instant_text(window.end)}"
    return link(view, "/orders", **{**changes, "metric": "dwell_seconds_p50", "window": span})


def _state(passage: Passage) -> State:
    """Beyond the limit, or longer than nine in ten comparable orders."""
    if passage.seconds is None:
        return "unknown"
    if passage.limit_seconds is not None and passage.seconds > passage.limit_seconds:
        return "critical"
    return "warning" if passage.usual is not None and passage.seconds > passage.usual.p90 else "neutral"


def _usual(language: str, passage: Passage) -> str:
    usual = passage.usual
    if usual is None:
        return dash(language)
    low, high = (duration(language, seconds, short=True) for seconds in (usual.p10, usual.p90))
    return translate(language, "twin.axis.range", low=low, high=high)


def _tip(view: View, passage: Passage, opened: datetime) -> str:
    language = view.language
    lines = [
        label(language, "stage", passage.stage),
        f"{exact_instant(opened, view.zone)} → {exact_instant(passage.closed_at, view.zone)}",
    ]
    if passage.usual is not None:
        figures = {name: duration(language, getattr(passage.usual, name)) for name in ("p10", "p50", "p90")}
        lines.append(translate(language, "twin.axis.tip", n=f"{passage.usual.n:,}", **figures))
    return "\n".join(lines)


def _ticks(view: View, twin: Twin, scale: _Scale) -> tuple[Tick, ...]:
    hours = (scale.end - scale.start) / timedelta(hours=1)
    step = next((step for step in STEPS if hours / step <= MOST_TICKS), STEPS[-1])
    first = scale.start.astimezone(view.zone).replace(minute=0, second=0, microsecond=0)
    first += timedelta(hours=(-first.hour) % step if step <= 24 else (24 - first.hour) % 24)
    form = "%H:%M" if step < 24 else "%m-%d"
    ticks, at, promised = [], first, twin.order["promised_at"]
    place = None if promised is None else scale.share(promised)
    room = ROOM if place is None or place <= AT_THE_END else END_ROOM
    while at <= scale.end:
        left = scale.share(at)
        is_free = place is None or abs(left - place) > room
        if ROOM / 2 < left < 1 - ROOM / 2 and is_free:
            ticks.append(Tick(left=left, text=f"{at.astimezone(view.zone):{form}}"))
        at += timedelta(hours=step)
    if place is not None:
        ticks.append(Tick(left=place, text=translate(view.language, "twin.axis.promise"), kind="promise"))
    return tuple(ticks)
