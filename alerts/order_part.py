"""A rule about single orders: which open orders it means, and what becomes of them; its YAML, read and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from alerts.conditions import LEVELS, Level
from alerts.fault import RuleError
from alerts.values import check_keys, read_choice, read_length, read_mapping, read_number, read_whole, read_words, write_length
from data.order import CLOSING_MILESTONES
from data.places import region_of
from queries.check import suggest
from queries.order_fields import (
    MOST_TESTS,
    MOST_VALUES,
    NUMBER_OPS,
    ORDER_FIELDS,
    PICK_JOINS,
    OrderField,
    OrderTest,
    Pick,
    PickJoin,
    TestOp,
)
from queries.regions import is_undeclared, place_codes

KIND: Final = "order"
MOST_CONFIRMATIONS: Final = 2
ORDER_KEYS: Final = ("match", "conditions", "severity", "confirmations")
TEST_KEYS: Final = ("field", "op", "value", "values")
NEVER_OPEN: Final = CLOSING_MILESTONES


@dataclass(frozen=True, kw_only=True)
class OrderPart:
    """What makes a rule one about single orders.

    `severity` colours the order in lists; `confirmations` is how many different people confirm it in the review queue
    (0: it is in no queue).
    """

    pick: Pick
    severity: Level | None = None
    confirmations: int = 0


def read_order_part(given: Mapping[str, Any], *, tells: bool) -> OrderPart:
    """The part in a rule's mapping; `tells` says whether the rule names receivers. Raises RuleError."""
    entries = given.get("conditions")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST_TESTS:
        raise RuleError(f"conditions is a list of one to {MOST_TESTS} entries")
    severity = given.get("severity") or None
    found = OrderPart(
        pick=Pick(
            tests=tuple(_test(read_mapping(entry, "a condition")) for entry in entries),
            join=cast(PickJoin, read_choice(given.get("match", "all"), PICK_JOINS, "match")),
        ),
        severity=cast(Level, read_choice(severity, LEVELS, "severity")) if severity is not None else None,
        confirmations=read_whole(given.get("confirmations", 0), "confirmations", 0, MOST_CONFIRMATIONS),
    )
    if not (found.severity or found.confirmations or tells):
        raise RuleError("the rule does nothing: give it a colour, a review or receivers")
    return found


def _test(given: Mapping[str, Any]) -> OrderTest:
    check_keys(given, TEST_KEYS, "a condition")
    name = str(given.get("field"))
    if name not in ORDER_FIELDS:
        raise RuleError(f"orders have no field {name!r}: {suggest(name, ORDER_FIELDS)}")
    field = ORDER_FIELDS[name]
    op = cast(TestOp, read_choice(given.get("op", field.ops[0]), field.ops, f"{name}.op"))
    if op in NUMBER_OPS:
        return OrderTest(field=name, op=op, value=_value(field, given.get("value")))
    values = read_words(given.get("values", given.get("value")), name)
    if not values or len(values) > MOST_VALUES:
        raise RuleError(f"{name} has {len(values)} values: choose 1 to {MOST_VALUES}")
    unknown = [value for value in values if (value not in field.codes if field.codes else is_undeclared(name, value))]
    if unknown:
        raise RuleError(f"{name} is never {unknown[0]!r}: {suggest(unknown[0], field.codes or place_codes(name))}")
    return OrderTest(field=name, op=op, values=values)


def _value(field: OrderField, value: object) -> float:
    if field.kind == "seconds" and isinstance(value, str):
        return read_length(value, field.name).total_seconds()
    number = read_number(value, field.name)
    if number is None:
        raise RuleError(f"{field.name} has no value to compare with: give one")
    if number < 0:
        raise RuleError(f"{field.name} is never below 0, {number:g} is no threshold for it")
    return number


def write_order_part(part: OrderPart) -> dict[str, Any]:
    """The part as the keys of a rule's mapping that `read_order_part` reads back."""
    found: dict[str, Any] = {"kind": KIND, "match": part.pick.join, "conditions": [_written(test) for test in part.pick.tests]}
    return found | {"severity": part.severity, "confirmations": part.confirmations or None}


def _written(test: OrderTest) -> dict[str, Any]:
    if test.op not in NUMBER_OPS:
        return {"field": test.field, "op": test.op, "values": list(test.values)}
    is_whole_length = ORDER_FIELDS[test.field].kind == "seconds" and test.value == int(test.value)
    return {"field": test.field, "op": test.op, "value": write_seconds(test.value) if is_whole_length else test.value}


def write_seconds(value: float) -> str:
    """A whole number of seconds as a length of time."""
    return write_length(timedelta(seconds=value))


def impossible_fields(pick: Pick) -> tuple[str, ...]:
    """The fields whose tests no open order can meet at once: bounds that cross, lists without a common code, closed states."""
    found = [
        test.field for test in pick.tests if test.field == "status" and test.op == "in" and set(test.values) <= set(NEVER_OPEN)
    ]
    if pick.join == "any":
        return tuple(found) if len(found) == len(pick.tests) else ()
    for name in dict.fromkeys(test.field for test in pick.tests):
        own = [test for test in pick.tests if test.field == name]
        if _crosses(own) or _has_nothing(own):
            found.append(name)
    if {"late_by", "due_in"} <= {test.field for test in pick.tests if test.op in NUMBER_OPS}:
        found.append("due_in")
    if _is_elsewhere(pick):
        found.append("province")
    return tuple(dict.fromkeys(found))


def _crosses(tests: list[OrderTest]) -> bool:
    lower = [(test.value, test.op == ">") for test in tests if test.op in (">", ">=")]
    upper = [(test.value, test.op == "<") for test in tests if test.op in ("<", "<=")]
    if any(value == 0 and is_strict for value, is_strict in upper):
        return True
    if not lower or not upper:
        return False
    (least, opens), (most, closes) = max(lower), min(upper, key=lambda one: (one[0], not one[1]))
    return least > most or (least == most and (opens or closes))


def _has_nothing(tests: list[OrderTest]) -> bool:
    lists = [set(test.values) for test in tests if test.op == "in"]
    if not lists:
        return False
    left = set.intersection(*lists)
    return not left.difference(*(test.values for test in tests if test.op == "not_in"))


def _is_elsewhere(pick: Pick) -> bool:
    """Whether none of the provinces asked for lies in the regions asked for."""
    chosen = {test.field: set(test.values) for test in pick.tests if test.op == "in"}
    if not {"region", "province"} <= chosen.keys():
        return False
    homes = {region_of(code) for code in chosen["province"]}
    return None not in homes and not homes & chosen["region"]
