"""Orders that stand on several rows of one file: told where a figure differs between the rows, since only one of them counts."""

from __future__ import annotations

from typing import Final

import duckdb

from data.contract import Contract
from data.sql_text import identifier
from data.validate import STAGED

ADDED: Final = ("quantity", "delivered_quantity", "amount", "freight_cost")
"""What the lines of an order may each have a part of."""


def repeated_orders(connection: duckdb.DuckDBPyConnection, contract: Contract, *, accepted: int, keys: int) -> str | None:
    """A notice where orders of the staged file have several rows with different figures; None where none has.

    `keys` is how many orders the `accepted` rows are of. Rows that are dated each are versions of an order, and no notice.
    """
    added = [name for name in ADDED if name in contract.columns]
    if contract.kind != "orders" or contract.as_of.from_ == "column" or accepted <= keys or not added:
        return None
    differs = ", ".join(f"count(DISTINCT {identifier(name)}) > 1 AS {identifier(name)}" for name in added)
    several = f"SELECT {differs} FROM {STAGED} WHERE problem IS NULL GROUP BY channel, order_id HAVING count(*) > 1"
    counts = ", ".join(f"count(*) FILTER ({identifier(name)})" for name in added)
    count, *found = connection.execute(
        f"SELECT count(*) FILTER ({' OR '.join(map(identifier, added))}), {counts} FROM ({several})"
    ).fetchone() or (0,)
    if not count:
        return None
    named = ", ".join(name for name, number in zip(added, found, strict=True) if number)
    return (
        f"{count:,} orders have several rows that differ in {named}: only the last row's value counts. Where the rows are an order's "
        "lines, add them up with `rows`: docs/contracts.md, «Several lines per order»"
    )
