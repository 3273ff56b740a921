"""The wall's two heat grids: places by stages with a choice of figure, and complaints by channel and kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from access.view import View
from components.format import ChangeKind, brief, change, count, duration, percent, permille
from components.heat import Cell, Choice, HeatGrid, Legend, step_of
from i18n import translate
from pages.heat_question import cell_key, place_dimension
from pages.links import link
from pages.staleness import stale_columns, stale_sources
from pages.wording import codes_in_order, kinds_to_show, name_of, short_names, stage_name, window_name
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.parts import figure as share_of
from queries.parts import parts_of
from queries.query import Query, Window

Row = dict[str, Any]

HEAT_METRICS: Final = ("over_limit_rate", "dwell_seconds_p90", "backlog_count")
WORST_SHARE: Final = 0.30
"""The share beyond the limit at which the scale ends."""
MOST_ROWS: Final = 12
INTERRUPTED_FROM: Final = 10
"""So many orders a week ago and none now: the dash says that data may be interrupted."""
UNCOLOURED: Final = 6
"""The highest step for one or two complaints: they are told, not coloured."""
COMPLAINT_WINDOW: Final = timedelta(days=7)
"""Complaints are rare: a shorter window would colour single ones."""
GREY_PARTS: Final = parts_of(METRICS["grey_zone_delay_share"])


def stage_rows(view: View, metric: str) -> list[Row]:
    """The figure by place and stage with last week's; what is beyond the limit comes with its hours and orders and the grey zone's."""
    by = (place_dimension(view), "stage")
    beyond = ("over_limit_rate", "over_limit_seconds", "over_limit_count", *(part.asked for part in GREY_PARTS))
    metrics = beyond if metric == "over_limit_rate" else (metric,)
    return view.run(Query(metrics=metrics, by=by, where=view.filters, window=view.window, compare=("last_week",))).to_dicts()


def grey_share(view: View) -> float | None:
    """The grey zone's share of the delay, added up from the places and stages: they are asked for anyway."""
    rows = stage_rows(view, "over_limit_rate")
    sums = {part.measure: sum(row[part.asked] or 0 for row in rows) for part in GREY_PARTS}
    return share_of(METRICS["grey_zone_delay_share"], sums, 0)[0]


@dataclass(frozen=True, kw_only=True)
class Look:
    """How one figure is told and coloured: its text, its level's ends, its n column, the legend's range."""

    text: Callable[[float], str]
    level: Callable[[float, str], tuple[float, float, float]]
    range: str
    change: ChangeKind


def read_heat(view: View, metric: str) -> HeatGrid:
    """Places by stages; too few orders hatched, interrupted data dashed."""
    language, dimension = view.language, place_dimension(view)
    rows = [row for row in stage_rows(view, metric) if row["stage"] is not None]
    found = {(row[dimension], row["stage"]): row for row in rows}
    stages = [stage for stage in DIMENSIONS["stage"].codes if any(row["stage"] == stage for row in rows)]
    codes = _busiest(rows, dimension, metric)
    look = _look(view, metric, rows)
    cells = tuple(
        tuple(_cell(view, metric, look, code, str(stage), found.get((code, stage))) for stage in stages) for code in codes
    )
    title = translate(language, "wall.heat.title") if metric == "over_limit_rate" else translate(language, f"wall.heat.{metric}")
    title = title[:1].upper() + title[1:]
    rows_name = translate(language, f"wall.heat.rows_{dimension}")
    return HeatGrid(
        language=language,
        title=title,
        scope=translate(
            language, "wall.heat.scope", rows=rows_name, window=window_name(language, view.address.window, view.zone)
        ),
        columns=tuple(stage_name(language, str(stage)) for stage in stages) if codes else (),
        rows=short_names([name_of(language, dimension, code) for code in codes]),
        cells=_mark_worst(cells),
        legend=_legend(language, look.range),
        metrics=tuple(Choice(code=name, name=translate(language, f"wall.heat.{name}")) for name in HEAT_METRICS),
        metric=metric,
        switch_name=translate(language, "wall.heat.switch"),
        empty=translate(language, "wall.heat.empty"),
    )


def _legend(language: str, range_: str) -> Legend:
    few, gap, stale = (translate(language, f"wall.heat.{kind}") for kind in ("few", "gap", "stale"))
    return Legend(range=range_, spoken=", ".join((range_, few, gap, stale)), few=few, gap=gap, stale=stale)


def _busiest(rows: Iterable[Row], dimension: str, metric: str) -> list[str]:
    """The places with most orders, in their usual order, so that rows do not change places as figures move."""
    weights: dict[str, float] = {}
    for row in rows:
        if row[dimension] is not None:
            weights[row[dimension]] = weights.get(row[dimension], 0) + (row.get(f"{metric}_n") or row[metric] or 0)
    kept = sorted(weights, key=lambda code: -weights[code])[:MOST_ROWS]
    return codes_in_order(dimension, kept)


def _look(view: View, metric: str, rows: list[Row]) -> Look:
    language, edition = view.language, view.targets.at(view.as_of, view.zone)
    if metric == "over_limit_rate":
        range_ = translate(language, "wall.heat.range_rate", high=percent(language, WORST_SHARE, 0))
        return Look(
            text=lambda value: percent(language, value, 0),
            level=lambda value, _: (value, 0.0, WORST_SHARE),
            range=range_,
            change="points",
        )
    if metric == "dwell_seconds_p90":
        limits = {stage: edition.limit_of(str(stage)) for stage in DIMENSIONS["stage"].codes}

        def against_limit(value: float, stage: str) -> tuple[float, float, float]:
            limit = limits.get(stage) or value or 1.0
            return value, limit / 2, limit * 2

        return Look(
            text=lambda value: brief(language, value),
            level=against_limit,
            range=translate(language, "wall.heat.range_dwell"),
            change="seconds",
        )
    most = max((row[metric] or 0 for row in rows), default=0) or 1
    range_ = translate(language, "wall.heat.range_count", high=count(language, most))
    return Look(
        text=lambda value: count(language, value), level=lambda value, _: (value, 0.0, most), range=range_, change="count"
    )


def _cell(view: View, metric: str, look: Look, code: str, stage: str, row: Row | None) -> Cell:
    language, key = view.language, f"{code}/{stage}"
    names = {"row": name_of(language, place_dimension(view), code), "column": stage_name(language, stage)}
    title = translate(language, "wall.heat.cell", **names)
    value, n = (row[metric], row.get(f"{metric}_n")) if row else (None, 0)
    if f"orders.{stage}_at" in stale_columns(view):
        return Cell(key=key, text="" if value is None else look.text(value), kind="stale", tip=f"{title}\n{stale_sources(view)}")
    if n is not None and 0 < n < view.targets.at(view.as_of, view.zone).minimum_count:
        return Cell(key=key, text=f"n {n}", kind="few", tip="\n".join((title, translate(language, "wall.note.few", n=n))))
    if row is None or value is None:
        return _empty_cell(language, key, title, (row or {}).get(f"{metric}_n_last_week") or 0)
    lines = [title, *_cell_lines(view, metric, look, stage, row)]
    return Cell(key=key, text=look.text(value), tip="\n".join(lines), step=step_of(*look.level(value, stage)))


def _empty_cell(language: str, key: str, title: str, n_before: int) -> Cell:
    """Where orders passed a week ago and none does now the data may be interrupted; elsewhere there is just nothing."""
    if n_before >= INTERRUPTED_FROM:
        return Cell(
            key=key, text="–", kind="gap", tip=f"{title}\n{translate(language, 'wall.heat.gap_tip', n=count(language, n_before))}"
        )
    return Cell(key=key, text="", kind="none", tip=f"{title}\n{translate(language, 'wall.heat.none_tip')}")


def _cell_lines(view: View, metric: str, look: Look, stage: str, row: Row) -> list[str]:
    language, before, n = view.language, row.get(f"{metric}_last_week"), row.get(f"{metric}_n")
    lines = [f"{translate(language, f'wall.heat.{metric}')} {look.text(row[metric])}"]
    if before is not None:
        moved = change(language, row[metric] - before, look.change)
        lines.append(translate(language, "wall.tip.last_week", value=look.text(before), change=moved))
    if limit := view.targets.at(view.as_of, view.zone).limit_of(stage):
        lines.append(translate(language, "wall.heat.limit", value=duration(language, limit)))
    if n is not None:
        lines.append(translate(language, "wall.tip.n", n=count(language, n)))
    return lines


def _mark_worst(cells: tuple[tuple[Cell, ...], ...]) -> tuple[tuple[Cell, ...], ...]:
    """The one worst cell is framed, when it is in the scale's upper half."""
    steps = [cell.step for line in cells for cell in line if cell.kind == "value"]
    worst = max(steps, default=0)
    if worst < 16 or steps.count(worst) > 1:
        return cells
    return tuple(
        tuple(Cell(**{**vars(cell), "worst": True}) if cell.kind == "value" and cell.step == worst else cell for cell in line)
        for line in cells
    )


def _by_kind(complaints: Mapping[tuple[str, str | None], int]) -> dict[str | None, float]:
    totals: dict[str | None, float] = {}
    for (_, kind), n in complaints.items():
        totals[kind] = totals.get(kind, 0) + (n or 0)
    return totals


def read_complaints(view: View) -> HeatGrid:
    """Complaints per thousand orders created in the window, by channel and kind; a week at least."""
    language, edition = view.language, view.targets.at(view.as_of, view.zone)
    week = Window.last(COMPLAINT_WINDOW, view.as_of)
    is_short = view.window.start is not None and week.start is not None and view.window.start > week.start
    window = week if is_short else view.window
    asked = Query(metrics=("complaint_count",), by=("channel", "complaint_kind"), where=view.filters, window=window)
    complaints = {(row["channel"], row["complaint_kind"]): row["complaint_count"] for row in view.run(asked).to_dicts()}
    volume = view.run(Query(metrics=("order_count",), by=("channel",), where=view.filters, window=window)).to_dicts()
    orders = {row["channel"]: row["order_count"] for row in volume if row["order_count"]}
    kinds = kinds_to_show("complaint_kind", _by_kind(complaints)) if complaints else []
    channels = codes_in_order("channel", sorted(orders, key=lambda code: -orders[code])[:6]) if kinds else []
    high = 2 * (edition.target_of("complaint_rate") or 0.005) / max(1, len(kinds))

    def cell(channel: str, kind: str | None) -> Cell:
        href = link(view, "/heatmaps", board="complaints", cell=cell_key(channel, kind))
        n, of = complaints.get((channel, kind), 0), orders[channel]
        names = {"row": name_of(language, "channel", channel), "column": name_of(language, "complaint_kind", kind)}
        tip = translate(language, "wall.complaints.cell", n=count(language, n), orders=count(language, of), **names)
        if of < edition.minimum_count:
            return Cell(key=f"{channel}/{kind}", text=f"n {of}", kind="few", tip=tip, href=href)
        return Cell(
            key=f"{channel}/{kind}",
            text=permille(language, n / of),
            tip=tip,
            href=href,
            step=min(step_of(n / of, 0, high), UNCOLOURED if n < 3 else 31),
        )

    range_ = translate(language, "wall.complaints.range", high=permille(language, high))
    return HeatGrid(
        language=language,
        title=translate(language, "wall.complaints.title"),
        scope=translate(
            language, "wall.complaints.scope", window=window_name(language, "7d" if is_short else view.address.window, view.zone)
        ),
        columns=tuple(name_of(language, "complaint_kind", kind) for kind in kinds),
        rows=tuple(name_of(language, "channel", channel) for channel in channels),
        cells=tuple(tuple(cell(channel, kind) for kind in kinds) for channel in channels),
        legend=_legend(language, range_),
        empty=translate(language, "wall.complaints.empty"),
    )
