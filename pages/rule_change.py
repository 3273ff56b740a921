"""What changed between two versions of a rule, in the reader's words: limits in their unit, codes by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from access.view import View
from alerts.differences import differences
from alerts.order_words import OP_WORDS, field_name
from alerts.parse import LENGTH_KEYS
from alerts.parse_condition import LEVEL_KEYS
from alerts.rule import Rule
from alerts.sentence import group_name, threshold_words
from alerts.values import write_length
from i18n import translate
from pages.rule_form import length_name
from pages.telling import Telling
from pages.wording import name_of
from queries.dimensions import DIMENSIONS
from queries.order_fields import ORDER_FIELDS, TestOp

Change = tuple[str, str, str]
CHOICES: Final = {
    "no_data": "rules.no_data",
    "join": "rules.join",
    "with": "rules.compare",
    "by": "rules.choice",
    "period": "rules.choice",
    "schedule.kind": "rules.schedule",
    "match": "order_rule.join",
    "severity": "order_rule.colour",
    "confirmations": "order_rule.people",
}
"""Parts whose value is one of a few words, and where these words are."""

PLAIN_DEFAULTS: Final = ("no_data", "missing_evals", "min_samples", "max_instances")


def read_changes(view: View, before: Rule | None, after: Rule) -> tuple[Change, ...]:
    """(part, before, after) of every part that differs."""
    return tuple(
        (
            _part(view.language, one.part, after if one.after else before or after),
            _value(view, one.part, one.before, before) if before else "",
            _value(view, one.part, one.after, after),
        )
        for one in differences(before, after)
    )


def _part(language: str, part: str, rule: Rule) -> str:
    """What a part of a rule is called: its field's name, then what it lies in."""
    first, *rest = part.split(".")
    return " · ".join([_field(language, first), *(_field(language, word, _place(language, first, word, rule)) for word in rest)])


def _place(language: str, first: str, word: str, rule: Rule) -> str:
    if first == "filters":
        return translate(language, f"dimensions.{word}.name")
    return group_name(rule, language, word) if first == "thresholds" else word


def _field(language: str, word: str, other: str = "") -> str:
    key = f"rules.field.{word}"
    found = translate(language, key)
    return (other or word) if found == key else found


def _value(view: View, part: str, text: str, rule: Rule) -> str:
    language, keys = view.language, part.split(".")
    last = keys[-1]
    text = text or _default(part, rule)
    if not text:
        return ""
    if last in LEVEL_KEYS:
        return _limit(view, keys, float(text), rule)
    if keys[0] == "filters":
        return _named(language, last, text)
    if rule.order is not None and keys[0] == "conditions":
        return _order_value(language, keys, text, rule)
    if last == "op":
        return translate(language, f"rules.op.{OP_WORDS[cast(TestOp, text)]}")
    if last == "metric":
        return translate(language, f"metrics.{text}.name")
    if last in ("group_by", "expected_groups"):
        words = (_dimension(language, rule, word) for word in text.split(", "))
        return translate(language, "rule_words.comma").join(words)
    if last in LENGTH_KEYS:
        return length_name(language, text)
    choice = CHOICES.get(part) or CHOICES.get(last)
    return _chosen(language, choice, text) if choice else text


def _default(part: str, rule: Rule) -> str:
    """What a part is that a version leaves out; empty where it is then not there at all."""
    if rule.order is not None:
        return ""
    if part in LENGTH_KEYS:
        return write_length(getattr(rule, LENGTH_KEYS[part]))
    return str(getattr(rule, part)) if part in PLAIN_DEFAULTS else ""


def _chosen(language: str, place: str, text: str) -> str:
    found = translate(language, f"{place}.{text}")
    return text if found == f"{place}.{text}" else found


def _dimension(language: str, rule: Rule, word: str) -> str:
    return translate(language, f"dimensions.{word}.name") if word in DIMENSIONS else group_name(rule, language, word)


def _limit(view: View, keys: Sequence[str], value: float, rule: Rule) -> str:
    place = int(keys[1]) - 1 if keys[0] == "conditions" else 0
    if place >= len(rule.conditions):
        return f"{value:g}"
    return threshold_words(rule.conditions[place], value, view.language, Telling(zone=view.zone))


def _named(language: str, dimension: str, text: str) -> str:
    return translate(language, "rule_words.comma").join(name_of(language, dimension, code) for code in text.split(", "))


def _order_value(language: str, keys: Sequence[str], text: str, rule: Rule) -> str:
    assert rule.order is not None
    place, last = int(keys[1]) - 1, keys[-1]
    field = rule.order.pick.tests[place].field if place < len(rule.order.pick.tests) else ""
    if last == "field":
        return field_name(language, text)
    if last == "op":
        return translate(language, f"order_rule.op.{OP_WORDS[cast(TestOp, text)]}")
    if last == "values" and field in DIMENSIONS:
        return _named(language, field, text)
    return length_name(language, text) if field in ORDER_FIELDS and ORDER_FIELDS[field].kind == "seconds" else text
