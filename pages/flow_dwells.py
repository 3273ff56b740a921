"""How long each stage takes: the distribution of the window against the usual range, and how long the rest has waited so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from access.bottlenecks import read_dwells
from access.view import View
from components.chain import Spread, Spreads
from components.format import brief, count, duration, percent
from components.plane import Card
from i18n import translate
from pages.figures import plain
from pages.flow_question import passing, window_of
from pages.flow_strip import Stage
from pages.links import link
from pages.wording import stage_name, window_name
from queries.dwells import Dwells, quantile, step_at

BARS: Final = 60
FIRST: Final = step_at(45)
"""Where the axis of time begins; quicker ones stand in its first bar."""
TICKS: Final = (60, 600, 3600, 6 * 3600, 86_400, 3 * 86_400, 10 * 86_400, 30 * 86_400)
RANGE: Final = (0.1, 0.9)
NEAR: Final = 0.06
"""Ticks nearer to the end of the axis than this have no room for their text."""


def read_spreads(view: View, stages: list[Stage]) -> Card:
    """The stages' distributions on one axis of time, logarithmic: each to its own height."""
    language = view.language
    title, scope = translate(language, "flow.dwells.title"), window_name(language, view.address.window, view.zone)
    found = read_dwells(view, passing(view), window_of(view))
    shown = [(stage, *found[stage.code]) for stage in stages if stage.code in found]
    if not shown:
        return Card(title=title, scope=scope, text=translate(language, "flow.empty"), size="wide")
    last = max(step_at(86_400), *(max((*own.passed, *own.waiting)) for _, own, _ in shown)) + 1
    chart = Spreads(
        lead=translate(language, "flow.dwells.lead"),
        rows=tuple(_row(view, stage, own, usual, last) for stage, own, usual in shown),
        ticks=tuple((at, duration(language, tick)) for tick in TICKS if (at := _place(step_at(tick), last)) < 1 - NEAR),
        heads=tuple(
            translate(language, f"flow.dwells.head.{name}") for name in ("stage", "spread", "usual", "now", "slow", "open")
        ),
        keys=tuple((kind, translate(language, f"flow.dwells.key.{kind}")) for kind in ("through", "waiting", "usual", "middle")),
    )
    return Card(title=title, scope=scope, chart=chart, size="wide")


def _place(step: float, last: int) -> float:
    return min(1.0, max(0.0, (step - FIRST) / (last - FIRST)))


def _bars(counts: Mapping[int, int], last: int) -> tuple[float, ...]:
    bars = [0] * BARS
    for step, n in counts.items():
        bars[min(BARS - 1, int(_place(step, last) * BARS))] += n
    most = max(bars) or 1
    return tuple(round(bar / most, 4) for bar in bars)


def _row(view: View, stage: Stage, own: Dwells, usual: Dwells | None, last: int) -> Spread:
    language, name = view.language, stage_name(view.language, stage.code)
    low, high = (quantile(usual.passed, share) if usual else None for share in RANGE)
    speeds = {name: plain(stage.speed.get(f"dwell_seconds_{name}")) for name in ("p50", "p90")}
    slow = percent(language, plain(stage.lost.get("lost_rate")), 0)
    half = quantile(own.waiting, 0.5)
    usual_text = translate(language, "flow.dwells.range", low=brief(language, low), high=brief(language, high)) if high else ""
    times = {name: duration(language, seconds) for name, seconds in speeds.items()}
    lines = [name, translate(language, f"flow.dwells.{'passed_tip' if own.n else 'none_tip'}", n=count(language, own.n), **times)]
    if usual and high:
        texts = {"low": duration(language, low), "high": duration(language, high), "n": count(language, usual.n)}
        lines.append(translate(language, "flow.dwells.usual_tip", **texts))
    else:
        lines.append(translate(language, "flow.dwells.no_usual"))
    if own.n_waiting:
        lines.append(translate(language, "flow.dwells.open_tip", n=count(language, own.n_waiting), half=duration(language, half)))
    marked = [None if seconds is None else _place(step_at(seconds), last) for seconds in (low, high, speeds["p50"])]
    return Spread(
        name=name,
        passed=_bars(own.passed, last),
        waiting=_bars(own.waiting, last),
        low=marked[0],
        high=marked[1],
        middle=marked[2],
        usual=usual_text or "–",
        now=translate(language, "flow.dwells.range", low=brief(language, speeds["p50"]), high=brief(language, speeds["p90"]))
        if speeds["p50"] is not None
        else "–",
        slow=slow,
        open=translate(language, "flow.dwells.open", n=count(language, own.n_waiting), half=brief(language, half))
        if own.n_waiting
        else "–",
        tip="\n".join(lines),
        href=link(view, "/drill", metric="dwell_seconds_p50", figure="dwell_seconds_p50", stage=(stage.code,)),
    )
