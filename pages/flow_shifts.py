"""Throughput by shift and pick wave: which shift carries the day."""

from __future__ import annotations

from typing import Any, Final

from access.shift import ShiftHours, hours_of_shifts
from access.view import View
from components.format import count, percent
from components.heat import Cell, HeatGrid, Legend, step_of
from components.plane import Card
from i18n import translate
from pages.figures import figure, plain
from pages.heat_question import Question
from pages.heat_reading import MOST_COLUMNS, is_stale, read_rows
from pages.staleness import stale_sources
from pages.time_marks import shift_name
from pages.wording import name_of, window_name

Row = dict[str, Any]
METRIC: Final = "shipped_count"
WAVES: Final = Question(board="waves", metric=METRIC, rows="wave", columns="hour", colour="plain")
BETWEEN: Final = ""
"""Hours that no shift of the calendar holds."""


def read_shifts(view: View) -> Card:
    """Orders shipped in each shift of the calendar by wave; where a shift does not change on the hour, why there are none."""
    language = view.language
    title, scope = translate(language, "flow.shifts.title"), window_name(language, view.address.window, view.zone)
    shifts = hours_of_shifts(view.targets.at(view.as_of, view.zone).calendar)
    if not shifts:
        return Card(
            title=title, scope=scope, text=translate(language, "flow.shifts.odd" if shifts is None else "flow.shifts.none")
        )
    rows = [row for row in read_rows(view, WAVES) if plain(row[METRIC])]
    return Card(title=title, scope=scope, grid=_grid(view, shifts, rows), size="wide")


def _grid(view: View, shifts: tuple[ShiftHours, ...], rows: list[Row]) -> HeatGrid:
    language = view.language
    counts: dict[tuple[str, str | None], float] = {}
    waves: dict[str | None, float] = {}
    for row in rows:
        shift = next((one.name for one in shifts if int(row["column"]) in one.hours), BETWEEN)
        key, n = (shift, row["row"]), plain(row[METRIC]) or 0.0
        counts[key] = counts.get(key, 0.0) + n
        waves[row["row"]] = waves.get(row["row"], 0.0) + n
    names = {one.name: f"{shift_name(language, one.name)} {one.clock}" for one in shifts}
    if any(shift == BETWEEN for shift, _ in counts):
        names[BETWEEN] = translate(language, "flow.shifts.between")
    shown = sorted(sorted(waves, key=lambda wave: -waves[wave])[:MOST_COLUMNS], key=lambda wave: (wave is None, str(wave)))
    heads = {wave: name_of(language, "wave", wave) for wave in shown}
    is_old = is_stale(view, WAVES)
    most, whole = max(counts.values(), default=0.0), sum(waves.values())

    def cell(shift: str, wave: str | None) -> Cell:
        n = counts.get((shift, wave), 0.0)
        share = percent(language, n / waves[wave] if waves[wave] else None, 0)
        told = translate(language, "flow.shifts.cell", n=count(language, n), share=share)
        title = translate(language, "wall.heat.cell", row=names[shift], column=heads[wave])
        if is_old:
            return Cell(key=f"{shift}/{wave}", text=count(language, n), kind="stale", tip=f"{title}\n{stale_sources(view)}")
        return Cell(key=f"{shift}/{wave}", text=count(language, n), tip=f"{title}\n{told}", step=step_of(n, 0.0, most))

    def total(name: str, n: float) -> Cell:
        told = translate(
            language, "flow.shifts.total", n=count(language, n), share=percent(language, n / whole if whole else None, 0)
        )
        return Cell(key=name, text=count(language, n), kind="none", tip=f"{name}\n{told}")

    texts = {"low": figure(language, METRIC, 0.0), "high": figure(language, METRIC, most)}
    return HeatGrid(
        language=language,
        title=translate(language, "flow.shifts.title"),
        scope=window_name(language, view.address.window, view.zone),
        columns=tuple(heads.values()),
        rows=tuple(names.values()) if rows else (),
        cells=tuple(tuple(cell(shift, wave) for wave in shown) for shift in names) if rows else (),
        legend=Legend(range=translate(language, "heatmaps.range_plain", **texts), spoken=""),
        empty=translate(language, "heatmaps.empty"),
        scale="plain",
        row_totals=tuple(total(name, sum(n for (own, _), n in counts.items() if own == shift)) for shift, name in names.items()),
        total_name=translate(language, "heatmaps.total"),
    )
