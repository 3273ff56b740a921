"""A rule tried on history: the very `step` that runs live, over samples of weeks; what it would have told, and what that was worth."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from alerts.changes import changes_of, course_of
from alerts.conditions import LEVELS, Level, Threshold
from alerts.history import HOUR, Ask, History, read_history
from alerts.report import Episode, Point, Report
from alerts.rule import Group, Rule, label_of
from alerts.state import Outcome, RuleState, Sample, Transition, close, frozen, step
from queries.query import Query, QueryError, Window

DAYS: Final = (7, 30, 90)
AHEAD: Final = timedelta(hours=24)
"""An alert warns of a broken promise when it fires within so long before it; what comes later had no warning."""
LATE: Final = "late_rate_part_each_hour"
DUE: Final = "late_rate_n_each_hour"
PASSING: Final = frozenset({"stage", "age_bucket", "dispatch_age", "status", "exception", "hour", "weekday", "order"})
POINTS: Final = 7
LEAST_POINTS: Final = 3
"""So many thresholds are tried for the frontier beside the rule's own; fewer, the longer the history."""
MOST_FRONTIER_STEPS: Final = 360_000


@dataclass(frozen=True, kw_only=True)
class Breaks:
    """Broken promises by group and hour: hour's start → (late, due); None where the rule's groups are none of orders."""

    by_group: Mapping[Group, Mapping[datetime, tuple[int, int]]]

    def total(self) -> int:
        """How many promises broke."""
        return sum(late for hours in self.by_group.values() for late, _ in hours.values())


Samples = Iterable[tuple[datetime, Sample | None]]
"""What a rule saw at instants in order; None where it was frozen."""


def play(rule: Rule, samples: Samples, zone: ZoneInfo | None = None) -> list[tuple[datetime, Outcome]]:
    """The outcomes of the live `step` over samples in order, from a rule never evaluated; with a zone until its last day."""
    state, found = RuleState(), list[tuple[datetime, Outcome]]()
    for at, sample in samples:
        if zone is not None and rule.has_ended(at, zone):
            return [*found, (at, close(state, "rule_paused", at))]
        outcome = frozen(state, at) if sample is None else step(rule, state, sample, at)
        state = outcome.state
        found.append((at, outcome))
    return found


def backtest(
    rule: Rule,
    ask: Ask,
    *,
    days: int,
    until: datetime,
    zone: ZoneInfo,
    with_frontier: bool = True,
    still: Container[datetime] = (),
) -> Report:
    """What the rule would have done in the last `days` days, having been frozen at the instants `still`.

    Raises QueryError and RunError where nothing can be asked.
    """
    since = until - timedelta(days=days)
    history = read_history(rule, ask, since=since, until=until, zone=zone)
    breaks = read_breaks(rule, ask, Window(start=since, end=until))
    samples = list(history.samples(still))
    report = report_of(history, breaks, since=since, until=until, samples=samples)
    if not with_frontier:
        return report
    return replace(report, frontier=frontier(history, breaks, samples, report))


def read_breaks(rule: Rule, ask: Ask, window: Window) -> Breaks | None:
    """The promises that broke, by the rule's groups and filters; None where orders have no such groups.

    Filters by what an order only is for a while (its stage, its age) do not say which orders became late.
    """
    if set(rule.group_by) & PASSING:
        return None
    where = tuple(item for item in rule.filters if item.dimension not in PASSING)
    query = Query(metrics=(LATE, DUE), by=rule.group_by, where=where, window=window, grain="hour")
    try:
        rows = ask(query).to_dicts()
    except QueryError:
        return None
    found: dict[Group, dict[datetime, tuple[int, int]]] = {}
    for row in rows:
        group = tuple(None if row[name] is None else str(row[name]) for name in rule.group_by)
        found.setdefault(group, {})[row["bucket_at"]] = (int(row[LATE] or 0), int(row[DUE] or 0))
    return Breaks(by_group=found)


def report_of(
    history: History, breaks: Breaks | None, *, since: datetime, until: datetime, samples: Samples | None = None
) -> Report:
    """The report of a history played once."""
    rule = history.played_rule()
    outcomes = play(rule, history.samples() if samples is None else samples, history.zone)
    transitions = [transition for _, outcome in outcomes for transition in outcome.transitions]
    episodes = [_judged(episode, breaks, until) for episode in episodes_of(transitions)]
    worth = _worth(episodes, breaks)
    errors = [outcome.state.error for _, outcome in outcomes if outcome.state.error]
    return Report(
        since=since,
        until=until,
        step_seconds=round(history.step.total_seconds()),
        is_coarse=history.is_coarse,
        groups=tuple(label_of(group) for group in history.groups),
        episodes=tuple(episodes),
        firing_seconds=sum(round(((e.ended_at or until) - e.fired_at).total_seconds()) for e in episodes if e.fired_at),
        messages=len({transition.at for transition in transitions if transition.message}),
        late=breaks.total() if breaks else None,
        caught=worth[0] if breaks else None,
        lead_seconds=worth[1],
        errors=len(errors),
        error=errors[-1] if errors else "",
    )


def episodes_of(transitions: Sequence[Transition]) -> list[Episode]:
    """The episodes in a history of transitions, oldest first."""
    going: dict[Group, Episode] = {}
    done: list[Episode] = []
    for change in transitions:
        open_ = going.get(change.group)
        if change.after in ("pending", "firing", "recovering", "no_data"):
            open_ = open_ or Episode(group=label_of(change.group), started_at=change.at, fired_at=None, ended_at=None, level=None)
            if change.after == "firing":
                open_ = replace(open_, fired_at=open_.fired_at or change.at, level=_higher(open_.level, change.level))
            going[change.group] = open_
        elif open_:
            done.append(replace(open_, ended_at=change.at))
            del going[change.group]
    return sorted([*done, *going.values()], key=lambda episode: (episode.started_at, episode.group))


def _higher(one: Level | None, other: Level | None) -> Level | None:
    known = [level for level in (one, other) if level is not None]
    return max(known, key=LEVELS.index) if known else None


def _hours(breaks: Breaks, group: str) -> Mapping[datetime, tuple[int, int]]:
    return next((hours for key, hours in breaks.by_group.items() if label_of(key) == group), {})


def _judged(episode: Episode, breaks: Breaks | None, until: datetime) -> Episode:
    """A false alarm: from its beginning until a day after its end no larger share of the due orders was late than usual."""
    if breaks is None or episode.fired_at is None:
        return episode
    hours = _hours(breaks, episode.group)
    end = (episode.ended_at or until) + AHEAD
    inside = [pair for hour, pair in hours.items() if episode.fired_at - HOUR <= hour < end]
    share, usual_share = _share(inside), _share(hours.values())
    return replace(episode, is_false_alarm=share is None or usual_share is None or share <= usual_share)


def _share(pairs: Iterable[tuple[int, int]]) -> float | None:
    late = due = 0
    for one, of in pairs:
        late, due = late + one, due + of
    return late / due if due else None


def _worth(episodes: Sequence[Episode], breaks: Breaks | None) -> tuple[int, float | None]:
    """How many broken promises had a warning, and the median time from the alert to the break in seconds."""
    if breaks is None:
        return 0, None
    caught, leads = 0, list[float]()
    by_group: dict[str, list[Episode]] = {}
    for episode in episodes:
        if episode.fired_at is not None:
            by_group.setdefault(episode.group, []).append(episode)
    for group, own in by_group.items():
        for hour, (late, _) in _hours(breaks, group).items():
            warned = [e for e in own if e.fired_at and e.fired_at <= hour and (e.ended_at is None or e.ended_at > hour - AHEAD)]
            if late and warned:
                caught += late
                first = max(min(e.fired_at for e in warned if e.fired_at), hour - 3 * AHEAD)
                leads += [(hour - first).total_seconds()] * late
    return caught, median(leads) if leads else None


def with_threshold(rule: Rule, level: Level, value: float) -> Rule:
    """The rule with its first condition's level moved to `value`: recover values and the other level keep their distance."""
    first = rule.conditions[0]
    own = first.threshold.start(level)
    shift = value - (own if own is not None else value)
    moved = {
        f"{name}{part}": None if (old := getattr(first.threshold, f"{name}{part}")) is None else old + shift
        for name in LEVELS
        for part in ("", "_recover")
    }
    return replace(rule, conditions=(replace(first, threshold=Threshold(**moved)), *rule.conditions[1:]))


def main_level(rule: Rule) -> Level:
    """The level that fires first."""
    return "warning" if rule.conditions[0].threshold.warning is not None else "critical"


def frontier(
    history: History,
    breaks: Breaks | None,
    samples: Sequence[tuple[datetime, Sample | None]],
    report: Report,
) -> tuple[Point, ...]:
    """Alerts a day against the share of late orders caught, for thresholds across what the figure has been; the rule's own as reported."""
    level = main_level(history.rule)
    own = history.rule.conditions[0].threshold.start(level)
    points = min(POINTS, MOST_FRONTIER_STEPS // max(1, len(samples) * len(history.groups)))
    if own is None or points < LEAST_POINTS:
        return ()
    readings = [found for _, sample in samples if sample for _, found in sample.groups]
    values = sorted({found[0].score for found in readings if found[0].score is not None})
    found, course = {own: report.episodes}, course_of(history.played_rule(), samples, history.zone)
    for value in {_rounded(value) for value in _spread(values, points)} - {own}:
        rule = with_threshold(history.played_rule(), level, value)
        found[value] = tuple(episodes_of(changes_of(rule, course)))
    days = max(1.0, (report.until - report.since) / timedelta(days=1))
    return tuple(_point(value, found[value], breaks, days, is_own=value == own) for value in sorted(found))


def _spread(values: Sequence[float], points: int) -> list[float]:
    finite = [value for value in values if abs(value) != float("inf")]
    if len(finite) < 2:
        return []
    return [finite[round(place * (len(finite) - 1) / (points + 1))] for place in range(1, points + 1)]


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")


def _point(value: float, episodes: Sequence[Episode], breaks: Breaks | None, days: float, *, is_own: bool) -> Point:
    fired = [episode for episode in episodes if episode.fired_at]
    whole = breaks.total() if breaks else 0
    caught = _worth(fired, breaks)[0] / whole if whole else None
    return Point(threshold=value, alerts_a_day=round(len(fired) / days, 3), caught=caught, is_own=is_own)
