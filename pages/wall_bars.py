"""The wall's bars: how far each warehouse is with what is due today, and how soon returns are handled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from access.view import View
from components.board import Bar, Bars, State
from components.format import brief, clock, count, duration, percent
from i18n import translate
from pages.heat_question import EVERYTHING, cell_key
from pages.links import link
from pages.wording import judge, kinds_to_show, name_of, state_name
from queries.query import Query, Window

MOST_WAREHOUSES: Final = 8
PACE: Final = timedelta(hours=3)
"""The time whose shipping rate the finish is projected from."""
TIGHT: Final = timedelta(hours=2)
"""A finish this near to the end of the day warns."""
SMALLEST: Final = 10
"""A warehouse with less to ship today is not judged."""
BEHIND, FAR_BEHIND = 0.05, 0.15
"""Shares of the day's work by which a warehouse is behind the same time last week."""
ORDER: Final = {"critical": 0, "warning": 1, "neutral": 2, "good": 3}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A warehouse's day: what is due, what is shipped, how many an hour it ships, its usual share shipped by now."""

    code: str | None
    due: int
    done: int
    rate: float
    usual: float | None = None

    @property
    def behind(self) -> float:
        """How far the share shipped is behind the same time last week; 1 where there is nothing to compare with."""
        return 1.0 if self.usual is None else self.usual - self.done / self.due

    def finish(self, now: datetime) -> datetime | None:
        """When the rest is shipped at the present rate; now when nothing is left, None when it never is."""
        if self.done >= self.due:
            return now
        hours = (self.due - self.done) / self.rate if self.rate > 0 else None
        return None if hours is None or hours > 24 * 30 else now + timedelta(hours=hours)


def read_warehouses(view: View) -> Bars:
    """The eight warehouses most in danger of not finishing today, the most endangered first."""
    language, day = view.language, Window.day_of(view.as_of, view.zone)
    rows = sorted(_progress(view, day), key=lambda row: (ORDER[_tone(view, row, day)], row.done - row.due, row.code or ""))
    hidden = sum(_tone(view, row, day) in ("neutral", "good") for row in rows[MOST_WAREHOUSES:])
    scope = (
        translate(language, "wall.warehouses.scope_more", n=hidden) if hidden else translate(language, "wall.warehouses.scope")
    )
    return Bars(
        kind="warehouses",
        title=translate(language, "wall.warehouses.title"),
        scope=scope if view.scope.everything else translate(language, "wall.warehouses.own_only", scope=scope),
        empty=translate(language, "wall.warehouses.empty"),
        rows=tuple(_warehouse(view, row, day) for row in rows[:MOST_WAREHOUSES]),
    )


def _progress(view: View, day: Window) -> list[Progress]:
    metrics = ("ship_due_count", "ship_due_done_count")
    asked = Query(metrics=metrics, by=("warehouse",), where=view.filters, window=day, compare=("last_week",))
    pace = Query(metrics=("ship_rate_per_hour",), by=("warehouse",), where=view.filters, window=Window.last(PACE, view.as_of))
    rates = {row["warehouse"]: row["ship_rate_per_hour"] or 0.0 for row in view.run(pace).to_dicts()}
    return [
        Progress(
            code=row["warehouse"],
            due=row["ship_due_count"],
            done=row["ship_due_done_count"],
            rate=rates.get(row["warehouse"], 0.0),
            usual=_share(row["ship_due_done_count_last_week"], row["ship_due_count_last_week"]),
        )
        for row in view.run(asked).to_dicts()
        if row["ship_due_count"] and row["warehouse"]
    ]


def _tone(view: View, row: Progress, day: Window) -> State:
    """Late by the present rate and clearly behind its usual progress is critical; tight and a little behind warns."""
    finish = row.finish(view.as_of)
    if row.done >= row.due:
        return "good"
    if row.due < SMALLEST:
        return "neutral"
    if (finish is None or finish > day.end) and row.behind >= FAR_BEHIND:
        return "critical"
    is_tight = finish is None or finish > day.end - TIGHT
    return "warning" if is_tight and row.behind >= BEHIND else "neutral"


def _share(done: int | None, due: int | None) -> float | None:
    return (done or 0) / due if due else None


def _warehouse(view: View, row: Progress, day: Window) -> Bar:
    language, tone = view.language, _tone(view, row, day)
    name, finish = name_of(language, "warehouse", row.code), _finish(view, row, day)
    figures = {"done": count(language, row.done), "due": count(language, row.due)}
    rate, usual = count(language, row.rate), percent(language, row.usual, 0)
    return Bar(
        name=name,
        share=min(1.0, row.done / row.due),
        tone=tone,
        figure=translate(language, "wall.warehouses.figure", **figures),
        end=finish,
        end_tone="neutral" if tone == "good" else tone,
        href=link(view, "/drill", metric="undispatched_count", figure="undispatched_count", warehouse=(row.code,)),
        tip=translate(language, "wall.warehouses.tip", name=name, rate=rate, finish=finish, usual=usual, **figures),
        state_word=state_name(language, tone),
    )


def _finish(view: View, row: Progress, day: Window) -> str:
    finish = row.finish(view.as_of)
    if row.done >= row.due:
        return translate(view.language, "wall.warehouses.done")
    if finish is not None and finish <= day.end:
        return clock(finish, view.zone)
    if _tone(view, row, day) == "neutral":
        return translate(view.language, "wall.warehouses.as_usual")
    return translate(view.language, "wall.warehouses.never" if finish is None else "wall.warehouses.tomorrow")


def read_returns(view: View) -> Bars:
    """How large a share of the returns due in the window was handled in time, by kind of return."""
    language, edition = view.language, view.targets.at(view.as_of, view.zone)
    metrics = ("return_within_target_rate", "return_handling_seconds_p50", "return_handling_seconds_p90")
    asked = Query(metrics=metrics, by=("return_kind",), where=view.filters, window=view.window)
    found = {row["return_kind"]: row for row in view.run(asked).to_dicts()}
    due = {kind: row["return_within_target_rate_n"] for kind, row in found.items() if row["return_within_target_rate_n"]}
    kinds = [kind for kind in kinds_to_show("return_kind", due) if kind in due]
    length = duration(language, edition.return_handling_seconds)
    return Bars(
        kind="returns",
        title=translate(language, "wall.returns.title"),
        scope=translate(language, "wall.returns.scope", length=length),
        empty=translate(language, "wall.returns.empty"),
        rows=tuple(_return(view, kind, found[kind], length) for kind in kinds),
    )


def _return(view: View, kind: str | None, row: dict[str, Any], length: str) -> Bar:
    language, edition = view.language, view.targets.at(view.as_of, view.zone)
    n, share = row["return_within_target_rate_n"], row["return_within_target_rate"] or 0.0
    target = edition.target_of("return_within_target_rate")
    is_few = n < edition.minimum_count
    judged = None if is_few else judge("return_within_target_rate", share, target)
    tone: State = "stale" if is_few else judged if judged in ("warning", "critical") else "neutral"
    name, percentage = name_of(language, "return_kind", kind), percent(language, share, 0)
    p50, p90 = (duration(language, row[f"return_handling_seconds_{part}"]) for part in ("p50", "p90"))
    tip = {"name": name, "length": length, "share": percentage, "n": count(language, n), "target": percent(language, target, 0)}
    return Bar(
        name=name,
        share=share,
        tone=tone,
        figure=translate(language, "wall.returns.few", n=n)
        if is_few
        else translate(language, "wall.returns.figure", share=percentage, length=length),
        end=translate(language, "wall.returns.end", value=brief(language, row["return_handling_seconds_p50"])),
        end_tone=tone if tone in ("warning", "critical") else "neutral",
        href=link(view, "/heatmaps", board="returns", cell=cell_key(EVERYTHING, kind)),
        tip=translate(language, "wall.returns.tip", p50=p50, p90=p90, **tip),
        state_word=state_name(language, tone),
    )
