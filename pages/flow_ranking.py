"""Bottlenecks in words: what each costs, how much of it is unusual and how sure that is, since when, and where it goes."""

from __future__ import annotations

from typing import Final

from access.bottlenecks import read_bottlenecks
from access.view import View
from components.board import State, Trouble, Worst
from components.format import count, duration, percent, when
from components.plane import Card
from i18n import translate
from pages.flow_question import Question, passing
from pages.links import link
from pages.panel import orders_link
from pages.wording import name_of, stage_name, state_name
from queries.query import Filter
from queries.ranking import Bottleneck

MOST: Final = 7
CRITICAL_FACTOR: Final = 3.0
"""Three times what is usual is critical."""


def read_ranking(view: View, question: Question) -> Card:
    """The costliest bottlenecks by place and stage; those within chance come after, without colour, and say so."""
    language = view.language
    found = read_bottlenecks(view, question.split, passing(view))
    sure = sum(item.is_significant for item in found)
    worst = Worst(
        title=translate(language, "flow.ranking.title"),
        scope=translate(language, "flow.ranking.scope", n=sure, all=len(found)),
        empty=translate(language, "flow.ranking.empty"),
        items=tuple(trouble_of(view, question.split, item) for item in found[:MOST]),
    )
    return Card(title=worst.title, scope=worst.scope, worst=worst)


def state_of(item: Bottleneck) -> State:
    """Warm colour only beyond chance."""
    if not item.is_significant or item.unusual is None:
        return "neutral"
    return "critical" if item.unusual.hours >= CRITICAL_FACTOR * max(1.0, item.unusual.usual) else "warning"


def trouble_of(view: View, by: str, item: Bottleneck) -> Trouble:
    """A bottleneck in words, leading to its drill and to the orders that are slower than normal there."""
    language, state = view.language, state_of(item)
    title = translate(
        language, "wall.worst.item", place=name_of(language, by, item.place), stage=stage_name(language, item.stage)
    )
    return Trouble(
        state=state,
        state_word=state_name(language, state),
        title=title,
        text=_text(view, item),
        sure=_sure(view, item),
        since=_since(view, item),
        href=link(view, "/drill", metric="lost_rate", figure="lost_rate", **{by: (item.place,), "stage": (item.stage,)}),
        orders=orders_link(view, "lost_rate", (Filter(by, (item.place,)), Filter("stage", (item.stage,))), part="bad"),
        orders_word=translate(language, "flow.ranking.orders"),
    )


def _text(view: View, item: Bottleneck) -> str:
    language = view.language
    parts = [
        translate(
            language,
            "flow.ranking.text",
            n=count(language, item.count),
            of=count(language, item.n),
            hours=count(language, item.lost_seconds / 3600),
            share=percent(language, item.share, 0),
        )
    ]
    if item.stuck:
        told = translate(language, f"flow.ranking.{item.trend}", n=count(language, abs(item.growth_per_hour)))
        parts.append(translate(language, "flow.ranking.stuck", n=count(language, item.stuck), trend=told))
    return ("" if language == "zh-CN" else " ").join(parts)


def _sure(view: View, item: Bottleneck) -> str:
    language, unusual = view.language, item.unusual
    if unusual is None:
        return translate(language, "flow.ranking.too_new")
    if not item.is_significant:
        return translate(language, "wall.worst.not_significant")
    low, high = count(language, max(0.0, unusual.low)), count(language, unusual.high)
    return translate(language, "flow.ranking.beyond", n=count(language, unusual.beyond), low=low, high=high)


def _since(view: View, item: Bottleneck) -> str:
    language = view.language
    if not item.is_significant:
        return translate(language, "wall.worst.watch")
    if item.since is None:
        return ""
    lasting = duration(language, (view.as_of - item.since).total_seconds(), short=True)
    return translate(language, "flow.ranking.since", at=when(language, item.since, view.as_of, view.zone), time=lasting)
