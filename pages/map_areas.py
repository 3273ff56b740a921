"""The map's provinces: each with its figure and colour now, and in each frame of the player."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from access import geography
from access.view import View
from components.geo_map import Area, Frame, Mark, Player
from components.heat import Scale
from components.tokens import SCALES
from components.topbar import Option
from i18n import translate
from pages.figures import brief_figure, figure, metric_name, plain
from pages.heat_paint import paint_of
from pages.heat_reading import badness, cell_lines, is_stale
from pages.links import instant_text
from pages.map_question import LOWER, SPANS, Box, Question, chosen, provinces_here, without
from pages.staleness import stale_sources
from pages.wording import name_of
from queries.clock import bucket_start
from queries.query import Grain, Query, Window

Row = dict[str, Any]

FRAMES: Final = {"24h": timedelta(hours=24), "7d": timedelta(days=7)}
BESIDE_RINGS: Final = (0, 22)
"""Pixels by which a name stands below the middle, where a ring may be."""
MOST_LABELS: Final = 14
WORST_LABELS: Final = 6
LABELS_ACROSS, LABELS_DOWN = 8, 22
"""So many labels have room beside and below each other."""
NAMED_IN_FRAME: Final = 3


@dataclass(frozen=True, kw_only=True)
class Coloured:
    """The provinces with their rows, how they are coloured, and what the legend says."""

    rows: Mapping[str, Row]
    scale: Scale
    ink: Callable[[Row], str | None]
    range: str
    why: str = ""


def read_provinces(view: View, question: Question) -> list[Row]:
    """The figure, with its target, of every province in the user's scope, whatever place is chosen."""
    where = without(view, "country", *LOWER["region"])
    asked = Query(metrics=(question.metric,), by=("province",), where=where, window=view.window, compare=("target",))
    return view.run(asked).to_dicts()


def colour_provinces(view: View, question: Question, rows: list[Row]) -> Coloured:
    """The rows of this country's provinces, with the colouring of the figure."""
    own = {row["province"]: row for row in rows if geography.country_of(row["province"]) == question.country}
    return _coloured(view, question, own, list(own.values()))


def _coloured(view: View, question: Question, rows: Mapping[str, Row], scale_rows: list[Row]) -> Coloured:
    metric = question.metric
    paint = paint_of(view, question.painted, [row for row in scale_rows if plain(row[metric]) is not None])
    letter = SCALES[paint.scale][0]

    def ink(row: Row) -> str | None:
        step = paint.step(row, (row["province"], row["province"]))
        return None if step is None else f"{letter}{step}"

    return Coloured(rows=rows, scale=paint.scale, ink=ink, range=paint.range, why=paint.why)


def read_areas(view: View, question: Question, coloured: Coloured) -> dict[str, Area]:
    """Each province whose figures the user may see; of the others nothing is told, not even that there is nothing."""
    here = set(provinces_here(view, question))
    marked = set(chosen(view, "province"))
    return {
        code: replace(
            _area(view, question, coloured, code), is_chosen=code in marked, is_muted=code not in here or bool(marked - {code})
        )
        for code in sorted(geography.provinces_in_sight(view, question.country))
    }


def _area(view: View, question: Question, coloured: Coloured, code: str) -> Area:
    language, metric, row = view.language, question.metric, coloured.rows.get(code)
    name, value = name_of(language, "province", code), None if row is None else plain(row[metric])
    if is_stale(view, question.painted):
        return Area(name=name, kind="stale", ink="stale", tip=f"{name}\n{stale_sources(view)}")
    if row is None or value is None:
        return Area(name=name, kind="gap", ink="track", tip=f"{name}\n{translate(language, 'map.no_orders')}")
    if is_few(view, metric, row):
        few = translate(language, "wall.note.few", n=row[f"{metric}_n"])
        return Area(name=name, kind="few", ink="hatch", tip="\n".join((name, figure(language, metric, value), few)))
    ink = coloured.ink(row)
    lines = [name, *cell_lines(view, metric, row), *([coloured.why] if ink is None and coloured.why else [])]
    return Area(name=name, kind="value", ink=ink or "blank", tip="\n".join(lines))


def is_few(view: View, metric: str, row: Row) -> bool:
    """Whether the figure stands on too few orders to be judged."""
    n = row.get(f"{metric}_n")
    return n is not None and 0 < n < view.targets.at(view.as_of, view.zone).minimum_count


def thinned(labels: Sequence[Mark], box: Box) -> tuple[Mark, ...]:
    """The labels that have room on the map, the first ones first."""
    across, down = (box[2] - box[0]) / LABELS_ACROSS, (box[3] - box[1]) / LABELS_DOWN
    kept: list[Mark] = []
    for label in labels:
        if not any(abs(label.at[0] - other.at[0]) < across and abs(label.at[1] - other.at[1]) < down for other in kept):
            kept.append(label)
    return tuple(kept)


def read_labels(view: View, question: Question, coloured: Coloured) -> tuple[Mark, ...]:
    """Names with figures on the map: of all provinces in sight where they are few, else of the worst."""
    metric, here = question.metric, provinces_here(view, question)
    known = [code for code in here if code in coloured.rows and plain(coloured.rows[code][metric]) is not None]
    if question.level == "country":
        sure = [code for code in known if not is_few(view, metric, coloured.rows[code])]
        known = sorted(sure, key=lambda code: -badness(metric, plain(coloured.rows[code][metric])))[:WORST_LABELS]
    middles = geography.province_middles(question.country)
    return tuple(_label(view, metric, coloured.rows[code], middles[code]) for code in known[:MOST_LABELS] if code in middles)


def _label(view: View, metric: str, row: Row, at: tuple[float, float]) -> Mark:
    few = is_few(view, metric, row)
    value = f"n {row[f'{metric}_n']}" if few else brief_figure(view.language, metric, plain(row[metric]))
    name = name_of(view.language, "province", row["province"])
    return Mark(at=at, ink="text", text=f"{name} {value}", size=12, offset=BESIDE_RINGS)


def read_player(view: View, question: Question) -> Player:
    """The spans to choose from, and the frames of the one that is chosen, all from one question."""
    language = view.language
    spans = tuple(Option(code=code, name=translate(language, f"map.span.{code}"), is_on=code == question.span) for code in SPANS)
    player = Player(spans=spans, metric=metric_name(language, question.metric))
    if not question.span:
        return player
    frames = tuple(_frame(view, question, start, rows, ink) for start, rows, ink in frame_rows(view, question))
    places = {frame.at: index for index, frame in enumerate(frames)}
    return replace(player, frames=frames, left=places.get(question.at, len(frames) - 1), right=places.get(question.beside, -1))


def frame_rows(view: View, question: Question) -> list[tuple[datetime, dict[str, Row], Callable[[Row], str | None]]]:
    """Of each frame of the span its start, its rows by province, and the colouring that all frames share."""
    grain: Grain = "hour" if SPANS[question.span] == "hour" else "day"
    end = view.window.end if view.window.end <= view.as_of else view.as_of + timedelta(milliseconds=1)
    first = bucket_start(end - FRAMES[question.span], grain, view.zone)
    asked = Query(
        metrics=(question.metric,),
        by=("province",),
        where=without(view, "country", *LOWER["region"]),
        window=Window(start=first, end=end),
        grain=grain,
        compare=("target",),
    )
    rows = [row for row in view.run(asked).to_dicts() if geography.country_of(row["province"]) == question.country]
    coloured = _coloured(view, question, {}, rows)
    starts: dict[datetime, dict[str, Row]] = {}
    for row in sorted(rows, key=lambda row: row["bucket_at"]):
        starts.setdefault(row["bucket_at"], {})[row["province"]] = row
    return [(start, found, coloured.ink) for start, found in starts.items()]


def _frame(view: View, question: Question, start: datetime, rows: Mapping[str, Row], ink: Callable[[Row], str | None]) -> Frame:
    language, metric = view.language, question.metric
    cells: dict[str, tuple[str, str]] = {}
    for code, row in rows.items():
        value = plain(row[metric])
        if value is None:
            continue
        few = translate(language, "map.few_of", value=figure(language, metric, value), n=row.get(f"{metric}_n"))
        is_small = is_few(view, metric, row)
        cells[code] = ("hatch", few) if is_small else (ink(row) or "blank", figure(language, metric, value))
    sure = [code for code, (kind, _) in cells.items() if kind != "hatch"]
    worst = sorted(sure, key=lambda code: -badness(metric, plain(rows[code][metric])))[:NAMED_IN_FRAME]
    told = "; ".join(f"{name_of(language, 'province', code)} {cells[code][1]}" for code in worst)
    name = frame_name(view, question, start)
    return Frame(
        at=instant_text(start), name=name, spoken=translate(language, "map.frame_spoken", at=name, worst=told), cells=cells
    )


def frame_name(view: View, question: Question, start: datetime) -> str:
    """A frame's time as the business reads it: the hour from and to, or the day."""
    local = start.astimezone(view.zone)
    return f"{local:%m-%d}" if SPANS[question.span] == "day" else f"{local:%m-%d %H:00}"
