"""From a rule back to YAML."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any

from alerts.conditions import Condition, Constant, Threshold
from alerts.order_part import write_order_part
from alerts.parse import LENGTH_KEYS, TEXT_KEYS
from alerts.parse_condition import LEVEL_KEYS
from alerts.rule import Rule, Schedule
from alerts.values import write_length


def write_rule(rule: Rule) -> dict[str, Any]:
    """The rule as a mapping for YAML that `parse_rule` reads back to the same rule; defaults are left out."""
    conditions = [_write_condition(condition) for condition in rule.conditions]
    found: dict[str, Any] = {"name": rule.name, "title": dict(rule.title), "text": dict(rule.text)}
    if rule.order is not None:
        found |= write_order_part(rule.order)
    else:
        found |= conditions[0] if len(conditions) == 1 else {"conditions": conditions, "join": rule.join}
    found |= {
        "filters": {item.dimension: list(item.values) for item in rule.filters},
        "group_by": list(rule.group_by),
        "datapoints": f"{rule.datapoints.m} of {rule.datapoints.n}" if rule.datapoints else None,
        "expected_groups": rule.expected_dimension or list(rule.expected_groups),
        "schedule": {field.name: _plain(getattr(rule.schedule, field.name)) for field in fields(Schedule)},
        "expires_on": rule.expires_on.isoformat() if rule.expires_on else None,
        "receivers": list(rule.receivers),
    }
    defaults = Rule(name="", conditions=())
    found |= {key: getattr(rule, key) for key in ("no_data", "missing_evals", "min_samples", "max_instances", *TEXT_KEYS)}
    same = {key for key in found if key != "name" and hasattr(defaults, key) and found[key] == getattr(defaults, key)}
    if rule.schedule == defaults.schedule:
        same.add("schedule")
    for key, name in LENGTH_KEYS.items():
        if getattr(rule, name) != getattr(defaults, name):
            found[key] = write_length(getattr(rule, name))
    return {key: value for key, value in found.items() if key not in same and value not in (None, [], {}, "")}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value.isoformat() if isinstance(value, date) else value


def _write_condition(condition: Condition) -> dict[str, Any]:
    found: dict[str, Any] = {"metric": condition.metric, "op": condition.op, **_write_threshold(condition.threshold)}
    if not isinstance(condition.compare, Constant):
        own = {field.name: getattr(condition.compare, field.name) for field in fields(condition.compare)}
        found["compare"] = {"with": condition.compare.name, **own}
    if condition.groups:
        found["thresholds"] = {name: _write_threshold(threshold) for name, threshold in condition.groups}
    return found


def _write_threshold(threshold: Threshold) -> dict[str, Any]:
    return {key: value for key in LEVEL_KEYS if (value := getattr(threshold, key)) is not None}
