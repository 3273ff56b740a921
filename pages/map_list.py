"""The list beside the map: the same in words, the worst first, each leading to itself, to its drill and to its orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from access.view import View
from components.board import State
from components.format import count
from components.geo_map import Ranked, Ranking
from i18n import translate
from pages.figures import difference, figure, metric_name, plain
from pages.heat_reading import badness
from pages.links import Change, instant_text, link
from pages.map_areas import Row, frame_rows, is_few
from pages.map_areas import frame_name as name_frame
from pages.map_question import OWN, Question, chosen, place_changes, without
from pages.panel import alert_link, drill_link, orders_link
from pages.problems import problem_of
from pages.wording import judge, name_of, state_name, window_name
from queries.metrics import METRICS
from queries.query import Filter, Query

MOST_ROWS: Final = 40


def read_ranking(view: View, question: Question) -> Ranking:
    """The list of what is chosen to be listed, now; of provinces in a frame of the player, as they were then."""
    if question.at and question.rank == "province" and (framed := _framed(view, question)):
        return framed
    rows = [row for row in _rows(view, question) if plain(row[question.metric]) is not None]
    return _ranking(view, question, rows, window_name(view.language, view.address.window, view.zone), beside={})


def _rows(view: View, question: Question) -> list[Row]:
    problem = problem_of(question.metric)
    metrics = problem.metrics() if problem else (question.metric,)
    where = without(view, *OWN[question.rank])
    asked = Query(metrics=metrics, by=(question.rank,), where=where, window=view.window, compare=("target",))
    return view.run(asked).to_dicts()


def _framed(view: View, question: Question) -> Ranking | None:
    """The provinces in one frame, or in two with the change from the first to the second."""
    frames = {instant_key: (start, rows) for instant_key, start, rows in _frames(view, question)}
    if question.at not in frames:
        return None
    start, rows = frames[question.at]
    then = frames.get(question.beside)
    scope = name_frame(view, question, start)
    if then is None:
        return _ranking(view, question, _known(question, rows), scope, beside={})
    scope = translate(view.language, "map.between", first=scope, second=name_frame(view, question, then[0]))
    return _ranking(view, question, _known(question, then[1]), scope, beside=rows)


def _frames(view: View, question: Question) -> list[tuple[str, Any, Mapping[str, Row]]]:
    return [(instant_text(start), start, rows) for start, rows, _ in frame_rows(view, question)]


def _known(question: Question, rows: Mapping[str, Row]) -> list[Row]:
    return [row for row in rows.values() if plain(row[question.metric]) is not None]


def _ranking(view: View, question: Question, rows: Sequence[Row], scope: str, *, beside: Mapping[str, Row]) -> Ranking:
    language, metric = view.language, question.metric
    problem = problem_of(metric)
    weight = _weight(view, question, beside)
    ranked = sorted(rows, key=lambda row: (-weight(row), -(row.get(f"{metric}_n") or 0), str(row[question.rank])))
    shown = ranked[:MOST_ROWS]
    most = max((share for row in shown if 0 < (share := weight(row)) < float("inf")), default=0.0) or 1.0
    compared = ("map.head.first", "map.head.second", "map.head.change")
    plain_heads = ("map.head.weight", "map.head.figure", "map.head.bad" if problem else "map.head.n")
    heads = (f"dimensions.{question.rank}.name", *(compared if beside else plain_heads), "map.head.ways")
    cut = translate(language, "map.list_scope", shown=len(shown), all=len(ranked), window=scope)
    return Ranking(
        title=translate(language, "map.list", dimension=translate(language, f"dimensions.{question.rank}.name")),
        scope=cut if len(ranked) > len(shown) else scope,
        empty=translate(language, "map.list_empty"),
        heads=tuple(translate(language, head) for head in heads),
        rows=tuple(_ranked(view, question, row, max(0.0, min(1.0, weight(row) / most)), beside) for row in shown),
    )


def _weight(view: View, question: Question, beside: Mapping[str, Row]) -> Callable[[Row], float]:
    """What the list is sorted by: how much worse it became, how many are bad, or how bad the figure is; too few come last."""
    metric, problem = question.metric, problem_of(question.metric)

    def weight(row: Row) -> float:
        if is_few(view, metric, row):
            return -1.0
        if beside:
            before = beside.get(row[question.rank])
            then = plain(before[metric]) if before else None
            return badness(metric, plain(row[metric])) - badness(metric, then) if then is not None else -0.5
        if problem and f"{metric}_n" in row and METRICS[metric].unit == "rate":
            return float(problem.bad(row))
        return badness(metric, plain(row[metric]))

    return weight


def _ranked(view: View, question: Question, row: Row, share: float, beside: Mapping[str, Row]) -> Ranked:
    language, metric, rank = view.language, question.metric, question.rank
    code, value, few = row[rank], plain(row[metric]), is_few(view, metric, row)
    name = name_of(language, rank, code)
    judged = None if few else judge(metric, value, plain(row.get(f"{metric}_target")))
    state: State = judged if judged in ("warning", "critical") else "neutral"
    own: tuple[Filter, ...] = (Filter(rank, (None if code is None else str(code),)),)
    changes: dict[str, Change] = {**question.own_parameters, **place_changes(rank, None if code is None else str(code))}
    return Ranked(
        name=name,
        href=link(view, "/map", **changes),
        figure=translate(language, "map.few", n=row[f"{metric}_n"]) if few else figure(language, metric, value),
        note=_note(language, metric, row),
        share=share,
        tip="\n".join((name, f"{metric_name(language, metric)} {figure(language, metric, value)}", _note(language, metric, row))),
        drill=drill_link(view, metric, own),
        orders=orders_link(view, metric, own, part="bad" if problem_of(metric) else "all"),
        alert=alert_link(view, metric, own),
        state=state,
        state_word=state_name(language, state),
        is_chosen=str(code) in chosen(view, rank),
        **_compared(view, question, row, beside),
    )


def _compared(view: View, question: Question, row: Row, beside: Mapping[str, Row]) -> dict[str, str]:
    if not beside:
        return {}
    language, metric = view.language, question.metric
    before = beside.get(row[question.rank])
    then, now = plain(before[metric]) if before else None, plain(row[metric])
    moved = difference(language, metric, now - then) if then is not None and now is not None else "–"
    return {"before": figure(language, metric, then), "change": moved}


def _note(language: str, metric: str, row: Row) -> str:
    problem, n = problem_of(metric), row.get(f"{metric}_n")
    if problem and n is not None and METRICS[metric].unit == "rate":
        return translate(language, "map.bad_of", bad=count(language, problem.bad(row)), n=count(language, n))
    return "" if n is None else count(language, n)
