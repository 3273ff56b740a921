"""What does the next shift have to know? The handover sheet (交接单)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from access.handover import Handover, read_handover
from access.shift import ShiftSpan
from access.view import View
from access.worklist import METRIC_OF
from components.format import count, full_instant
from components.handover import Figure, Sheet, draw_handover
from i18n import translate
from pages.frame import draw_frame, watch
from pages.handover_tables import read_tables
from pages.links import link
from pages.panel import figure_link
from pages.time_marks import shift_name
from pages.wording import names_of


def render(view: View) -> None:
    """Draw the sheet for this view, and watch for the next snapshot."""
    with st.container(key="handover", gap=None):
        draw_frame(view, "pages.handover", country=None, states=())
        draw_handover(read_sheet(view), key="handover.sheet")
        watch(view)


def prepare(view: View, _parameters: Mapping[str, Sequence[str]]) -> None:
    """Ask everything that `render` will ask for this view, so that it finds the answers ready."""
    read_handover(view)


def read_sheet(view: View) -> Sheet:
    """Everything the sheet says."""
    language, found = view.language, read_handover(view)
    return Sheet(
        language=language,
        title=translate(language, "handover.title_of", shift=_shift(view, found.shift)),
        subtitle=_area(view),
        facts=_facts(view, found),
        figures=_figures(view, found),
        tables=read_tables(view, found),
        signatures=tuple(translate(language, f"handover.signature.{name}") for name in ("from", "to", "at")),
        back=link(view, "/worklist"),
        words={name: translate(language, f"handover.{name}") for name in ("back", "print")},
    )


def _shift(view: View, span: ShiftSpan) -> str:
    start, end = span.start.astimezone(view.zone), span.end.astimezone(view.zone)
    times = f"{start:%Y-%m-%d %H:%M}–{'24:00' if f'{end:%H:%M}' == '00:00' else f'{end:%H:%M}'}"
    if span.name == "whole_day":
        return f"{translate(view.language, 'handover.whole_day')} {times}"
    return f"{shift_name(view.language, span.name)} {times}"


def _area(view: View) -> str:
    chosen = {filter_.dimension: filter_.values for filter_ in view.filters}
    regions = chosen.get("region") or view.scope.regions
    parts = [names_of(view.language, "region", regions, most=7) if regions else translate(view.language, "wall.nationwide")]
    parts += [names_of(view.language, name, chosen[name], most=4) for name in ("province", "warehouse") if name in chosen]
    return " · ".join(parts)


def _facts(view: View, found: Handover) -> tuple[str, ...]:
    language = view.language
    return (
        translate(language, "handover.data_of", at=full_instant(view.as_of, view.zone)),
        translate(language, "handover.made_at", at=full_instant(found.at, view.zone)),
        translate(language, "handover.made_by", who=view.user.display_name or view.user.name),
        translate(language, "handover.next", shift=_shift(view, found.following)),
    )


def _figures(view: View, found: Handover) -> tuple[Figure, ...]:
    numbers = {
        "late": found.late_count,
        "at_risk": found.at_risk_count,
        "unassigned": found.unassigned_count,
        "working": len(found.working),
        "done": len(found.done),
        "left": len(found.left),
        "due": len(found.due),
    }
    return tuple(
        Figure(
            name=translate(view.language, f"handover.figure.{name}"),
            value=count(view.language, number),
            href=figure_link(view, METRIC_OF[name]) if name in METRIC_OF else "",
        )
        for name, number in numbers.items()
    )
