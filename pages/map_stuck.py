"""Where it is stuck, in words beside the map: the flow page's bottlenecks by the places that the list lists."""

from __future__ import annotations

from typing import Final

from access.bottlenecks import read_bottlenecks
from access.view import View
from components.board import Worst
from components.geo_map import Stuck
from i18n import translate
from pages.flow_question import PLACES, passing
from pages.flow_ranking import trouble_of
from pages.links import link
from pages.map_question import Question

MOST: Final = 4
BROADER: Final = {"city": "province"}
"""Places too small to be compared with their own days: what they lie in is told."""


def read_stuck(view: View, question: Question) -> Stuck | None:
    """What is stuck beyond chance now, exactly as the flow page has it; none while the player shows another time."""
    by = BROADER.get(question.rank, question.rank)
    if question.at or by not in PLACES:
        return None
    language = view.language
    found = read_bottlenecks(view, by, passing(view))
    sure = [item for item in found if item.is_significant]
    worst = Worst(
        title=translate(language, "flow.ranking.title"),
        scope=translate(language, "map.stuck.scope", n=len(sure), all=len(found)),
        empty=translate(language, "map.stuck.empty" if found else "map.stuck.none"),
        items=tuple(trouble_of(view, by, item) for item in sure[:MOST]),
    )
    return Stuck(worst=worst, way=translate(language, "map.stuck.way"), href=link(view, "/flow", split=by))
