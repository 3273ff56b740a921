"""The form of a rule about single orders: conditions on fields of an order, and what becomes of those that meet them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from access.view import View
from alerts.conditions import LEVELS
from alerts.order_part import MOST_CONFIRMATIONS
from alerts.order_words import OP_WORDS, field_name, field_value
from components.rules import Button, Field, Section
from components.topbar import Option
from i18n import translate
from pages.order_rule_values import count_of, field_of, op_of
from pages.rule_form import name_fields, tell_fields, value_options, values_hint
from pages.rule_values import Values
from queries.dimensions import DIMENSIONS
from queries.order_fields import MOST_TESTS, NUMBER_OPS, ORDER_FIELDS, PICK_JOINS

MONEY: Final = ("amount", "freight_cost")


def order_sections(view: View, values: Values, *, is_personal: bool) -> tuple[Section, ...]:
    """The whole form for a draft."""
    language = view.language

    def word(key: str) -> str:
        return translate(language, f"order_rule.{key}")

    return (
        Section(code="what", title=translate(language, "rules.section.what"), fields=(*name_fields(view, values), _kind())),
        Section(
            code="orders",
            title=word("section.orders"),
            hint=word("hint.orders"),
            fields=tuple(_tests(view, values)),
            buttons=tuple(_test_buttons(view, values)),
        ),
        Section(code="then", title=word("section.then"), fields=tuple(_then(view, values))),
        Section(
            code="tell",
            title=translate(language, "rules.section.tell"),
            hint=translate(language, "rules.hint.personal") if is_personal else word("hint.tell"),
            fields=tuple(field for field in tell_fields(view, values, is_personal=is_personal) if field.code != "repeat"),
        ),
    )


def _kind() -> Field:
    return Field(code="kind", name="", kind="hidden", value="order")


def _tests(view: View, values: Values) -> Iterable[Field]:
    language, number = view.language, count_of(values)
    joins = tuple(Option(code=join, name=translate(language, f"order_rule.join.{join}")) for join in PICK_JOINS)
    yield Field(code="conditions", name="", kind="hidden", value=str(number))
    yield Field(
        code="match", name=translate(language, "order_rule.match"), kind="choice", value=values.get("match", "all"), options=joins,
        is_wide=True,
    )  # fmt: skip
    fields = tuple(Option(code=name, name=field_name(language, name)) for name in ORDER_FIELDS)
    for place in range(number):
        name, op = field_of(values, place), op_of(values, place)
        heading = translate(language, "order_rule.condition", n=place + 1)
        yield Field(code=f"o{place}.field", name=heading, kind="choice", value=name, options=fields)
        ops = tuple(
            Option(code=one, name=translate(language, f"order_rule.op.{OP_WORDS[one]}")) for one in ORDER_FIELDS[name].ops
        )
        yield Field(code=f"o{place}.op", name=translate(language, "order_rule.compare"), kind="choice", value=op, options=ops)
        yield _number(view, values, place) if op in NUMBER_OPS else _codes(view, values, place)


def _number(view: View, values: Values, place: int) -> Field:
    name = field_of(values, place)
    kind = ORDER_FIELDS[name].kind
    return Field(
        code=f"o{place}.value",
        name=translate(view.language, "order_rule.value"),
        kind="number",
        value=values.get(f"o{place}.value", ""),
        suffix=translate(view.language, "rules.unit.hours") if kind == "seconds" else "",
        hint=translate(view.language, "order_rule.hint.money") if name in MONEY else "",
    )


def _codes(view: View, values: Values, place: int) -> Field:
    name, chosen = field_of(values, place), values.get(f"o{place}.values", "")
    if name in DIMENSIONS:
        options = value_options(view, {}, name, chosen)
    else:
        options = tuple(Option(code=code, name=field_value(view.language, name, code)) for code in ORDER_FIELDS[name].codes)
    return Field(
        code=f"o{place}.values", name=translate(view.language, "order_rule.values"), kind="many", value=chosen, options=options,
        place=translate(view.language, "rules.place.choose"), is_wide=len(chosen.split(",")) > 2,
        hint=values_hint(view, options),
    )  # fmt: skip


def _test_buttons(view: View, values: Values) -> Iterable[Button]:
    number = count_of(values)
    if number < MOST_TESTS:
        yield Button(action="add", name=translate(view.language, "rules.button.add_condition"), value=str(number))
    if number > 1:
        yield Button(action="remove", name=translate(view.language, "order_rule.remove"), value=str(number - 1))


def _then(view: View, values: Values) -> Iterable[Field]:
    language = view.language
    nothing = Option(code="", name=translate(language, "order_rule.colour.none"))
    colours = (nothing, *(Option(code=level, name=translate(language, f"order_rule.colour.{level}")) for level in LEVELS))
    yield Field(
        code="severity",
        name=translate(language, "order_rule.severity"),
        kind="choice",
        value=values.get("severity", ""),
        options=colours,
    )
    people = tuple(
        Option(code=str(number), name=translate(language, f"order_rule.people.{number}"))
        for number in range(MOST_CONFIRMATIONS + 1)
    )
    yield Field(
        code="confirmations", name=translate(language, "order_rule.confirmations"), kind="choice",
        value=values.get("confirmations", "0"), options=people, hint=translate(language, "order_rule.hint.review"),
    )  # fmt: skip
