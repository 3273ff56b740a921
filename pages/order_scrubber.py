"""What was known of an order at each sighting, and what later snapshots added or corrected: seen-time against event-time."""

from __future__ import annotations

from datetime import datetime

from access.order_history import Learned
from access.order_twin import Twin
from access.view import View
from components.format import dash, duration, exact_instant
from components.twin import Known, Scrubber
from i18n import translate
from pages.order_facts import value_text
from pages.wording import source_name

HEADS = ("seen", "source", "fact", "kind", "before", "after", "delay")
COLUMN_OF = {
    "business_type": "business_type",
    "country_code": "country",
    "region_code": "region",
    "province_code": "province",
    "warehouse_id": "warehouse",
    "wave_id": "wave",
    "carrier_id": "carrier",
    "exception_code": "exception",
}


def scrubber_of(view: View, twin: Twin) -> Scrubber:
    """Every sighting as a step of the slider, with all changes of what was known."""
    language, changes = view.language, view.order_history(twin)
    steps = sorted({change.seen_at for change in changes})
    number = {instant: index for index, instant in enumerate(steps)}
    words = {
        name: translate(language, f"twin.scrubber.{name}")
        for name in ("title", "scope", "slider", "known", "since", "none_since", "empty")
    }
    return Scrubber(
        heads=tuple(translate(language, f"twin.scrubber.{name}") for name in HEADS),
        steps=tuple(exact_instant(instant, view.zone) for instant in steps),
        changes=tuple(_known(view, twin, change, number[change.seen_at]) for change in changes),
        **words,
    )


def _known(view: View, twin: Twin, change: Learned, step: int) -> Known:
    language, column = view.language, COLUMN_OF.get(change.fact, change.fact)
    before, after = (value_text(view, column, value, twin.order) for value in (change.before, change.after))
    mark = f" · {translate(language, 'twin.inferred')}" if change.is_inferred and change.after is not None else ""
    return Known(
        step=step,
        fact=fact_name(language, column),
        before=before,
        after=after + mark,
        kind=change.kind,
        kind_word=translate(language, f"twin.scrubber.{change.kind}"),
        seen=exact_instant(change.seen_at, view.zone),
        source=source_name(change.source),
        delay=_delay(view, change),
        is_withdrawn=change.kind == "withdrawn",
    )


def fact_name(language: str, column: str) -> str:
    """The name of a fact: a milestone's, a column's, a dimension's."""
    status = column.removesuffix("_at")
    for key in (f"listing.column.{column}", f"label.status.{status}", f"dimensions.{column}.name", f"twin.fact.{column}"):
        text = translate(language, key)
        if text != key:
            return text
    return column


def _delay(view: View, change: Learned) -> str:
    """How long after it happened a milestone was seen."""
    is_milestone = change.fact.endswith("_at") and not change.fact.startswith("promised")
    if not is_milestone or not isinstance(change.after, datetime) or change.is_inferred:
        return dash(view.language)
    return duration(view.language, (change.seen_at - change.after).total_seconds(), short=True)
