"""An order's basic layer in words: content, promise, places; its events; its returns and complaints."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final

from access.order_twin import Row, Twin
from access.view import View
from components.format import count, dash, duration, exact_instant, money
from components.twin import Fact, FactGroup, Table
from i18n import label, translate
from pages.orders_table import column_name
from queries.listing_columns import LISTING_COLUMNS
from queries.twin import MILESTONE_NAMES
from queries.value_name import column_value_name

GROUPS: Final = {
    "content": ("category", "line_count", "quantity", "amount", "freight_cost", "customer_tier", "priority", "source_order_ids"),
    "places": ("business_type", "country", "region", "province", "city", "warehouse", "wave", "carrier"),
    "promise": ("promised_ship_at", "promised_at", "late_by_seconds", "exception", "failed_attempt_count"),
}
EVENT_HEADS: Final = ("at", "system", "step", "milestone", "actor", "place", "latency", "mark")
RETURN_COLUMNS: Final = ("return_id", "kind", "requested_at", "received_at", "closed_at")
COMPLAINT_COLUMNS: Final = ("complaint_id", "kind", "created_at", "closed_at")


def groups_of(view: View, twin: Twin) -> tuple[FactGroup, ...]:
    """Content, places, promise, and every milestone reached, to the millisecond."""
    groups = [
        FactGroup(
            title=translate(view.language, f"twin.group.{name}"),
            facts=tuple(_fact(view, twin.order, column) for column in columns),
        )
        for name, columns in GROUPS.items()
    ]
    reached = tuple(_milestone(view, twin.order, name) for name in MILESTONE_NAMES if twin.order[f"{name}_at"] is not None)
    return (*groups, FactGroup(title=translate(view.language, "twin.group.milestones"), facts=reached))


def _fact(view: View, order: Row, column: str) -> Fact:
    return Fact(name=column_name(view.language, column), text=value_text(view, column, _value(order, column), order))


def _value(order: Row, column: str) -> Any:  # noqa: ANN401 - any column of an order
    expression = LISTING_COLUMNS[column].expression if column in LISTING_COLUMNS else f"{column}_code"
    return order[column] if column in order else order[expression if expression in order else f"{column}_code"]


def value_text(view: View, column: str, value: Any, order: Row) -> str:  # noqa: ANN401 - any column of an order
    """One value of an order in the reader's words, instants to the millisecond."""
    language = view.language
    if value is None:
        return dash(language)
    if isinstance(value, datetime):
        return exact_instant(value, view.zone)
    if column in ("amount", "freight_cost"):
        return money(language, float(value), order.get("currency"))
    if column.endswith("_seconds"):
        return duration(language, value)
    if isinstance(value, int | float):
        return count(language, value) if value == int(value) else f"{value:,.2f}"
    entry = LISTING_COLUMNS.get(column)
    coded = {"country": "country_code", "exception": "exception_code"}
    return column_value_name(language, coded.get(column, entry.expression if entry else column), str(value))


def _milestone(view: View, order: Row, name: str) -> Fact:
    language, marks = view.language, []
    if order[f"{name}_inferred"]:
        marks.append(translate(language, "twin.inferred"))
    elif order[f"{name}_measured_at"] is None:
        marks.append(translate(language, "twin.impossible"))
    text = exact_instant(order[f"{name}_at"], view.zone)
    tip = translate(language, "twin.inferred_tip") if order[f"{name}_inferred"] else ""
    return Fact(name=label(language, "status", name), text=text, mark=" ".join(marks), tip=tip)


def events_of(view: View, twin: Twin) -> Table:
    """Every event with system, actor, place and latency; what came again is marked."""
    language = view.language
    times: Counter[str] = Counter(event["step"] or event["milestone"] or "" for event in twin.events)
    seen: Counter[str] = Counter()
    rows = []
    for event in twin.events:
        step = event["step"] or event["milestone"] or ""
        seen[step] += 1
        mark = translate(language, "twin.events.again", n=seen[step], of=times[step]) if times[step] > 1 else ""
        rows.append(_event(view, event, mark))
    return Table(
        title=translate(language, "twin.events.title"),
        scope=translate(language, "twin.events.scope", n=count(language, len(rows))),
        heads=tuple(translate(language, f"twin.events.{name}") for name in EVENT_HEADS),
        rows=tuple(rows),
        empty=translate(language, "twin.events.empty"),
    )


def _event(view: View, event: Row, mark: str) -> tuple[str, ...]:
    language, none = view.language, dash(view.language)
    milestone = label(language, "status", event["milestone"]) if event["milestone"] else none
    plain = [event[name] or none for name in ("system", "step")]
    return (
        exact_instant(event["occurred_at"], view.zone),
        *plain,
        milestone,
        event["actor"] or none,
        event["place"] or none,
        duration(language, event["latency_seconds"], short=True),
        mark,
    )


def attached_of(view: View, twin: Twin) -> tuple[Table, ...]:
    """The returns and the complaints of the order, each only where there are some."""
    found = []
    for name, rows, columns in (
        ("returns", twin.returns, RETURN_COLUMNS),
        ("complaints", twin.complaints, COMPLAINT_COLUMNS),
    ):
        if rows:
            found.append(_attached(view, name, rows, columns))
    return tuple(found)


def _attached(view: View, name: str, rows: tuple[Row, ...], columns: tuple[str, ...]) -> Table:
    language, kind = view.language, f"{name.removesuffix('s')}_kind"
    return Table(
        title=translate(language, f"twin.{name}"),
        scope=count(language, len(rows)),
        heads=tuple(translate(language, f"twin.attached.{column}") for column in columns),
        rows=tuple(
            tuple(
                label(language, kind, row[column]) if column == "kind" else value_text(view, column, row[column], row)
                for column in columns
            )
            for row in rows
        ),
        empty="",
    )
