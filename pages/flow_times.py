"""From what was promised to what it took, stage by stage, against another week, region or carrier."""

from __future__ import annotations

from typing import Final

from access.bottlenecks import read_times
from access.view import View
from components.board import State
from components.charts import Step, Waterfall
from components.format import count, duration
from components.plane import Card
from i18n import translate
from pages.figures import difference
from pages.flow_question import Question, window_of
from pages.wording import name_of, stage_name
from queries.clock import shift_days
from queries.journey_times import Times
from queries.query import Filter, Window

TELLING: Final = 0.02
"""A stage that adds less than a fiftieth of the whole is told without colour."""
MINUTES: Final = "order_cycle_seconds_p50"


def read_waterfall(view: View, question: Question) -> Card:
    """Promised, less what the promise keeps in reserve over the compared orders, and what each stage took more or less than theirs."""
    language = view.language
    other = _other_name(view, question)
    title = translate(language, "flow.times.title")
    scope = translate(language, "flow.times.scope", other=other)
    where = view.filters_for(MINUTES)
    window = window_of(view)
    now, before = read_times(view, where, window), _read_other(view, question, where, window)
    if now is None or before is None:
        key = "flow.times.empty" if now is None else "flow.times.empty_other"
        return Card(title=title, scope=scope, text=translate(language, key, other=other), size="wide")
    lead = translate(
        language,
        "flow.times.lead",
        n=count(language, now.n),
        actual=duration(language, now.actual),
        promised=duration(language, now.promised),
        other=other,
        before=duration(language, before.actual),
        n_before=count(language, before.n),
    )
    return Card(title=title, scope=scope, chart=Waterfall(lead=lead, steps=steps_of(view, now, before)), size="wide")


def _other_name(view: View, question: Question) -> str:
    other = question.other
    if other is None:
        return translate(view.language, "flow.times.last_week")
    return name_of(view.language, other.dimension, other.values[0])


def _read_other(view: View, question: Question, where: tuple[Filter, ...], window: Window) -> Times | None:
    if question.other is None:
        start = window.start or view.as_of
        moved = Window(start=shift_days(start, -7, view.zone), end=shift_days(min(window.end, view.as_of), -7, view.zone))
        return read_times(view, where, moved)
    kept = tuple(filter_ for filter_ in where if filter_.dimension != question.other.dimension)
    return read_times(view, (*kept, question.other), window)


def steps_of(view: View, now: Times, before: Times) -> tuple[Step, ...]:
    """Promised + (reserve) + each stage's difference + rest = actual, exactly."""
    language = view.language
    moves = [("reserve", translate(language, "flow.times.reserve"), before.actual - now.promised)]
    moves += [
        (stage, stage_name(language, stage), now.stages[stage] - before.stages[stage])
        for stage in now.stages
        if now.stages[stage] or before.stages[stage]
    ]
    rest = now.rest - before.rest
    if abs(rest) >= 60:
        moves.append(("rest", translate(language, "flow.times.rest"), rest))
    levels = [now.promised]
    for _, _, moved in moves:
        levels.append(levels[-1] + moved)
    near = (*levels[1:], now.actual)
    margin = max(600.0, 0.2 * (max(near) - min(near)))
    low, high = min(near) - margin, max(near) + margin

    def place(seconds: float) -> float:
        """The stages' part of the scale is drawn large; what the promise allows beyond it is drawn short, with a break."""
        if seconds > high:
            return 0.94
        return max(0.0, 0.12 + 0.66 * (seconds - low) / (high - low))

    promised = translate(language, "flow.times.promised")
    actual = translate(language, "flow.times.actual")
    steps = [
        Step(
            name=promised,
            value=duration(language, now.promised, short=True),
            start=0,
            end=place(now.promised),
            is_total=True,
            is_broken=True,
        )
    ]
    for index, (code, name, moved) in enumerate(moves):
        value = difference(language, MINUTES, moved)
        own = _own(view, code, now, before)
        steps.append(
            Step(
                name=name,
                value=value,
                start=place(levels[index]),
                end=place(levels[index + 1]),
                tone=_tone(code, moved, now.actual),
                is_broken=max(levels[index], levels[index + 1]) > high,
                tip="\n".join(line for line in (name, value, own) if line),
            )
        )
    return (
        *steps,
        Step(
            name=actual,
            value=duration(language, now.actual, short=True),
            start=0,
            end=place(now.actual),
            is_total=True,
            is_broken=True,
        ),
    )


def _own(view: View, code: str, now: Times, before: Times) -> str:
    if code not in now.stages:
        return translate(view.language, f"flow.times.{code}_tip")
    texts = {"now": duration(view.language, now.stages[code]), "before": duration(view.language, before.stages[code])}
    return translate(view.language, "flow.times.own", **texts)


def _tone(code: str, moved: float, whole: float) -> State:
    if code == "reserve" or abs(moved) < TELLING * whole:
        return "neutral"
    return "warning" if moved > 0 else "good"
