"""Which stage is the narrowest, what it costs, and why a rate moved: the whole chain from order to door."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import streamlit as st

from access.view import View
from components.board import Notice
from components.plane import Card, Control, Plane, draw_plane
from components.topbar import Option
from i18n import translate
from pages.address import take_choice
from pages.figures import metric_name
from pages.flow_bands import read_ages, read_bands, read_waves
from pages.flow_change import read_change
from pages.flow_dwells import read_spreads
from pages.flow_findings import read_findings
from pages.flow_question import (
    LAST_WEEK,
    LONGEST,
    PLACES,
    RATES,
    Parameters,
    Question,
    looked_at,
    passing,
    read_question,
)
from pages.flow_ranking import read_ranking
from pages.flow_scores import read_scorecard
from pages.flow_shifts import read_shifts
from pages.flow_strip import Stage, read_stages, read_strip
from pages.flow_times import read_waterfall
from pages.flow_ways import read_sankey
from pages.frame import draw_frame, read_filters, watch
from pages.links import link
from pages.lost import lost_sentences, unknown_words
from pages.side_by_side import read_side_by_side
from pages.wording import codes_in_order, name_of, window_name
from queries.metrics import METRICS
from queries.query import Query

PLANE: Final = "flow.plane"
COMPARED: Final = ("region", "carrier")


def render(view: View) -> None:
    """Draw the page for this view and the address's question."""
    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    question = read_question(parameters)
    with st.container(key="flow", gap=None):
        plane = read_plane(view, question)
        unknown = unknown_words(parameters, {"split": PLACES, "metric": METRICS})
        draw_frame(view, "pages.flow", country=None, states=(), applied=passing(view), unknown=unknown)
        draw_plane(plane, key=PLANE, on_choice=partial(take_choice, PLANE))
        watch(view)


def prepare(view: View, parameters: Parameters) -> None:
    """Ask everything that `render` will ask for this view, so that it finds the answers ready."""
    read_plane(view, read_question(parameters))
    read_filters(view)


def read_plane(view: View, question: Question) -> Plane:
    """The strip, the bottlenecks and why a rate moved; below, where orders went, from promise to door, times, queues, scorecards, shifts."""
    notice, view = read_notice(view), looked_at(view)
    stages = read_stages(view)
    words = {name: translate(view.language, f"panel.{name}") for name in ("close", "path")}
    if not stages:
        return Plane(language=view.language, words=words, notice=say_nothing(view))
    return Plane(
        language=view.language,
        words=words,
        notice=notice,
        controls=read_controls(view, question),
        cards=read_cards(view, question, stages),
    )


def read_cards(view: View, question: Question, stages: list[Stage]) -> tuple[Card, ...]:
    """Every card, in the order of the page."""
    parts: dict[str, Callable[[], Card]] = {
        "strip": partial(read_strip, view, stages),
        "ranking": partial(read_ranking, view, question),
        "change": partial(read_change, view, question),
        "ways": partial(read_sankey, view),
        "times": partial(read_waterfall, view, question),
        "dwells": partial(read_spreads, view, stages),
        "bands": partial(read_bands, view, stages),
        "scores": partial(read_scorecard, view, question),
        "findings": partial(read_findings, view),
        "ages": partial(read_ages, view),
        "waves": partial(read_waves, view),
        "shifts": partial(read_shifts, view),
    }
    return tuple(read_side_by_side(view, parts).values())


def read_notice(view: View) -> Notice | None:
    """What of a longer window is shown."""
    seen = looked_at(view)
    if seen.address == view.address:
        return None
    title = translate(view.language, "flow.cut.title")
    start, end = (f"{instant.astimezone(view.zone):%Y-%m-%d %H:%M}" for instant in (seen.as_of - LONGEST, seen.as_of))
    return Notice(state="neutral", title=title, text=translate(view.language, "flow.cut.text", start=start, end=end))


def say_nothing(view: View) -> Notice:
    """Why there is nothing to show: no such order is known, or none passes a stage in this window; and the way out."""
    language, lost = view.language, lost_sentences(view)
    window = window_name(language, view.address.window, view.zone)
    title, text, way = (translate(language, f"flow.nothing.{part}", window=window) for part in ("title", "text", "way"))
    changes = dict.fromkeys(filter_.dimension for filter_ in view.address.filters)
    href = link(view, "/flow", **changes, **({} if changes else {"window": "all"}))
    way = way if changes else translate(language, "flow.nothing.longer")
    return Notice(state="neutral", title=title, text=" ".join(lost) or text, href=href, way=way)


def read_controls(view: View, question: Question) -> tuple[Control, ...]:
    """Places of which kind, which rate to explain, and what to compare with."""
    language = view.language
    rates = dict.fromkeys((*RATES, question.metric))
    return (
        _control(view, "split", [(name, translate(language, f"dimensions.{name}.name")) for name in PLACES], question.split),
        _control(view, "metric", [(name, metric_name(language, name)) for name in rates], question.metric),
        _control(view, "beside", _others(view, question), question.beside),
    )


def _control(view: View, code: str, choices: list[tuple[str, str]], chosen: str) -> Control:
    options = tuple(Option(code=word, name=name, is_on=word == chosen) for word, name in choices)
    return Control(code=code, name=translate(view.language, f"flow.control.{code}"), options=options)


def _others(view: View, question: Question) -> list[tuple[str, str]]:
    """Last week, then the regions and carriers with orders lately in the user's scope, and the one chosen."""
    language = view.language
    found = [(LAST_WEEK, translate(language, "flow.times.last_week"))]
    for dimension in COMPARED:
        rows = view.run(Query(metrics=("delivered_count",), by=(dimension,), window=view.window)).to_dicts()
        known = {row[dimension] for row in rows if row["delivered_count"] and row[dimension]}
        other = question.other
        known |= set(other.values) if other and other.dimension == dimension else set()
        found += [(f"{dimension}/{code}", name_of(language, dimension, code)) for code in codes_in_order(dimension, list(known))]
    return found
