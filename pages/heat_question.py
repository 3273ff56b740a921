"""What a heatmap asks: a metric by two dimensions or by one over time; ready-made boards, and which choices go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal
from urllib.parse import quote, unquote

from access.address import UNKNOWN
from access.view import View
from i18n import translate
from pages.links import instant_text, link
from queries.clock import bucket_end
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.query import Filter, Grain, QueryError, Window
from queries.request import closed_codes, parse_instant, parse_window

Colour = Literal["target", "history", "plain"]
Show = Literal["grid", "lines", "calendar"]
Parameters = Mapping[str, Sequence[str]]

COLOURS: Final[tuple[Colour, ...]] = ("target", "history", "plain")
SHOWS: Final[tuple[Show, ...]] = ("grid", "lines", "calendar")
TIMES: Final[dict[str, Grain]] = {"time.hour": "hour", "time.day": "day", "time.week": "week"}
LEAST: Final = {"time.day": "14d", "time.week": "56d", "weekday": "7d", "complaint_kind": "7d"}
"""A shorter window than this would leave an axis of time with hardly a column."""
AXES: Final = ("metric", "rows", "columns")
NOT_OFFERED: Final = ("order", "currency")
EVERYTHING: Final = "*"
"""In a cell's key: the total over this side."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A metric by `rows` and `columns` (a dimension, or a key of TIMES); how it is coloured, sorted and shown."""

    board: str
    metric: str
    rows: str
    columns: str
    colour: Colour
    sort: str = ""
    show: Show = "grid"
    cell: str = ""
    beside: str = ""

    @property
    def grain(self) -> Grain | None:
        """The buckets of an axis of time."""
        return TIMES.get(self.columns)

    @property
    def by(self) -> tuple[str, ...]:
        """The dimensions asked by."""
        return (self.rows,) if self.grain else (self.rows, self.columns)


def _board(code: str, metric: str, rows: str, columns: str, colour: Colour) -> Question:
    return Question(board=code, metric=metric, rows=rows, columns=columns, colour=colour)


BOARDS: Final = (
    _board("limits", "over_limit_rate", "region", "stage", "target"),
    _board("by_hour", "exception_rate", "province", "hour", "target"),
    _board("carriers", "on_time_rate", "carrier", "time.day", "target"),
    _board("lanes", "late_rate", "warehouse", "province", "target"),
    _board("waves", "dwell_seconds_p90", "warehouse", "wave", "plain"),
    _board("ages", "backlog_count", "age_bucket", "status", "plain"),
    _board("undispatched", "undispatched_count", "warehouse", "dispatch_age", "plain"),
    _board("exceptions", "exception_rate", "category", "channel", "target"),
    _board("rhythm", "order_count", "weekday", "hour", "plain"),
    _board("returns", "return_within_target_rate", "warehouse", "return_kind", "target"),
    _board("complaints", "complaint_count", "channel", "complaint_kind", "plain"),
    _board("speed", "order_cycle_seconds_p90", "province", "carrier", "history"),
)
"""The common questions; the first is where the page opens. Their names are in i18n (`heatmaps.board.*`)."""


def read_question(parameters: Parameters) -> Question:
    """The question in the address: a board, and what differs from it; unknown words fall back to the board's."""

    def one(name: str) -> str:
        values = parameters.get(name) or ("",)
        return values[-1]

    board = next((entry for entry in BOARDS if entry.board == one("board")), BOARDS[0])
    metric, rows, columns = (one(name) if one(name) in _words(name) else getattr(board, name) for name in AXES)
    found = replace(board, metric=metric, rows=rows, columns=columns)
    colour = next((entry for entry in COLOURS if entry == one("colour")), found.colour)
    show = next((entry for entry in SHOWS if entry == one("show")), SHOWS[0])
    return replace(
        found, colour=_fitting(found.metric, colour), sort=one("sort"), show=show, cell=one("cell"), beside=one("beside")
    )


def place_dimension(view: View) -> str:
    """Regions; provinces where only one region is in sight."""
    chosen = next((filter_.values for filter_ in view.filters if filter_.dimension == "region"), None)
    regions = chosen if chosen is not None else view.scope.regions
    return "province" if len(regions) == 1 else "region"


def question_in(view: View, parameters: Parameters) -> Question:
    """The question in the address; rows that it leaves to a board are provinces, not regions, where one region is in sight."""
    found, place = read_question(parameters), place_dimension(view)
    is_free = found.rows == "region" and not parameters.get("rows") and found.columns != place
    return replace(found, rows=place) if is_free else found


def words_known() -> dict[str, Sequence[str]]:
    """The words the page knows, by the choice in the address."""
    boards = [entry.board for entry in BOARDS]
    return {"board": boards, **{name: _words(name) for name in AXES}, "colour": COLOURS, "show": SHOWS}


def _words(name: str) -> Sequence[str]:
    return list(METRICS) if name == "metric" else [*DIMENSIONS, *(TIMES if name == "columns" else ())]


def _fitting(metric: str, colour: Colour) -> Colour:
    return colour if colour in colours_of(metric) else "plain"


def colours_of(metric: str) -> tuple[Colour, ...]:
    """The ways of colouring that mean something: only a group's own target is a target, and a sum has that as a whole only."""
    entry = METRICS[metric]
    has_target = entry.better != "neutral" and entry.kind != "sum"
    return COLOURS if has_target else COLOURS[1:]


def dimensions_of(metric: str) -> list[str]:
    """The dimensions a heatmap of the metric can have."""
    rows = METRICS[metric].anchor.rows
    return [name for name, entry in DIMENSIONS.items() if rows in entry.rows and name not in NOT_OFFERED]


def refusal(language: str, question: Question, window: Window) -> str:
    """Why the question has no answer, in a sentence with what to choose instead; empty when it has one."""
    known, metric = dimensions_of(question.metric), translate(language, f"metrics.{question.metric}.name")
    for name in question.by:
        if name not in known:
            return translate(language, "heatmaps.refused.dimension", metric=metric, dimension=axis_name(language, name))
    if question.rows == question.columns:
        return translate(language, "heatmaps.refused.twice", dimension=axis_name(language, question.rows))
    entry = METRICS[question.metric]
    is_series = question.grain is not None or question.show == "lines"
    if window.start is None and (entry.needs_hours or (is_series and (entry.anchor.is_stock or entry.anchor.extra == "waiting"))):
        return translate(language, "heatmaps.refused.window", metric=metric)
    return ""


def axis_name(language: str, name: str) -> str:
    """What an axis is called."""
    return translate(language, f"heatmaps.{name}" if name in TIMES else f"dimensions.{name}.name")


def window_code(view: View, question: Question) -> str:
    """The window of the address, or the least an axis of time needs."""
    code = view.address.window
    least = next((LEAST[name] for name in (question.columns, question.rows) if name in LEAST), None)
    if least is None or view.window.start is None:
        return code
    return least if view.window.end - view.window.start < timedelta(days=int(least[:-1])) else code


def window_of(view: View, code: str) -> Window:
    """The window a code means in this view."""
    return parse_window(code, as_of=view.as_of, zone=view.zone)


def asked_cells(question: Question) -> Question:
    """The question whose cells are in sight: of a calendar its days."""
    return replace(question, columns="time.day") if question.show == "calendar" else question


def question_link(view: View, question: Question, cell: str) -> str:
    """The page at this question with a cell opened."""
    kept = {name: getattr(question, name) for name in ("board", *AXES, "colour", "sort", "show")}
    return link(view, "/heatmaps", **kept, cell=cell)


def cell_key(row: object, column: object) -> str:
    """A cell's key for the address."""
    return "/".join(quote(UNKNOWN if side is None else str(side), safe="*") for side in (row, column))


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A chosen cell: the codes of its sides (EVERYTHING for a total), its filters, and its own window where it has one."""

    row: str | None
    column: str | None
    where: tuple[Filter, ...]
    window: str


def chosen_cell(view: View, question: Question, key: str) -> Chosen | None:
    """The cell a key names; None for a key that names none."""
    sides = [unquote(side) for side in key.split("/")]
    if len(sides) != 2 or not all(sides):
        return None
    codes = [None if side == UNKNOWN else side for side in sides]
    window, where = window_code(view, question), list[Filter]()
    for axis, code in zip((question.rows, question.columns), codes, strict=True):
        if code == EVERYTHING:
            continue
        if axis in TIMES:
            bucket = _bucket(view, question, code or "")
            if bucket is None:
                return None
            window = bucket
        elif code is not None and (known := closed_codes(axis)) and code not in known:
            return None
        else:
            where.append(Filter(axis, (code,)))
    return Chosen(row=codes[0], column=codes[1], where=tuple(where), window=window)


def _bucket(view: View, question: Question, text: str) -> str | None:
    """A bucket's window, cut where the whole window begins."""
    try:
        start = parse_instant(text, view.zone)
        end = bucket_end(start, question.grain or "hour", view.zone)
    except (QueryError, OverflowError):
        return None
    whole = window_of(view, "all" if question.show == "calendar" else window_code(view, question))
    begin = start if whole.start is None else max(start, whole.start)
    return f"{instant_text(begin)}..{instant_text(min(end, whole.end))}" if begin < min(end, whole.end) else None


def narrowed(view: View, metric: str, where: Sequence[Filter]) -> tuple[Filter, ...]:
    """The view's filters for a metric with `where` in the place of those of the same dimensions."""
    own = {filter_.dimension for filter_ in where}
    return (*(filter_ for filter_ in view.filters_for(metric) if filter_.dimension not in own), *where)
