"""The state machine: `step(rule, previous, sample, at)` is the same in live, backtest and rule tests; pure.

One instance per group. An instance has one timer per level; its level is the highest whose timer is due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from alerts.conditions import LEVELS, Condition, Level, is_missing
from alerts.rule import Group, Rule, group_of, label_of

State = Literal["unknown", "inactive", "pending", "firing", "recovering", "no_data", "gone"]
Reason = Literal["recovered", "missing_group", "no_data", "rule_updated", "rule_paused", "rule_deleted", "restated", "manual"]
Message = Literal["firing", "escalate", "de_escalate", "resolved", "no_data", "rule_changed", "matched"]

FLAPPING_TRANSITIONS: Final = 6
FLAPPING_PERIODS: Final = 24


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One condition's figure for a group: `score` is held against the thresholds, `value` is shown, `n` its orders.

    A `value` without a `score` has too little history to be compared.
    """

    value: float | None
    score: float | None
    n: int | None = None


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the lake says of each group at an instant, one reading per condition; or why it could not be asked."""

    groups: Sequence[tuple[Group, tuple[Reading, ...]]] = ()
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """The state of one group. `*_at` are the timers, `recent` the instants of its last transitions.

    `points` are the last N instants of an M-of-N rule, one pair (warning, critical) each.
    """

    state: State = "unknown"
    level: Level | None = None
    since: datetime | None = None
    episode_at: datetime | None = None
    warning_at: datetime | None = None
    critical_at: datetime | None = None
    keep_since: datetime | None = None
    missing: int = 0
    points: tuple[tuple[bool, bool], ...] = ()
    recent: tuple[datetime, ...] = ()
    value: float | None = None
    n: int | None = None
    is_insufficient: bool = False
    was_told: bool = False

    def timer(self, level: Level) -> datetime | None:
        """Since when the level's condition is true."""
        return self.warning_at if level == "warning" else self.critical_at

    @property
    def is_flapping(self) -> bool:
        """Whether it changed so often lately that it is told by digest only."""
        return len(self.recent) > FLAPPING_TRANSITIONS

    @property
    def is_active(self) -> bool:
        """Whether it counts as firing for hysteresis."""
        return self.state in ("firing", "recovering")

    def but(self, **changes: Any) -> Instance:  # noqa: ANN401 - any of its fields
        """A copy with other values; `dataclasses.replace` is ten times as slow, and a backtest makes a million."""
        found = object.__new__(Instance)
        found.__dict__.update(self.__dict__, **changes)
        return found


FRESH: Final = Instance()
"""An instance never evaluated."""


@dataclass(frozen=True, kw_only=True)
class RuleState:
    """All instances of a rule after its evaluation at `at`; `errors` counts failed evaluations in a row."""

    at: datetime | None = None
    instances: Mapping[Group, Instance] = field(default_factory=dict)
    errors: int = 0
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A change of one instance; `message` says what is to be told, None for nothing. `is_flapping`: by digest only."""

    at: datetime
    group: Group
    before: State
    before_level: Level | None
    after: State
    level: Level | None
    episode_at: datetime | None
    message: Message | None = None
    reason: Reason | None = None
    value: float | None = None
    n: int | None = None
    is_flapping: bool = False
    is_restated: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The new state and what changed; `refused` says why nothing happened."""

    state: RuleState
    transitions: tuple[Transition, ...] = ()
    refused: str = ""


def step(rule: Rule, previous: RuleState, sample: Sample, at: datetime) -> Outcome:
    """The rule's state after the sample at `at`. The same instant again changes nothing, an older one is refused."""
    if previous.at is not None and at <= previous.at:
        refused = "" if at == previous.at else f"{at:%Y-%m-%d %H:%M:%S} is older than the last evaluation"
        return Outcome(state=previous, refused=refused)
    if error := fault_of(rule, sample):
        return Outcome(state=replace(previous, at=at, errors=previous.errors + 1, error=error))
    readings = dict(sample.groups)
    known = _known(rule, previous, readings)
    is_empty = all(is_absent(readings.get(group)) for group in known)
    instances: dict[Group, Instance] = {}
    transitions: list[Transition] = []
    for group in known:
        before = previous.instances.get(group, FRESH)
        after, transition = step_group(rule, group, before, readings.get(group), at, is_empty=is_empty)
        if transition:
            transitions.append(transition)
        if after.state != "gone":
            instances[group] = after
    return Outcome(state=RuleState(at=at, instances=instances), transitions=tuple(transitions))


def step_group(
    rule: Rule, group: Group, before: Instance, readings: tuple[Reading, ...] | None, at: datetime, *, is_empty: bool
) -> tuple[Instance, Transition | None]:
    """One group's part of a step: `is_empty` says that no group has a figure at `at`; whoever is `gone` then is forgotten."""
    after, reason = _step_group(rule, group, before, readings, at, is_empty=is_empty)
    return _told(rule, group, before, after, reason, at)


def frozen(previous: RuleState, at: datetime) -> Outcome:
    """The instant `at` passed while a needed source was silent: nothing fires, nothing resolves, no timer is touched."""
    return Outcome(state=replace(previous, at=at))


def close(previous: RuleState, reason: Reason, at: datetime) -> Outcome:
    """End every episode for a reason of the rule's own (changed, paused, deleted): the instances are forgotten."""
    transitions = []
    for group, before in sorted(previous.instances.items(), key=lambda item: label_of(item[0])):
        if before.state in ("unknown", "inactive"):
            continue
        after = Instance(state="inactive", since=at, recent=before.recent, value=before.value, n=before.n)
        message: Message | None = "rule_changed" if before.was_told else None
        transitions.append(_transition(group, before, after, at, message=message, reason=reason))
    return Outcome(state=RuleState(), transitions=tuple(transitions))


def fault_of(rule: Rule, sample: Sample) -> str:
    """Why nothing can be evaluated with a sample; empty where it can."""
    if sample.error:
        return sample.error
    if len(sample.groups) > rule.max_instances:
        return f"{len(sample.groups)} groups are more than max_instances {rule.max_instances}: filter or group more coarsely"
    twice = [group for group, count in Counter(group for group, _ in sample.groups).items() if count > 1]
    return f"the group {label_of(twice[0])} is there twice" if twice else ""


def expected_of(rule: Rule) -> Iterable[Group]:
    """The groups that are known even before anything is seen of them."""
    if not rule.group_by:
        return ((),)
    return (group_of(rule, label) for label in rule.expected_groups)


def _known(rule: Rule, previous: RuleState, readings: Mapping[Group, tuple[Reading, ...]]) -> list[Group]:
    found = {*previous.instances, *readings, *expected_of(rule)}
    return sorted(found, key=label_of)


def is_absent(readings: tuple[Reading, ...] | None) -> bool:
    """Whether a group has no figure at all."""
    return readings is None or all(is_missing(reading.value) for reading in readings)


def _step_group(
    rule: Rule, group: Group, before: Instance, readings: tuple[Reading, ...] | None, at: datetime, *, is_empty: bool
) -> tuple[Instance, Reason | None]:
    if is_empty:
        return _without_data(rule, before, at)
    if readings is not None and _goes_on(rule, group, before, readings):
        return still(before, readings[0]), None
    verdicts = None if readings is None else _verdicts(rule, group, before, readings)
    if readings is None or verdicts is None or is_absent(readings):
        return _absent(rule, group, before, at)
    seen = before.but(missing=0, value=readings[0].value, n=readings[0].n, is_insufficient=False)
    if rule.min_samples and any(reading.n is not None and reading.n < rule.min_samples for reading in readings):
        return _with_point(rule, seen, (False, False)).but(is_insufficient=True), None
    if any(verdict is _NO_HISTORY for verdict in verdicts.values()):
        return _with_point(rule, seen, (False, False)), None
    if before.state == "inactive" and rule.datapoints is None and not any(verdicts.values()):
        return seen, None
    return _evaluate(rule, seen, {level: bool(verdict) for level, verdict in verdicts.items()}, at)


def _goes_on(rule: Rule, group: Group, before: Instance, readings: tuple[Reading, ...]) -> bool:
    """Whether nothing begins and nothing ends, seen at a glance: what follows comes to the same, and a backtest asks half a million times."""
    if not is_steady(rule, before):
        return False
    (reading,) = readings
    return can_go_on(rule, reading) and bool(goes_on(rule, group, before, reading.score))


def is_steady(rule: Rule, before: Instance) -> bool:
    """Whether an instance rests or fires, and only what a figure is now can change that."""
    if len(rule.conditions) != 1 or rule.datapoints is not None:
        return False
    return before.state == "inactive" or (before.state == "firing" and not rule.hold)


def can_go_on(rule: Rule, reading: Reading) -> bool:
    """Whether there is a figure to look at, of enough orders."""
    is_known = reading.score is not None and not is_missing(reading.value)
    return is_known and not (rule.min_samples and reading.n is not None and reading.n < rule.min_samples)


def still(before: Instance, reading: Reading) -> Instance:
    """What an instance is after an instant at which nothing began and nothing ended."""
    return before.but(missing=0, value=reading.value, n=reading.n, is_insufficient=False, keep_since=None)


def goes_on(rule: Rule, group: Group, before: Instance, score: Any) -> Any:  # noqa: ANN401 - a score, or an array of them
    """Whether a steady instance goes on resting or firing at a score that can be looked at; of an array, score by score."""
    (condition,) = rule.conditions
    threshold = condition.threshold_of(label_of(group))
    was_firing, was_critical = before.state == "firing", before.level == "critical"
    critical = threshold.is_breached(condition.op, score, "critical", is_firing=was_firing and was_critical)
    warning = threshold.is_breached(condition.op, score, "warning", is_firing=was_firing)
    is_critical, is_warning = critical is not None and critical, warning is not None and warning
    if not was_firing:
        return (is_critical | is_warning) ^ True
    if "warning" in rule.levels:
        is_warning = is_warning | is_critical
    # The same levels are still true, those that have their timers running.
    is_same = (is_critical ^ (before.critical_at is None)) & (is_warning ^ (before.warning_at is None))
    return is_same & (is_critical ^ (not was_critical)) & (is_critical | is_warning)


_NO_HISTORY: Final = object()
Verdict = bool | object


def _verdicts(rule: Rule, group: Group, before: Instance, readings: tuple[Reading, ...]) -> dict[Level, Verdict] | None:
    """Each level: true, false, or too little history; None where a missing figure leaves it open."""
    found: dict[Level, Verdict] = {}
    label = label_of(group)
    for level in LEVELS:
        is_firing = before.is_active and (before.level == "critical" or level == "warning")
        if len(rule.conditions) == 1:
            verdict = _part(rule, rule.conditions[0], label, readings[0], level, is_firing=is_firing)
        else:
            pairs = zip(rule.conditions, readings, strict=True)
            verdict = _joined(rule, [_part(rule, one, label, reading, level, is_firing=is_firing) for one, reading in pairs])
        if verdict is None:
            return None
        found[level] = verdict
    # Whatever is critical is a warning too: the warning's timer never starts after the critical one.
    return found | ({"warning": True} if found["critical"] is True and "warning" in rule.levels else {})


def _part(rule: Rule, condition: Condition, label: str, reading: Reading, level: Level, *, is_firing: bool) -> Verdict | None:
    """One condition at one level; None when its figure is missing.

    Joined with `and`, a condition with one level only is a gate for both.
    """
    threshold, asked = condition.threshold_of(label), level
    if threshold.start(level) is None:
        is_gate = len(rule.conditions) > 1 and rule.join == "and" and level in rule.levels
        if not is_gate:
            return False
        asked = "critical" if level == "warning" else "warning"
    if is_missing(reading.value):
        return None
    if reading.score is None:
        return _NO_HISTORY
    return threshold.is_breached(condition.op, reading.score, asked, is_firing=is_firing)


def _joined(rule: Rule, parts: Sequence[Verdict | None]) -> Verdict | None:
    """`and`/`or` over true, false and open: a part that decides alone decides whatever is missing."""
    decisive = rule.join == "or"
    if any(part is decisive for part in parts):
        return decisive
    if any(part is None for part in parts):
        return None
    return _NO_HISTORY if any(part is _NO_HISTORY for part in parts) else not decisive


def _with_point(rule: Rule, instance: Instance, point: tuple[bool, bool]) -> Instance:
    if rule.datapoints is None:
        return instance
    return instance.but(points=(*instance.points, point)[-rule.datapoints.n :])


def _evaluate(rule: Rule, before: Instance, verdicts: Mapping[Level, bool], at: datetime) -> tuple[Instance, Reason | None]:
    """The next state from what is true now."""
    now = _with_point(rule, before, (verdicts["warning"], verdicts["critical"]))
    if rule.datapoints is None:
        true = [level for level in LEVELS if verdicts[level]]
    else:
        counts = [sum(point[index] for point in now.points) for index in range(2)]
        true = [level for level, count in zip(LEVELS, counts, strict=True) if count >= rule.datapoints.m]
    timers = {level: (before.timer(level) or at) if level in true else None for level in LEVELS}
    hold = timedelta() if rule.datapoints else rule.hold
    due = [level for level in true if at - (timers[level] or at) >= hold]
    if not true and before.is_active:
        return _leaving(rule, now, at)
    timed = now.but(warning_at=timers["warning"], critical_at=timers["critical"], keep_since=None)
    if due:
        return _moved(timed, "firing", due[-1], at), None
    if true:
        return _moved(timed, "pending", None, at), None
    return _moved(timed, "inactive", None, at), "recovered" if before.was_told else None


def _leaving(rule: Rule, before: Instance, at: datetime) -> tuple[Instance, Reason | None]:
    since = before.keep_since or at
    if at - since < rule.keep_firing:
        # A level that had not fired begins anew: its breach is over.
        critical_at = before.critical_at if before.level == "critical" else None
        return _moved(before.but(keep_since=since, critical_at=critical_at), "recovering", before.level, at), None
    return _ended(before, "inactive", at), "recovered"


def _moved(instance: Instance, state: State, level: Level | None, at: datetime) -> Instance:
    is_same = instance.state == state and instance.level == level
    episode = None if state in ("unknown", "inactive", "gone") else instance.episode_at or at
    return instance.but(state=state, level=level, since=instance.since if is_same else at, episode_at=episode)


def _ended(instance: Instance, state: State, at: datetime) -> Instance:
    cleared = instance.but(warning_at=None, critical_at=None, keep_since=None)
    return _moved(cleared, state, None, at)


def _without_data(rule: Rule, before: Instance, at: datetime) -> tuple[Instance, Reason | None]:
    """No group at all: by the rule's policy."""
    silent = before.but(value=None, n=None, is_insufficient=False)
    if rule.no_data == "alert":
        has = {level: level in rule.levels for level in LEVELS}
        return _evaluate(rule, silent, has, at)
    silent = _with_point(rule, silent, (False, False))
    if rule.no_data == "no_data":
        return _ended(silent, "no_data", at), None
    if rule.no_data == "ok":
        return _ended(silent, "inactive", at), "no_data"
    return _with_point(rule, before, (False, False)), None


def _absent(rule: Rule, group: Group, before: Instance, at: datetime) -> tuple[Instance, Reason | None]:
    """This group is missing while others are there."""
    missing = before.missing + 1
    kept = _with_point(rule, before.but(missing=missing), (False, False))
    if missing < rule.missing_evals:
        return kept, None
    if group in set(expected_of(rule)):
        return _ended(kept.but(value=None, n=None), "no_data", at), None
    return _ended(kept, "gone", at), "missing_group"


def _told(
    rule: Rule, group: Group, before: Instance, after: Instance, reason: Reason | None, at: datetime
) -> tuple[Instance, Transition | None]:
    """The transition between two states of an instance, with what is to be told of it."""
    is_same = before.state == after.state and before.level == after.level
    if is_same or (before.state == "unknown" and after.state == "inactive"):
        return after, None
    recent = tuple(moment for moment in before.recent if at - moment < FLAPPING_PERIODS * rule.every)
    recent = (*recent, at)
    message = message_between(before, after)
    was_told = after.episode_at is not None and (before.was_told or message is not None)
    after = after.but(recent=recent, was_told=was_told)
    ended = reason if after.state in ("inactive", "gone") else None
    return after, _transition(group, before, after, at, message=message, reason=ended)


def message_between(before: Instance, after: Instance) -> Message | None:
    """What a change from one instance to another is to be told as."""
    if after.state == "no_data":
        return "no_data"
    if after.state in ("inactive", "gone"):
        return "resolved" if before.was_told and before.state != "pending" else None
    if after.state != "firing" or after.level is None:
        return None
    if not before.is_active or before.level is None:
        return "firing"
    change = LEVELS.index(after.level) - LEVELS.index(before.level)
    return "escalate" if change > 0 else "de_escalate" if change < 0 else None


def _transition(
    group: Group, before: Instance, after: Instance, at: datetime, *, message: Message | None, reason: Reason | None
) -> Transition:
    return Transition(
        at=at,
        group=group,
        before=before.state,
        before_level=before.level,
        after=after.state,
        level=after.level,
        episode_at=before.episode_at or after.episode_at,
        message=message,
        reason=reason,
        value=after.value,
        n=after.n,
        is_flapping=after.is_flapping,
    )
