"""One level of the drill: its path, its ranking with shares of the problem, and its open orders by age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from access.view import View
from components.format import count, percent
from components.heat import Cell
from components.panel import Part, Parts
from components.plane import Card, Crumb
from i18n import translate
from pages.drill_path import ORIGINS, PLACES, next_dimensions, path_of
from pages.figures import figure, plain
from pages.heat_question import Question, chosen_cell, narrowed
from pages.heat_reading import read_whole_grid
from pages.links import Change, link
from pages.panel import alert_link, orders_link
from pages.problems import PROBLEMS, Problem, ask_problem, stand_in
from pages.wording import judge, name_of, state_name
from queries.metrics import GROUPS, METRICS
from queries.query import Filter

Parameters = Mapping[str, Sequence[str]]
Row = dict[str, Any]

FIRST: Final = "late_rate"
MOST_ROWS: Final = 16
OFFERED: Final = (
    "late_rate",
    "over_limit_rate",
    "overdue_count",
    "undispatched_count",
    "on_time_ship_rate",
    "exception_rate",
    "cancel_rate",
    "delivery_failed_rate",
    "return_rate",
    "complaint_rate",
)
"""The problems to choose from; one that the address names is offered besides."""

AGES: Final = {
    "ages": ("backlog_count", "age_bucket", "status"),
    "undispatched": ("undispatched_count", "dispatch_age", "channel"),
}
"""Open orders by age: what to count, by which rows and columns."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """What the address asks of the drill: the problem looked at, and what the level is split by."""

    problem: Problem
    split: str
    figure: str = ""

    @property
    def metric(self) -> str:
        """The problem's metric."""
        return self.problem.metric


def read_level(view: View, parameters: Parameters) -> Level:
    """The level; unknown words fall back to late delivery and to the next step down."""

    def one(name: str) -> str:
        values = parameters.get(name) or ("",)
        return values[-1]

    asked = one("metric") if one("metric") in METRICS else FIRST
    group = next(name for name, metrics in GROUPS.items() if any(metric.name == asked for metric in metrics))
    problem = PROBLEMS[stand_in(asked, group)]
    splits = next_dimensions(view, problem.metric, narrowed(view, problem.metric, ()))
    split = one("split") if one("split") in splits else next(iter(splits), "channel")
    opened = one("figure") if one("figure") in METRICS else ""
    return Level(problem=problem, split=split, figure=opened)


def read_crumbs(view: View, level: Level) -> tuple[Crumb, ...]:
    """The way here: everything in scope, then each step; a step leads back to itself without what is below it.

    Beyond the last one the way goes on to the orders that make the problem here.
    """
    language, steps = view.language, path_of(view.address.filters)
    start = translate(language, "drill.everything" if view.scope.everything else "drill.own_area")
    everything: dict[str, Change] = dict.fromkeys((*PLACES, *ORIGINS))
    crumbs = [Crumb(name=start, href=link(view, "/drill", metric=level.metric, **everything), is_here=not steps)]
    for index, step in enumerate(steps):
        below: dict[str, Change] = dict.fromkeys(later.dimension for later in steps[index + 1 :])
        href = link(view, "/drill", metric=level.metric, **below)
        crumbs.append(Crumb(name=name_of(language, step.dimension, step.code), href=href, is_here=step is steps[-1]))
    orders = orders_link(view, level.metric, narrowed(view, level.metric, ()), part="bad")
    crumbs.append(Crumb(name=translate(language, "drill.orders"), href=orders))
    return tuple(crumbs)


def read_ranking(view: View, level: Level) -> Parts:
    """The level's parts by the split: figure, and share of the whole problem, the largest first."""
    language, problem, split = view.language, level.problem, level.split
    rows = [row for row in ask_problem(view, problem, (split,), narrowed(view, level.metric, ())) if problem.n(row)]
    whole = sum(problem.bad(row) for row in rows)
    ranked = sorted(rows, key=lambda row: (-problem.bad(row), str(row[split])))[:MOST_ROWS]
    most = max((problem.bad(row) for row in ranked), default=0) or 1
    heads = ("part", "bad", "figure", "of_problem")
    return Parts(
        title=translate(language, "drill.ranking", dimension=translate(language, f"dimensions.{split}.name")),
        scope=translate(language, "drill.ranking_scope", n=len(ranked), all=len(rows)),
        empty=translate(language, "heatmaps.empty"),
        heads=tuple(translate(language, f"drill.head.{name}") for name in heads),
        rows=tuple(_ranked(view, level, row, whole, most) for row in ranked),
        alert_word=translate(language, "panel.alert_me"),
    )


def _ranked(view: View, level: Level, row: Row, whole: int, most: int) -> Part:
    language, metric, problem = view.language, level.metric, level.problem
    value, bad, n = plain(row[metric]), problem.bad(row), problem.n(row)
    is_few = n < view.targets.at(view.as_of, view.zone).minimum_count and METRICS[metric].n is not None
    judged = None if is_few else judge(metric, value, plain(row.get(f"{metric}_target")))
    tone = judged if judged in ("warning", "critical") else "neutral"
    texts = {"bad": count(language, bad), "n": count(language, n)}
    lines = [name_of(language, level.split, row[level.split]), translate(language, "drill.of", **texts)]
    code = row[level.split]
    changes: dict[str, Change] = {level.split: (None if code is None else str(code),)}
    return Part(
        name=lines[0],
        value=translate(language, "wall.note.few", n=n) if is_few else figure(language, metric, value),
        share=bad / most,
        note=percent(language, bad / whole, 0) if whole else "–",
        tip="\n".join(lines),
        tone=tone,
        state_word=state_name(language, tone),
        href=link(view, "/drill", metric=metric, split=None, **changes),
        alert="" if code is None else alert_link(view, metric, (Filter(level.split, (str(code),)),)),
    )


def read_ages(view: View) -> tuple[Card, ...]:
    """Open orders by age and status, and those not shipped by the steps of dispatching; a cell leads to its orders."""
    return tuple(_ages(view, name, *axes) for name, axes in AGES.items())


def _ages(view: View, name: str, metric: str, rows: str, columns: str) -> Card:
    question = Question(board=name, metric=metric, rows=rows, columns=columns, colour="plain")
    grid = read_whole_grid(view, question)
    lead = partial(_leading, view, question)
    grid = replace(
        grid,
        cells=tuple(tuple(lead(cell) for cell in line) for line in grid.cells),
        row_totals=tuple(lead(cell) for cell in grid.row_totals),
        column_totals=tuple(lead(cell) for cell in grid.column_totals),
        whole=lead(grid.whole) if grid.whole else None,
    )
    return Card(title=translate(view.language, f"drill.{name}"), scope=grid.scope, grid=grid)


def _leading(view: View, question: Question, cell: Cell) -> Cell:
    """The cell as a link to its orders."""
    chosen = chosen_cell(view, question, cell.key)
    return cell if chosen is None else replace(cell, href=orders_link(view, question.metric, chosen.where))
