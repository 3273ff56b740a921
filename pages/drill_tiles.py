"""The figures of one level of the drill, each against its target; without lines and last week, which the panel of each has."""

from __future__ import annotations

from typing import Any, Final

from access.view import View
from components.board import State, Tile
from components.format import count
from i18n import translate
from pages.figures import figure, metric_name, plain
from pages.panel import state_of
from pages.wording import state_name
from queries.metrics import METRICS
from queries.query import Query

Row = dict[str, Any]

FIGURES: Final = ("order_count", "late_rate", "exception_rate", "overdue_count", "backlog_count", "undispatched_count")
"""Cheap enough to be asked on every step: one scan each, nothing of last week's."""


def read_level_tiles(view: View, metric: str) -> tuple[Tile, ...]:
    """The level's figures, the problem's own among them."""
    names = tuple(dict.fromkeys((*FIGURES, metric)))
    row = view.run(Query(metrics=names, where=view.filters, window=view.window, compare=("target",))).row(0, named=True)
    return tuple(_tile(view, name, row) for name in names)


def _tile(view: View, metric: str, row: Row) -> Tile:
    language, value, state = view.language, plain(row[metric]), state_of(view, metric, row, view.filters)
    name, words = metric_name(language, metric), figure(language, metric, value)
    shown: State = state if state in ("warning", "critical", "unknown", "stale") else "neutral"
    n = row.get(f"{metric}_n")
    note = "" if n is None else translate(language, "panel.n", n=count(language, n))
    lines = (name, words, *((note,) if note else ()), translate(language, "wall.tip.state", state=state_name(language, state)))
    return Tile(
        name=name,
        figure=metric,
        value=words,
        change=_target(view, metric, row),
        note=note,
        tip="\n".join((*lines, translate(language, "wall.tip.more"))),
        info="\n".join(lines),
        spoken=", ".join(lines),
        state=shown,
        state_word=state_name(language, shown),
        tone=shown,
    )


def _target(view: View, metric: str, row: Row) -> str:
    target = plain(row.get(f"{metric}_target"))
    if target is None:
        return ""
    side = "at_least" if METRICS[metric].better == "higher" else "at_most"
    return translate(view.language, f"wall.note.{side}", target=figure(view.language, metric, target))
