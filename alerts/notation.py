"""Rule tests as users write them: a rule, a series per group, the state wanted at each step (docs/rules.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from alerts.conditions import Condition
from alerts.parse import parse_rule
from alerts.rule import Group, Rule, RuleError, group_of
from alerts.rule_file import read_yaml
from alerts.state import Instance, Reading, RuleState, Sample, Transition, frozen, step
from alerts.values import read_length

START: Final = datetime(2026, 1, 5, tzinfo=UTC)
LETTERS: Final = {"unknown": "U", "inactive": "I", "pending": "P", "recovering": "R", "no_data": "N"}
MARKS: Final = {"firing": "!", "escalate": "+", "de_escalate": "-", "resolved": "^", "no_data": "?"}
CASE_KEYS: Final = ("case", "rule", "step", "series", "expect")
LONGEST: Final = 100_000


@dataclass(frozen=True, kw_only=True)
class Point:
    """One sample of one series: a figure, its orders where told (`85@12`), None for missing.

    `is_error`: the query failed; `is_stale`: a source the rule needs was silent. Both hold for the whole rule.
    """

    value: float | None
    n: int | None = None
    is_error: bool = False
    is_stale: bool = False


MISSING: Final = Point(value=None)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of one case: `faults` are empty when it holds."""

    case: str
    faults: tuple[str, ...] = ()


def read_cases(file: Path) -> list[Mapping[str, Any]]:
    """The cases of a file; raises RuleError when it cannot be read or is not a list of cases."""
    found = read_yaml(file)
    if not isinstance(found, list) or not all(isinstance(case, Mapping) for case in found):
        raise RuleError(f"{file} is not a list of cases: begin each with `- case: …`")
    return found


def check_cases(cases: Sequence[Mapping[str, Any]]) -> list[Verdict]:
    """Every case with what it got wrong."""
    return [
        Verdict(case=str(case.get("case", f"case {place}")), faults=tuple(_faults(case))) for place, case in enumerate(cases, 1)
    ]


def _faults(case: Mapping[str, Any]) -> Iterator[str]:
    if unknown := [key for key in case if key not in CASE_KEYS]:
        yield f"a case has no {unknown[0]!r}: use {', '.join(CASE_KEYS)}"
        return
    is_refusal = case.get("expect") == "refused"
    try:
        every = read_length(case.get("step", "5m"), "step")
        rule = parse_rule(case.get("rule"), is_test=True, default_every=every)
    except RuleError as error:
        if not is_refusal:
            yield f"the rule was refused: {error}"
        return
    if is_refusal:
        yield "the rule was accepted, it should have been refused"
        return
    try:
        series = {name: parse_series(text) for name, text in _by_group(case.get("series"), "series").items()}
        wanted = {name: text.split() for name, text in _by_group(case.get("expect"), "expect").items()}
        got = play(rule, _with_silent(series, wanted), every)
    except RuleError as error:
        yield str(error)
        return
    for name in {**series, **wanted}:
        if got.get(name) != wanted.get(name):
            yield f"{name}: expected {' '.join(wanted.get(name, ['nothing']))}, got {' '.join(got.get(name, ['nothing']))}"


def _by_group(value: object, key: str) -> dict[str, str]:
    """A text for each group; a text alone is that of the one instance there is."""
    if isinstance(value, Mapping):
        return {str(name): str(text) for name, text in value.items()}
    if isinstance(value, str | int | float):
        return {"": str(value)}
    raise RuleError(f"{key} is a text for each group, such as {{A: '1 2 _'}}: write it so")


def _with_silent(series: Mapping[str, list[Point]], wanted: Mapping[str, object]) -> dict[str, list[Point]]:
    """The series, and those of groups that are expected to be told of and never send anything."""
    longest = max((len(points) for points in series.values()), default=0)
    return {**series, **{name: [MISSING] * longest for name in wanted if name not in series}}


def parse_series(text: object) -> list[Point]:
    """The samples of one series: `85`, `axN`, `a+bxN`, `a-bxN`, `_`, `nan`, `err`, `stale`, and `85@12` for 12 orders."""
    found: list[Point] = []
    for word in str(text).split():
        found += _points(word)
    if len(found) > LONGEST:
        raise RuleError(f"the series has {len(found)} samples: at most {LONGEST} are allowed")
    return found


NUMBER: Final = r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e-?[0-9]+)?"
WORD: Final = re.compile(
    rf"(?:(?P<word>_|nan|err|stale)|(?P<value>{NUMBER})(?:(?P<change>[+-](?:[0-9]+\.?[0-9]*|\.[0-9]+))(?=x))?)(?:@(?P<n>[0-9]+))?(?:x(?P<times>[0-9]{{1,5}}))?"
)


def _points(word: str) -> list[Point]:
    match = WORD.fullmatch(word)
    if not match:
        raise RuleError(f"the sample {word!r} is not in the notation: a, axN, a+bxN, _, nan, err, stale")
    times = int(match["times"] or 1)
    n = int(match["n"]) if match["n"] else None
    if match["word"]:
        return [Point(value=None, is_error=match["word"] == "err", is_stale=match["word"] == "stale")] * times
    start, change = float(match["value"]), float(match["change"] or 0)
    if match["change"]:
        return [Point(value=round(start + change * i, 9), n=n) for i in range(times + 1)]
    return [Point(value=start, n=n)] * times


def play(rule: Rule, series: Mapping[str, Sequence[Point]], every: timedelta) -> dict[str, list[str]]:
    """The states of each group, one word per step."""
    groups = {name: _group(rule, name) for name in series}
    state, got = RuleState(), {name: list[str]() for name in series}
    seen: set[Group] = set()
    for index in range(max((len(points) for points in series.values()), default=0)):
        at = START + index * every
        is_frozen = any(index < len(points) and points[index].is_stale for points in series.values())
        outcome = frozen(state, at) if is_frozen else step(rule, state, _sample(rule, series, groups, index, every), at)
        state = outcome.state
        seen |= set(state.instances)
        changes = {transition.group: transition for transition in outcome.transitions}
        for name, group in groups.items():
            if index < len(series[name]):
                got[name].append(_word(state.instances.get(group), changes.get(group), was_seen=group in seen))
    return got


def _group(rule: Rule, name: str) -> Group:
    if not rule.group_by:
        return ()
    group = group_of(rule, name)
    if len(group) != len(rule.group_by):
        raise RuleError(f"the series {name!r} must name a value of each of {', '.join(rule.group_by)}, with / between")
    return group


def _sample(
    rule: Rule, series: Mapping[str, Sequence[Point]], groups: Mapping[str, Group], index: int, every: timedelta
) -> Sample:
    points = {name: found[index] for name, found in series.items() if index < len(found)}
    if any(point.is_error for point in points.values()):
        return Sample(error="the query failed")
    if not rule.group_by and len(groups) > 1:
        raise RuleError("a rule without group_by has one instance: give one series")
    return Sample(
        groups=[
            (groups[name], tuple(_reading(condition, series[name], index, every) for condition in rule.conditions))
            for name, point in points.items()
            if point.value is not None
        ]
    )


def _reading(condition: Condition, points: Sequence[Point], index: int, every: timedelta) -> Reading:
    """Every condition reads the same series; what was earlier is the series itself, so many steps before."""

    def earlier(days: int) -> float | None:
        steps, rest = divmod(timedelta(days=days), every)
        return points[index - steps].value if not rest and steps <= index else None

    point = points[index]
    assert point.value is not None
    return Reading(value=point.value, score=condition.compare.score(point.value, earlier), n=point.n)


def _word(instance: Instance | None, transition: Transition | None, *, was_seen: bool) -> str:
    if instance is None:
        letter = "G" if was_seen or (transition and transition.after == "gone") else "U"
    elif instance.state == "firing":
        letter = "C" if instance.level == "critical" else "W"
    else:
        letter = LETTERS[instance.state]
    is_sent = transition is not None and transition.message is not None and not transition.is_flapping
    return letter + (MARKS.get(str(transition.message), "") if is_sent and transition else "")
