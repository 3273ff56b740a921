"""What a rule would have done, and where figures lie: the pictures beside the form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from access.view import View
from alerts.backtest import main_level
from alerts.conditions import LEVELS, Condition, Constant, breaches
from alerts.report import Episode, Point, Report
from alerts.rule import Rule
from alerts.sentence import group_name, threshold_words
from components.alerts import Fact, Stretch
from components.format import count, duration, percent, when
from components.rules import Lane, LimitRow, LimitTable, StripPlot, StripRow, TrialView
from components.rules import Point as Dot
from i18n import translate
from pages.figures import brief_figure, figure
from pages.rule_draft import Draft, Series, quarters
from pages.rule_values import shown, unit_of
from pages.telling import Telling

MOST_LANES: Final = 14
MOST_STRIPS: Final = 14
MOST_LIMITS: Final = 40


def read_trial(view: View, rule: Rule, report: Report, *, can_pick: bool = False) -> TrialView:
    """A backtest's report as it is shown; where limits can be picked it asks for one."""
    language = view.language
    days = round((report.until - report.since) / timedelta(days=1))
    lanes = _lanes(view, rule, report)
    notes = [translate(language, "rules.trial.hindsight")]
    if report.is_coarse:
        coarse = translate(
            language,
            "rules.trial.coarse",
            every=duration(language, report.step_seconds),
            live=duration(language, rule.every.total_seconds()),
        )
        notes.insert(0, coarse)
    points = _points(view, rule, report.frontier)
    return TrialView(
        title=translate(language, "rules.trial.title", days=days),
        note=" ".join(notes) if language == "en" else "".join(notes),
        facts=tuple(_facts(view, report, days)),
        lanes=lanes[:MOST_LANES],
        lanes_title=translate(language, "rules.trial.lanes"),
        axis=(when(language, report.since, view.now, view.zone), when(language, report.until, view.now, view.zone)),
        more=translate(language, "rules.trial.more", n=len(lanes) - MOST_LANES) if len(lanes) > MOST_LANES else "",
        frontier_title=translate(language, f"rules.trial.{'frontier' if can_pick else 'frontier_seen'}"),
        frontier_note=translate(language, "rules.trial.frontier_note"),
        points=points,
        x_name=translate(language, "rules.trial.x"),
        y_name=translate(language, "rules.trial.y"),
        x_ends=("0", f"{max((point.alerts_a_day for point in report.frontier), default=0):.1f}"),
        empty="" if lanes else translate(language, "rules.trial.none"),
    )


def _facts(view: View, report: Report, days: int) -> list[Fact]:
    language, alerts = view.language, len(report.alerts)
    pairs = [
        ("alerts", translate(language, "rules.trial.a_day", n=count(language, alerts), rate=f"{alerts / max(1, days):.1f}")),
        ("firing", duration(language, report.firing_seconds)),
        ("messages", count(language, report.messages)),
    ]
    if report.late is not None and report.caught is not None:
        share = percent(language, report.caught / report.late, 0) if report.late else "–"
        pairs += [
            ("caught", translate(language, "rules.trial.of", n=count(language, report.caught), all=count(language, report.late), share=share)),
            ("missed", count(language, report.missed)),
            ("lead", duration(language, report.lead_seconds)),
            ("false_alarms", translate(language, "rules.trial.part", n=count(language, report.false_alarms), all=count(language, alerts))),
        ]  # fmt: skip
    if report.errors:
        pairs.append(("errors", count(language, report.errors)))
    return [Fact(name=translate(language, f"rules.trial.fact.{name}"), text=text) for name, text in pairs]


def _lanes(view: View, rule: Rule, report: Report) -> tuple[Lane, ...]:
    by_group: dict[str, list[Episode]] = {}
    for episode in report.alerts:
        by_group.setdefault(episode.group, []).append(episode)

    def fired(episodes: Sequence[Episode]) -> float:
        return sum(((e.ended_at or report.until) - (e.fired_at or e.started_at)).total_seconds() for e in episodes)

    ranked = sorted(by_group.items(), key=lambda item: -fired(item[1]))
    everywhere = translate(view.language, "alerts.everywhere")
    return tuple(
        Lane(
            name=group_name(rule, view.language, group) if group else everywhere,
            figure=translate(view.language, "rules.trial.times", n=len(episodes)),
            stretches=tuple(_stretch(view, episode, report) for episode in episodes),
        )
        for group, episodes in ranked
    )


def _stretch(view: View, episode: Episode, report: Report) -> Stretch:
    length = report.until - report.since
    start, end = episode.fired_at or episode.started_at, episode.ended_at or report.until
    language = view.language
    text = translate(language, f"alerts.level_{episode.level or 'warning'}")
    if episode.is_false_alarm:
        text += f" · {translate(language, 'alert_page.verdict.false_alarm')}"
    lasted = duration(language, (end - start).total_seconds())
    return Stretch(
        start=max(0.0, (start - report.since) / length),
        end=min(1.0, (end - report.since) / length),
        tone="critical" if episode.level == "critical" else "warning",
        tip=f"{text}\n{when(language, start, view.now, view.zone)} · {lasted}",
    )


def _points(view: View, rule: Rule, frontier: Sequence[Point]) -> tuple[Dot, ...]:
    if not frontier or all(point.caught is None for point in frontier):
        return ()
    condition, language = rule.conditions[0], view.language
    most = max(point.alerts_a_day for point in frontier) or 1.0
    words = Telling(zone=view.zone)
    factor, _ = _unit(condition)
    return tuple(
        Dot(
            x=point.alerts_a_day / most,
            y=point.caught or 0.0,
            name=threshold_words(condition, point.threshold, language, words),
            tip=translate(
                language,
                "rules.trial.point",
                limit=f"{condition.op} {threshold_words(condition, point.threshold, language, words)}",
                alerts=f"{point.alerts_a_day:.1f}",
                caught=percent(language, point.caught, 0),
            ),
            value=f"{main_level(rule)}/{shown(point.threshold, factor)}",
            is_own=point.is_own,
        )
        for point in frontier
    )


def _unit(condition: Condition) -> tuple[float, str]:
    return unit_of(condition.metric, condition.compare.name, getattr(condition.compare, "by", "percent"))


def read_plot(view: View, rule: Rule | None, series: dict[str, Series]) -> StripPlot:
    """Where each group's figure usually lies and where it is now, the worst first, with the limits."""
    language = view.language
    title, legend = translate(language, "rules.plot.title"), translate(language, "rules.plot.legend")
    if rule is None or not series:
        return StripPlot(title=title, legend=legend, rows=(), empty=translate(language, "rules.plot.empty"))
    condition = rule.conditions[0]
    limits = [value for level in LEVELS if (value := condition.threshold.start(level)) is not None]
    scores = sorted(score for own in series.values() for _, score in own if math.isfinite(score))
    if not scores:
        return StripPlot(title=title, legend=legend, rows=(), empty=translate(language, "rules.plot.empty"))
    top = max(scores[min(len(scores) - 1, int(0.995 * len(scores)))], *limits) if limits else scores[-1]
    bottom = min(scores[int(0.005 * len(scores))], *limits) if limits else scores[0]
    low = 0.0 if 0 <= bottom < 0.5 * top else bottom - 0.04 * (top - bottom)
    span = (top - low) * 1.06 or 1.0

    def share(value: float) -> float:
        return min(1.0, max(0.0, (value - low) / span))

    sign = 1 if condition.op[0] == ">" else -1
    ranked = sorted(series.items(), key=lambda item: -sign * item[1][-1][1])
    words = Telling(zone=view.zone)
    return StripPlot(
        title=title,
        legend=legend,
        rows=tuple(_strip(view, rule, group, own, share) for group, own in ranked[:MOST_STRIPS]),
        warning=None if condition.threshold.warning is None else share(condition.threshold.warning),
        critical=None if condition.threshold.critical is None else share(condition.threshold.critical),
        ends=tuple(threshold_words(condition, value, language, words) for value in (low, low + span / 1.06)),
        more=translate(language, "rules.plot.more", n=len(ranked) - MOST_STRIPS) if len(ranked) > MOST_STRIPS else "",
    )


def _strip(view: View, rule: Rule, group: str, own: Series, share: object) -> StripRow:
    assert callable(share)
    condition, language = rule.conditions[0], view.language
    scores = [score for _, score in own if math.isfinite(score)] or [0.0]
    low, middle, high = quarters(own, scores=True) or (scores[0], scores[0], scores[0])
    value, score = own[-1]
    tone = "neutral"
    for level in LEVELS:
        if breaches(condition, group, score, level, is_firing=False):
            tone = level
    words = Telling(zone=view.zone)
    is_plain = isinstance(condition.compare, Constant)
    name = group_name(rule, language, group) if group else translate(language, "alerts.everywhere")
    spans = " – ".join(threshold_words(condition, one, language, words) for one in (low, high))
    usual_text = translate(language, "rules.plot.tip", usual=spans, middle=threshold_words(condition, middle, language, words))
    return StripRow(
        name=name,
        least=share(min(scores)),
        most=share(max(scores)),
        low=share(low),
        high=share(high),
        middle=share(middle),
        now=share(score) if math.isfinite(score) else None,
        text=brief_figure(language, condition.metric, value)
        if is_plain
        else threshold_words(condition, _finite(score), language, words),
        tone=tone,  # type: ignore[arg-type]
        tip=f"{name}\n{translate(language, 'rules.plot.now')} {figure(language, condition.metric, value)}\n{usual_text}",
    )


def _finite(score: float) -> float:
    return float(f"{score:.3g}") if math.isfinite(score) else math.copysign(999, score)


def read_limits(view: View, draft: Draft, rule: Rule | None, series: dict[str, Series]) -> LimitTable | None:
    """The table of own limits: every group of late with its figure, and those that have a limit already."""
    if rule is None or not rule.group_by:
        return None
    condition, language = rule.conditions[0], view.language
    named = [name.split(".", 2)[2] for name in draft.values if name.startswith("limit.")]
    groups = list(dict.fromkeys([*named, *sorted(series, key=lambda group: -len(series[group]))]))[:MOST_LIMITS]
    _, unit = _unit(condition)
    heads = ("group", "now", "usual", "warning", "critical")
    return LimitTable(
        title=translate(language, "rules.limits.title"),
        hint=translate(language, "rules.limits.hint"),
        heads=tuple(translate(language, f"rules.limits.{name}") for name in heads),
        suffix=translate(language, f"rules.unit.{unit}") if unit != "none" else "",
        rows=tuple(_limit_row(view, draft, rule, group, series.get(group, [])) for group in groups),
    )


def _limit_row(view: View, draft: Draft, rule: Rule, group: str, own: Series) -> LimitRow:
    metric, language = rule.conditions[0].metric, view.language
    middle = quarters(own)
    return LimitRow(
        code=group,
        name=group_name(rule, language, group),
        now=figure(language, metric, own[-1][0]) if own else "–",
        usual=figure(language, metric, middle[1]) if middle else "–",
        warning=draft.values.get(f"limit.warning.{group}", ""),
        critical=draft.values.get(f"limit.critical.{group}", ""),
    )
