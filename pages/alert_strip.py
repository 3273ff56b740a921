"""The strip on every page: how many alerts there are, the most urgent ones, and whether they can be told at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from access.session import SessionEnded
from access.view import View
from access.worklist import is_looking_back
from alerts.desk import Alert, read_alerts, read_stamp
from alerts.pasts import read_trends
from alerts.watch import read_trouble
from components.alerts import Strip, draw_strip
from components.format import count
from i18n import translate
from pages.alert_rows import alert_key, read_row, reader_of
from pages.links import link
from pages.looks import look_every
from pages.worklist_job import Names

STRIP_SECONDS: Final = 4
MOST: Final = 12
KEPT: Final = "alert_strip.kept"
WORDS: Final = ("critical", "warning", "all", "open", "fresh", "sound_on", "sound_off")
COLUMNS: Final = ("alert", "value", "lasted", "trend", "holder")


def alert_strip(view: View) -> None:
    """Draw the strip, and look every few seconds whether the book says something new: then it changes in place."""
    if view.store is not None:
        look_every(STRIP_SECONDS, _look, view)


def _look(view: View) -> None:
    try:
        view.stays_valid()
    except SessionEnded:
        st.rerun()
    draw_strip(_kept_strip(view), key="frame.alerts")


def _kept_strip(view: View) -> Strip:
    """The strip as drawn before, while the book says nothing new and the minute is the same."""
    assert view.store is not None
    stamp: tuple[Any, ...] = (read_stamp(view.store), view.user.name, view.language, view.address, f"{view.now:%H%M}", view.scope)
    stamp += (read_banner(view),)
    kept = st.session_state.get(KEPT)
    if kept is not None and kept[0] == stamp:
        found: Strip = kept[1]
        return found
    strip = read_strip(view)
    st.session_state[KEPT] = (stamp, strip)
    return strip


def read_strip(view: View) -> Strip:
    """Everything the strip shows for this user: what fires, is silent or is about to end, the most urgent first."""
    language, names = view.language, Names(view)
    at = view.as_of if is_looking_back(view) else None
    alerts = read_alerts(view.store, reader_of(view), view.now, at=at) if view.store is not None else []
    shown = [alert for alert in alerts if alert.standing in ("firing", "no_data", "recovering")]
    trends = _trends(view, shown[:MOST])
    levels = [alert.level if alert.standing == "firing" else None for alert in shown]
    other = len(shown) - levels.count("critical") - levels.count("warning")
    return Strip(
        language=language,
        title=translate(language, "alert_page.title"),
        href=link(view, "/alerts"),
        critical=count(language, levels.count("critical")),
        warning=count(language, levels.count("warning")),
        other=translate(language, "alert_page.strip.other", n=count(language, other)) if other else "",
        rows=tuple(
            read_row(view, alert, names, spark=trends.get((alert.rule.name, alert.group_key), ()), now=at or view.now)
            for alert in shown[:MOST]
        ),
        words={name: translate(language, f"alert_page.strip.{name}") for name in WORDS}
        | {"columns": "|".join(translate(language, f"alert_page.column.{name}") for name in COLUMNS)},
        news=tuple(alert_key(alert) for alert in shown if alert.standing == "firing"),
        calm=translate(language, "alert_page.strip.calm"),
        banner=read_banner(view),
    )


def _trends(view: View, alerts: Sequence[Alert]) -> dict[tuple[str, str], list[float | None]]:
    return read_trends(view.store, [(alert.rule.name, alert.version) for alert in alerts]) if view.store is not None else {}


def read_banner(view: View) -> str:
    """That messages do not arrive, for those who look after it; empty while all is well."""
    if view.store is None or view.user.role not in ("analyst", "admin"):
        return ""
    trouble = read_trouble(view.store, view.now)
    if not trouble.receivers:
        return ""
    names = translate(view.language, "marks.joiner").join(trouble.receivers)
    return translate(view.language, "alert_page.strip.failing", names=names, n=count(view.language, trouble.dead))
