"""A rule about single orders read back in a reader's language."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from alerts.order_part import OrderPart
from alerts.rule_words import dimension_name, length_words
from i18n import translate
from queries.dimensions import DIMENSIONS
from queries.order_fields import NUMBER_OPS, ORDER_FIELDS, OrderTest, Pick, TestOp
from queries.value_name import value_name

OP_WORDS: Final[dict[TestOp, str]] = {
    ">": "above", ">=": "at_least", "<": "below", "<=": "at_most", "in": "in", "not_in": "not_in",
}  # fmt: skip

LENGTH_WORDS: Final[dict[TestOp, str]] = {">": "longer", "<": "shorter"}


def field_name(language: str, name: str) -> str:
    """What a field of an order is called; its dimension's name where it is one."""
    return dimension_name(language, name) if name in DIMENSIONS else translate(language, f"order_rule.field.{name}")


def field_value(language: str, name: str, value: str) -> str:
    """What a code of a field is called."""
    return value_name(language, name, value) if name in DIMENSIONS else translate(language, f"order_rule.{value}")


def test_words(language: str, test: OrderTest) -> str:
    """One condition: `amount above 5,000`, `province is Tibet or Xinjiang`."""
    if test.op not in NUMBER_OPS:
        values = translate(language, "order_rule.or").join(field_value(language, test.field, value) for value in test.values)
    elif ORDER_FIELDS[test.field].kind == "seconds":
        values = length_words(language, timedelta(seconds=test.value))
    else:
        values = f"{test.value:,.12g}"
    name = field_name(language, test.field)
    word = LENGTH_WORDS.get(test.op, OP_WORDS[test.op]) if ORDER_FIELDS[test.field].kind == "seconds" else OP_WORDS[test.op]
    return translate(language, f"order_rule.test.{word}", field=name[:1].lower() + name[1:], value=values)


def pick_words(language: str, pick: Pick) -> str:
    """Which orders are meant: the conditions with their word between."""
    return translate(language, f"order_rule.joined.{pick.join}").join(test_words(language, test) for test in pick.tests)


def part_sentences(part: OrderPart, language: str, receivers: tuple[str, ...]) -> list[str]:
    """What the rule looks at and what it does, sentence by sentence."""
    found = [translate(language, "order_rule.looks", orders=pick_words(language, part.pick))]
    if part.severity:
        found.append(translate(language, f"order_rule.shows.{part.severity}"))
    if part.confirmations:
        found.append(translate(language, f"order_rule.review.{part.confirmations}"))
    if receivers:
        found.append(translate(language, "order_rule.tells", names=translate(language, "rule_words.comma").join(receivers)))
    return found
