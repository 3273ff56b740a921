"""What is odd about a rule that parses: it can never fire, always does, says what another says, or its numbers look wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerts.conditions import LEVELS, Condition, Constant, PeriodBefore, is_beyond
from alerts.lint_finding import Finding as Finding
from alerts.places import is_visible, regions_of
from alerts.report import Report
from alerts.rule import Rule
from data.places import region_of
from queries.metrics import METRICS
from queries.query import Filter
from queries.scope import Scope

ALWAYS: Final = 0.9
"""Firing for so large a share of the time is firing always."""
LEAST_ORDERS: Final = 20
"""A rate over fewer orders than this jumps by itself."""


def lint(
    rule: Rule,
    others: Iterable[Rule] = (),
    *,
    scope: Scope,
    today: date,
    trial: Report | None = None,
    is_personal: bool = False,
) -> tuple[Finding, ...]:
    """Everything odd about a rule, among the other live rules, on a day, with its newest trial where there is one."""
    found = [
        *_contradictions(rule),
        *_scope(rule, scope),
        *_dates(rule, today),
        *(finding for condition in rule.conditions for finding in _numbers(rule, condition)),
        *_company(rule, [other for other in others if other.name != rule.name]),
        *(_by_trial(rule, trial) if trial else ()),
    ]
    if not rule.receivers and not is_personal:
        found.append(Finding(kind="no_receiver"))
    return tuple(dict.fromkeys(found))


def today_in(zone: ZoneInfo, now: datetime) -> date:
    """The calendar day of an instant."""
    return now.astimezone(zone).date()


def _contradictions(rule: Rule) -> list[Finding]:
    """Joined with `and`, one figure above a and below b with a not under b: nothing is both."""
    if rule.join != "and":
        return []
    found = []
    for place, one in enumerate(rule.conditions):
        for other in rule.conditions[place + 1 :]:
            if one.metric == other.metric and one.compare == other.compare and _excludes(one, other):
                found.append(Finding(kind="contradictory", value=one.metric))
    return found


def _excludes(one: Condition, other: Condition) -> bool:
    lower, upper = (one, other) if one.op[0] == ">" else (other, one)
    if lower.op[0] != ">" or upper.op[0] != "<":
        return False
    least = min((value for level in LEVELS if (value := lower.threshold.start(level)) is not None), default=None)
    most = max((value for level in LEVELS if (value := upper.threshold.start(level)) is not None), default=None)
    return least is not None and most is not None and least >= most


def _scope(rule: Rule, scope: Scope) -> list[Finding]:
    """Places that no order of the rule can have: a province outside the regions chosen, a group that is filtered away."""
    chosen = {item.dimension: set(item.values) for item in rule.filters}
    found = []
    if (
        "region" in chosen
        and "province" in chosen
        and not any(region_of(code) in chosen["region"] for code in chosen["province"])
    ):
        found.append(Finding(kind="empty_scope", value="province"))
    regions = regions_of(rule, Scope.ALL, {})
    if regions is not None and not scope.everything and not regions & set(scope.regions):
        found.append(Finding(kind="empty_scope", value="region"))
    if len(rule.group_by) == 1 and rule.group_by[0] in chosen:
        known = chosen[rule.group_by[0]]
        named = [*rule.expected_groups, *(group for condition in rule.conditions for group, _ in condition.groups)]
        found += [Finding(kind="empty_scope", value=group) for group in named if group not in known]
    return found


def _dates(rule: Rule, today: date) -> list[Finding]:
    return [Finding(kind="expired", value=rule.expires_on.isoformat())] if rule.expires_on and rule.expires_on < today else []


def _numbers(rule: Rule, condition: Condition) -> list[Finding]:
    """Numbers that look like another unit: seconds meant as hours, a percentage meant as a share; and the wrong side."""
    metric = METRICS.get(condition.metric)
    if metric is None:
        return []
    starts = [value for level in LEVELS if (value := condition.threshold.start(level)) is not None]
    found = []
    is_constant = isinstance(condition.compare, Constant)
    if is_constant and metric.unit == "seconds" and any(0 < value < 60 for value in starts):
        found.append(Finding(kind="unit", value=f"{min(starts):g} s"))
    if is_constant and metric.unit == "rate" and any(0 < value < 0.0005 for value in starts):
        found.append(Finding(kind="unit", value=f"{min(starts) * 100:g} %"))
    if isinstance(condition.compare, PeriodBefore) and condition.compare.by == "percent" and any(0 < abs(v) < 1 for v in starts):
        found.append(Finding(kind="unit", value=f"{starts[0]:g} %"))
    bad = {"higher": "<", "lower": ">"}.get(metric.better)
    if bad and condition.op[0] != bad:
        found.append(Finding(kind="direction", value=condition.metric))
    if metric.unit == "rate" and metric.n and rule.group_by and rule.min_samples < LEAST_ORDERS:
        found.append(Finding(kind="few_orders", value=str(rule.min_samples)))
    return found


def _company(rule: Rule, others: Sequence[Rule]) -> list[Finding]:
    found = []
    for other in others:
        if not _same_question(rule, other) or not _wider(other.filters, rule.filters):
            continue
        if _thresholds(rule) == _thresholds(other) and other.filters == rule.filters:
            found.append(Finding(kind="shadowed", other=other.name))
        elif _looser(other, rule):
            found.append(Finding(kind="subsumed", other=other.name))
    return found


def _same_question(one: Rule, other: Rule) -> bool:
    if len(one.conditions) != 1 or len(other.conditions) != 1 or one.group_by != other.group_by or one.window != other.window:
        return False
    mine, theirs = one.conditions[0], other.conditions[0]
    return (mine.metric, mine.op[0], mine.compare) == (theirs.metric, theirs.op[0], theirs.compare)


def _thresholds(rule: Rule) -> tuple[float | None, ...]:
    return tuple(rule.conditions[0].threshold.start(level) for level in LEVELS)


def _wider(wide: Sequence[Filter], narrow: Sequence[Filter]) -> bool:
    """Whether every order that passes the narrow filters passes the wide ones."""
    known = {item.dimension: set(item.values) for item in narrow}
    return all(item.dimension in known and known[item.dimension] <= set(item.values) for item in wide)


def _looser(loose: Rule, strict: Rule) -> bool:
    """Whether the loose rule fires, at least as high, whenever the strict one does, and not later."""
    mine, theirs = strict.conditions[0], loose.conditions[0]
    if mine.groups or theirs.groups or loose.hold > strict.hold or loose.datapoints != strict.datapoints:
        return False
    if loose.min_samples > strict.min_samples:
        return False
    for level in LEVELS:
        own, other = mine.threshold.start(level), theirs.threshold.start(level)
        if own is None:
            continue
        if other is None or is_beyond(mine.op[0], other, own):  # type: ignore[arg-type]
            return False
    return True


def _by_trial(rule: Rule, trial: Report) -> list[Finding]:
    days = (trial.until - trial.since) / timedelta(days=1)
    if not trial.alerts:
        return [Finding(kind="never_fired", value=f"{days:.0f}")]
    whole = max(1, len(trial.groups)) * (trial.until - trial.since).total_seconds()
    share = trial.firing_seconds / whole
    return [Finding(kind="always_firing", value=f"{share:.0%}")] if share > ALWAYS else []


def is_for(rule: Rule, scope: Scope, rule_scope: Scope) -> bool:
    """Whether somebody with this scope may know of a shared rule: one about other regions does not exist for them."""
    if scope.everything:
        return True
    regions = regions_of(rule, rule_scope, {})
    return regions is None or bool(regions & set(scope.regions)) or is_visible(regions, scope)
