"""A heatmap's grid: cells with totals, each coloured as asked; hatched with too few orders, grey when stale or without data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from access.view import View
from components.format import count
from components.heat import Cell, HeatGrid, Legend
from i18n import translate
from pages.figures import brief_figure, figure, metric_name, plain
from pages.heat_margins import Margins, margin_queries, read_margins
from pages.heat_paint import Key, Paint, Row, paint_of
from pages.heat_question import EVERYTHING, TIMES, Question, axis_name, cell_key, narrowed, window_code, window_of
from pages.links import instant_text
from pages.staleness import stale_needs, stale_sources
from pages.wording import codes_in_order, name_of, window_name
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.query import Query

MOST_ROWS: Final = 34
MOST_COLUMNS: Final = 31


def cells_query(view: View, question: Question) -> Query:
    """The figure and its target by both sides."""
    window = window_of(view, window_code(view, question))
    where = narrowed(view, question.metric, ())
    return Query(
        metrics=(question.metric,), by=question.by, where=where, window=window, grain=question.grain, compare=("target",)
    )


def read_rows(view: View, question: Question) -> list[Row]:
    """The answer to `cells_query`; `column` holds the column's code or bucket."""
    column = "bucket_at" if question.grain else question.columns
    rows = view.run(cells_query(view, question)).to_dicts()
    return [row | {"row": row[question.rows], "column": row[column]} for row in rows]


def read_whole_grid(view: View, question: Question) -> HeatGrid:
    """The grid of the question's cells; totals that do not follow from them are asked together with them."""
    view.ask_together((cells_query(view, question), *margin_queries(view, question)))
    return read_grid(view, question, read_rows(view, question))


def read_grid(view: View, question: Question, rows: list[Row]) -> HeatGrid:
    """The grid of these rows."""
    language, metric = view.language, question.metric
    margins = read_margins(view, question, rows)
    columns = _columns(question, rows)
    codes = _rows(view, question, rows, margins)
    shown_columns, shown = columns[:MOST_COLUMNS], codes[:MOST_ROWS]
    if question.grain:
        shown_columns = columns[-MOST_COLUMNS:]
    paint, found = paint_of(view, question, rows), {(row["row"], row["column"]): row for row in rows}
    names = {code: _name(view, question.rows, code) for code in shown}
    heads = {code: _name(view, question.columns, code) for code in shown_columns}
    cells = tuple(
        tuple(_cell(view, question, paint, (names[code], heads[column]), found.get((code, column)), (code, column)) for column in shown_columns)
        for code in shown
    )  # fmt: skip
    total = translate(language, "heatmaps.total")
    return HeatGrid(
        language=language,
        title=metric_name(language, metric),
        scope=_scope(view, question),
        columns=tuple(heads.values()),
        rows=tuple(names.values()),
        cells=cells,
        legend=_legend(view, paint, len(codes), len(columns)),
        empty=translate(language, "heatmaps.empty"),
        scale=paint.scale,
        chosen=question.cell or None,
        beside=question.beside or None,
        row_totals=tuple(_total(view, question, (names[code], total), margins.rows.get(code), (code, "*")) for code in shown),
        column_totals=tuple(
            _total(view, question, (total, heads[column]), margins.columns.get(column), ("*", column)) for column in shown_columns
        ),
        whole=_total(view, question, (total, ""), margins.whole, ("*", "*")),
        total_name=total,
        column_keys=tuple(column_text(column) for column in shown_columns),
        sorted_by=question.sort,
        sort_word=translate(language, "heatmaps.sort_by", name="{name}"),
    )


def column_text(code: object) -> str:
    """A column's code as text: an instant as addresses have it."""
    return instant_text(code) if isinstance(code, datetime) else "null" if code is None else str(code)


def badness(metric: str, value: float | None) -> float:
    """What to sort by, worst first: the larger the worse, unknown last."""
    if value is None:
        return float("-inf")
    return -value if METRICS[metric].better == "higher" else value


def _columns(question: Question, rows: Iterable[Row]) -> list[Any]:
    return _in_order(question.columns, question.metric, list(rows), "column")


def _rows(view: View, question: Question, rows: list[Row], margins: Margins) -> list[Any]:
    """In their usual order, by the worst total, or by the worst in one column; what stands on too few orders comes last."""
    metric = question.metric
    codes = _in_order(question.rows, metric, rows, "row")
    if not question.sort or question.sort == "usual":
        return codes
    found = dict(margins.rows)
    if question.sort != "worst":
        found = {row["row"]: row for row in rows if column_text(row["column"]) == question.sort}
    values = {code: plain(row[metric]) for code, row in found.items() if not _is_few(view, row.get(f"{metric}_n"))}
    return sorted(codes, key=lambda code: -badness(metric, values.get(code)))


def _is_few(view: View, n: int | None) -> bool:
    """Whether a figure stands on some orders, but too few to judge it by."""
    return n is not None and 0 < n < view.targets.at(view.as_of, view.zone).minimum_count


def _in_order(axis: str, metric: str, rows: list[Row], side: str) -> list[Any]:
    """Instants and closed codes in their own order; others the busiest first where more than fit, else as the catalogue has them."""
    weights: dict[Any, float] = {}
    for row in rows:
        weights[row[side]] = weights.get(row[side], 0.0) + abs(plain(row.get(f"{metric}_n", row[metric])) or 0.0)
    if axis in TIMES:
        return sorted(weights)
    kept = {code for code, weight in weights.items() if weight}
    most = MOST_ROWS if side == "row" else MOST_COLUMNS
    known: list[Any] = [code for code in DIMENSIONS[axis].codes if code in kept]
    if not known:
        busiest = sorted((code for code in kept if code is not None), key=lambda code: (-weights[code], str(code)))
        known = busiest if len(busiest) > most else codes_in_order(axis, busiest)
    return [
        *known,
        *sorted((code for code in kept if code is not None and code not in known), key=str),
        *([None] if None in kept else []),
    ]


def _name(view: View, axis: str, code: Any) -> str:  # noqa: ANN401 - a code is a text, a number, an instant or unknown
    if not isinstance(code, datetime):
        return name_of(view.language, axis, code)
    local = code.astimezone(view.zone)
    if axis == "time.hour":
        return f"{local:%H}" if local.hour else f"{local:%m-%d}"
    return f"{local:%m-%d}"


def _cell(view: View, question: Question, paint: Paint, names: tuple[str, str], row: Row | None, codes: Key) -> Cell:
    language, metric, key = view.language, question.metric, cell_key(codes[0], column_text(codes[1]))
    title = translate(language, "wall.heat.cell", row=names[0], column=names[1])
    value = plain(row[metric]) if row else None
    n = row.get(f"{metric}_n") if row else None
    if is_stale(view, question, codes):
        return Cell(key=key, text=brief_figure(language, metric, value), kind="stale", tip=f"{title}\n{stale_sources(view)}")
    if n is not None and _is_few(view, n):
        few = translate(language, "wall.note.few", n=count(language, n))
        return Cell(key=key, text=f"n {n}", kind="few", tip="\n".join((title, figure(language, metric, value), few)))
    if row is None or value is None:
        return Cell(key=key, text="–", kind="gap", tip=f"{title}\n{translate(language, 'heatmaps.no_data')}")
    step = paint.step(row, codes)
    lines = [title, *cell_lines(view, metric, row), *([paint.why] if step is None and paint.why else [])]
    kind, step = ("none", 0) if step is None else ("value", step)
    return Cell(key=key, text=brief_figure(language, metric, value), kind=kind, tip="\n".join(lines), step=step)  # type: ignore[arg-type]


def cell_lines(view: View, metric: str, row: Row) -> list[str]:
    """The value, its target and what it stands on."""
    language, target, n = view.language, plain(row.get(f"{metric}_target")), row.get(f"{metric}_n")
    lines = [f"{metric_name(language, metric)} {figure(language, metric, plain(row[metric]))}"]
    if target is not None:
        lines.append(translate(language, "wall.tip.target", value=figure(language, metric, target)))
    return [*lines, translate(language, "wall.tip.n", n=count(language, n))] if n is not None else lines


def _total(view: View, question: Question, names: tuple[str, str], row: Row | None, codes: Key) -> Cell:
    language, metric, key = view.language, question.metric, cell_key(codes[0], column_text(codes[1]))
    value, n = plain(row[metric]) if row else None, row.get(f"{metric}_n") if row else None
    title = " · ".join(name for name in names if name)
    if row is None or value is None:
        return Cell(key=key, text="–", kind="none", tip=f"{title}\n{translate(language, 'heatmaps.no_data')}")
    lines = [title, *cell_lines(view, metric, row)]
    if is_stale(view, question, codes):
        return Cell(
            key=key, text=brief_figure(language, metric, value), kind="stale", tip="\n".join((*lines, stale_sources(view)))
        )
    if n is not None and _is_few(view, n):
        few = translate(language, "wall.note.few", n=count(language, n))
        return Cell(key=key, text=f"n {n}", kind="few", tip="\n".join((title, figure(language, metric, value), few)))
    return Cell(key=key, text=brief_figure(language, metric, value), kind="none", tip="\n".join(lines))


def is_stale(view: View, question: Question, codes: Key = (None, None)) -> bool:
    """Whether only silent sources deliver something the figure cannot do without; a stage's passages need their own milestone."""
    stage = next((code for axis, code in zip((question.rows, question.columns), codes, strict=True) if axis == "stage"), None)
    return bool(stale_needs(view, question.metric, () if stage == EVERYTHING else (stage,)))


def _scope(view: View, question: Question) -> str:
    language = view.language
    axes = {"rows": axis_name(language, question.rows), "columns": axis_name(language, question.columns)}
    window = window_name(language, window_code(view, question), view.zone)
    if METRICS[question.metric].anchor.is_stock and not question.grain:
        window = translate(language, "heatmaps.at_as_of")
    return translate(language, "heatmaps.scope", window=window, **axes)


def _legend(view: View, paint: Paint, rows: int, columns: int) -> Legend:
    language = view.language
    few, gap, stale = (translate(language, f"heatmaps.{kind}") for kind in ("few", "gap", "stale"))
    cut = rows > MOST_ROWS or columns > MOST_COLUMNS
    shown = {"rows": min(rows, MOST_ROWS), "all_rows": rows, "columns": min(columns, MOST_COLUMNS), "all_columns": columns}
    note = translate(language, "heatmaps.cut", **shown) if cut else ""
    return Legend(range=paint.range, spoken=", ".join((paint.range, few, gap, stale)), few=few, gap=gap, stale=stale, note=note)
