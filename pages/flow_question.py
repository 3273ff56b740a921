"""What the address asks of the flow page: places of which kind, which rate to explain, and what to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from access.view import View
from pages.links import instant_text
from queries.causes import can_explain
from queries.metrics import METRICS
from queries.query import RESOLUTION, Filter, Window

Parameters = Mapping[str, Sequence[str]]

PLACES: Final = ("warehouse", "carrier", "region", "province", "lane", "channel")
RATES: Final = ("on_time_rate", "on_time_ship_rate", "otif_rate", "exception_rate", "cancel_rate", "delivery_failed_rate")
LAST_WEEK: Final = "last_week"
LONGEST: Final = timedelta(days=14)
SHORTEST_CHANGE: Final = timedelta(days=3)
"""A rate's change over less than this stands on too few days to know how much days differ."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Places `split`, the rate `metric`, and `beside`: last week, or `region/CN-EAST`, `carrier/YUNHE`."""

    split: str
    metric: str
    beside: str

    @property
    def other(self) -> Filter | None:
        """The other part of the orders to compare with; None where it is last week."""
        dimension, _, code = self.beside.partition("/")
        return Filter(dimension, (code,)) if code else None


def read_question(parameters: Parameters) -> Question:
    """The question; unknown words fall back to warehouses, on-time delivery and last week."""

    def one(name: str) -> str:
        values = parameters.get(name) or ("",)
        return values[-1]

    split, metric, beside = one("split"), one("metric"), one("beside")
    dimension, _, code = beside.partition("/")
    return Question(
        split=split if split in PLACES else PLACES[0],
        metric=metric if metric in METRICS and can_explain(metric) else RATES[0],
        beside=beside if dimension in ("region", "carrier") and code else LAST_WEEK,
    )


def looked_at(view: View) -> View:
    """The view that the page shows: of a window that is over as it was at its end, of a longer one its last two weeks."""
    end = view.window.end - RESOLUTION
    seen = replace(view, as_of=end) if end < view.as_of else view
    if not is_cut(seen):
        return seen
    window = Window.last(LONGEST, seen.as_of)
    code = f"{LONGEST.days}d" if seen is view else f"{instant_text(window.start or end)}..{instant_text(window.end)}"
    return replace(seen, window=window, address=replace(view.address, window=code))


def is_cut(view: View) -> bool:
    """Whether the window is longer than what the page looks at."""
    return view.window.start is None or view.window.start < view.as_of - LONGEST


def window_of(view: View) -> Window:
    """The view's window; one without a start, or longer than memory serves, is cut to the last two weeks."""
    return Window.last(LONGEST, view.as_of) if is_cut(view) else view.window


def length_of(view: View) -> timedelta:
    """How far back the window goes."""
    start = window_of(view).start
    return view.as_of - start if start else LONGEST


def passing(view: View) -> tuple[Filter, ...]:
    """The filters that passages have; a stage chosen narrows no comparison of stages."""
    return tuple(filter_ for filter_ in view.filters_for("lost_seconds") if filter_.dimension != "stage")
