"""The colours that live rules about single orders give the rows of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from access.view import View
from alerts.conditions import Level
from alerts.order_live import live_order_rules
from components.order_table import OrderRow
from i18n import translate
from pages.alert_rows import reader_of
from queries.listing import MOST_AMONG
from queries.order_match import Asked, build_matches

Key = tuple[str, str]
SIZES: Final = (25, 100, MOST_AMONG)
"""Pages are filled up to one of these many orders, so that few texts of statements are made."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The gravest colour of an order, and the rules that give it one, gravest first."""

    level: Level
    titles: tuple[str, ...]


def marks_of(view: View, rows: Sequence[Mapping[str, Any]]) -> dict[Key, Mark]:
    """The marks of the orders in these rows, as the rules that are live now see them at the view's instant."""
    keys = list(dict.fromkeys((row["channel"], row["order_id"]) for row in rows))[:MOST_AMONG]
    if view.store is None or not keys:
        return {}
    rules = [one for one in live_order_rules(view.store, reader_of(view)) if one.rule.order and one.rule.order.severity]
    rules = [one for one in rules if not one.rule.has_ended(view.as_of, view.zone)]
    rules.sort(key=lambda one: one.rule.levels != ("critical",))
    asked = [Asked(pick=one.rule.order.pick, scope=one.scope) for one in rules if one.rule.order]
    if not asked:
        return {}
    size = next(size for size in SIZES if size >= len(keys))
    among = keys + keys[-1:] * (size - len(keys))
    found = view.ask_recent(
        lambda moment, horizon: build_matches(asked, replace(moment, horizon=horizon), among=among)
    ).to_dicts()
    marks = {}
    for row in found:
        met = [one.rule for place, one in enumerate(rules) if row[f"match_{place}"]]
        titles = tuple(rule.title_in(view.language) for rule in met)
        marks[(row["channel"], row["order_id"])] = Mark(level=met[0].levels[0], titles=titles)
    return marks


def with_mark(view: View, row: OrderRow, marks: Mapping[Key, Mark]) -> OrderRow:
    """The row with its colour; the order's own cell names the rules."""
    channel, order_id = row.key.split("/", 1)[0], row.order_id
    mark = marks.get((channel, order_id))
    if mark is None:
        return row
    tone: Literal["critical", "warning"] = mark.level
    names = translate(view.language, "rule_words.comma").join(mark.titles)
    cells = tuple(
        replace(cell, tone=tone, state_word=names, tip="\n".join(mark.titles)) if cell.text == order_id else cell
        for cell in row.cells
    )
    return replace(row, mark=tone, cells=cells)
