"""The merge: append a snapshot's rows as they came, derive the touched keys, write what changed.

The law: per column the value with the newest (as_of, contract priority, file hash, row) wins and a null never erases;
a measured instant beats an inferred one, among inferred ones the earliest sighting wins; a withdrawn word erases.
So the order of arrival does not matter; a file read again under a corrected contract replaces its first reading.
Keys that no newer row touched are folded onto what is there; keys that a newer row already touched are derived again
from all rows ever appended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from data.lake import lake_tables
from data.order import (
    CLOSING_MILESTONES,
    COMPLAINT_COLUMNS,
    COMPLAINT_KEY,
    EVENT_COLUMNS,
    EVENT_KEY,
    FORWARD_MASK,
    MILESTONE_BIT,
    MILESTONES,
    MUST_FOLLOW,
    OPEN_UNTIL_FOREVER,
    ORDER_COLUMNS,
    ORDER_KEY,
    RETURN_COLUMNS,
    RETURN_KEY,
    Column,
)
from data.sql_text import identifier, literal

EARLIEST: Final = ("exception_at",)
"""Columns whose smallest instant wins, whoever reports it."""


@dataclass(frozen=True, kw_only=True)
class Entity:
    """A merged table: its name, the table of its appended rows, its key and its canonical columns."""

    table: str
    rows_table: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All canonical columns, the key included."""
        return tuple(column.name for column in self.columns)

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that a snapshot may change."""
        return tuple(name for name in self.names if name not in self.key)

    @property
    def is_orders(self) -> bool:
        """True for the table with milestones, masks and a status."""
        return self.table == "orders"


ORDERS: Final = Entity(table="orders", rows_table="order_rows", key=ORDER_KEY, columns=ORDER_COLUMNS)
RETURNS: Final = Entity(table="order_returns", rows_table="order_return_rows", key=RETURN_KEY, columns=RETURN_COLUMNS)
COMPLAINTS: Final = Entity(
    table="order_complaints", rows_table="order_complaint_rows", key=COMPLAINT_KEY, columns=COMPLAINT_COLUMNS
)
EVENTS: Final = Entity(table="order_events", rows_table="order_event_rows", key=EVENT_KEY, columns=EVENT_COLUMNS)
ENTITIES: Final = (ORDERS, RETURNS, COMPLAINTS, EVENTS)


def merge(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    relation: str,
    *,
    snapshot_id: int,
    priority: int,
    sha256: str,
    mapped: int,
    replaced: Sequence[int] = (),
) -> int:
    """Append the rows of `relation` and bring `entity.table` up to date; the number of changed keys.

    `relation` has the entity's columns, `row_number`, `as_of`, `withdrawn` and, for orders, `inferred_milestones`.
    `mapped` is the mask of the milestones the source can report. What the `replaced` snapshots brought is taken back: their keys
    are derived again from all other rows, and gone where there are none. Runs inside the caller's transaction.
    """
    _append(connection, entity, relation, snapshot_id)
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW fresh AS SELECT *, {literal(_version_tail(priority, sha256))} AS tail FROM {relation}"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT {_list(entity.key)} FROM fresh")
    if replaced:
        _take_back(connection, entity, replaced)
    is_rewritten = bool((entity.is_orders and _widen_channels(connection, mapped)) or replaced)
    rows, touched = _counts(connection)
    existing = _existing(connection, entity, by_row=not is_rewritten)
    slow = touched if replaced else 0
    if not slow and existing and _is_late(connection):
        slow = _slow_keys(connection, entity, snapshot_id)
    if rows == touched and not existing:
        return _insert(connection, entity, "fresh", snapshot_id)
    _candidates(connection, entity, snapshot_id, slow=bool(slow))
    return _write_changed(connection, entity, snapshot_id, by_row=not is_rewritten)


def _take_back(connection: duckdb.DuckDBPyConnection, entity: Entity, replaced: Sequence[int]) -> None:
    """Delete the rows that the snapshots brought; their keys are touched too, and all of those are derived from every row there is."""
    key, gone = _list(entity.key), f"lake.{entity.rows_table} WHERE list_contains({list(map(int, replaced))}, snapshot_id)"
    connection.execute(f"INSERT INTO touched SELECT DISTINCT {key} FROM {gone} EXCEPT SELECT {key} FROM touched")
    connection.execute("CREATE OR REPLACE TEMP TABLE slow AS FROM touched")
    connection.execute(f"DELETE FROM {gone}")


def touched_keys(connection: duckdb.DuckDBPyConnection) -> int:
    """How many keys the last merge touched."""
    row = connection.execute("SELECT count(*) FROM touched").fetchone()
    return int(row[0]) if row else 0


def _widen_channels(connection: duckdb.DuckDBPyConnection, mapped: int) -> bool:
    """Record which forward milestones the sources of each channel can report, in the table and on its orders.

    Whether orders have been written anew in this transaction.
    """
    is_rewritten, mask = False, mapped & FORWARD_MASK
    rows = connection.execute(
        "SELECT fresh.channel, max(known.mapped_milestones) FROM fresh LEFT JOIN lake.channel_milestones AS known USING (channel) "
        "GROUP BY fresh.channel"
    ).fetchall()
    for channel, known in rows:
        if known is None:
            connection.execute("INSERT INTO lake.channel_milestones VALUES (?, ?)", [channel, mask])
        elif known | mask != known:
            connection.execute(
                "UPDATE lake.channel_milestones SET mapped_milestones = ? WHERE channel = ?", [known | mask, channel]
            )
            connection.execute("UPDATE lake.orders SET mapped_milestones = ? WHERE channel = ?", [known | mask, channel])
            is_rewritten = True
    return is_rewritten


def _is_late(connection: duckdb.DuckDBPyConnection) -> bool:
    row = connection.execute(
        "SELECT (SELECT max(as_of) FROM lake.snapshots WHERE state = 'accepted') >= (SELECT min(as_of) FROM fresh)"
    ).fetchone()
    return bool(row and row[0])


def _version_tail(priority: int, sha256: str) -> str:
    return f"{priority:03d}/{sha256}"


def _list(names: Sequence[str], prefix: str = "") -> str:
    return ", ".join(prefix + identifier(name) for name in names)


def _append(connection: duckdb.DuckDBPyConnection, entity: Entity, relation: str, snapshot_id: int) -> None:
    columns = [name for name in lake_tables()[entity.rows_table] if name != "snapshot_id"]
    connection.execute(
        f"INSERT INTO lake.{entity.rows_table} (snapshot_id, {_list(columns)}) SELECT {int(snapshot_id)}, {_list(columns)} FROM {relation}"
    )


def _counts(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    row = connection.execute("SELECT (SELECT count(*) FROM fresh), (SELECT count(*) FROM touched)").fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _existing(connection: duckdb.DuckDBPyConnection, entity: Entity, *, by_row: bool) -> int:
    """The temporary table `existing`: the touched rows as they are held, with their `row_id` (null where not by row).

    By row they are first found by their keys alone, then read: only what lies between the oldest and the newest of them.
    """
    names = _list((*entity.names, *(("inferred_milestones",) if entity.is_orders else ())), "held.")
    held = connection.execute(f"SELECT count(*) FROM lake.{entity.table}").fetchone()
    using = f"SEMI JOIN touched USING ({_list(entity.key)})" if held and held[0] else "WHERE false"
    if by_row:
        when = "held.created_at" if entity.is_orders else "NULL::TIMESTAMPTZ"
        found = f"SELECT held.rowid AS row_id, {when} AS created_at FROM lake.{entity.table} AS held {using}"
        connection.execute(f"CREATE OR REPLACE TEMP TABLE found AS {found}")
        rows = (
            f"SELECT {names}, held.rowid AS row_id FROM lake.{entity.table} AS held SEMI JOIN found ON held.rowid = found.row_id"
        )
        rows += _between_found(connection)
    else:
        rows = f"SELECT {names}, NULL::BIGINT AS row_id FROM lake.{entity.table} AS held {using}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE existing AS {rows}")
    row = connection.execute("SELECT count(*) FROM existing").fetchone()
    return int(row[0]) if row else 0


def _between_found(connection: duckdb.DuckDBPyConnection) -> str:
    """The condition that a held row was created between the first and the last one found; empty where one has no such instant."""
    sql = "SELECT epoch_us(min(created_at)), epoch_us(max(created_at)), count(*) - count(created_at) FROM found"
    first, last, unknown = connection.execute(sql).fetchone() or (None, None, 0)
    if unknown or first is None:
        return ""
    return f" WHERE held.created_at BETWEEN make_timestamptz({int(first)}) AND make_timestamptz({int(last)})"


def _slow_keys(connection: duckdb.DuckDBPyConnection, entity: Entity, snapshot_id: int) -> int:
    """Touched keys of which an appended row of another snapshot is at least as new as the oldest fresh one."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE slow AS SELECT DISTINCT {_list(entity.key, 'held.')} FROM lake.{entity.rows_table} AS held "
        f"SEMI JOIN touched USING ({_list(entity.key)}) "
        f"WHERE held.as_of >= (SELECT min(as_of) FROM fresh) AND held.snapshot_id <> {int(snapshot_id)}"
    )
    row = connection.execute("SELECT count(*) FROM slow").fetchone()
    return int(row[0]) if row else 0


def _candidates(connection: duckdb.DuckDBPyConnection, entity: Entity, snapshot_id: int, *, slow: bool) -> None:
    """The temporary table `candidates`: every row that decides a touched key, with its `version` in ascending order."""
    masks = ("inferred_milestones",) if entity.is_orders else ()
    held = _list((*entity.names, *masks))
    using = f"USING ({_list(entity.key)})"
    keep = f"ANTI JOIN slow {using}" if slow else ""
    parts = [
        f"SELECT {held}, NULL::VARCHAR[] AS withdrawn, NULL::TIMESTAMPTZ AS as_of, '' AS tail, 0 AS row_number FROM existing {keep}",
        f"SELECT {held}, withdrawn, as_of, tail, row_number FROM fresh",
    ]
    if slow:
        parts.append(
            f"SELECT {_list((*entity.names, *masks), 'past.')}, past.withdrawn, past.as_of, "
            f"printf('%03d', ledger.priority) || '/' || ledger.file_sha256 AS tail, past.row_number "
            f"FROM lake.{entity.rows_table} AS past JOIN lake.snapshots AS ledger USING (snapshot_id) SEMI JOIN slow {using} "
            f"WHERE past.snapshot_id <> {int(snapshot_id)}"
        )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE candidates AS SELECT *, "
        "row_number() OVER (ORDER BY as_of NULLS FIRST, tail, row_number) AS version "
        f"FROM ({' UNION ALL '.join(parts)})"
    )


def _write_changed(connection: duckdb.DuckDBPyConnection, entity: Entity, snapshot_id: int, *, by_row: bool) -> int:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE merged AS {collapse_sql(connection, entity)}")
    compared = [*entity.values, *(("inferred_milestones",) if entity.is_orders else ())]
    differs = " OR ".join(f"merged.{identifier(name)} IS DISTINCT FROM existing.{identifier(name)}" for name in compared)
    matched = " AND ".join(f"merged.{identifier(name)} = existing.{identifier(name)}" for name in entity.key)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE changed AS SELECT merged.* FROM merged LEFT JOIN existing ON {matched} "
        f"WHERE existing.{identifier(entity.key[0])} IS NULL OR {differs}"
    )
    held = " AND ".join(f"held.{identifier(name)} = gone.{identifier(name)}" for name in entity.key)
    using = f"USING ({_list(entity.key)})"
    gone = f"(FROM existing SEMI JOIN changed {using} UNION ALL FROM existing ANTI JOIN merged {using}) AS gone"
    which = "held.rowid = gone.row_id" if by_row else held
    connection.execute(f"DELETE FROM lake.{entity.table} AS held USING {gone} WHERE {which}")
    row = connection.execute(f"SELECT count(*) FROM existing ANTI JOIN merged {using}").fetchone()
    return _insert(connection, entity, "changed", snapshot_id) + (int(row[0]) if row else 0)


def _insert(connection: duckdb.DuckDBPyConnection, entity: Entity, relation: str, snapshot_id: int) -> int:
    columns = list(lake_tables()[entity.table])
    derived = _derived(entity, snapshot_id)
    values = ", ".join(f"{derived[name]} AS {name}" if name in derived else identifier(name) for name in columns)
    order = "ORDER BY created_at" if entity.is_orders and not _is_in_order(connection, relation) else ""
    masks = "JOIN lake.channel_milestones AS known USING (channel)" if entity.is_orders else ""
    connection.execute(
        f"INSERT INTO lake.{entity.table} ({_list(columns)}) SELECT {values} FROM {relation} AS fold {masks} {order}"
    )
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()
    return int(row[0]) if row else 0


def _is_in_order(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    """Whether the rows come by `created_at`, as most exports do: sorting them again would cost a tenth of their intake."""
    row = connection.execute(
        "SELECT count(created_at) = count(*), bool_or(created_at < previous) "
        f"FROM (SELECT created_at, lag(created_at) OVER () AS previous FROM {relation})"
    ).fetchone()
    return bool(row and row[0] and not row[1])


def _derived(entity: Entity, snapshot_id: int) -> dict[str, str]:
    derived = {"snapshot_id": str(int(snapshot_id))}
    if entity.is_orders:
        derived |= {
            "impossible_milestones": impossible_sql(),
            "status": status_sql(),
            "open_until_at": open_until_sql(),
            "settled_at": settled_sql(),
            "mapped_milestones": "known.mapped_milestones",
        }
    return derived


def collapse_sql(connection: duckdb.DuckDBPyConnection, entity: Entity) -> str:
    """The SELECT that folds `candidates` to one row a key by the law of this module."""
    inferred = _flagged_milestones(connection) if entity.is_orders else ()
    withdrawn = _withdrawn_columns(connection)
    values = []
    for name in entity.values:
        values.append(f"{_winner(name, name in inferred, name in withdrawn)} AS {identifier(name)}")
    if entity.is_orders:
        bits = " | ".join(_inferred_bit(name, name in withdrawn) for name in inferred) or "0"
        values.append(f"({bits})::INTEGER AS inferred_milestones")
    key = _list(entity.key)
    return f"SELECT {key}, {', '.join(values)} FROM {_with_withdrawals(entity, withdrawn)} GROUP BY {key}"


def _with_withdrawals(entity: Entity, withdrawn: set[str]) -> str:
    """`candidates`, with each key's newest withdrawal of every withdrawn column beside it."""
    if not withdrawn:
        return "candidates"
    key = _list(entity.key)
    newest = ", ".join(
        f"coalesce(max(version) FILTER (list_contains(withdrawn, {literal(name)})), 0) AS {identifier(f'withdrawn {name}')}"
        for name in sorted(withdrawn)
    )
    return f"candidates JOIN (SELECT {key}, {newest} FROM candidates GROUP BY {key}) USING ({key})"


def _flagged_milestones(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    row = connection.execute("SELECT bit_or(coalesce(inferred_milestones, 0)) FROM candidates").fetchone()
    mask = int(row[0] or 0) if row else 0
    return tuple(f"{name}_at" for name in MILESTONES if mask & MILESTONE_BIT[name])


def _withdrawn_columns(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute("SELECT DISTINCT unnest(withdrawn) FROM candidates WHERE withdrawn IS NOT NULL").fetchall()
    return {row[0] for row in rows}


def _winner(name: str, inferred: bool, withdrawn: bool) -> str:
    column = identifier(name)
    if name in EARLIEST:
        return f"min({column}){_filter(name, withdrawn)}"
    if not inferred:
        return f"arg_max({column}, version){_filter(name, withdrawn)}"
    return f"coalesce({_measured(name, withdrawn)}, min({column}){_filter(name, withdrawn, _is_inferred(name))})"


def _measured(name: str, withdrawn: bool) -> str:
    return f"arg_max({identifier(name)}, version){_filter(name, withdrawn, 'NOT ' + _is_inferred(name))}"


def _inferred_bit(name: str, withdrawn: bool) -> str:
    bit = MILESTONE_BIT[name.removesuffix("_at")]
    sighted = f"min({identifier(name)}){_filter(name, withdrawn, _is_inferred(name))}"
    return f"CASE WHEN {_measured(name, withdrawn)} IS NULL AND {sighted} IS NOT NULL THEN {bit} ELSE 0 END"


def _is_inferred(name: str) -> str:
    return f"(coalesce(inferred_milestones, 0) & {MILESTONE_BIT[name.removesuffix('_at')]} <> 0)"


def _filter(name: str, withdrawn: bool, condition: str = "") -> str:
    """The FILTER of one aggregate: rows newer than the newest withdrawal of the column, with a value."""
    conditions = [condition] if condition else []
    if withdrawn:
        conditions.append(f"version > {identifier(f'withdrawn {name}')}")
    return f" FILTER (WHERE {' AND '.join(conditions)})" if conditions else ""


def status_sql() -> str:
    """SQL for the status that follows from the milestones (`data.order.status_of`)."""
    branches = " ".join(f"WHEN {name}_at IS NOT NULL THEN {literal(name)}" for name in reversed(MILESTONES))
    return f"CASE {branches} END"


def open_until_sql() -> str:
    """SQL for the instant an order closes: the first closing milestone, or a far future while it is open."""
    names = ", ".join(f"{name}_at" for name in CLOSING_MILESTONES)
    return f"coalesce(least({names}), TIMESTAMPTZ {literal(OPEN_UNTIL_FOREVER)})"


def settled_sql() -> str:
    """SQL for the instant of a closed order's last milestone, a far future while it is open."""
    closing, every = (", ".join(f"{name}_at" for name in names) for names in (CLOSING_MILESTONES, MILESTONES))
    return f"CASE WHEN least({closing}) IS NULL THEN TIMESTAMPTZ {literal(OPEN_UNTIL_FOREVER)} ELSE greatest({every}) END"


def impossible_sql() -> str:
    """SQL for the mask of milestones that are part of a contradictory pair (`data.order.MUST_FOLLOW`)."""
    earlier: dict[str, list[str]] = {name: [] for name in MILESTONES}
    later: dict[str, list[str]] = {name: [] for name in MILESTONES}
    for first, second in MUST_FOLLOW:
        later[first].append(second)
        earlier[second].append(first)
    parts = []
    for name in MILESTONES:
        faults = []
        if later[name]:
            faults.append(f"{name}_at > least({', '.join(f'{other}_at' for other in later[name])})")
        if earlier[name]:
            faults.append(f"{name}_at < greatest({', '.join(f'{other}_at' for other in earlier[name])})")
        parts.append(f"CASE WHEN {' OR '.join(faults)} THEN {MILESTONE_BIT[name]} ELSE 0 END")
    return f"({' | '.join(parts)})::INTEGER"
