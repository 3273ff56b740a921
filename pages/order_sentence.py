"""The sentence that explains an order: how late, where the time went, and what comparable orders take."""

from __future__ import annotations

from typing import Final

from access.order_twin import LEAST_COMPARABLE, Passage, Twin
from access.view import View
from components.format import count, duration
from i18n import label, translate

OPEN_ENDS: Final = (":", "：", "，")
FULL_STOPS: Final = {"en": ".", "zh-CN": "。"}


def sentence_of(view: View, twin: Twin) -> str:
    """One sentence: the state against the promise, then the stage that cost most against comparable orders."""
    state, why = _state(view, twin), _why(view, twin)
    if not why:
        return f"{state[:-1]}{FULL_STOPS[view.language]}" if state.endswith(OPEN_ENDS) else state
    first = why[:1].lower() if state.endswith(":") else why[:1].upper()
    return f"{state}{'' if view.language == 'zh-CN' else ' '}{first}{why[1:]}"


def _state(view: View, twin: Twin) -> str:
    order, language = twin.order, view.language
    if order["cancelled_at"] is not None:
        return translate(language, "twin.sentence.cancelled")
    late = order["late_by_seconds"]
    if late is not None and late > 0:
        key = "late_open" if order["is_open"] else "late"
        return translate(language, f"twin.sentence.{key}", late=duration(language, late))
    if order["promised_at"] is None:
        return translate(language, "twin.sentence.no_promise")
    reached = order["as_of"] if order["is_open"] else order["delivered_at"]
    left = None if reached is None else (order["promised_at"] - reached).total_seconds()
    if order["is_open"]:
        return translate(language, "twin.sentence.open", left=duration(language, left))
    if left is None or order["delivered_inferred"]:
        return translate(language, "twin.sentence.closed")
    return translate(language, "twin.sentence.in_time", left=duration(language, left))


def _why(view: View, twin: Twin) -> str:
    passage, language = twin.worst, view.language
    if passage is None or passage.usual is None or passage.seconds is None:
        return _longest(view, twin)
    late = twin.order["late_by_seconds"] or 0
    is_part = late > 0 and passage.seconds <= late
    form = "part_of_it" if is_part else "of_its_time"
    if passage.is_waiting:
        form = f"{form}_waiting"
    return translate(
        language,
        f"twin.sentence.{form}",
        dwell=duration(language, passage.seconds),
        stage=label(language, "stage", passage.stage),
        usual=duration(language, passage.usual.p50),
    )


def _longest(view: View, twin: Twin) -> str:
    """Without comparable orders only which stage took longest."""
    known = [passage for passage in twin.passages if passage.seconds is not None]
    if not known:
        return ""
    longest: Passage = max(known, key=lambda passage: passage.seconds or 0)
    form = "usual_everywhere" if any(passage.usual for passage in known) else "longest"
    return translate(
        view.language,
        f"twin.sentence.{form}",
        stage=label(view.language, "stage", longest.stage),
        dwell=duration(view.language, longest.seconds),
    )


def evidence_of(view: View, twin: Twin) -> str:
    """Whom it is compared with and how many they are, or that they are too few."""
    language, order = view.language, twin.order
    known = [passage for passage in twin.passages if passage.usual is not None]
    passage = twin.worst or (known[-1] if known else None)
    window = twin.compared_window
    days = str((window.end - window.start).days) if window and window.start else ""
    if passage is None or passage.usual is None:
        return translate(language, "twin.evidence.few", n=str(LEAST_COMPARABLE), days=days)
    return translate(
        language,
        f"twin.evidence.{passage.usual.level}",
        n=count(language, passage.usual.n),
        days=days,
        stage=label(language, "stage", passage.stage),
        warehouse=label(language, "warehouse_id", order["warehouse_id"]),
        province=label(language, "province_code", order["province_code"]),
        region=label(language, "region_code", order["region_code"]),
        low=duration(language, passage.usual.p10),
        high=duration(language, passage.usual.p90),
    )
