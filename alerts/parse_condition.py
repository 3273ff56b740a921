"""Reading conditions: metric, operator, thresholds of both levels, of single groups, and what is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, cast, get_args, get_type_hints

from alerts.conditions import COMPARISONS, LEVELS, OPS, Comparison, Condition, Constant, Op, Threshold, is_beyond
from alerts.rule import TEST_METRIC, RuleError
from alerts.values import MOST_GROUPS, check_keys, read_choice, read_code, read_mapping, read_number, read_whole
from queries.check import suggest
from queries.metrics import METRICS

MOST_CONDITIONS: Final = 6
LEVEL_KEYS: Final = ("warning", "critical", "warning_recover", "critical_recover")
CONDITION_KEYS: Final = ("metric", "op", *LEVEL_KEYS, "compare", "thresholds")


def read_conditions(given: Mapping[str, Any], *, is_test: bool) -> tuple[Condition, ...]:
    """The conditions of a rule: those listed, or the one whose keys stand beside the rule's own. Raises RuleError."""
    if "conditions" not in given:
        return (_condition({key: given[key] for key in CONDITION_KEYS if key in given}, is_test=is_test),)
    if both := [key for key in CONDITION_KEYS if key in given]:
        raise RuleError(f"{both[0]!r} stands beside `conditions`: move it into one of them")
    entries = given["conditions"]
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST_CONDITIONS:
        raise RuleError(f"conditions is a list of one to {MOST_CONDITIONS} entries")
    return tuple(_condition(read_mapping(entry, "a condition"), is_test=is_test) for entry in entries)


def _condition(given: Mapping[str, Any], *, is_test: bool) -> Condition:
    check_keys(given, CONDITION_KEYS, "a condition")
    metric, op = given.get("metric"), given.get("op")
    if not (is_test and metric == TEST_METRIC) and not (isinstance(metric, str) and metric in METRICS):
        raise RuleError(f"there is no metric {metric!r}: {suggest(str(metric), METRICS)}")
    op = cast(Op, read_choice(op, OPS, "op"))
    found = Condition(
        metric=str(metric),
        op=op,
        threshold=_threshold(given),
        compare=_comparison(given.get("compare")),
        groups=_group_thresholds(given.get("thresholds")),
    )
    for group in ("", *(name for name, _ in found.groups)):
        _check_threshold(op, found.threshold_of(group), f"{metric} of {group}" if group else str(metric))
    return found


def _threshold(given: Mapping[str, Any]) -> Threshold:
    return Threshold(**{key: read_number(given.get(key), key) for key in LEVEL_KEYS})


def _group_thresholds(value: object) -> tuple[tuple[str, Threshold], ...]:
    if value is None:
        return ()
    given = read_mapping(value, "thresholds")
    if len(given) > MOST_GROUPS:
        raise RuleError(f"thresholds has {len(given)} groups: at most {MOST_GROUPS} are allowed")
    found = []
    for group, entry in given.items():
        own = read_mapping(entry, f"thresholds.{group}")
        check_keys(own, LEVEL_KEYS, f"thresholds.{group}")
        found.append((read_code(group, "thresholds"), _threshold(own)))
    return tuple(found)


def _check_threshold(op: Op, threshold: Threshold, what: str) -> None:
    if threshold.warning is None and threshold.critical is None:
        raise RuleError(f"{what} has no threshold: give warning, critical or both")
    strict = cast(Op, op[0])
    if (
        threshold.warning is not None
        and threshold.critical is not None
        and is_beyond(strict, threshold.warning, threshold.critical)
    ):
        raise RuleError(
            f"{what}: warning {threshold.warning:g} lies beyond critical {threshold.critical:g} (with {op}): swap them"
        )
    for level in LEVELS:
        start, recover = threshold.start(level), threshold.recover(level)
        if recover is not None and start is None:
            raise RuleError(f"{what}: {level}_recover without {level}: give the threshold or leave it out")
        if recover is not None and start is not None and is_beyond(strict, recover, start):
            side = "above" if strict == ">" else "below"
            raise RuleError(
                f"{what}: {level}_recover {recover:g} is on the wrong side: with {op} it must not lie {side} {level} {start:g}"
            )


def _comparison(value: object) -> Comparison:
    if value is None:
        return Constant()
    given = {"with": value} if isinstance(value, str) else read_mapping(value, "compare")
    kind = COMPARISONS[read_choice(given.get("with"), tuple(COMPARISONS), "compare")]
    own = {key: entry for key, entry in given.items() if key != "with"}
    check_keys(own, [field.name for field in fields(kind)], f"compare with {kind.name}")
    types = get_type_hints(kind)
    values = {key: _field(entry, types[key], f"compare.{key}") for key, entry in own.items()}
    return kind(**cast(Any, values))


def _field(value: object, type_: object, key: str) -> object:
    return read_whole(value, key, 1, 26) if type_ is int else read_choice(value, get_args(type_), key)
