"""What is alarming now, since when, why, and who has it? The alerts (告警)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import streamlit as st

from access.view import View
from access.worklist import is_looking_back
from alerts.desk import STANDINGS, Alert, Standing, count_standings, read_alerts
from alerts.pasts import Span, read_spans, read_times
from components.alerts import AlertBoard, Fact, draw_alerts
from components.format import count, duration, when
from components.topbar import Option
from components.worklist import Choice, Said, Tab
from i18n import translate
from pages.address import take_choice
from pages.alert_act import hear, keep_act
from pages.alert_rows import LINE, find_alert, read_row, reader_of
from pages.alert_strip import read_banner
from pages.alert_why import read_why
from pages.frame import draw_frame, watch
from pages.lost import unknown_words
from pages.wording import codes_in_order, name_of
from pages.worklist_job import Names

BOARD: Final = "alerts.board"
MOST: Final = 200
WEEK: Final = timedelta(days=7)
NOBODY: Final = "-"
WORDS: Final = (
    "why", "choose", "tabs", "handle", "verdict", "silence", "history", "nothing_done", "note", "note_hint", "add_note",
    "acknowledge", "assignee", "assign", "take", "unsilence", "reach", "length", "silence_hint", "silence_set", "undo",
)  # fmt: skip
COLUMNS: Final = ("alert", "place", "value", "lasted", "holder", "line")


def render(view: View) -> None:
    """Do what was asked on this page, then draw the alerts for this view, and watch for the next snapshot."""
    with st.container(key="alerts", gap=None):
        said = hear(view)
        one = {name: st.query_params.get(name) or "" for name in ("tab", "item", "rule", "holder")}
        board = read_board(view, one, said)
        unknown = unknown_words({"tab": [one["tab"]]}, {"tab": STANDINGS})
        draw_frame(view, "pages.alerts", country=None, states=(), unknown=unknown)
        draw_alerts(board, key=BOARD, on_choice=partial(_take, BOARD))
        watch(view)


def prepare(view: View, parameters: Mapping[str, Sequence[str]]) -> None:
    """Ask everything that `render` will ask for this view, so that it finds the answers ready."""
    one = {name: (parameters.get(name) or ("",))[-1] for name in ("tab", "item", "rule", "holder")}
    if view.store is not None:
        read_board(view, one, None)


def _take(component: str) -> None:
    take_choice(component)
    keep_act(component)


def read_board(view: View, asked: Mapping[str, str], said: Said | None) -> AlertBoard:
    """Everything the page shows: the tab, rule, holder and alert the address asks for."""
    language, names = view.language, Names(view)
    everything = read_mine(view)
    placed = [alert for alert in everything if _is_here(view, alert)]
    chosen_rules = [alert for alert in placed if asked["rule"] in ("", alert.rule.name)]
    held = [alert for alert in chosen_rules if _has_holder(alert, asked["holder"])]
    counts = count_standings(held)
    named = find_alert(everything, asked["item"])
    tab = _tab_of(asked["tab"] or (named.standing if named else ""), counts)
    shown = [alert for alert in held if alert.standing == tab][:MOST]
    opened = named or (shown[0] if shown and not asked["item"] else None)
    spans = _spans(view, shown)
    end = end_of(view)
    return AlertBoard(
        language=language,
        title=translate(language, "alert_page.list"),
        scope=translate(language, "alert_page.sorted"),
        tabs=tuple(_tab(view, code, counts[code], is_on=code == tab) for code in STANDINGS),
        choices=_choices(view, placed, chosen_rules, asked, names),
        columns=tuple(translate(language, f"alert_page.column.{name}") for name in COLUMNS),
        axis=(when(language, end - LINE, end, view.zone), translate(language, "alert_page.now")),
        rows=tuple(
            read_row(view, alert, names, spans=spans.get((alert.rule.name, alert.group_key), ()), now=end) for alert in shown
        ),
        words={name: translate(language, f"alert_page.word.{name}") for name in WORDS} | {"me": view.user.name},
        figures=_figures(view),
        chosen=read_why(view, opened, names) if opened else None,
        said=said or _lost(view, asked["item"], opened),
        can_act=not is_looking_back(view) and not view.is_preview,
        cannot=_why_not(view),
        empty=translate(language, f"alert_page.empty.{tab}"),
        banner=read_banner(view),
    )


def read_mine(view: View) -> list[Alert]:
    """Every alert there is for this user, at this view's instant."""
    if view.store is None:
        return []
    at = view.as_of if is_looking_back(view) else None
    return read_alerts(view.store, reader_of(view), view.now, at=at)


def end_of(view: View) -> datetime:
    """The instant the list is drawn for: the view's own in the past, else now."""
    return view.as_of if is_looking_back(view) else view.now


def _spans(view: View, shown: Sequence[Alert]) -> Mapping[tuple[str, str], Sequence[Span]]:
    if view.store is None:
        return {}
    return read_spans(view.store, [(alert.rule.name, alert.group_key) for alert in shown], end_of(view) - LINE)


def _is_here(view: View, alert: Alert) -> bool:
    """Whether the alert is about the places and channels chosen; one that is not about any place stays."""
    for filter_ in view.address.filters:
        if filter_.dimension == "region" and alert.regions is not None:
            if not alert.regions & set(filter_.values):
                return False
        elif filter_.dimension in alert.labels and alert.labels[filter_.dimension] not in filter_.values:
            return False
    return True


def _has_holder(alert: Alert, holder: str) -> bool:
    return holder == "" or alert.holder == ("" if holder == NOBODY else holder)


def _tab_of(asked: str, counts: Mapping[Standing, int]) -> Standing:
    """The tab asked for, else the first one that has something."""
    return next((tab for tab in STANDINGS if tab == asked), next((tab for tab in STANDINGS if counts[tab]), STANDINGS[0]))


def _tab(view: View, code: Standing, number: int, *, is_on: bool) -> Tab:
    name = translate(view.language, f"alert_page.state.{code}")
    return Tab(code=code, name=name, count=count(view.language, number), is_on=is_on, is_urgent=number > 0 and code == "firing")


def _choices(
    view: View, placed: Sequence[Alert], of_rule: Sequence[Alert], asked: Mapping[str, str], names: Names
) -> tuple[Choice, ...]:
    """Rule, region and holder, each with what is there."""
    language = view.language
    titles = {alert.rule.name: alert.rule.title_in(language) for alert in placed}
    rules = tuple(
        Option(code=name, name=f"{title} ({sum(alert.rule.name == name for alert in placed)})", is_on=name == asked["rule"])
        for name, title in sorted(titles.items(), key=lambda item: item[1])
    )
    holders = sorted({alert.holder for alert in of_rule if alert.ended_at is None})
    people = tuple(
        Option(code=name or NOBODY, name=names.of(name or None), is_on=asked["holder"] == (name or NOBODY)) for name in holders
    )
    chosen = next((filter_.values for filter_ in view.address.filters if filter_.dimension == "region"), ())
    regions = view.scope.regions or tuple({region for alert in read_mine(view) for region in alert.regions or ()})
    places = tuple(
        Option(code=code, name=name_of(language, "region", code), is_on=code in chosen)
        for code in codes_in_order("region", list(regions))
    )
    found = [("rule", rules), ("region", places if len(places) > 1 else ()), ("holder", people)]
    return tuple(
        Choice(
            code=code,
            name=translate(language, f"alert_page.choice.{code}"),
            everything=translate(language, "alert_page.everything"),
            options=options,
        )
        for code, options in found
        if options
    )


def _figures(view: View) -> tuple[Fact, ...]:
    """Over the last week: how long until somebody acknowledged, and until it was over (medians)."""
    if view.store is None:
        return ()
    found = read_times(view.store, reader_of(view), view.now - WEEK)
    pairs = (("acknowledge", found[0]), ("recover", found[1]))
    return tuple(
        Fact(name=translate(view.language, f"alert_page.figure.{name}"), text=duration(view.language, seconds))
        for name, seconds in pairs
        if seconds is not None
    )


def _lost(view: View, item: str, opened: Alert | None) -> Said | None:
    """An alert the address names that is not there for this user; whether it exists elsewhere is not said."""
    if not item or opened is not None:
        return None
    return Said(text=translate(view.language, "alert_page.error.not_found"), is_refusal=True)


def _why_not(view: View) -> str:
    """Why nothing can be changed here; empty where it can."""
    reason = "preview" if view.is_preview else "past" if is_looking_back(view) else ""
    return translate(view.language, f"alert_page.cannot.{reason}") if reason else ""
