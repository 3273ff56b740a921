"""The form of a rule: its inputs follow from the dataclasses of conditions; what can be chosen follows from what there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Final, get_args, get_type_hints

from access.view import View
from alerts.conditions import COMPARISONS, OPS, Constant
from alerts.outbox import list_receivers
from alerts.parse_condition import LEVEL_KEYS, MOST_CONDITIONS
from alerts.rule import JOINS, NO_DATA, SCHEDULES
from components.rules import Button, Field, Section
from components.topbar import Option
from i18n import translate
from pages.rule_values import FILTERS, Values, unit_of
from pages.wording import codes_in_order, name_of
from queries.dimensions import DIMENSIONS
from queries.metrics import GROUPS, METRICS
from queries.query import Query, QueryError, Window

LENGTHS: Final[Mapping[str, tuple[str, ...]]] = {
    "window": ("1h", "2h", "6h", "12h", "1d", "3d", "1w"),
    "every": ("5m", "15m", "30m", "1h", "6h", "1d"),
    "for": ("0s", "15m", "30m", "1h", "2h", "6h", "1d"),
    "keep_firing": ("0s", "15m", "30m", "1h", "2h"),
    "delay": ("0s", "15m", "1h", "1d"),
    "repeat": ("1h", "4h", "12h", "1d"),
}
"""What a form offers; a rule's own other length is offered too."""
MONTH: Final = timedelta(days=30)
MOST: Final = 400
NOT_GROUPED: Final = ("order", "hour", "weekday", "currency")
"""Dimensions that make no place to look after."""


def read_sections(view: View, values: Values, *, is_personal: bool) -> tuple[Section, ...]:
    """The whole form for a draft."""
    return (
        Section(code="what", title=_word(view, "section.what"), fields=tuple(name_fields(view, values))),
        *_conditions(view, values),
        Section(
            code="where", title=_word(view, "section.where"), hint=_word(view, "hint.where"), fields=tuple(_where(view, values))
        ),
        Section(code="when", title=_word(view, "section.when"), fields=tuple(_when(view, values))),
        Section(code="data", title=_word(view, "section.data"), fields=tuple(_data(view, values)), is_open=False),
        Section(
            code="tell",
            title=_word(view, "section.tell"),
            hint=_word(view, "hint.personal") if is_personal else "",
            fields=tuple(tell_fields(view, values, is_personal=is_personal)),
        ),
    )


def _word(view: View, key: str) -> str:
    return translate(view.language, f"rules.{key}")


def _field(view: View, code: str, name: str = "") -> str:
    return translate(view.language, f"rules.field.{name or code}")


def name_fields(view: View, values: Values) -> Iterable[Field]:
    """What the rule is called, the reader's language first."""
    first, second = ("zh", "en") if view.language == "zh-CN" else ("en", "zh")
    for key in (first, second):
        yield Field(code=f"title_{key}", name=_field(view, f"title_{key}"), value=values.get(f"title_{key}", ""))
    yield Field(code="name", name="", kind="hidden", value=values.get("name", ""))
    yield Field(code="template", name="", kind="hidden", value=values.get("template", ""))


def _conditions(view: View, values: Values) -> Iterable[Section]:
    count = int(values.get("conditions") or 1)
    for place in range(count):
        buttons = []
        if place == count - 1 and count < MOST_CONDITIONS:
            buttons.append(Button(action="add", name=_word(view, "button.add_condition"), value=str(count)))
        if place:
            buttons.append(Button(action="remove", name=_word(view, "button.remove_condition"), value=str(place)))
        title = _word(view, "section.condition") if count == 1 else f"{_word(view, 'section.condition')} {place + 1}"
        found = list(_condition(view, values, place))
        if place == 0:
            found.append(Field(code="conditions", name="", kind="hidden", value=str(count)))
        if place == 1:
            options = tuple(Option(code=join, name=_word(view, f"join.{join}")) for join in JOINS)
            found.insert(
                0, Field(code="join", name=_field(view, "join"), kind="choice", value=values.get("join", "and"), options=options)
            )
        yield Section(code=f"condition {place}", title=title, fields=tuple(found), buttons=tuple(buttons))


def _condition(view: View, values: Values, place: int) -> Iterable[Field]:
    prefix = f"c{place}."
    metric = values.get(f"{prefix}metric") or next(iter(METRICS))
    kind = values.get(f"{prefix}compare") or Constant.name
    yield Field(
        code=f"{prefix}metric", name=_field(view, "metric"), kind="choice", value=metric, options=_metrics(view),
        hint=translate(view.language, f"metrics.{metric}.description"), is_wide=True,
    )  # fmt: skip
    comparisons = tuple(Option(code=name, name=_word(view, f"compare.{name}")) for name in COMPARISONS)
    yield Field(code=f"{prefix}compare", name=_field(view, "compare"), kind="choice", value=kind, options=comparisons)
    yield from _comparison(view, values, prefix, kind)
    ops = tuple(
        Option(code=op, name=_word(view, f"op.{name}"))
        for op, name in zip(OPS, ("above", "at_least", "below", "at_most"), strict=True)
    )
    yield Field(code=f"{prefix}op", name=_field(view, "op"), kind="choice", value=values.get(f"{prefix}op", ">"), options=ops)
    _, unit = unit_of(metric, kind, values.get(f"{prefix}{kind}.by", "percent"))
    for key in LEVEL_KEYS:
        yield Field(
            code=f"{prefix}{key}", name=_field(view, key), kind="number", value=values.get(f"{prefix}{key}", ""),
            suffix=_word(view, f"unit.{unit}") if unit != "none" else "",
        )  # fmt: skip


def _comparison(view: View, values: Values, prefix: str, kind: str) -> Iterable[Field]:
    """One input per field of the comparison's dataclass: a choice for its words, a number for its numbers."""
    entry = COMPARISONS.get(kind, Constant)
    types = get_type_hints(entry)
    for field in fields(entry):
        code, name = f"{prefix}{kind}.{field.name}", _field(view, field.name, f"{kind}.{field.name}")
        value = values.get(code) or str(field.default)
        if types[field.name] is int:
            yield Field(code=code, name=name, kind="number", value=value)
        else:
            options = tuple(Option(code=word, name=_word(view, f"choice.{word}")) for word in get_args(types[field.name]))
            yield Field(code=code, name=name, kind="choice", value=value, options=options)


def _metrics(view: View) -> tuple[Option, ...]:
    return tuple(
        Option(code=metric.name, name=translate(view.language, f"metrics.{metric.name}.name"))
        for metrics in GROUPS.values()
        for metric in metrics
    )


def dimensions_for(values: Values) -> list[str]:
    """The dimensions that all the draft's metrics have."""
    count = int(values.get("conditions") or 1)
    metrics = [METRICS[name] for place in range(count) if (name := values.get(f"c{place}.metric", "")) in METRICS]
    return [
        name
        for name, entry in DIMENSIONS.items()
        if name not in NOT_GROUPED and all(metric.anchor.rows in entry.rows for metric in metrics)
    ]


def _where(view: View, values: Values) -> Iterable[Field]:
    language, known = view.language, dimensions_for(values)
    options = tuple(Option(code=name, name=translate(language, f"dimensions.{name}.name")) for name in known)
    yield Field(
        code="group_by", name=_field(view, "group_by"), kind="many", value=values.get("group_by", ""), options=options,
        place=_word(view, "place.all_together"), is_wide=True,
    )  # fmt: skip
    for place in range(FILTERS):
        dimension = values.get(f"filter.{place}", "")
        if not dimension and place and not values.get(f"filter.{place - 1}", ""):
            break
        nothing = Option(code="", name=_word(view, "place.no_filter"))
        yield Field(
            code=f"filter.{place}", name=_field(view, "filter"), kind="choice", value=dimension, options=(nothing, *options)
        )
        if dimension in DIMENSIONS:
            chosen = values.get(f"filter_values.{place}", "")
            values_there = value_options(view, values, dimension, chosen)
            yield Field(
                code=f"filter_values.{place}", name=_field(view, "filter_values"), kind="many",
                value=",".join(part.strip() for part in chosen.split(",")), options=values_there,
                place=_word(view, "place.choose"), hint=values_hint(view, values_there),
            )  # fmt: skip


def value_options(view: View, values: Values, dimension: str, chosen: str) -> tuple[Option, ...]:
    """A dimension's values: those already chosen, and within the user's scope the `MOST` with most orders in the last month."""
    found: set[str] = {part.strip() for part in chosen.split(",") if part.strip()}
    codes = [str(code) for code in DIMENSIONS[dimension].codes]
    if codes:
        found |= set(codes)
    else:
        counted = _counted(values.get("c0.metric", "order_count"))
        window = Window(start=view.as_of - MONTH, end=view.as_of)
        try:
            rows = view.run(Query(metrics=(counted,), by=(dimension,), window=window)).to_dicts()
        except QueryError:
            rows = []
        frequent = sorted((row for row in rows if row[dimension] is not None), key=lambda row: -(row[counted] or 0))
        found |= {str(row[dimension]) for row in frequent[:MOST]}
    return tuple(
        Option(code=code, name=name_of(view.language, dimension, code)) for code in codes_in_order(dimension, list(found))
    )


def values_hint(view: View, options: Sequence[Option]) -> str:
    """That there are more values than the list has; empty where it has them all."""
    return translate(view.language, "rules.hint.values", n=MOST) if len(options) >= MOST else ""


def _counted(metric: str) -> str:
    rows = METRICS[metric].anchor.rows if metric in METRICS else "orders"
    return {"returns": "return_count", "complaints": "complaint_count"}.get(rows, "order_count")


def _when(view: View, values: Values) -> Iterable[Field]:
    yield _length(view, values, "window")
    yield _length(view, values, "every")
    timings = tuple(Option(code=code, name=_word(view, f"timing.{code}")) for code in ("hold", "points"))
    timing = values.get("timing") or "hold"
    yield Field(code="timing", name=_field(view, "timing"), kind="choice", value=timing, options=timings)
    if timing == "points":
        yield Field(code="m", name=_field(view, "m"), kind="number", value=values.get("m", "2"))
        yield Field(code="n", name=_field(view, "n"), kind="number", value=values.get("n", "3"))
    else:
        yield _length(view, values, "for")
    yield _length(view, values, "keep_firing")


def _length(view: View, values: Values, key: str) -> Field:
    own = values.get(key) or LENGTHS[key][0]
    codes = list(dict.fromkeys((*LENGTHS[key], own)))
    options = tuple(Option(code=code, name=length_name(view.language, code)) for code in codes)
    return Field(code=key, name=_field(view, key), kind="choice", value=own, options=options)


def length_name(language: str, code: str) -> str:
    """A length such as `30m` in words."""
    unit = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}.get(code[-1:])
    if code in ("0s", "0m"):
        return translate(language, "rules.place.none")
    if unit is None or not code[:-1].isdigit():
        return code
    if code == "1d":
        return translate(language, "rule_words.unit.hour", n=24)
    if unit == "week":
        return translate(language, "rule_words.unit.day", n=7 * int(code[:-1]))
    return translate(language, f"rule_words.unit.{unit}", n=code[:-1])


def _data(view: View, values: Values) -> Iterable[Field]:
    yield Field(code="min_samples", name=_field(view, "min_samples"), kind="number", value=values.get("min_samples", "0"))
    no_data = tuple(Option(code=code, name=_word(view, f"no_data.{code}")) for code in NO_DATA)
    yield Field(
        code="no_data", name=_field(view, "no_data"), kind="choice", value=values.get("no_data", "no_data"), options=no_data
    )
    expected = tuple(Option(code=code, name=_word(view, f"expected.{code}")) for code in ("none", "dimension", "list"))
    chosen = values.get("expected") or "none"
    yield Field(code="expected", name=_field(view, "expected"), kind="choice", value=chosen, options=expected)
    if chosen == "list":
        yield Field(
            code="expected_groups", name=_field(view, "expected_groups"), value=values.get("expected_groups", ""), is_wide=True
        )
    yield Field(code="missing_evals", name=_field(view, "missing_evals"), kind="number", value=values.get("missing_evals", "2"))
    yield Field(code="max_instances", name=_field(view, "max_instances"), kind="number", value=values.get("max_instances", "500"))
    yield _length(view, values, "delay")


def tell_fields(view: View, values: Values, *, is_personal: bool) -> Iterable[Field]:
    """Who is told, when, and with which words."""
    if not is_personal:
        options = tuple(Option(code=name, name=name) for name in receiver_names(view, values.get("receivers", "")))
        yield Field(
            code="receivers", name=_field(view, "receivers"), kind="many", value=values.get("receivers", ""), options=options,
            place=_word(view, "place.nobody"),
        )  # fmt: skip
    yield _length(view, values, "repeat")
    schedules = tuple(Option(code=code, name=_word(view, f"schedule.{code}")) for code in SCHEDULES)
    kind = values.get("schedule") or "always"
    yield Field(code="schedule", name=_field(view, "schedule"), kind="choice", value=kind, options=schedules)
    if kind == "business_hours":
        days = tuple(Option(code=str(day), name=translate(view.language, f"format.weekday.{day}")) for day in range(1, 8))
        yield Field(code="days", name=_field(view, "days"), kind="many", value=values.get("days", "1,2,3,4,5"), options=days)
        yield Field(code="start_hour", name=_field(view, "start_hour"), kind="number", value=values.get("start_hour", "9"))
        yield Field(code="end_hour", name=_field(view, "end_hour"), kind="number", value=values.get("end_hour", "18"))
    if kind == "campaign":
        yield Field(code="since", name=_field(view, "since"), kind="date", value=values.get("since", ""))
    yield Field(code="expires_on", name=_field(view, "expires_on"), kind="date", value=values.get("expires_on", ""))
    yield Field(code="owner", name=_field(view, "owner"), value=values.get("owner", ""))
    yield Field(code="runbook", name=_field(view, "runbook"), value=values.get("runbook", ""), place="https://")
    for key in ("zh", "en") if view.language == "zh-CN" else ("en", "zh"):
        yield Field(
            code=f"text_{key}", name=_field(view, f"text_{key}"), kind="long", value=values.get(f"text_{key}", ""),
            hint=_word(view, "hint.text"), is_wide=True,
        )  # fmt: skip


def receiver_names(view: View, chosen: str) -> Sequence[str]:
    """Every receiver in use and those already chosen."""
    known = list_receivers(view.store) if view.store is not None else {}
    return sorted({*known, *(name for name in chosen.split(",") if name)})
