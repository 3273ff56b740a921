"""Personal data of orders inside scope, as statements: masked forms for anyone, sealed ones for a reveal, a search by hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from queries.base import scope_condition, table_at
from queries.build import Statement
from queries.fragment import DIALECT, parse, select
from queries.scope import Scope

MOST_FOUND: Final = 1_000
"""So many orders a phone number finds at most."""

MASKED: Final = ("field", "masked")
SEALED: Final = ("field", "key_id", "sealed")
FOUND: Final = ("channel", "order_id")
SEALED_OF_MANY: Final = ("channel", "order_id", *SEALED)
MOST_AT_ONCE: Final = 200
"""So many orders' originals are asked for together."""

ONE_ORDER: Final = ("c.channel = $channel", "c.order_id = $order_id")


@dataclass(frozen=True, kw_only=True)
class ContactSight:
    """Whose contacts may be asked for, and from when: scope, DuckLake's version, and the instant."""

    scope: Scope
    version: int
    as_of: datetime


def masked_contacts(sight: ContactSight, channel: str, order_id: str, created_at: datetime | None = None) -> Statement:
    """The masked forms of one order: `field`, `masked`; the newest of each field, none outside the scope.

    `created_at` finds it sooner.
    """
    values: dict[str, object] = {"channel": channel, "order_id": order_id}
    if created_at is None:
        return _statement(sight, MASKED, ONE_ORDER, values)
    return _statement(sight, MASKED, (*ONE_ORDER, "o.created_at = $created_at"), values | {"created_at": created_at})


def sealed_contacts(sight: ContactSight, channel: str, order_id: str) -> Statement:
    """The sealed originals of one order: `field`, `key_id`, `sealed`; none outside the scope."""
    return _statement(sight, SEALED, ONE_ORDER, {"channel": channel, "order_id": order_id})


def sealed_of_orders(sight: ContactSight, orders: Sequence[tuple[str, str]]) -> Statement:
    """The sealed originals of at most `MOST_AT_ONCE` orders (channel, order_id); of those outside the scope none.

    Columns `channel`, `order_id`, `field`, `key_id`, `sealed`.
    """
    values: dict[str, object] = {}
    for index, (channel, order_id) in enumerate(orders[:MOST_AT_ONCE]):
        values |= {f"channel_{index}": channel, f"order_{index}": order_id}
    pairs = ", ".join(f"($channel_{index}, $order_{index})" for index in range(len(values) // 2))
    return _statement(sight, SEALED_OF_MANY, (f"(c.channel, c.order_id) IN ({pairs})",), values)


def orders_by_phone(sight: ContactSight, search: str) -> Statement:
    """The orders inside scope whose phone has this keyed hash: `channel`, `order_id`."""
    return _statement(sight, FOUND, ("c.field = 'phone'", "c.search = $search"), {"search": search})


def _statement(
    sight: ContactSight, columns: tuple[str, ...], conditions: tuple[str, ...], values: dict[str, object]
) -> Statement:
    size = None if sight.scope.everything else len(sight.scope.regions)
    rows = select(*(f"c.{name}" for name in columns)).from_(table_at("orders", "o"), copy=False)
    joined = "c.channel = o.channel AND c.order_id = o.order_id"
    rows = rows.join(table_at("order_contacts", "c"), on=joined, join_type="inner", dialect=DIALECT, copy=False)
    where = ("o.created_at <= $as_of", "c.as_of <= $as_of", *scope_condition(size), *conditions)
    rows = rows.where(*(parse(condition) for condition in where), copy=False)
    newest = "ROW_NUMBER() OVER (PARTITION BY c.channel, c.order_id, c.field ORDER BY c.as_of DESC, c.snapshot_id DESC) = 1"
    rows = rows.qualify(newest, dialect=DIALECT).limit(MOST_FOUND)
    scope = {f"scope_{index}": region for index, region in enumerate(sight.scope.regions)}
    parameters = {"version": sight.version, "as_of": sight.as_of} | scope | values
    return Statement(sql=rows.sql(dialect=DIALECT, pretty=True), parameters=parameters, columns=columns)
