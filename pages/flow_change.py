"""Why is a rate not what it was a week ago? Mix and rate, by place and stage, each with its interval; or nothing beyond chance."""

from __future__ import annotations

from typing import Final

from access.bottlenecks import Change, explain_change
from access.view import View
from components.board import State
from components.charts import Estimate, Forest
from components.format import count, percent
from components.plane import Card
from i18n import translate
from pages.figures import metric_name
from pages.flow_question import SHORTEST_CHANGE, Question, length_of, window_of
from pages.links import link
from pages.wording import name_of, stage_name
from queries.attribution import Attribution, Contribution
from queries.causes import EXPLAINED
from queries.metrics import METRICS
from queries.query import Window

MOST: Final = 9


def read_change(view: View, question: Question) -> Card:
    """The change of the question's rate against a week earlier, over at least a week so that days can be told from chance."""
    language, metric = view.language, question.metric
    is_short = length_of(view) < SHORTEST_CHANGE
    window = Window.last(7 * SHORTEST_CHANGE / 3, view.as_of) if is_short else window_of(view)
    where = tuple(filter_ for filter_ in view.filters_for(metric) if filter_.dimension != "stage")
    days = max(7, -(-(view.as_of - (window.start or view.as_of)).days // 7) * 7)
    found = explain_change(view, metric, question.split, where, window=window, days=days)
    span = translate(language, "format.day_long", n=str(round((view.as_of - found.start).total_seconds() / 86400)))
    before = translate(language, "format.day_long", n=str(found.days))
    return Card(
        title=translate(language, "flow.change.title", metric=metric_name(language, metric)),
        scope=translate(language, "flow.change.scope", span=span, before=before),
        chart=_forest(view, question, found),
    )


def _forest(view: View, question: Question, found: Change) -> Forest:
    language, whole = view.language, found.attribution
    ends = (translate(language, "flow.change.worse"), translate(language, "flow.change.better"))
    if whole is None:
        text = translate(language, "flow.change.too_few")
        return Forest(lead=text, rows=(), line=0.5, line_name="", ends=ends)
    parts = sorted(whole.contributions, key=lambda part: (not part.is_significant, -abs(part.change)))[:MOST]
    reach = max((max(abs(part.low), abs(part.high)) for part in parts), default=0.0) or 1.0
    return Forest(
        lead=lead_of(view, found),
        rows=tuple(_row(view, question, part, reach) for part in parts),
        line=0.5,
        line_name=translate(language, "flow.change.nothing"),
        ends=ends,
        heads=tuple(translate(language, f"flow.change.head.{name}") for name in ("part", "interval", "points", "sure")),
    )


def points(language: str, value: float) -> str:
    """A change of a rate in points, to the hundredth: contributions are small."""
    sign = "" if round(value, 4) == 0 else "−" if value < 0 else "+"
    return sign + translate(language, "format.points", value=f"{abs(value) * 100:.2f}")


def good_of(metric: str, value: float) -> float:
    """A change of the bad share as a change of the rate."""
    return -value if METRICS[metric].better == "higher" else value


def lead_of(view: View, found: Change) -> str:
    """The whole change with its interval, and how much of it stands beyond chance."""
    language, metric = view.language, found.metric
    whole = found.attribution
    if whole is None:
        return translate(language, "flow.change.too_few")
    is_share_of_good = METRICS[metric].better == "higher"
    now, before = (1 - whole.after, 1 - whole.before) if is_share_of_good else (whole.after, whole.before)
    low, high = sorted((good_of(metric, whole.low), good_of(metric, whole.high)))
    named = whole.significant
    told = translate(
        language,
        "flow.change.lead",
        before=percent(language, before),
        now=percent(language, now),
        change=points(language, now - before),
        low=points(language, low),
        high=points(language, high),
        n=count(language, whole.n_after),
    )
    outcome = translate(language, "flow.change.named" if named else "flow.change.quiet", n=len(named), of=_parts(whole))
    return ("" if language == "zh-CN" else " ").join((told, outcome))


def _parts(whole: Attribution) -> int:
    return len(whole.contributions)


def _row(view: View, question: Question, part: Contribution, reach: float) -> Estimate:
    language, metric = view.language, question.metric
    # To the right is better, whatever the rate counts.
    low, at, high = (0.5 - 0.5 * value / reach for value in (part.high, part.change, part.low))
    tone: State = "neutral" if not part.is_significant else "good" if part.change < 0 else "critical"
    name = _name(view, question, part)
    value = points(language, good_of(metric, part.change))
    ends = sorted((good_of(metric, part.low), good_of(metric, part.high)))
    texts = {"low": points(language, ends[0]), "high": points(language, ends[1])}
    sure = translate(language, "flow.change.sure" if part.is_significant else "wall.worst.not_significant")
    stage = {"stage": (part.cause,)} if part.cause else {}
    href = link(view, "/drill", metric="lost_rate" if part.cause else metric, **{question.split: (part.kind,)}, **stage)
    tip = "\n".join(
        (name, value, translate(language, "flow.change.tip", **texts), translate(language, f"flow.change.{part.effect}_tip"))
    )
    return Estimate(
        name=name, value=value, at=at, low=low, high=high, note=sure, tone=tone, is_sure=part.is_significant, tip=tip, href=href
    )


def _name(view: View, question: Question, part: Contribution) -> str:
    language = view.language
    place = name_of(language, question.split, part.kind)
    if part.effect == "mix":
        return translate(language, "flow.change.mix", place=place)
    if part.cause:
        return translate(language, "wall.worst.item", place=place, stage=stage_name(language, part.cause))
    key = "flow.change.no_stage" if question.metric in EXPLAINED else "flow.change.rate"
    return translate(language, key, place=place)
