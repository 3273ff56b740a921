"""How pages name things: dimension values, windows, metric definitions, states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from components.board import State
from i18n import catalogue, translate
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.query import Window
from queries.request import parse_window
from queries.value_name import value_name

CRITICAL_FROM: Final = 1.4
"""A figure this many times as far from nothing as its target allows is critical; anything beyond the target warns."""

UNITS: Final = {"m": "minute", "h": "hour", "d": "day", "w": "week"}
OPEN_END: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Stands for as-of in a window that is open at its end."""

Judgement = Literal["good", "warning", "critical"]


def name_of(language: str, dimension: str, code: object) -> str:
    """The name of a dimension's value, a lane's in words; the code where it has none."""
    return value_name(language, dimension, None if code is None else str(code))


def stage_name(language: str, code: str) -> str:
    """The short name of a stage, as a column head."""
    return translate(language, f"wall.stage.{code}")


def codes_in_order(dimension: str, found: Sequence[str | None]) -> list[str]:
    """The codes in the order in which the registry or the catalogue lists them, unlisted ones last by name."""
    places = _places(dimension)
    return sorted((code for code in found if code is not None), key=lambda code: (places.get(code, len(places)), code))


def kinds_to_show(dimension: str, weights: Mapping[str | None, float], most: int = 6) -> list[str | None]:
    """The registry's codes where nothing else occurs; else the commonest of what does, a source's own words and the unknown too."""
    listed: list[str | None] = [str(code) for code in DIMENSIONS[dimension].codes]
    if all(code in listed for code in weights):
        return listed
    kept = sorted(weights, key=lambda code: (-weights[code], code or ""))[:most]
    return [*codes_in_order(dimension, kept), *([None] if None in kept else [])]


@cache
def _places(dimension: str) -> dict[str, int]:
    entry = DIMENSIONS[dimension]
    prefix = f"label.{entry.column or dimension}."
    listed = [str(code) for code in entry.codes] or [
        key.removeprefix(prefix) for key in catalogue("en") if key.startswith(prefix)
    ]
    return {code: index for index, code in enumerate(listed)}


def names_of(language: str, dimension: str, codes: Sequence[str | None], most: int = 2) -> str:
    """Several values in a few words: `East China, South China`, or the first ones and how many."""
    names = [name_of(language, dimension, code) for code in codes]
    joiner = "、" if language == "zh-CN" else ", "
    if len(names) <= most:
        return joiner.join(names)
    return translate(
        language, "wall.and_more", names=joiner.join(names[:most]), n=len(names) if language == "zh-CN" else len(names) - most
    )


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names without the last word that all of them share: `East China, South China` are East and South."""
    last = {name.rpartition(" ")[2] for name in names if " " in name}
    if len(names) < 2 or len(last) != 1 or not all(" " in name for name in names):
        return tuple(names)
    return tuple(name.rpartition(" ")[0] for name in names)


def window_name(language: str, code: str, zone: ZoneInfo) -> str:
    """A window as in the address, in words: `last 24 h`, or its two ends on the zone's clock."""
    if code in ("all", "today"):
        return translate(language, f"wall.window_{code}")
    if ".." in code:
        return _span_name(language, parse_window(code, as_of=OPEN_END, zone=zone), zone)
    unit = UNITS.get(code[-1:])
    if unit is None or not code[:-1].isdigit():
        return code
    length = translate(language, f"format.{unit}_long", n=code[:-1])
    return translate(language, "wall.last_window", length=length)


def span_name(language: str, metric: str | None, code: str, zone: ZoneInfo) -> str:
    """The time a figure is of: the window in words, or as-of where it is taken at an instant."""
    is_stock = metric is not None and METRICS[metric].anchor.is_stock
    return translate(language, "heatmaps.at_as_of") if is_stock else window_name(language, code, zone)


def _span_name(language: str, window: Window, zone: ZoneInfo) -> str:
    """`2026-11-26 08:00 – 09:00`, days without hours: `2026-11-26`, `2026-11-20 – 2026-11-26`; open ends in words."""
    start = window.start.astimezone(zone) if window.start else None
    end = window.end.astimezone(zone) if window.end < OPEN_END else None
    has_hours = any(f"{instant:%H%M%S}" != "000000" for instant in (start, end) if instant)
    last = end - timedelta(days=1) if end and not has_hours else end
    form = "%Y-%m-%d %H:%M" if has_hours else "%Y-%m-%d"
    if start is None or last is None:
        key, instant = ("wall.window_from", start) if start else ("wall.window_until", last)
        return translate(language, key, at=f"{instant:{form}}") if instant else translate(language, "wall.window_all")
    if start.date() == last.date():
        form = "%H:%M" if has_hours else ""
    return f"{start:{'%Y-%m-%d %H:%M' if has_hours else '%Y-%m-%d'}}" + (f" – {last:{form}}" if form else "")


def definition(language: str, metric: str) -> list[str]:
    """What a metric means: description, population, exclusions, each where it is written down."""
    lines = []
    for part in ("description", "population", "exclusions"):
        key = f"metrics.{metric}.{part}"
        text = translate(language, key)
        if text not in (key, ""):
            lines.append(text if part == "description" else translate(language, f"wall.tip.{part}", text=text))
    return lines


def source_name(source: str) -> str:
    """A source's short name as its owners write it: `demo_oms` is OMS, `crm_returns` is CRM RETURNS."""
    return source.removeprefix("demo_").replace("_", " ").upper()


def judge(metric: str, value: float | None, target: float | None) -> Judgement | None:
    """How a figure stands against its target; None without a figure, a target or a direction.

    What counts is how far it is from nothing: a rate that should be high is judged by what is missing to one.
    """
    better = METRICS[metric].better
    if value is None or target is None or better == "neutral":
        return None
    if better == "higher" and METRICS[metric].unit == "rate":
        value, target = 1 - value, 1 - target
    elif better == "higher":
        value, target = target, value
    ratio = value / target if target > 0 else (2.0 if value > 0 else 0.0)
    return "good" if ratio <= 1 else "warning" if ratio < CRITICAL_FROM else "critical"


def state_name(language: str, state: State) -> str:
    """A state as a word."""
    return translate(language, f"wall.{state}")
