"""Totals of a heatmap: by row, by column, and of the whole; added up where that is right, asked anew where it is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from access.view import View
from pages.figures import plain
from pages.heat_question import Question, narrowed, window_code, window_of
from queries.metrics import METRICS
from queries.query import Query

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Margins:
    """Rows like those of the cells, by row code and by column code."""

    rows: dict[Any, Row] = field(default_factory=dict)
    columns: dict[Any, Row] = field(default_factory=dict)
    whole: Row | None = None


def read_margins(view: View, question: Question, cells: list[Row]) -> Margins:
    """The totals; a stock has no total over time: the orders open at one hour's end are mostly those of the next."""
    is_series_of_stock = question.grain is not None and METRICS[question.metric].anchor.is_stock
    if adds_up(question) and not is_series_of_stock:
        return Margins(
            rows=_added(question.metric, cells, "row"),
            columns=_added(question.metric, cells, "column"),
            whole=_whole(question.metric, cells),
        )
    if is_series_of_stock:
        return Margins(columns=_added(question.metric, cells, "column") if METRICS[question.metric].kind == "sum" else {})
    return Margins(
        rows={row[question.rows]: row for row in ask_margin(view, question, (question.rows,))},
        columns={row[_column(question)]: row for row in ask_margin(view, question, question.by[1:], is_series=True)},
        whole=next(iter(ask_margin(view, question, ())), None),
    )


def margin_queries(view: View, question: Question) -> tuple[Query, ...]:
    """What `read_margins` asks: nothing where the totals follow from the cells."""
    if adds_up(question) or (question.grain is not None and METRICS[question.metric].anchor.is_stock):
        return ()
    rows, whole = (margin_query(view, question, by) for by in ((question.rows,), ()))
    return rows, margin_query(view, question, question.by[1:], is_series=True), whole


def _column(question: Question) -> str:
    return "bucket_at" if question.grain else question.columns


def margin_query(view: View, question: Question, by: tuple[str, ...], *, is_series: bool = False) -> Query:
    """The figure over the question's whole window by these dimensions; as a series by its buckets."""
    window, where = window_of(view, window_code(view, question)), narrowed(view, question.metric, ())
    grain = question.grain if is_series else None
    return Query(metrics=(question.metric,), by=by, where=where, window=window, grain=grain, compare=("target",))


def ask_margin(view: View, question: Question, by: tuple[str, ...], *, is_series: bool = False) -> list[Row]:
    """The answer to `margin_query`."""
    return view.run(margin_query(view, question, by, is_series=is_series)).to_dicts()


def adds_up(question: Question) -> bool:
    """Whether the total follows from the cells: counts, and shares of one population (as parts and wholes)."""
    entry = METRICS[question.metric]
    if question.grain and entry.anchor.extra == "waiting":
        # Who waits at the end of one hour mostly waits at the end of the next.
        return False
    measures, counts = entry.measures, all("DISTINCT" not in measure.expression for measure in entry.measures)
    if entry.kind == "sum":
        is_count = all(measure.is_count for measure in measures) and not entry.needs_hours
        return is_count and counts
    is_share = entry.kind == "ratio" and entry.unit == "rate" and entry.n == measures[1].name
    return is_share and counts and measures[0].anchor == measures[1].anchor


def _added(metric: str, cells: Iterable[Row], side: str) -> dict[Any, Row]:
    groups: dict[Any, list[Row]] = {}
    for cell in cells:
        groups.setdefault(cell[side], []).append(cell)
    return {code: total for code, group in groups.items() if (total := _whole(metric, group))}


def _whole(metric: str, cells: list[Row]) -> Row | None:
    """The sum, or the share of all parts in all wholes, with the target the cells agree on."""
    known = [cell for cell in cells if plain(cell[metric]) is not None]
    if not known:
        return None
    targets = {cell.get(f"{metric}_target") for cell in known}
    target = {f"{metric}_target": targets.pop() if len(targets) == 1 else None}
    if METRICS[metric].kind == "sum":
        return target | {metric: sum(cell[metric] for cell in known)}
    n = sum(cell[f"{metric}_n"] for cell in known)
    part = sum(round(cell[metric] * cell[f"{metric}_n"]) for cell in known)
    return target | {metric: part / n if n else None, f"{metric}_n": n}
