"""One alert in words: its place, figure against the limit, since when, who has it, and its last day as a time line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from access.view import View
from alerts.desk import Alert, Reader
from alerts.message import limit_text, place_of
from alerts.pasts import Span
from components.alerts import AlertRow, Stretch, Tone
from components.format import age, count, when
from i18n import translate
from pages.figures import figure
from pages.links import link
from pages.telling import Telling
from pages.wording import source_name
from pages.worklist_job import Names
from queries.metrics import METRICS

TONES: Final[Mapping[str, Tone]] = {"pending": "neutral", "recovering": "neutral", "no_data": "stale", "resolved": "good"}
LINE: Final = timedelta(hours=24)


def reader_of(view: View) -> Reader:
    """The user as who reads the alert book."""
    return Reader(name=view.user.name, scope=view.scope)


def tone_of(state: str, level: str | None) -> Tone:
    """How a state looks: critical and warning only while it fires."""
    if state == "firing":
        return "critical" if level == "critical" else "warning"
    return TONES.get(state, "neutral")


def alert_key(alert: Alert) -> str:
    """The alert in an address: rule, group, and the episode's start in milliseconds."""
    return f"{alert.rule.name}/{alert.group_key}/{round(alert.episode_at.timestamp() * 1000)}"


def find_alert(alerts: Iterable[Alert], key: str) -> Alert | None:
    """The alert an address names; None where it is not there for this reader."""
    return next((alert for alert in alerts if alert_key(alert) == key), None)


def title_of(view: View, alert: Alert) -> str:
    """The rule's title in the reader's language."""
    return alert.rule.title_in(view.language)


def place_name(view: View, alert: Alert) -> str:
    """What the alert is about: the names of its group's values; empty for a rule without groups."""
    if source := alert.labels.get("source"):
        return source_name(source)
    return place_of(alert.labels, view.language)


def value_text(view: View, alert: Alert) -> str:
    """The figure in its unit."""
    silent = next((source for source in view.sources if source.source == alert.labels.get("source")), None)
    if silent is not None and alert.ended_at is None:
        return translate(view.language, "wall.source_stale", age=age(view.language, silent.age_seconds))
    if not alert.rule.conditions or alert.rule.conditions[0].metric not in METRICS:
        return translate(view.language, f"alert_page.state.{alert.state}")
    return figure(view.language, alert.rule.conditions[0].metric, alert.value)


def limit_of(view: View, alert: Alert) -> str:
    """The limit that counts, with its operator."""
    if not alert.rule.conditions:
        return ""
    return limit_text(alert.rule, alert.labels, alert.level, view.language, Telling(zone=view.zone))


def state_text(view: View, alert: Alert) -> str:
    """The state in a word or two."""
    language = view.language
    if alert.ended_at is not None:
        return translate(language, f"alert_page.reason.{alert.reason or 'recovered'}")
    if alert.state == "firing":
        return translate(language, f"alerts.level_{alert.level}")
    return translate(language, f"alert_page.state.{alert.state}")


def read_row(
    view: View,
    alert: Alert,
    names: Names,
    *,
    spark: Sequence[float | None] = (),
    spans: Sequence[Span] = (),
    now: datetime | None = None,
) -> AlertRow:
    """The alert as a row; `spans` are its states on the time line that ends at `now`."""
    language, at = view.language, now or view.now
    end = alert.ended_at or at
    return AlertRow(
        key=alert_key(alert),
        tone=tone_of("resolved" if alert.ended_at else alert.state, alert.level),
        state=state_text(view, alert),
        title=title_of(view, alert),
        place=place_name(view, alert),
        value=value_text(view, alert),
        limit=limit_of(view, alert),
        since=translate(language, "alert_page.since", at=when(language, alert.episode_at, at, view.zone)),
        lasted=age(language, max(0.0, (end - alert.episode_at).total_seconds())),
        holder=names.of(alert.holder or None),
        has_holder=bool(alert.holder),
        marks=tuple(_marks(view, alert)),
        spark=tuple(spark),
        stretches=stretches_of(view, spans, at),
        href=link(view, "/alerts", item=alert_key(alert)),
    )


def _marks(view: View, alert: Alert) -> Iterable[str]:
    language = view.language
    if alert.n is not None and alert.rule.conditions:
        metric = alert.rule.conditions[0].metric
        if metric in METRICS and METRICS[metric].unit != "count":
            yield f"n = {count(language, alert.n)}"
    for name, is_on in (
        ("silenced", alert.silence is not None),
        ("flapping", alert.is_flapping),
        ("few", alert.is_few),
        ("frozen", bool(alert.frozen_by)),
        ("personal", alert.is_personal),
    ):
        if is_on:
            yield translate(language, f"alert_page.mark.{name}")


def stretches_of(view: View, spans: Sequence[Span], end: datetime, length: timedelta = LINE) -> tuple[Stretch, ...]:
    """States as stretches of a time line that ends at an instant."""
    start = end - length

    def share(at: datetime) -> float:
        return min(1.0, max(0.0, (at - start) / length))

    return tuple(
        Stretch(
            start=share(span.start),
            end=share(span.end or end),
            tone=tone_of(span.state, span.level),
            tip=_span_tip(view, span, end),
        )
        for span in spans
        if (span.end or end) > start
    )


def _span_tip(view: View, span: Span, end: datetime) -> str:
    language = view.language
    word = translate(language, f"alerts.level_{span.level}" if span.state == "firing" else f"alert_page.state.{span.state}")
    begin = when(language, span.start, end, view.zone)
    until = when(language, span.end, end, view.zone) if span.end else translate(language, "alert_page.going_on")
    return f"{word}\n{begin} – {until}"
