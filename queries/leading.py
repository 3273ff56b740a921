"""How a list is sorted whose first rows are in memory, whatever its window, and beyond which value all such rows are there.

Of orders that were closed before what is kept as recent nothing changes with the instant they are seen from: what they are
sorted by is theirs for good. A list that ends before the bound of its figure needs no look at the lake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlglot import exp

from data.leading import Ranking
from data.order import MILESTONES
from data.recent import Horizon
from queries.columns import Sight, order_columns
from queries.fragment import DIALECT, parse
from queries.listing_columns import LISTING_COLUMNS

RANKED: Final = (
    "order_cycle_seconds",
    "late_by_seconds",
    "delay_cost",
    "amount",
    "freight_cost",
    "line_count",
    "quantity",
    "delivered_quantity",
)
"""Figures whose largest and smallest lie all over the lake."""

OF_OPEN_ORDERS: Final = ("stage", "waited_seconds", "age_seconds")
"""What only open orders have, and these are all recent."""

RECENT_INSTANTS: Final = (*(f"{name}_at" for name in MILESTONES), "promised_at", "promised_ship_at")
"""Whatever has one of these since then is recent."""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The condition on what a list is sorted by (`{}`, with `$bound`) under which every order is in memory."""

    condition: str
    value: float | datetime | None

    def is_beyond(self, value: object) -> bool:
        """Whether a row with this value, and all that come before it, meet the condition."""
        if value is None or isinstance(value, str):
            return self.value is None and value is not None
        if self.value is None:
            return True
        return bool(value > self.value if ">" in self.condition else value < self.value)  # type: ignore[operator]  # of one column


def kept_rankings() -> tuple[Ranking, ...]:
    """What the first of the older orders are kept by."""
    columns = order_columns(Sight(as_of="$since", is_settled=True))
    return tuple(Ranking(name=name, value=_over_order(LISTING_COLUMNS[name].expression, columns)) for name in RANKED)


def bound_of(order_by: str, held: Horizon) -> Bound | None:
    """Up to where a list in this order is in memory; None where that is not known of it."""
    name, descends = order_by.removeprefix("-"), order_by.startswith("-")
    if name in OF_OPEN_ORDERS:
        return Bound(condition="{} IS NOT NULL", value=None)
    if name in RECENT_INSTANTS and descends:
        return Bound(condition="{} > $bound", value=held.since)
    if held.bounds is None or order_by not in held.bounds:
        return None
    bound = held.bounds[order_by]
    if bound is None:
        return Bound(condition="{} IS NOT NULL", value=None)
    return Bound(condition="{} > $bound" if descends else "{} < $bound", value=bound)


def _over_order(expression: str, columns: Mapping[str, str]) -> str:
    """The expression over columns of the row `o`."""
    tree = parse(expression).copy()
    for column in list(tree.find_all(exp.Column)):
        known = parse(f"({columns[column.name]})").copy()
        if column is tree:
            return known.sql(DIALECT)
        column.replace(known)
    return tree.sql(DIALECT)
