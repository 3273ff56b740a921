"""What the detectors found, in words: blocked yet still fed, slower against its queue, decaying, silent."""

from __future__ import annotations

from typing import Final

from access.bottlenecks import find_trouble
from access.view import View
from components.board import State, Trouble, Worst
from components.format import count, percent, when
from components.plane import Card
from i18n import translate
from pages.flow_question import passing
from pages.links import link
from pages.wording import name_of, stage_name, state_name
from queries.detectors import Finding

MOST: Final = 8
STATES: Final[dict[str, State]] = {
    "blocked_but_fed": "critical",
    "slower_than_queue": "warning",
    "decaying": "warning",
    "silent": "unknown",
}
PLACES: Final = {
    "blocked_but_fed": ("warehouse",),
    "slower_than_queue": ("warehouse",),
    "decaying": ("carrier", "warehouse_region"),
}


def read_findings(view: View) -> Card:
    """The findings, silent stages first: what is not heard of cannot be judged."""
    language = view.language
    title, scope = (translate(language, f"flow.findings.{name}") for name in ("title", "scope"))
    found = tuple(_trouble(view, item) for item in find_trouble(view, passing(view))[:MOST])
    return Card(
        title=title,
        scope=scope,
        worst=Worst(title=title, scope=scope, empty=translate(language, "flow.findings.empty"), items=found),
    )


def _trouble(view: View, item: Finding) -> Trouble:
    language, state, dimensions = view.language, STATES[item.kind], PLACES.get(item.kind, ())
    codes = dict(zip(dimensions, item.place, strict=False))
    place = " · ".join(name_of(language, dimension, code) for dimension, code in codes.items())
    told = percent if item.kind == "decaying" else count
    texts = {
        "now": told(language, item.now),
        "usual": told(language, item.usual),
        "fed": count(language, item.fed),
        "waiting": count(language, item.waiting),
    }
    changes = {dimension: (code,) for dimension, code in codes.items()}
    return Trouble(
        state=state,
        state_word=state_name(language, state),
        title=translate(language, f"flow.findings.{item.kind}", place=place, stage=stage_name(language, item.stage)),
        text=translate(language, f"flow.findings.{item.kind}_text", **texts),
        sure="",
        since=translate(language, "flow.findings.since", at=when(language, item.since, view.as_of, view.zone)),
        href=link(view, "/drill", metric="lost_rate", figure="lost_rate", stage=(item.stage,), **changes),
    )
