"""Where orders were and when, from their milestones: stages passed and stages waited in, as rows of their own.

A passage is an order's way through one stage, ended by the stage's milestone. A wait is the time during which one
milestone is the furthest that an order has reached: it then waits in the next stage that its sources report. Both hold at
any instant: what is hidden from an earlier sight lies outside their own instants, or after `sound_until`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from data.comparable import kind_key_sql, node_key_sql
from data.order import FORWARD_MILESTONES, MILESTONE_BIT, OPEN_UNTIL_FOREVER, STAGES

CARRIED: Final = (
    "channel", "business_type", "country_code", "region_code", "province_code", "city", "warehouse_region_code",
    "warehouse_id", "wave_id", "carrier_id", "category", "customer_tier", "priority", "currency",
    "mapped_milestones", "created_at",
)  # fmt: skip
"""The columns of its order that each row carries."""

Offset = Callable[[str], str]
"""SQL of the business zone's offset, in ms, at an instant given as SQL in ms."""

FOREVER: Final = f"TIMESTAMPTZ '{OPEN_UNTIL_FOREVER}'"

IS_DOUBTFUL: Final = f"(o.sound_until < {FOREVER} OR o.created_at > o.at)"
"""Of a passage `o`: whether it depends on the instant from which it is seen; all others are the same from any."""


DOUBTFUL_WHEN: Final = {
    "created": "(o.exception_at IS NOT NULL)",
    "promised": (
        f"((o.promised_at < o.created_at OR ((o.inferred_milestones & {MILESTONE_BIT['cancelled']}) <> 0 "
        "AND o.cancelled_at >= o.promised_at)) IS TRUE)"
    ),
}
"""Of an order `o`, by the instant at which it is counted: whether what it counts for depends on when it is seen later on."""


def passages_sql(orders: str, offset: Offset, stages: Iterable[str] = STAGES) -> str:
    """SELECT of the passages, ended at or after `$since`, of the rows of `orders`; `offset` is the business zone's.

    Columns: `order_number`, `CARRIED`, `passage_stage`, `at` (its end), `opened_at` and `passage_seconds` (null where an end is
    not measured or contradicts the other), `sound_until` (from then on a contradiction with another milestone is seen).
    """
    return " UNION ALL ".join(_passage_sql(stage, orders, offset) for stage in stages)


def doubtful_sql(orders: str, offset: Offset) -> str:
    """SELECT of the doubtful ones among the passages, ended at or after `$since`, of the rows of `orders`; as `passages_sql`."""
    return f"FROM ({passages_sql(orders, offset)}) AS o WHERE {IS_DOUBTFUL}"


def waits_sql(orders: str, offset: Offset) -> str:
    """SELECT of the waits, ended after `$since`, of the rows of `orders`; `offset` is the business zone's.

    Columns: `order_number`, `CARRIED`, `passage_stage` (null where its sources report no stage after the milestone),
    `furthest` (the milestone), `from_at` (inclusive), `until_at` (exclusive, far ahead where it lasts), `waiting_since` (the
    milestone's instant, null where it is not measured), `sound_until`, `promised_at`, `node_key`, `kind_key`.
    """
    return " UNION ALL ".join(_wait_sql(position, orders, offset) for position in range(len(STAGES)))


def _select(figures: dict[str, str], orders: str) -> str:
    chosen = ", ".join(f"{sql} AS {name}" for name, sql in figures.items())
    carried = ", ".join(f"o.{name}" for name in CARRIED)
    return f"SELECT o.order_number, {carried}, {chosen} FROM {orders} AS o"


def _recorded(name: str) -> str:
    """The instant of a milestone where it is measured, whatever contradicts it."""
    return f"CASE WHEN (o.inferred_milestones & {MILESTONE_BIT[name]}) = 0 THEN o.{name}_at END"


def _sound_until(name: str) -> str:
    return f"o.{name}_sound_until"


def _opening(stage: str, value: Callable[[str], str]) -> str:
    """A value of the milestone that opens the stage: the previous one that the order's sources report."""
    before = reversed(FORWARD_MILESTONES[: FORWARD_MILESTONES.index(stage)])
    cases = " ".join(f"WHEN (o.mapped_milestones & {MILESTONE_BIT[name]}) <> 0 THEN {value(name)}" for name in before)
    return f"CASE {cases} END"


def _passage_sql(stage: str, orders: str, offset: Offset) -> str:
    opened, closed = _opening(stage, _recorded), _recorded(stage)
    figures = {
        "passage_stage": f"'{stage}'",
        "at": f"o.{stage}_at",
        "opened_at": f"CASE WHEN {opened} <= {closed} THEN {opened} END",
        "passage_seconds": f"CASE WHEN {opened} <= {closed} THEN (epoch_ms({closed}) - epoch_ms({opened})) / 1000.0 END",
        "sound_until": f"least(o.{stage}_sound_until, coalesce({_opening(stage, _sound_until)}, {FOREVER}))",
        **_keys(f"'{stage}'", opened, offset),
    }
    return f"{_select(figures, orders)} WHERE o.{stage}_at >= $since"


def _keys(stage: str, opened: str, offset: Offset) -> dict[str, str]:
    opened_ms = f"epoch_ms({opened})"
    return {
        "node_key": node_key_sql(stage, "o."),
        "kind_key": kind_key_sql(stage, opened_ms, offset(opened_ms), "o."),
    }


def _reached(position: int) -> str:
    """The first instant of this milestone or a later one: from then on the order is at least so far."""
    return f"least({', '.join(f'o.{name}_at' for name in FORWARD_MILESTONES[position:])})"


def _wait_sql(position: int, orders: str, offset: Offset) -> str:
    milestone, following = FORWARD_MILESTONES[position], STAGES[position:]
    stages = " ".join(f"WHEN (o.mapped_milestones & {MILESTONE_BIT[name]}) <> 0 THEN '{name}'" for name in following)
    begin = f"greatest(o.{milestone}_at, o.created_at)"
    end = f"least(coalesce({_reached(position + 1)}, {FOREVER}), o.open_until_at)"
    figures = {
        "passage_stage": f"CASE {stages} END",
        "furthest": f"'{milestone}'",
        "from_at": begin,
        "until_at": end,
        "waiting_since": _recorded(milestone),
        "sound_until": f"o.{milestone}_sound_until",
        "promised_at": "o.promised_at",
        **_keys(f"CASE {stages} END", _recorded(milestone), offset),
    }
    # A later milestone reached before this one: the order was never just so far.
    never = f"o.{milestone}_at < coalesce({_reached(position + 1)}, {FOREVER})"
    return f"{_select(figures, orders)} WHERE {end} > $since AND {begin} < {end} AND {never}"
