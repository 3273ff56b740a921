"""What is odd about a rule about single orders that parses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from alerts.lint_finding import Finding
from alerts.order_part import impossible_fields
from alerts.order_trial import OrderTrial
from alerts.order_watch import MOST_MATCHES
from alerts.places import regions_of
from alerts.rule import Rule
from queries.order_fields import NUMBER_OPS, ORDER_FIELDS
from queries.scope import Scope

SHORTEST: Final = 60
"""Fewer seconds than this were meant as another unit."""


def lint_order(
    rule: Rule, others: Sequence[Rule], *, scope: Scope, today: date, trial: OrderTrial | None = None
) -> tuple[Finding, ...]:
    """Everything odd about it, among the other live rules, on a day, with its newest trial where there is one."""
    part = rule.order
    if part is None:
        return ()
    found = [Finding(kind="impossible", value=name) for name in impossible_fields(part.pick)]
    regions = regions_of(rule, Scope.ALL, {})
    if regions is not None and not scope.everything and not regions & set(scope.regions):
        found.append(Finding(kind="empty_scope", value="region"))
    if rule.expires_on and rule.expires_on < today:
        found.append(Finding(kind="expired", value=rule.expires_on.isoformat()))
    for test in part.pick.tests:
        if ORDER_FIELDS[test.field].kind == "seconds" and test.op in NUMBER_OPS and 0 < test.value < SHORTEST:
            found.append(Finding(kind="unit", value=f"{test.value:g} s"))
    for other in others:
        if other.name != rule.name and other.order is not None and set(other.order.pick.tests) == set(part.pick.tests):
            found += [Finding(kind="shadowed", other=other.name)] if other.order == part else []
    if trial is not None and not any(day.matched for day in trial.days):
        found.append(Finding(kind="never_matched", value=str(len(trial.days))))
    if trial is not None and trial.now > MOST_MATCHES and (part.confirmations or rule.receivers):
        found.append(Finding(kind="too_wide", value=f"{MOST_MATCHES:,}"))
    return tuple(dict.fromkeys(found))
