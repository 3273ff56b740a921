"""A rule on history from change to change: the very steps of `alerts.state`, but what only goes on is passed over.

Groups do not touch one another: each is followed by itself, from one figure at which something may begin or end to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from alerts.rule import Group, Rule
from alerts.state import (
    FRESH,
    Instance,
    Reading,
    RuleState,
    Sample,
    Transition,
    can_go_on,
    close,
    expected_of,
    fault_of,
    goes_on,
    is_absent,
    is_steady,
    step_group,
    still,
)

Readings = tuple[Reading, ...]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One group's readings at each instant, its first scores (NaN for none), and where such a score can be looked at."""

    readings: list[Readings | None]
    scores: Any
    is_known: Any


@dataclass(frozen=True, kw_only=True)
class Course:
    """What a rule saw, group by group, at the instants at which it could be evaluated; `ended_at` is when the rule was over."""

    instants: list[datetime]
    is_empty: list[bool]
    lines: dict[Group, Line]
    ended_at: datetime | None


def course_of(rule: Rule, samples: Iterable[tuple[datetime, Sample | None]], zone: ZoneInfo) -> Course:
    """The samples of a rule as a course; it holds for every rule that differs in its thresholds only."""
    instants, is_empty, ended_at = list[datetime](), list[bool](), None
    found: dict[Group, list[Readings | None]] = {group: [] for group in expected_of(rule)}
    for at, sample in samples:
        if rule.has_ended(at, zone):
            ended_at = at
            break
        if sample is None or fault_of(rule, sample):
            continue
        readings = dict(sample.groups)
        for group in readings:
            found.setdefault(group, [None] * len(instants))
        for group, line in found.items():
            line.append(readings.get(group))
        instants.append(at)
        is_empty.append(all(is_absent(own) for own in readings.values()))
    lines = {group: _line(rule, line) for group, line in found.items()}
    return Course(instants=instants, is_empty=is_empty, lines=lines, ended_at=ended_at)


def _line(rule: Rule, readings: list[Readings | None]) -> Line:
    firsts = [None if found is None else found[0] for found in readings]
    scores = [np.nan if one is None or one.score is None else one.score for one in firsts]
    is_known = [one is not None and can_go_on(rule, one) for one in firsts]
    return Line(readings=readings, scores=np.array(scores, dtype=float), is_known=np.array(is_known, dtype=bool))


def changes_of(rule: Rule, course: Course) -> list[Transition]:
    """The transitions that playing the rule over the course's samples comes to, group by group."""
    expected, found, last = set(expected_of(rule)), list[Transition](), dict[Group, Instance]()
    for group, line in course.lines.items():
        instance = _follow(rule, group, line, course, found, is_expected=group in expected)
        if instance is not None:
            last[group] = instance
    if course.ended_at is not None:
        found += close(RuleState(instances=last), "rule_paused", course.ended_at).transitions
    return found


def _follow(
    rule: Rule, group: Group, line: Line, course: Course, found: list[Transition], *, is_expected: bool
) -> Instance | None:
    """Follow one group to the end: its transitions are added to `found`; None where it is not known then."""
    instance: Instance | None = None
    breaks: dict[tuple[object, ...], Any] = {}
    place, size = 0, len(course.instants)
    while place < size:
        readings = line.readings[place]
        if instance is not None or readings is not None or is_expected:
            at, before = course.instants[place], instance or FRESH
            after, transition = step_group(rule, group, before, readings, at, is_empty=course.is_empty[place])
            if transition:
                found.append(transition)
            instance = None if after.state == "gone" else after
        place += 1
        if instance is None or not is_steady(rule, instance):
            continue
        key = (instance.state, instance.level, instance.critical_at is None, instance.warning_at is None)
        if key not in breaks:
            breaks[key] = np.flatnonzero(~(line.is_known & goes_on(rule, group, instance, line.scores)))
        following = _first(breaks[key], place, size)
        if following > place:
            (reading,) = line.readings[following - 1] or ()
            instance, place = still(instance, reading), following
    return instance


def _first(places: Sequence[int], place: int, size: int) -> int:
    """The first of the sorted places that is not before `place`; `size` where there is none."""
    index = int(np.searchsorted(places, place))
    return int(places[index]) if index < len(places) else size
