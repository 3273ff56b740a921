"""What orders took, read from the narrow rows kept in memory where a question needs no more of them than these tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from data.taken import TAKEN, TAKEN_CARRIED
from queries.base import Ctes, Request, Setting, base, window_conditions
from queries.fragment import column_names, named
from queries.metric import Anchor, seconds

TAKEN_MS: Final = "taken_ms"
TABLES: Final[Mapping[str, str]] = {milestone: table for table, milestone in TAKEN.items()}


def taken_figures(setting: Setting, anchor: Anchor, figures: Mapping[str, str], columns: Iterable[str]) -> dict[str, str] | None:
    """The figures (SQL by name) over the narrow rows; None where these, or the columns besides, need more than they tell."""
    if not setting.is_recent or not setting.has_start or anchor.rows != "orders" or anchor.name not in TABLES:
        return None
    value = seconds(f"{anchor.name}_measured_at", "created_measured_at")
    found = {name: sql.replace(value, seconds_of_taken()) for name, sql in figures.items()}
    named_by_figures = frozenset[str]().union(*(column_names(sql) for sql in found.values()))
    told = {*TAKEN_CARRIED, anchor.at}
    return found if named_by_figures == {TAKEN_MS} and set(columns) <= told else None


def seconds_of_taken() -> str:
    """SQL of the seconds that an order took."""
    return f"{TAKEN_MS} / 1000.0"


def taken(request: Request) -> tuple[Ctes, str]:
    """The narrow rows of the orders that reached the anchor's milestone in the window."""
    anchor, period = request.anchor, request.period
    sight = period.sight(anchor.name)
    conditions = [*window_conditions(f"o.{anchor.at}", request.setting, period), *request.filters]
    columns = request.columns - {TAKEN_MS} | {str(anchor.at)}
    rows = base(columns, request.setting, sight=sight, conditions=conditions, table=TABLES[anchor.name])
    sound = f"CASE WHEN o.sound_until > {period.name('as_of')} THEN o.{TAKEN_MS} END"
    name = f"{TABLES[anchor.name]}_taken{period.suffix}"
    return [(name, rows.select(named(sound, TAKEN_MS), copy=False))], name
