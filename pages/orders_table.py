"""A page of a list of orders as the table shows it: heads, rows in the reader's words, pages, exports."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, Final

from access.view import View
from alerts.order_words import pick_words
from components.format import count, dash, duration, full_instant, money, when
from components.order_table import Cell, Choice, ColumnChoice, Head, OrderRow, Step
from i18n import label, translate
from pages.links import instant_text, link
from pages.orders_question import cursor_text
from pages.wording import name_of, state_name, window_name
from queries.listing import Listing, cursor_at
from queries.listing_columns import LISTING_COLUMNS, OWN_COLUMNS, ListingColumn, columns_of

Row = dict[str, Any]

FIGURES: Final = ("count", "number", "money", "seconds")
CODES_OF: Final = {"passage_stage": "stage", "return_kind": "return_kind", "complaint_kind": "complaint_kind"}


def title_of(view: View, listing: Listing) -> str:
    """What is listed: the figure and which part of it, or which orders."""
    if listing.among is not None:
        return translate(view.language, "listing.title.phone")
    if listing.matching is not None:
        return translate(view.language, "listing.title.matching", orders=pick_words(view.language, listing.matching))
    if listing.metric is None:
        return translate(view.language, f"listing.title.{listing.population}")
    name = translate(view.language, f"metrics.{listing.metric}.name")
    return translate(view.language, f"listing.title.{listing.part}", metric=name)


def span_of(view: View, listing: Listing) -> str:
    """The time the list is of: the window in words, or as-of where its rows are taken at an instant."""
    if listing.anchor.is_stock:
        return translate(view.language, "heatmaps.at_as_of")
    return window_name(view.language, view.address.window, view.zone)


def heads_of(view: View, listing: Listing) -> tuple[Head, ...]:
    """The heads of the list's columns; a click sorts, the larger or later first."""
    return tuple(_head(view, LISTING_COLUMNS[name], listing.sorted_by) for name in listing.columns)


def _head(view: View, column: ListingColumn, sorted_by: str) -> Head:
    order = "descending" if sorted_by == f"-{column.name}" else "ascending" if sorted_by == column.name else "none"
    descends_first = column.kind not in ("text", "code")
    turned = column.name if order == "descending" else f"-{column.name}"
    sort = turned if order != "none" else f"-{column.name}" if descends_first else column.name
    return Head(
        name=column.name,
        label=column_name(view.language, column.name),
        sort={"sort": sort, "after": "", "before": ""},
        order=order,  # type: ignore[arg-type]  # one of the three literals above
        is_figure=column.kind in FIGURES,
    )


def column_name(language: str, name: str) -> str:
    """A column's name; that of its dimension or milestone where it is one."""
    key = f"listing.column.{name}"
    text = translate(language, key)
    if text != key:
        return text
    if name.endswith("_at"):
        return label(language, "status", name.removesuffix("_at"))
    return translate(language, f"dimensions.{CODES_OF.get(name, name)}.name")


def rows_of(view: View, listing: Listing, rows: list[Row]) -> tuple[OrderRow, ...]:
    """The rows in the reader's words; an order later than its limit is tinted."""
    limit = view.targets.at(view.as_of, view.zone).delayed_seconds
    return tuple(_row(view, listing, row, limit) for row in rows)


def _row(view: View, listing: Listing, row: Row, limit: float) -> OrderRow:
    late = row.get("late_by_seconds")
    return OrderRow(
        key="/".join(str(row[name]) for name in listing.key),
        order_id=row["order_id"],
        href=twin_link(view, row["channel"], row["order_id"], row.get("created_at")),
        cells=tuple(_cell(view, LISTING_COLUMNS[name], row, limit) for name in listing.columns),
        is_late=late is not None and late > limit,
    )


def twin_link(view: View, channel: str, order_id: str, created_at: datetime | None = None) -> str:
    """The address of the one order, seen from the same instant; with `created_at` it is found sooner."""
    others: dict[str, None] = {filter_.dimension: None for filter_ in view.address.filters}
    created = instant_text(created_at) if created_at else None
    return link(view, "/order", **{**others, "window": None, "channel": channel, "order_id": order_id, "created": created})


def _cell(view: View, column: ListingColumn, row: Row, limit: float) -> Cell:
    value = row[column.name]
    if column.name == "late_by_seconds" and value is not None and value > 0:
        state = "critical" if value > limit else "warning"
        word = state_name(view.language, state)  # type: ignore[arg-type]
        return Cell(text=duration(view.language, value, short=True), tone=state, state_word=word)  # type: ignore[arg-type]
    tip = full_instant(value, view.zone) if isinstance(value, datetime) else ""
    tone = "warning" if column.name == "exception" and value else "neutral"
    word = translate(view.language, "wall.warning") if tone == "warning" else ""
    return Cell(text=shown(view, column, row), tone=tone, state_word=word, tip=tip)  # type: ignore[arg-type]


def shown(view: View, column: ListingColumn, row: Row) -> str:
    """One value in the reader's words."""
    value, language = row[column.name], view.language
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return dash(language)
    if column.kind == "instant":
        return when(language, value, view.as_of, view.zone)
    if column.kind == "seconds":
        return duration(language, value, short=True)
    if column.kind == "money":
        return money(language, value, row.get("currency"))
    if column.kind in ("count", "number"):
        return count(language, value) if value == int(value) else f"{value:,.2f}"
    if column.kind == "code":
        return name_of(language, CODES_OF.get(column.name, column.dimension or column.name), value)
    return str(value)


def pages_of(view: View, listing: Listing, rows: list[Row], *, is_last: bool) -> tuple[Step, ...]:
    """First, previous, next; the next pages stay with this page's snapshot, so nothing shifts between them."""
    words = {name: translate(view.language, f"listing.{name}") for name in ("first", "previous", "next", "live")}
    pinned: Choice = {"as_of": instant_text(view.as_of), "snapshot": str(view.snapshot)}
    is_first = listing.after is None and listing.before is None
    previous = None if is_first or not rows else pinned | {"before": cursor_text(cursor_at(listing, rows[0])), "after": ""}
    following = None if is_last or not rows else pinned | {"after": cursor_text(cursor_at(listing, rows[-1])), "before": ""}
    steps = (
        Step(name=words["first"], choice=None if is_first else {"after": "", "before": ""}),
        Step(name=words["previous"], choice=previous),
        Step(name=words["next"], choice=following),
    )
    live = Step(name=words["live"], choice={"as_of": "", "snapshot": "", "after": "", "before": ""})
    return (live, *steps) if view.address.as_of is not None else steps


def column_choices(view: View, listing: Listing) -> tuple[ColumnChoice, ...]:
    """Every column that can be shown or left out; an order's own number always stays."""
    rows = listing.anchor.rows
    fixed = ("order_id", *OWN_COLUMNS[rows])
    return tuple(
        ColumnChoice(code=name, name=column_name(view.language, name), is_on=name in listing.columns)
        for name in columns_of(rows)
        if name not in fixed
    )
