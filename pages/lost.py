"""Filter values that lead nowhere: no order in sight has them, now or ever."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import timedelta
from typing import Final

from access.view import View
from i18n import translate
from pages.wording import names_of
from queries.dimensions import ALL_ROWS, DIMENSIONS
from queries.query import Filter, Query, Window
from queries.request import closed_codes

LONGEST: Final = 64


def unknown_words(parameters: Mapping[str, Sequence[str]], known: Mapping[str, Container[str]]) -> tuple[str, ...]:
    """The choices of a page in the address that are none of the words it knows, as `name=word`."""
    asked = {name: (parameters.get(name) or ("",))[-1] for name in known}
    return tuple(f"{name}={word[:LONGEST]}" for name, word in asked.items() if word and word not in known[name])


def lost_values(view: View) -> tuple[Filter, ...]:
    """The filters of the address narrowed to the values that no order in the user's scope has; closed code sets never lose any."""
    return lost_among(view, view.filters)


def lost_among(view: View, filters: Sequence[Filter]) -> tuple[Filter, ...]:
    """These filters narrowed to the values that no order in the user's scope has."""
    found = ((filter_, _lost(view, filter_)) for filter_ in filters)
    return tuple(Filter(filter_.dimension, lost) for filter_, lost in found if lost)


def lost_sentences(view: View) -> tuple[str, ...]:
    """What was lost, in words; within a lead's own regions `elsewhere` and `nowhere` are the same answer."""
    key = "frame.lost" if view.scope.everything else "frame.lost_in_area"
    return tuple(
        translate(
            view.language,
            key,
            dimension=translate(view.language, f"dimensions.{filter_.dimension}.name"),
            names=names_of(view.language, filter_.dimension, filter_.values, most=4),
        )
        for filter_ in lost_values(view)
    )


def _lost(view: View, filter_: Filter) -> tuple[str, ...]:
    if closed_codes(filter_.dimension) or DIMENSIONS[filter_.dimension].rows != ALL_ROWS:
        return ()
    values = tuple(value for value in filter_.values if value is not None)
    month = Window.last(timedelta(days=30), view.as_of)
    for window in (month, Window.all_until(view.as_of)):
        values = _missing(view, filter_.dimension, values, window) if values else ()
    return values


def _missing(view: View, dimension: str, values: Sequence[str], window: Window) -> tuple[str, ...]:
    asked = Query(metrics=("order_count",), by=(dimension,), where=(Filter(dimension, tuple(values)),), window=window)
    found = set(view.run(asked)[dimension].to_list())
    return tuple(value for value in values if value not in found)
