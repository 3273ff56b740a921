"""What is worst now: the five places and stages where most delay-hours are being lost, in words, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from access.view import View
from components.board import State, Trouble, Worst
from components.format import count, duration, percent, when
from i18n import translate
from pages.heat_question import place_dimension
from pages.links import link
from pages.wall_heat import stage_rows
from pages.wording import judge, name_of, stage_name, state_name
from queries.query import Filter, Query, Window

Row = dict[str, Any]
Key = tuple[str, str]
Onsets = dict[Key, datetime | None]
Mains = dict[Key, str]

MOST: Final = 5
SIGNIFICANT: Final = 1.96
"""Two-sided 95 % (normal approximation of the difference of two shares)."""
CARRIER_STAGES: Final = ("out_for_delivery", "delivered")
MAIN_SHARE: Final = 0.4
"""From this share of a trouble's delay on, one warehouse or carrier is named as its main place."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A share now and a week ago, each with the orders it stands on."""

    share: float
    n: int
    share_before: float | None
    n_before: int

    @property
    def z(self) -> float | None:
        """How many standard errors the share has risen; None without enough orders a week ago."""
        if self.share_before is None or self.n_before < 1 or self.n < 1:
            return None
        pooled = (self.share * self.n + self.share_before * self.n_before) / (self.n + self.n_before)
        error = math.sqrt(pooled * (1 - pooled) * (1 / self.n + 1 / self.n_before))
        return (self.share - self.share_before) / error if error else 0.0

    @property
    def is_worse(self) -> bool:
        """Whether the share has risen beyond chance; without a week to compare with, whatever is beyond its limit counts."""
        return self.z is None or self.z >= SIGNIFICANT

    @property
    def margin(self) -> float:
        """Half the 95 % interval of the orders beyond the limit, relative to them (Wilson's half width over the share)."""
        if not self.n or not self.share:
            return 0.0
        z2 = SIGNIFICANT**2
        half = SIGNIFICANT * math.sqrt(self.share * (1 - self.share) / self.n + z2 / (4 * self.n**2)) / (1 + z2 / self.n)
        return half / self.share


def read_worst(view: View) -> Worst:
    """The five costliest troubles; those that are no worse than a week ago say so and come without an alarm colour."""
    language, dimension = view.language, place_dimension(view)
    rows = [row for row in stage_rows(view, "over_limit_rate") if row["stage"] and row[dimension] and row["over_limit_seconds"]]
    everything = sum(row["over_limit_seconds"] for row in rows)
    rows = sorted(rows, key=_cost, reverse=True)[:MOST]
    onsets, mains = _onsets(view, dimension, rows), _mains(view, dimension, rows)
    items = tuple(_trouble(view, dimension, row, everything, (onsets, mains)) for row in rows)
    texts = {name: translate(language, f"wall.worst.{name}") for name in ("title", "scope", "empty")}
    return Worst(items=items, **texts)


def evidence_of(row: Row) -> Evidence:
    """The evidence in one row of `stage_rows`."""
    return Evidence(
        share=row["over_limit_rate"] or 0.0,
        n=row["over_limit_rate_n"] or 0,
        share_before=row["over_limit_rate_last_week"],
        n_before=row["over_limit_rate_n_last_week"] or 0,
    )


def _cost(row: Row) -> tuple[bool, float]:
    """What has become worse beyond chance comes first, by the hours lost beyond last week's; the rest by hours lost."""
    seconds, before = row["over_limit_seconds"], row["over_limit_seconds_last_week"] or 0.0
    is_worse = evidence_of(row).is_worse
    return is_worse, max(0.0, seconds - before) if is_worse else seconds


def _trouble(view: View, dimension: str, row: Row, everything: float, context: tuple[Onsets, Mains]) -> Trouble:
    language, key = view.language, (row[dimension], row["stage"])
    onsets, mains = context
    evidence = evidence_of(row)
    state = _state(view, evidence)
    place, stage = name_of(language, dimension, row[dimension]), stage_name(language, row["stage"])
    sure = translate(language, "wall.worst.sure", share=percent(language, evidence.margin, 0))
    return Trouble(
        state=state,
        state_word=state_name(language, state),
        title=translate(language, "wall.worst.item", place=place, stage=stage),
        text=_text(view, row, evidence, everything, mains.get(key, "")),
        sure=sure if evidence.is_worse else translate(language, "wall.worst.not_significant"),
        since=_since(view, key, onsets) if evidence.is_worse else translate(language, "wall.worst.watch"),
        href=_link(view, dimension, row),
        sure_tip=translate(language, "wall.worst.sure_tip" if evidence.is_worse else "wall.worst.not_significant_tip", sure=sure),
    )


def _state(view: View, evidence: Evidence) -> State:
    if not evidence.is_worse:
        return "neutral"
    target = view.targets.at(view.as_of, view.zone).target_of("over_limit_rate")
    judged = judge("over_limit_rate", evidence.share, target)
    return judged if judged in ("warning", "critical") else "neutral"


def _text(view: View, row: Row, evidence: Evidence, everything: float, mainly: str) -> str:
    language, limit = view.language, view.targets.at(view.as_of, view.zone).limit_of(row["stage"])
    form = "text_no_limit" if limit is None else "text_new" if evidence.share_before is None else "text"
    sentence = translate(
        language,
        f"wall.worst.{form}",
        n=count(language, row["over_limit_count"]),
        limit=duration(language, limit),
        share=percent(language, evidence.share, 0),
        before=percent(language, evidence.share_before, 0),
        hours=count(language, row["over_limit_seconds"] / 3600),
        share_of_all=percent(language, row["over_limit_seconds"] / everything, 0),
    )
    joiner = "" if language == "zh-CN" else " "
    return joiner.join(part for part in (sentence, mainly) if part)


def _mains(view: View, dimension: str, rows: list[Row]) -> Mains:
    """For each trouble, the one warehouse or carrier that most of its delay is lost at; left out where there is none."""
    found: Mains = {}
    for inner, at_carrier in (("warehouse", False), ("carrier", True)):
        here = [row for row in rows if (row["stage"] in CARRIER_STAGES) == at_carrier]
        if not here:
            continue
        by = (dimension, "stage", inner)
        asked = Query(metrics=("over_limit_seconds",), by=by, where=_where(view, dimension, here), window=view.window)
        parts = [part for part in view.run(asked).to_dicts() if part[inner] and part["over_limit_seconds"]]
        for row in here:
            key = (row[dimension], row["stage"])
            found[key] = _mainly(view, inner, [part for part in parts if (part[dimension], part["stage"]) == key], row)
    return found


def _mainly(view: View, inner: str, parts: list[Row], row: Row) -> str:
    worst = max(parts, key=lambda part: part["over_limit_seconds"], default=None)
    if worst is None or worst["over_limit_seconds"] < MAIN_SHARE * row["over_limit_seconds"]:
        return ""
    share = percent(view.language, worst["over_limit_seconds"] / row["over_limit_seconds"], 0)
    return translate(view.language, "wall.worst.mostly", name=name_of(view.language, inner, worst[inner]), share=share)


def _where(view: View, dimension: str, rows: list[Row]) -> tuple[Filter, ...]:
    """The view's filters narrowed to the places and stages of these rows."""
    others = tuple(filter_ for filter_ in view.filters if filter_.dimension != dimension)
    return (*others, *(Filter(name, tuple(sorted({row[name] for row in rows}))) for name in (dimension, "stage")))


def _onsets(view: View, dimension: str, rows: list[Row]) -> Onsets:
    """Since when each trouble's hourly share has stayed above its usual one without a break; None: the whole day."""
    if not rows:
        return {}
    window = Window.last(timedelta(hours=24), view.as_of)
    where = _where(view, dimension, rows)
    asked = Query(metrics=("over_limit_rate",), by=(dimension, "stage"), where=where, window=window, grain="hour")
    hours = view.run(asked).sort("bucket_at", descending=True).to_dicts()
    target = view.targets.at(view.as_of, view.zone).target_of("over_limit_rate") or 0.0
    onsets: Onsets = {}
    for row in rows:
        key = (row[dimension], row["stage"])
        usual = max(target, 1.25 * (row["over_limit_rate_last_week"] or 0.0))
        series = [(hour["bucket_at"], hour["over_limit_rate"]) for hour in hours if (hour[dimension], hour["stage"]) == key]
        above = [instant for instant, _ in _leading(series, usual)]
        onsets[key] = above[-1] if above and len(above) < len(series) else None
    return onsets


def _leading(series: list[tuple[datetime, float | None]], usual: float) -> list[tuple[datetime, float | None]]:
    """The newest hours up to the first one that was as usual; hours without orders do not break the run."""
    end = next((index for index, (_, share) in enumerate(series) if share is not None and share <= usual), len(series))
    return series[:end]


def _since(view: View, key: Key, onsets: Onsets) -> str:
    onset = onsets.get(key)
    if onset is None:
        return translate(view.language, "wall.worst.whole_window")
    return translate(view.language, "wall.worst.since", at=when(view.language, onset, view.as_of, view.zone))


def _link(view: View, dimension: str, row: Row) -> str:
    return link(
        view,
        "/drill",
        metric="over_limit_rate",
        figure="over_limit_rate",
        **{dimension: (row[dimension],), "stage": (row["stage"],)},
    )
