"""The stages in a row: what waits, comes in, goes out; how long it takes against normal; where it is narrowest; when it clears."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from access.bottlenecks import read_courses, read_lost
from access.view import View
from components.board import State
from components.charts import Measure, Station, Strip
from components.format import brief, count, duration, percent
from components.plane import Card
from i18n import translate
from pages.figures import plain
from pages.flow_question import length_of, passing, window_of
from pages.links import link
from pages.wording import stage_name, state_name, window_name
from queries.dimensions import DIMENSIONS
from queries.query import Query
from queries.ranking import GREY_STAGES, grey_zone
from queries.series import Course, growth, is_moving, judge

Row = dict[str, Any]
USUAL_SHARE: Final = 0.1
"""By definition one in ten passages is slower than normal on usual days."""
WARN_SHARE, CRITICAL_SHARE = 0.15, 0.25
RATE_HOURS: Final = 3
LONGEST_TOLD: Final = 14 * 24


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage's rows and courses; `excess` is its order-hours beyond usual, 0 where that may be chance; `stuck` is how many are slower now."""

    code: str
    speed: Row
    lost: Row
    passing: Course
    excess: float
    stuck: float


def read_stages(view: View) -> list[Stage]:
    """The stages that any order in the selection passes or waits in, in their order."""
    where, window = passing(view), window_of(view)
    metrics = ("dwell_seconds_p50", "dwell_seconds_p90", "over_limit_count")
    asked = Query(metrics=metrics, by=("stage",), where=where, window=window, compare=("last_week",))
    speeds = {row["stage"]: row for row in view.run(asked).to_dicts()}
    losses = {row["stage"]: row for row in read_lost(view, (), where, window).to_dicts()}
    through = read_courses(view, "passing", (), where, window=window)
    stuck = read_courses(view, "stuck", (), where)
    hours = round(min(length_of(view), timedelta(days=2)) / timedelta(hours=1))
    found = []
    for code in map(str, DIMENSIONS["stage"].codes):
        course = through.get((code,))
        if course is None:
            continue
        verdict = judge(stuck[code,], hours) if (code,) in stuck else None
        excess = verdict.beyond if verdict and verdict.p < 0.01 and verdict.low > 0 else 0.0
        slow = float(stuck[code,].level[-1]) if (code,) in stuck else 0.0
        speed, lost = speeds.get(code, {}), losses.get(code, {})
        found.append(Stage(code=code, speed=speed, lost=lost, passing=course, excess=excess, stuck=slow))
    return found


def read_strip(view: View, stages: list[Stage]) -> Card:
    """The strip; the narrowest stage is the one that costs most order-hours beyond usual, where any does beyond chance."""
    language = view.language
    title = translate(language, "flow.strip.title")
    narrowest = narrowest_of(stages)
    stations = tuple(_station(view, stage, stage is narrowest) for stage in stages)
    zone, everything = grey_zone({**stage.lost, "stage": stage.code} for stage in stages if stage.lost)
    share = percent(language, zone / everything, 0) if everything else "–"
    hours = count(language, zone / 3600)
    zone_text = translate(language, "flow.strip.zone", share=share, hours=hours)
    strip = Strip(stations=stations, zone=zone_text, note=_absent(view, stages))
    return Card(title=title, scope=window_name(language, view.address.window, view.zone), chart=strip, size="wide")


def narrowest_of(stages: list[Stage]) -> Stage | None:
    """The stage that costs most order-hours beyond usual; None where none does beyond chance."""
    return max((stage for stage in stages if stage.excess > 0), key=lambda stage: stage.excess, default=None)


def _absent(view: View, stages: list[Stage]) -> str:
    """The stages that are not shown: those that no source reports, and those that are only empty here."""
    language, shown = view.language, {stage.code for stage in stages}
    fed = {column for source in view.sources for column in source.feeds}
    missing = [code for code in map(str, DIMENSIONS["stage"].codes) if code not in shown]
    silent = [code for code in missing if fed and f"orders.{code}_at" not in fed]
    told = {"silent": silent, "empty": [code for code in missing if code not in silent]}
    joiner = "、" if language == "zh-CN" else ", "
    sentences = (
        translate(language, f"flow.strip.{kind}", names=joiner.join(stage_name(language, code) for code in codes))
        for kind, codes in told.items()
        if codes
    )
    return ("" if language == "zh-CN" else " ").join(sentences)


def _station(view: View, stage: Stage, is_narrowest: bool) -> Station:
    language, course = view.language, stage.passing
    waiting = float(course.level[-1])
    rate = plain(stage.lost.get("lost_rate"))
    tone = _tone(rate if is_narrowest or stage.excess else None, is_narrowest)
    arrived, gone = float(course.entered.sum()), float(course.left.sum())
    flow = translate(language, "flow.strip.through", arrived=count(language, arrived), gone=count(language, gone))
    name = stage_name(language, stage.code)
    measures = (
        Measure(name="p50", value=_time(language, stage, "dwell_seconds_p50")),
        Measure(name="p90", value=_time(language, stage, "dwell_seconds_p90")),
        Measure(name=translate(language, "flow.strip.slow"), value=percent(language, rate, 0), tone=tone),
        Measure(name=translate(language, "flow.strip.beyond"), value=count(language, plain(stage.speed.get("over_limit_count")))),
    )
    speeds = [f"p50 {measures[0].value} {_before(language, stage, 'dwell_seconds_p50')}"]
    speeds.append(f"p90 {measures[1].value} {_before(language, stage, 'dwell_seconds_p90')}")
    lines = [name, flow, outlook(view, stage), *speeds, *(f"{one.name} {one.value}" for one in measures[2:])]
    return Station(
        name=name,
        value=count(language, waiting),
        flow=flow,
        share=min(1.0, stage.stuck / waiting) if waiting else 0.0,
        measures=measures,
        foot=outlook(view, stage),
        tone=tone,
        state_word=state_name(language, tone),
        mark=translate(language, "flow.strip.narrowest") if is_narrowest else "",
        is_grey_zone=stage.code in GREY_STAGES,
        tip="\n".join((*lines, translate(language, "flow.strip.tip"))),
        href=link(view, "/drill", metric="lost_rate", figure="lost_rate", stage=(stage.code,)),
    )


def _tone(rate: float | None, is_narrowest: bool) -> State:
    if rate is None:
        return "neutral"
    if rate >= CRITICAL_SHARE:
        return "critical"
    return "warning" if rate >= WARN_SHARE or is_narrowest else "neutral"


def _time(language: str, stage: Stage, metric: str) -> str:
    return brief(language, plain(stage.speed.get(metric)))


def _before(language: str, stage: Stage, metric: str) -> str:
    before = plain(stage.speed.get(f"{metric}_last_week"))
    return "" if before is None else translate(language, "flow.strip.was", value=brief(language, before))


def outlook(view: View, stage: Stage) -> str:
    """How the queue moves, and at these rates when it is worked off, or when the wait breaks the stage's limit."""
    language, course = view.language, stage.passing
    moved = growth(course, RATE_HOURS)
    if not is_moving(course, RATE_HOURS):
        return translate(language, "flow.strip.steady")
    signed = f"{'+' if moved > 0 else '−'}{count(language, abs(moved))}"
    told = translate(language, "flow.strip.growth", n=signed)
    later = _breaks(view, stage, moved) if moved > 0 else _clears(language, float(course.level[-1]), moved)
    return told if not later else translate(language, "flow.strip.then", growth=told, then=later)


def _clears(language: str, level: float, moved: float) -> str:
    hours = level / -moved
    if hours > LONGEST_TOLD:
        return ""
    return translate(language, "flow.strip.clears", time=duration(language, hours * 3600))


def _breaks(view: View, stage: Stage, moved: float) -> str:
    """Little's law: the wait is the queue over what goes out; it breaks the limit when the queue is limit times out."""
    limit = view.targets.at(view.as_of, view.zone).limit_of(stage.code)
    gone = float(stage.passing.left[-RATE_HOURS:].sum()) / RATE_HOURS
    if limit is None or gone <= 0:
        return ""
    room = limit / 3600 * gone - float(stage.passing.level[-1])
    if room <= 0:
        return translate(view.language, "flow.strip.broken")
    hours = room / moved
    return (
        translate(view.language, "flow.strip.breaks", time=duration(view.language, hours * 3600)) if hours < LONGEST_TOLD else ""
    )
