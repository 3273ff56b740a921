"""How long orders took from their creation to a milestone, as narrow rows of their own that a long window reads at a glance."""

from __future__ import annotations

from typing import Final

from data.order import MILESTONE_BIT

TAKEN: Final = {"accepted_times": "accepted", "delivered_times": "delivered"}
"""By table: the milestone."""

TAKEN_CARRIED: Final = ("country_code", "region_code", "channel", "business_type", "created_at")
"""The columns of its order that each row carries."""


def taken_sql(table: str, orders: str) -> str:
    """SELECT of the rows of `orders` that reached the table's milestone at or after `$since`.

    Columns: `order_number`, `TAKEN_CARRIED`, the milestone's instant, `taken_ms` (null where an end is not measured) and
    `sound_until` (from then on a contradiction of an end with another milestone is seen).
    """
    name = TAKEN[table]
    bits = MILESTONE_BIT["created"] | MILESTONE_BIT[name]
    carried = ", ".join(f"o.{column}" for column in TAKEN_CARRIED)
    taken = f"CASE WHEN (o.inferred_milestones & {bits}) = 0 THEN epoch_ms(o.{name}_at) - epoch_ms(o.created_at) END"
    return (
        f"SELECT o.order_number, {carried}, o.{name}_at, {taken} AS taken_ms, "
        f"least(o.created_sound_until, o.{name}_sound_until) AS sound_until FROM {orders} AS o WHERE o.{name}_at >= $since"
    )
