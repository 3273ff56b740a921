"""From YAML to a rule and back: everything a rule must not say is refused here, with the part, the reason, the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from alerts.conditions import LEVELS, Condition, Constant
from alerts.order_part import KIND, ORDER_KEYS, read_order_part
from alerts.parse_condition import CONDITION_KEYS, read_conditions
from alerts.rule import JOINS, NO_DATA, SCHEDULES, Datapoints, Join, NoData, Rule, RuleError, Schedule, group_of
from alerts.values import (
    MOST_GROUPS,
    check_keys,
    read_choice,
    read_day,
    read_length,
    read_mapping,
    read_name,
    read_text,
    read_texts,
    read_whole,
    read_words,
    write_length,
)
from queries.check import suggest
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.query import Filter, QueryError
from queries.regions import is_undeclared, place_codes
from queries.request import parse_filters

LENGTH_KEYS: Final = {
    "window": "window",
    "every": "every",
    "delay": "delay",
    "for": "hold",
    "keep_firing": "keep_firing",
    "repeat": "repeat",
}
TEXT_KEYS: Final = ("runbook", "owner", "template")
RULE_KEYS: Final = (
    "name", "title", "text", *CONDITION_KEYS, "conditions", "join", "filters", "group_by", *LENGTH_KEYS, "datapoints", "no_data",
    "missing_evals", "expected_groups", "min_samples", "max_instances", "schedule", "expires_on", "receivers", *TEXT_KEYS,
)  # fmt: skip

ORDER_RULE_KEYS: Final = (
    "name", "kind", "title", "text", *ORDER_KEYS, "schedule", "expires_on", "receivers", *TEXT_KEYS,
)  # fmt: skip


def parse_rule(raw: object, *, is_test: bool = False, default_every: timedelta | None = None) -> Rule:
    """The rule in a mapping as YAML has it; `is_test` admits `metric: value`. Raises RuleError."""
    given = read_mapping(raw, "a rule")
    if given.get("kind") == KIND:
        return _order_rule(given)
    check_keys(given, RULE_KEYS, "a rule")
    lengths = {name: read_length(given[key], key) for key, name in LENGTH_KEYS.items() if given.get(key) is not None}
    if default_every is not None:
        lengths.setdefault("every", default_every)
    texts: dict[str, str] = {key: read_text(given.get(key) or "", key) for key in TEXT_KEYS}
    rule = Rule(
        name=read_name(given.get("name"), is_test=is_test),
        conditions=read_conditions(given, is_test=is_test),
        join=cast(Join, read_choice(given.get("join", "and"), JOINS, "join")),
        filters=_filters(given.get("filters")),
        group_by=_group_by(given.get("group_by")),
        datapoints=_datapoints(given.get("datapoints")),
        no_data=cast(NoData, read_choice(given.get("no_data", "no_data"), NO_DATA, "no_data")),
        missing_evals=read_whole(given.get("missing_evals", 2), "missing_evals", 1, 100),
        **_expected(given.get("expected_groups")),
        min_samples=read_whole(given.get("min_samples", 0), "min_samples", 0, 10**9),
        max_instances=read_whole(given.get("max_instances", 500), "max_instances", 1, MOST_GROUPS),
        schedule=_schedule(given.get("schedule")),
        expires_on=read_day(given.get("expires_on"), "expires_on"),
        receivers=read_words(given.get("receivers"), "receivers"),
        title=read_texts(given.get("title"), "title"),
        text=read_texts(given.get("text"), "text"),
        **cast(Any, texts | lengths),
    )
    _check_rule(rule, given, is_test=is_test)
    return replace(rule, join="and") if len(rule.conditions) == 1 else rule


def _order_rule(given: Mapping[str, Any]) -> Rule:
    check_keys(given, ORDER_RULE_KEYS, "a rule about orders")
    receivers = read_words(given.get("receivers"), "receivers")
    rule = Rule(
        name=read_name(given.get("name"), is_test=False),
        conditions=(),
        order=read_order_part(given, tells=bool(receivers)),
        schedule=_schedule(given.get("schedule")),
        expires_on=read_day(given.get("expires_on"), "expires_on"),
        receivers=receivers,
        title=read_texts(given.get("title"), "title"),
        text=read_texts(given.get("text"), "text"),
        **cast(Any, {key: read_text(given.get(key) or "", key) for key in TEXT_KEYS}),
    )
    _check_campaign(rule)
    return rule


def _filters(value: object) -> tuple[Filter, ...]:
    if value is None:
        return ()
    try:
        if isinstance(value, Mapping):
            return parse_filters([f"{name}={_joined(found)}" for name, found in value.items()])
        return parse_filters(list(read_words(value, "filters")))
    except QueryError as error:
        raise RuleError(f"filters: {error}") from error


def _joined(found: object) -> str:
    values = found if isinstance(found, list | tuple) else [found]
    return ",".join("" if value is None else '"' + str(value).replace('"', '""') + '"' for value in values)


def _group_by(value: object) -> tuple[str, ...]:
    names = read_words(value, "group_by")
    for name in names:
        if name not in DIMENSIONS:
            raise RuleError(f"there is no dimension {name!r}: {suggest(name, DIMENSIONS)}")
    return tuple(sorted(names))


def _datapoints(value: object) -> Datapoints | None:
    if value is None:
        return None
    match = re.fullmatch(r"\s*([0-9]{1,3})\s*(of|/)\s*([0-9]{1,3})\s*", str(value))
    if not match or not 1 <= int(match[1]) <= int(match[3]):
        raise RuleError(f"datapoints {value!r} is not possible: write M of N with M from 1 to N, for example 2 of 3")
    return Datapoints(m=int(match[1]), n=int(match[3]))


def _expected(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        if value not in DIMENSIONS:
            raise RuleError(
                f"expected_groups names no dimension {value!r}: {suggest(value, DIMENSIONS)}, or give a list of values"
            )
        return {"expected_dimension": value}
    return {"expected_groups": tuple(sorted(read_words(value, "expected_groups")))}


def _schedule(value: object) -> Schedule:
    if value is None:
        return Schedule()
    given = {"kind": value} if isinstance(value, str) else read_mapping(value, "schedule")
    check_keys(given, [field.name for field in fields(Schedule)], "schedule")
    readers: dict[str, Callable[[Any], Any]] = {
        "kind": partial(read_choice, known=SCHEDULES, what="schedule"),
        "days": _days,
        "start_hour": lambda hour: read_whole(hour, "schedule.start_hour", 0, 23),
        "end_hour": lambda hour: read_whole(hour, "schedule.end_hour", 1, 24),
        "since": lambda day: read_day(day, "schedule.since"),
        "time_zone": _zone,
    }
    found = Schedule(**{key: readers[key](entry) for key, entry in given.items()})
    if found.start_hour == found.end_hour:
        raise RuleError(
            f"schedule: from {found.start_hour}:00 to {found.end_hour}:00 is no time at all: use 0 and 24 for whole days"
        )
    return found


def _days(value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise RuleError(f"schedule.days {value!r} names no day: give a list from 1 (Monday) to 7, for example [1, 2, 3, 4, 5]")
    return tuple(sorted({read_whole(day, "schedule.days", 1, 7) for day in value}))


def _zone(value: object) -> str:
    try:
        return ZoneInfo(str(value)).key if value else ""
    except (KeyError, ValueError, OSError):
        raise RuleError(f"time zone {value!r} does not exist: use an IANA name such as Asia/Shanghai") from None


def _check_rule(rule: Rule, given: Mapping[str, Any], *, is_test: bool) -> None:
    if rule.datapoints and rule.hold:
        raise RuleError("`for` and `datapoints` exclude each other: keep one of them")
    if rule.every <= timedelta():
        raise RuleError("every is 0: give the time between two evaluations, for example 5m")
    if "window" in given and rule.window < rule.every:
        raise RuleError(
            f"the window {write_length(rule.window)} is shorter than every {write_length(rule.every)}: "
            f"orders between two windows would never be looked at; lengthen it"
        )
    _check_campaign(rule)
    _check_expected(rule)
    _check_group_names(rule)
    if not is_test:
        _check_metrics(rule)
        _check_places(rule)


def _check_campaign(rule: Rule) -> None:
    if rule.schedule.kind == "campaign" and rule.expires_on is None:
        raise RuleError("a campaign ends some day: give expires_on")


def _check_expected(rule: Rule) -> None:
    if (rule.expected_groups or rule.expected_dimension) and not rule.group_by:
        raise RuleError("expected_groups without group_by: name the dimension they are values of")
    if rule.expected_dimension and rule.group_by != (rule.expected_dimension,):
        raise RuleError(f"expected_groups {rule.expected_dimension!r} is not what the rule groups by: group by it alone")
    for label in rule.expected_groups:
        _check_code(rule, label, "expected_groups")


def _check_group_names(rule: Rule) -> None:
    for condition in rule.conditions:
        for label, _ in condition.groups:
            if not rule.group_by:
                raise RuleError(f"thresholds for {label!r} without group_by: name the dimension it is a value of")
            _check_code(rule, label, "thresholds")


def _check_code(rule: Rule, label: str, key: str) -> None:
    """A closed list of codes refuses what it does not hold; several dimensions are joined by `/`."""
    values = [label] if len(rule.group_by) == 1 else label.split("/")
    if len(values) != len(rule.group_by):
        raise RuleError(f"{key}: {label!r} must name a value of each of {', '.join(rule.group_by)}, with / between")
    for dimension, value in zip(rule.group_by, values, strict=True):
        codes = [str(code) for code in DIMENSIONS[dimension].codes]
        if codes and value not in codes:
            raise RuleError(f"{key}: {dimension} is never {value!r}: {suggest(value, codes)}")


def _check_places(rule: Rule) -> None:
    """A region or province of a declared country that nobody declared is a slip of the pen: it would never have an order."""
    named = [(item.dimension, value, "filters") for item in rule.filters for value in item.values]
    for condition in rule.conditions:
        named += [pair for label, _ in condition.groups for pair in _places_in(rule, label, "thresholds")]
    named += [pair for label in rule.expected_groups for pair in _places_in(rule, label, "expected_groups")]
    for dimension, value, key in named:
        if value is not None and is_undeclared(dimension, value):
            raise RuleError(f"{key}: {dimension} is never {value!r}: {suggest(value, place_codes(dimension))}")


def _places_in(rule: Rule, label: str, key: str) -> list[tuple[str, str | None, str]]:
    return [(dimension, value, key) for dimension, value in zip(rule.group_by, group_of(rule, label), strict=False)]


def _check_metrics(rule: Rule) -> None:
    for condition in rule.conditions:
        metric = METRICS[condition.metric]
        for dimension in (*rule.group_by, *(item.dimension for item in rule.filters)):
            if metric.anchor.rows not in DIMENSIONS[dimension].rows:
                raise RuleError(f"{metric.name} has no dimension {dimension!r}: take another metric or dimension")
        if rule.min_samples and metric.kind != "sum" and metric.n is None:
            raise RuleError(f"{metric.name} does not say how many orders it stands on: leave min_samples out")
        if isinstance(condition.compare, Constant):
            _check_unit(condition)


def _check_unit(condition: Condition) -> None:
    """A rate lies between 0 and 1, a count or a length is not negative: a threshold outside never or always fires."""
    unit = METRICS[condition.metric].unit
    thresholds = [condition.threshold, *(threshold for _, threshold in condition.groups)]
    for value in [threshold.start(level) for threshold in thresholds for level in LEVELS]:
        if value is not None and unit == "rate" and not 0 <= value <= 1:
            raise RuleError(f"{condition.metric} is a rate from 0 to 1, {value:g} is not: 5 % is written 0.05")
        if value is not None and unit in ("count", "per_hour") and value < 0:
            raise RuleError(f"{condition.metric} is never below 0, {value:g} is no threshold for it")
