"""Scorecards: who keeps the promise, each drawn to the common rate by how little is known, so that chance ranks no one last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from access.bottlenecks import read_scores
from access.view import View
from components.board import State
from components.charts import Estimate, Forest
from components.format import count, percent
from components.plane import Card
from i18n import translate
from pages.figures import metric_name
from pages.flow_question import RATES, Question
from pages.links import link
from pages.wording import name_of
from queries.metrics import METRICS
from queries.scorecard import Score

DAYS: Final = 14
MOST: Final = 12
MOST_NAMED: Final = 3
LONG_BELOW: Final = 2
"""From so many days in a row below target it is said."""


def read_scorecard(view: View, question: Question) -> Card:
    """The worst members of the question's kind of place by its rate, over two weeks."""
    language, by = view.language, question.split
    metric = question.metric if question.metric in RATES else RATES[0]
    where = tuple(filter_ for filter_ in view.filters_for(metric) if filter_.dimension != "stage")
    middle, scores = read_scores(view, metric, by, where, days=DAYS)
    if METRICS[metric].better == "lower":
        scores = scores[::-1]
    low = min((item.low for item in scores[:MOST]), default=0.0)
    high = max((item.high for item in scores[:MOST]), default=1.0)
    reach = (high - low) or 1.0

    def place(rate: float) -> float:
        return 0.02 + 0.96 * (rate - low) / reach

    title = translate(language, "flow.scores.title", place=translate(language, f"dimensions.{by}.name"))
    return Card(
        title=title,
        scope=translate(
            language, "flow.scores.scope", metric=metric_name(language, metric), n=min(MOST, len(scores)), all=len(scores)
        ),
        chart=Forest(
            lead=_lead(view, metric, by, scores),
            rows=tuple(_row(view, question, metric, item, place) for item in scores[:MOST]),
            line=place(middle),
            line_name=translate(language, "flow.scores.common", rate=percent(language, middle)),
            ends=(percent(language, low), percent(language, high)),
            heads=tuple(translate(language, f"flow.scores.head.{name}") for name in ("member", "interval", "rate", "n")),
            empty=translate(language, "flow.empty"),
        ),
    )


def _lead(view: View, metric: str, by: str, scores: list[Score]) -> str:
    """How many can be told from the middle, and who has missed the target for days, shown in the list or not."""
    language = view.language
    worse = sum(item.verdict == "worse" for item in scores)
    better = sum(item.verdict == "better" for item in scores)
    told = translate(language, "flow.scores.lead", worse=worse, better=better, rest=len(scores) - worse - better)
    missing = sorted((item for item in scores if item.days_below >= LONG_BELOW), key=lambda item: (-item.days_below, -item.n))
    if not missing:
        return told
    target = view.targets.at(view.as_of, view.zone).target_of(metric)
    longest = "、".join if language == "zh-CN" else ", ".join
    texts = {
        "n": str(len(missing)),
        "least": str(LONG_BELOW),
        "target": percent(language, target),
        "names": longest(f"{name_of(language, by, item.member)} ({item.days_below})" for item in missing[:MOST_NAMED]),
    }
    return ("" if language == "zh-CN" else " ").join((told, translate(language, "flow.scores.missed", **texts)))


def _row(view: View, question: Question, metric: str, item: Score, at: Callable[[float], float]) -> Estimate:
    language = view.language
    is_good = METRICS[metric].better == "higher"
    tones: dict[str, State] = {"worse": "critical" if is_good else "good", "better": "good" if is_good else "critical"}
    name = name_of(language, question.split, item.member)
    counted = translate(language, "flow.scores.counted", rate=percent(language, item.rate), n=count(language, item.n))
    interval = translate(language, "flow.scores.interval", low=percent(language, item.low), high=percent(language, item.high))
    side = "below" if is_good else "beyond"
    below = translate(language, f"flow.scores.{side}", n=item.days_below) if item.days_below >= LONG_BELOW else ""
    return Estimate(
        name=name,
        value=percent(language, item.estimate),
        at=at(item.estimate),
        low=at(item.low),
        high=at(item.high),
        note=below or count(language, item.n),
        tone=tones.get(item.verdict, "neutral"),
        is_sure=item.verdict != "usual",
        tip="\n".join(line for line in (name, counted, interval, below) if line),
        href=link(view, "/drill", metric=metric, figure=metric, **{question.split: (item.member,)}),
    )
