"""The panel of a heatmap's cell, and of two cells beside each other."""

from __future__ import annotations

from dataclasses import replace

from access.view import View
from components.panel import Compared, Panel
from i18n import translate
from pages.figures import difference, figure, plain
from pages.heat_question import EVERYTHING, TIMES, Chosen, Question, asked_cells, chosen_cell, window_of
from pages.lost import lost_among
from pages.panel import Row, Subject, read_figure, read_panel
from pages.problems import problem_of
from pages.wording import name_of, span_name, window_name
from queries.metrics import METRICS
from queries.query import RESOLUTION
from queries.statistics import Contrast


def read_cell_panel(view: View, question: Question) -> Panel | None:
    """The chosen cell's panel, with the second cell compared where one is chosen; None where the address names no cell there is."""
    question = asked_cells(question)
    chosen = chosen_cell(view, question, question.cell)
    if chosen is None:
        return None
    subject = subject_of(view, question, chosen)
    compared, tip = (translate(view.language, f"panel.{name}") for name in ("compare", "compare_tip"))
    seen = seen_at(view, question, chosen)
    panel = replace(read_panel(seen, subject), compare=compared, compare_tip=tip)
    if is_nowhere(view, question, chosen):
        return None
    second = chosen_cell(view, question, question.beside) if question.beside else None
    if second is None or is_nowhere(view, question, second):
        return panel
    beside = subject_of(view, question, second)
    rows = read_figure(seen, subject), read_figure(seen_at(view, question, second), beside)
    return replace(panel, compared=compare(view, question.metric, rows, beside.place))


def is_nowhere(view: View, question: Question, chosen: Chosen) -> bool:
    """Whether the cell has no figure and is of a code that no order in the user's scope ever had."""
    row = read_figure(seen_at(view, question, chosen), subject_of(view, question, chosen))
    return not plain(row[question.metric]) and bool(lost_among(view, chosen.where))


def seen_at(view: View, question: Question, chosen: Chosen) -> View:
    """The view a cell's figure is of: a stock of an earlier bucket is what was open at its end."""
    if question.grain is None or chosen.column == EVERYTHING or not METRICS[question.metric].anchor.is_stock:
        return view
    as_of = window_of(view, chosen.window).end - RESOLUTION
    if as_of >= view.as_of:
        return view
    address = replace(view.address, as_of=as_of, snapshot=view.address.snapshot or view.snapshot)
    return replace(view, as_of=as_of, address=address)


def subject_of(view: View, question: Question, chosen: Chosen) -> Subject:
    """The figure of a chosen cell, and where it stands in words."""
    sides = zip((question.rows, question.columns), (chosen.row, chosen.column), strict=True)
    names = [_side(view, axis, code, chosen) for axis, code in sides if code != EVERYTHING]
    place = " · ".join(names) or translate(view.language, "heatmaps.total")
    if question.grain is None:
        place = f"{place} · {span_name(view.language, question.metric, chosen.window, view.zone)}"
    return Subject(metric=question.metric, where=chosen.where, window=chosen.window, place=place)


def _side(view: View, axis: str, code: str | None, chosen: Chosen) -> str:
    return window_name(view.language, chosen.window, view.zone) if axis in TIMES else name_of(view.language, axis, code)


def compare(view: View, metric: str, rows: tuple[Row, Row], place: str) -> Compared:
    """The second figure, the first minus the second, and for shares the 95 % interval of that difference."""
    language, (one, other) = view.language, rows
    value, value_other = plain(one[metric]), plain(other[metric])
    gap = None if value is None or value_other is None else value - value_other
    n = other.get(f"{metric}_n")
    return Compared(
        title=translate(language, "panel.beside", place=place),
        value=figure(language, metric, value_other),
        note="" if n is None else translate(language, "panel.n", n=f"{n:,}"),
        difference=translate(language, "panel.difference", value=difference(language, metric, gap)),
        sure=_sure(view, metric, one, other),
    )


def _sure(view: View, metric: str, one: dict[str, object], other: dict[str, object]) -> str:
    problem = problem_of(metric)
    if problem is None or problem.of or not problem.n(one) or not problem.n(other):
        return translate(view.language, "panel.no_interval")
    contrast = Contrast(bad=problem.bad(one), n=problem.n(one), bad_rest=problem.bad(other), n_rest=problem.n(other))
    low, high = contrast.difference_interval
    if METRICS[metric].better == "higher":
        # The bad ones are what is missing to the share: the share's own difference runs the other way.
        low, high = -high, -low
    key = "panel.interval" if low > 0 or high < 0 else "panel.interval_not_significant"
    texts = {"low": difference(view.language, metric, low), "high": difference(view.language, metric, high)}
    return translate(view.language, key, **texts)
