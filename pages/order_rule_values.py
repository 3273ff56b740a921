"""Between a rule about single orders and the plain texts of its form: lengths in hours, one text per input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from alerts.order_part import KIND
from alerts.order_words import field_name
from alerts.rule import Rule, RuleError
from i18n import translate
from pages.rule_values import LANGUAGE_KEYS, PLAIN, Values, read, schedule_body, schedule_values, split_names
from queries.order_fields import MOST_TESTS, NUMBER_OPS, ORDER_FIELDS

NEW: Final[Mapping[str, str]] = {
    "kind": KIND, "match": "all", "conditions": "1", "o0.field": "late_by", "o0.op": ">", "o0.value": "2",
    "severity": "critical", "confirmations": "0", "schedule": "always",
}  # fmt: skip
"""A new form: orders more than two hours late show red."""


def is_order(values: Mapping[str, str]) -> bool:
    """Whether the form is about single orders."""
    return values.get("kind") == KIND


def factor_of(field: str) -> float:
    """What a value is multiplied by to be written in the form: lengths are hours there."""
    return 1 / 3600 if ORDER_FIELDS[field].kind == "seconds" else 1


def order_values(rule: Rule) -> Values:
    """Every input's text for a rule about single orders."""
    part = rule.order
    if part is None:
        return {}
    found: Values = {"kind": KIND, "name": rule.name, "match": part.pick.join, "conditions": str(len(part.pick.tests))}
    for language, key in LANGUAGE_KEYS.items():
        found[f"title_{key}"] = dict(rule.title).get(language, "")
        found[f"text_{key}"] = dict(rule.text).get(language, "")
    for place, test in enumerate(part.pick.tests):
        found |= {f"o{place}.field": test.field, f"o{place}.op": test.op}
        if test.op in NUMBER_OPS:
            found[f"o{place}.value"] = f"{test.value * factor_of(test.field):.10g}"
        else:
            found[f"o{place}.values"] = ",".join(test.values)
    found |= {"severity": part.severity or "", "confirmations": str(part.confirmations)}
    found |= {key: getattr(rule, key) for key in PLAIN} | {"receivers": ",".join(rule.receivers)}
    found["expires_on"] = rule.expires_on.isoformat() if rule.expires_on else ""
    return found | schedule_values(rule.schedule)


def order_body(values: Mapping[str, str], language: str) -> dict[str, Any]:
    """The rule's YAML that the form's texts say. Raises RuleError."""

    def text(name: str) -> str:
        return values.get(name, "").strip()

    body: dict[str, Any] = {"name": text("name"), "kind": KIND, "match": text("match") or "all"}
    for key in ("title", "text"):
        words = {code: text(f"{key}_{short}") for code, short in LANGUAGE_KEYS.items()}
        body[key] = {code: word for code, word in words.items() if word}
    body["conditions"] = [_test_body(values, place, language) for place in range(count_of(values))]
    body |= {"severity": text("severity"), "receivers": split_names(text("receivers"))}
    body["confirmations"] = int(text("confirmations")) if text("confirmations").isdecimal() else 0
    body |= {key: text(key) for key in PLAIN} | {"schedule": schedule_body(values, language), "expires_on": text("expires_on")}
    return {key: value for key, value in body.items() if value not in ("", [], {}, 0)}


def count_of(values: Mapping[str, str]) -> int:
    """How many conditions the form has."""
    text = values.get("conditions", "")
    return max(1, min(MOST_TESTS, int(text))) if text.isdecimal() else 1


def op_of(values: Mapping[str, str], place: int) -> str:
    """How a condition compares: as chosen, or as its field can be compared."""
    field = ORDER_FIELDS[field_of(values, place)]
    chosen = values.get(f"o{place}.op", "")
    return chosen if chosen in field.ops else field.ops[0]


def field_of(values: Mapping[str, str], place: int) -> str:
    """Which field a condition is about."""
    name = values.get(f"o{place}.field", "")
    return name if name in ORDER_FIELDS else "late_by"


def _test_body(values: Mapping[str, str], place: int, language: str) -> dict[str, Any]:
    name, op = field_of(values, place), op_of(values, place)
    if op not in NUMBER_OPS:
        chosen = split_names(values.get(f"o{place}.values", ""))
        if not chosen:
            raise RuleError(translate(language, "order_rule.error.no_values", field=field_name(language, name)))
        return {"field": name, "op": op, "values": chosen}
    number = read(values.get(f"o{place}.value", ""), factor_of(name), field_name(language, name), language)
    if number is None:
        raise RuleError(translate(language, "order_rule.error.no_value", field=field_name(language, name)))
    return {"field": name, "op": op, "value": number}
