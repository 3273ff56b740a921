"""The recent orders in memory: those that windows of the last days can see, for one version of the lake at a time.

A page's questions look at the last days, the lake holds years: the reader keeps the orders that were open, reached a
milestone or were promised since an instant, sorted by creation, and brings them up to each new version with the rows
that changed. What a window since then asks has the same answer here as in the lake; `queries.build` decides, and
every refresh is checked against the lake.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import duckdb

from data.lake import RECENT, Lake
from data.leading import LEADING, Bounds, Ranking, beyond_sql, find_bounds, lay_out, replace_changed
from data.numbers import Numbers
from data.order import MILESTONE_BIT, MILESTONES, MUST_FOLLOW, OPEN_UNTIL_FOREVER, ORDER_KEY, STAGES
from data.taken import TAKEN, taken_sql
from data.visit import DOUBTFUL_WHEN, FOREVER, IS_DOUBTFUL, Offset, doubtful_sql, passages_sql, waits_sql
from data.zone import offset_sql, offsets

SPANS: Final = (timedelta(days=16), timedelta(days=9))
"""How far back is kept, the longest that fits: two weeks and a day compared, or a day with the same day last week."""

MOST_ROWS: Final = 3_000_000
"""More orders than this are not kept in memory (about 300 bytes each once packed)."""

VISIT_SPAN: Final = timedelta(days=9)
"""How far back the stages passed and waited in are kept as rows of their own: ten to an order."""

RENEW_AFTER: Final = timedelta(days=2)
"""By so much the kept span may grow before it is read anew."""

WORN_SHARE: Final = 0.2
"""When more rows than this share have been replaced they are read anew, sorted and packed."""

LISTED: Final = 1_000
"""Up to so many missing orders are looked for by their numbers, more by a join."""

ATTACHED: Final = {
    "order_returns": ("return_id", "kind", "requested_at", "received_at", "closed_at"),
    "order_complaints": ("complaint_id", "kind", "created_at", "closed_at"),
}
"""Kept beside the orders: returns and complaints with their order's columns, their own ones under `r_` names."""

VISITS: Final = ("passages", "waits")
"""Kept of the orders: the stages they passed and waited in, for `VISIT_SPAN`."""

DOUBTFUL: Final = "doubtful"
"""Once more, for the whole span, the passages that not every sight takes alike: they are not counted."""

DOUBTFUL_ORDERS: Final = "doubtful_orders"
"""Once more the orders that not every sight takes alike: they are not counted."""

COUNTED_ROWS: Final = "counted_rows"
"""What the rows that are counted are called in the way of counting."""

UTC: Final = ZoneInfo("UTC")

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Derived:
    """A table made of the recent orders and kept with them: `recent.<name>`, made anew when its `key` changes.

    `key`, `values` and `sql` follow from the newest data instant; `touches` says of a changed order, as it was or is
    now, that the table must be made anew; with a `told` only where that differs between what it was and is.
    """

    name: str
    sql: str
    touches: str
    values_at: Callable[[datetime], Mapping[str, Any]]
    told: str = ""

    def key_at(self, as_of: datetime) -> Hashable:
        """What the table stands for at an instant."""
        return tuple(sorted(self.values_at(as_of).items()))


@dataclass(frozen=True, kw_only=True)
class Counting:
    """How passages or orders are counted: SELECT of keys and figures over the rows of `COUNTED_ROWS`, grouped, and its parameters.

    `stands_for` is what else it depends on: of a derived table that it reads what that stands for.
    """

    sql: str
    values: tuple[tuple[str, Any], ...] = ()
    stands_for: Hashable = ()


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Sums over passages or orders that are kept beside them as `recent.<name>`: what changes is taken away and added.

    `figures` are its columns that add up, whole numbers: a group is what its rows sum to. Counted anew when the way of
    counting, which follows from the newest data instant, is another, or the derived table that it `reads` is. It counts the
    passages of the whole span, of the `visits`: those that are kept as rows of their own, or the `orders`.
    """

    name: str
    figures: tuple[str, ...]
    counting_at: Callable[[datetime], Counting]
    reads: str = ""
    of: Literal["span", "visits", "orders"] = "span"


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """What is kept: the orders of this version with anything at or after `since`, where they were and when at or after
    `visits_since`, the derived and counted tables by what they stand for, where the numbers of all orders lie, and beyond
    which figures (`data.leading`) the older orders are kept too, where that is known."""

    version: int
    since: datetime
    visits_since: datetime
    derived: tuple[tuple[str, Hashable], ...] = ()
    numbers: Numbers | None = field(default=None, compare=False, repr=False)
    bounds: Bounds | None = field(default=None, compare=False, repr=False)


class Recent:
    """The recent orders of one lake that is open for reading; one thread advances it, any number read."""

    def __init__(
        self,
        lake: Lake,
        *,
        derived: Sequence[Derived] = (),
        counted: Sequence[Counted] = (),
        rankings: Sequence[Ranking] = (),
        spans: Sequence[timedelta] = SPANS,
        most_rows: int = MOST_ROWS,
        zone: ZoneInfo = UTC,
    ) -> None:
        """Nothing is read yet; `zone` is the business zone."""
        self._lake = lake
        self._offset: Offset = partial(offset_sql, offsets=offsets(zone))
        self._derived = tuple(derived)
        self._counted = tuple(counted)
        self._rankings = tuple(rankings)
        self._spans = tuple(spans)
        self._most_rows = most_rows
        self._horizon: Horizon | None = None
        self._snapshot = 0
        self._worn = 0
        self._rows = 0
        self._channels: list[tuple[Any, ...]] = []

    @property
    def horizon(self) -> Horizon | None:
        """What is kept now; None where nothing is."""
        return self._horizon

    def advance(self, version: int, as_of: datetime) -> Horizon | None:
        """Keep what the lake holds at `version`, whose newest data instant is `as_of`; None where that is too much.

        Rows are read anew at first, when the span has grown, and when a refresh does not agree with the lake.
        """
        held = self._horizon
        if held is not None and held.version == version:
            return held
        with self._lake.cursor() as cursor:
            try:
                refreshed = None if held is None or self._is_due(held, as_of) else self._refresh(cursor, version, as_of, held)
                self._horizon = refreshed or self._renew(cursor, version, as_of)
            except duckdb.Error:
                self._horizon = None
                raise
        return self._horizon

    def complete(self) -> Horizon | None:
        """Keep besides the first of the older orders, where they are not kept yet; it takes a look at all of them."""
        held = self._horizon
        if held is None or held.bounds is not None:
            return held
        values = {"version": held.version, "since": held.since}
        older = f"lake.orders AS o AT (VERSION => $version) WHERE {_is_older('o')}"
        with self._lake.cursor() as cursor:
            bounds = find_bounds(cursor, self._rankings, older, values)
            beyond, given = beyond_sql(self._rankings, bounds)
            sql = f"INSERT INTO {RECENT}.{LEADING} SELECT {_columns()} FROM {older} AND {beyond} ORDER BY o.created_at"
            cursor.execute(sql, values | given)
            _pack(cursor)
        self._horizon = replace(held, bounds=bounds)
        return self._horizon

    def _is_due(self, held: Horizon, as_of: datetime) -> bool:
        grown = [as_of - held.since - span for span in self._spans]
        return self._worn > WORN_SHARE * self._rows or not any(timedelta() <= more < RENEW_AFTER for more in grown)

    def _renew(self, cursor: duckdb.DuckDBPyConnection, version: int, as_of: datetime) -> Horizon | None:
        """Read everything anew for the longest span that fits."""
        for span in self._spans:
            since = (as_of - span).replace(minute=0, second=0, microsecond=0)
            values = {"version": version, "since": since}
            sql = "SELECT count(*) FROM lake.orders AS o AT (VERSION => $version) WHERE o.settled_at >= $since"
            if _number(cursor, sql, values) <= self._most_rows:
                return self._load(cursor, values, as_of)
        _withdraw(cursor)
        return None

    def _load(self, cursor: duckdb.DuckDBPyConnection, values: dict[str, Any], as_of: datetime) -> Horizon:
        """Read everything anew, table by table so that each is packed before the next; meanwhile nobody reads here."""
        version = values["version"]
        self._snapshot, self._channels, self._worn = _newest_snapshot(cursor, version), _channels(cursor, version), 0
        visits_since = max(values["since"], (as_of - VISIT_SPAN).replace(minute=0, second=0, microsecond=0))
        _withdraw(cursor)
        orders, since = f"{RECENT}.orders", {"since": values["since"]}
        rows = f"SELECT {_columns()} FROM lake.orders AS o AT (VERSION => $version)"
        numbered = f"SELECT *, row_number() OVER () AS order_number FROM ({rows} WHERE {_is_recent('o')} ORDER BY o.created_at)"
        cursor.execute(f"CREATE OR REPLACE TABLE {orders} AS {numbered}", values)
        _fill_visits(cursor, visits_since, self._offset)
        cursor.execute(f"CREATE OR REPLACE TABLE {RECENT}.{DOUBTFUL} AS {doubtful_sql(orders, self._offset)}", since)
        cursor.execute(f"CREATE OR REPLACE TABLE {RECENT}.{DOUBTFUL_ORDERS} AS {_doubtful_orders(orders)}")
        for table, milestone in TAKEN.items():
            cursor.execute(
                f"CREATE OR REPLACE TABLE {RECENT}.{table} AS {taken_sql(table, orders)} ORDER BY {milestone}_at", since
            )
        cursor.execute(f"CREATE OR REPLACE TABLE {RECENT}.older AS SELECT * EXCLUDE (order_number) FROM {RECENT}.orders LIMIT 0")
        lay_out(cursor)
        _attach_all(cursor, values)
        derived, _ = self._derive(cursor, as_of, kept={}, touched=True)
        counted = self._count(cursor, as_of, values["since"], kept={})
        self._rows = _number(cursor, f"SELECT count(*) FROM {RECENT}.orders", {})
        _pack(cursor)
        cursor.execute(f"INSERT INTO {RECENT}.mark VALUES ($version)", {"version": version})
        return Horizon(
            version=version,
            since=values["since"],
            visits_since=visits_since,
            derived=derived + counted,
            numbers=Numbers.read(cursor, version),
        )

    def _refresh(self, cursor: duckdb.DuckDBPyConnection, version: int, as_of: datetime, held: Horizon) -> Horizon | None:
        """Bring the rows up to the version by those that changed; None where they do not agree with the lake then."""
        if _channels(cursor, version) != self._channels:
            return None
        newest = _newest_snapshot(cursor, version)
        values = {"version": version, "since": held.since, "visits_since": held.visits_since, "snapshot": self._snapshot}
        cursor.execute("BEGIN")
        try:
            kept = dict(held.derived)
            worn, touched = self._replace(cursor, values, as_of, kept)
            _replace_attached(cursor, values)
            derived, remade = self._derive(cursor, as_of, kept=kept, touched=touched)
            followed = {c.name: kept.get(c.name) for c in self._counted if c.reads not in remade}
            derived += self._count(cursor, as_of, held.since, kept=followed)
            cursor.execute(f"UPDATE {RECENT}.mark SET version = $version", {"version": version})
            numbers = held.numbers and held.numbers.with_changes(cursor, version, self._snapshot)
            bounds = held.bounds and replace_changed(cursor, self._rankings, held.bounds, _is_older("o"), {"since": held.since})
            agrees = _agrees(cursor, values)
            cursor.execute("COMMIT" if agrees else "ROLLBACK")
        except duckdb.Error:
            cursor.execute("ROLLBACK")
            raise
        if not agrees:
            _LOG.info("the recent orders did not agree with version %d: they are read anew", version)
            return None
        self._snapshot, self._worn = newest, self._worn + worn
        return replace(held, version=version, derived=derived, numbers=numbers, bounds=bounds)

    def _replace(
        self, cursor: duckdb.DuckDBPyConnection, values: dict[str, Any], as_of: datetime, kept: dict[str, Hashable]
    ) -> tuple[int, bool]:
        """Put the orders that changed since the last snapshot in the place of what they were: how many, what they touch."""
        cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE changed AS SELECT {_columns()} FROM lake.orders AS o AT (VERSION => $version) "
            "WHERE o.snapshot_id > $snapshot",
            {name: values[name] for name in ("version", "snapshot")},
        )
        touched = any(_is_touched(cursor, derived, as_of) for derived in self._derived)
        followed = [(c, c.counting_at(as_of)) for c in self._counted if kept.get(c.name) == c.counting_at(as_of)]
        _find_gone(cursor)
        _find_fresh(cursor, values)
        for orders in ("gone", "fresh"):
            _find_passages(cursor, orders, values, self._offset)
        _take_out(cursor)
        _put_in(cursor, values, self._offset)
        for counted, counting in followed:
            _add(cursor, counted, counting, "gone", values, sign="-")
            _add(cursor, counted, counting, "fresh", values)
        return _number(cursor, "SELECT count(*) FROM changed", {}), touched

    def _derive(
        self, cursor: duckdb.DuckDBPyConnection, as_of: datetime, *, kept: dict[str, Hashable], touched: bool
    ) -> tuple[tuple[tuple[str, Hashable], ...], set[str]]:
        """What each derived table stands for, and the names of those made anew."""
        remade = set()
        for derived in self._derived:
            if touched or kept.get(derived.name) != derived.key_at(as_of):
                remade.add(derived.name)
                cursor.execute(
                    f"CREATE OR REPLACE TABLE {RECENT}.{derived.name} AS {derived.sql}", dict(derived.values_at(as_of))
                )
        return tuple((derived.name, derived.key_at(as_of)) for derived in self._derived), remade

    def _count(
        self, cursor: duckdb.DuckDBPyConnection, as_of: datetime, since: datetime, *, kept: dict[str, Hashable]
    ) -> tuple[tuple[str, Hashable], ...]:
        """Count anew what is not counted in this way yet."""
        found = tuple((counted, counted.counting_at(as_of)) for counted in self._counted)
        orders = f"{RECENT}.orders"
        all_rows = {"span": passages_sql(orders, self._offset), "visits": f"FROM {RECENT}.passages", "orders": f"FROM {orders}"}
        for counted, counting in found:
            if kept.get(counted.name) != counting:
                rows = f"WITH {COUNTED_ROWS} AS NOT MATERIALIZED ({all_rows[counted.of]})"
                values = dict(counting.values) | ({"since": since} if counted.of == "span" else {})
                cursor.execute(f"CREATE OR REPLACE TABLE {RECENT}.{counted.name} AS {rows} {counting.sql}", values)
        return tuple((counted.name, counting) for counted, counting in found)


def _add(
    cursor: duckdb.DuckDBPyConnection,
    counted: Counted,
    counting: Counting,
    orders: str,
    values: Mapping[str, Any],
    *,
    sign: str = "",
) -> None:
    """Add what the orders of this temporary table, or their passages, count for, or with a minus take it away."""
    rows = f"FROM {orders}" if counted.of == "orders" else f'FROM {orders}_passages WHERE "at" >= $since'
    figures = ", ".join(f"{sign}{name} AS {name}" for name in counted.figures)
    sql = f"WITH {COUNTED_ROWS} AS NOT MATERIALIZED ({rows}) SELECT * REPLACE ({figures}) FROM ({counting.sql})"
    given = {"span": {"since": values["since"]}, "visits": {"since": values["visits_since"]}, "orders": {}}[counted.of]
    cursor.execute(f"INSERT INTO {RECENT}.{counted.name} {sql}", dict(counting.values) | given)


def _fill_visits(cursor: duckdb.DuckDBPyConnection, since: datetime, offset: Offset) -> None:
    """Lay out where all the orders were and when: passages stage by stage, each by its end, waits as the orders follow.

    Of waits what lasts comes last. Whoever looks at a few hours or at now skips, by their bounds, all other blocks.
    """
    values, orders = {"since": since}, f"{RECENT}.orders"
    lasting = f"(FROM {orders} WHERE open_until_at = {FOREVER})"
    cursor.execute(f"CREATE OR REPLACE TABLE {RECENT}.passages AS FROM ({passages_sql(orders, offset)}) LIMIT 0", values)
    for stage in STAGES:
        cursor.execute(f'INSERT INTO {RECENT}.passages {passages_sql(orders, offset, [stage])} ORDER BY "at"', values)
    cursor.execute(
        f"CREATE OR REPLACE TABLE {RECENT}.waits AS FROM ({waits_sql(orders, offset)}) WHERE until_at < {FOREVER}", values
    )
    cursor.execute(f"INSERT INTO {RECENT}.waits FROM ({waits_sql(lasting, offset)}) WHERE until_at = {FOREVER}", values)


def _withdraw(cursor: duckdb.DuckDBPyConnection) -> None:
    """Let nobody read here until all is laid out again."""
    cursor.execute(f"CREATE OR REPLACE TABLE {RECENT}.mark (version BIGINT)")


def _find_gone(cursor: duckdb.DuckDBPyConnection) -> None:
    """The temporary table `gone`: the changed orders as they are held."""
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE gone AS FROM {RECENT}.orders AS held SEMI JOIN changed ON {_same_order('held', 'changed')}"
    )


def _find_fresh(cursor: duckdb.DuckDBPyConnection, values: dict[str, Any]) -> None:
    """The temporary table `fresh`: the changed orders as they are to be held."""
    last = _number(cursor, f"SELECT max(order_number) FROM {RECENT}.orders", {})
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT *, {last} + row_number() OVER () AS order_number FROM "
        f"(FROM changed AS o WHERE {_is_recent('o')} ORDER BY created_at)",
        {"since": values["since"]},
    )


def _find_passages(cursor: duckdb.DuckDBPyConnection, orders: str, values: dict[str, Any], offset: Offset) -> None:
    """The temporary table `<orders>_passages`: those of the whole span, laid out once for all that counts them."""
    sql = f"CREATE OR REPLACE TEMP TABLE {orders}_passages AS {passages_sql(orders, offset)}"
    cursor.execute(sql, {"since": values["since"]})


def _take_out(cursor: duckdb.DuckDBPyConnection) -> None:
    """Remove the changed orders, and where they were and when, as they were held."""
    for table in ("orders", DOUBTFUL_ORDERS, DOUBTFUL, *VISITS, *TAKEN):
        cursor.execute(f"DELETE FROM {RECENT}.{table} AS held USING gone WHERE held.order_number = gone.order_number")
    cursor.execute(f"DELETE FROM {RECENT}.older AS held USING changed WHERE {_same_order('held', 'changed')}")


def _put_in(cursor: duckdb.DuckDBPyConnection, values: dict[str, Any], offset: Offset) -> None:
    """Add the changed orders, and where they were and when, as they are now."""
    visits_since = {"since": values["visits_since"]}
    cursor.execute(f"INSERT INTO {RECENT}.orders FROM fresh")
    cursor.execute(f"INSERT INTO {RECENT}.{DOUBTFUL_ORDERS} {_doubtful_orders('fresh')}")
    cursor.execute(f"INSERT INTO {RECENT}.{DOUBTFUL} FROM fresh_passages AS o WHERE {IS_DOUBTFUL}")
    for table in TAKEN:
        cursor.execute(f"INSERT INTO {RECENT}.{table} {taken_sql(table, 'fresh')}", {"since": values["since"]})
    cursor.execute(f'INSERT INTO {RECENT}.passages FROM fresh_passages WHERE "at" >= $since', visits_since)
    cursor.execute(f"INSERT INTO {RECENT}.waits {waits_sql('fresh', offset)}", visits_since)


def _doubtful_orders(orders: str) -> str:
    return f"FROM {orders} AS o WHERE {' OR '.join(DOUBTFUL_WHEN.values())}"


def _pack(cursor: duckdb.DuckDBPyConnection) -> None:
    try:
        cursor.execute(f"CHECKPOINT {RECENT}")
    except duckdb.TransactionException:
        _LOG.debug("the recent orders are being read: they are packed the next time")


def _number(cursor: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any]) -> int:
    row = cursor.execute(sql, dict(values)).fetchone()
    return int(row[0] or 0) if row else 0


def _newest_snapshot(cursor: duckdb.DuckDBPyConnection, version: int) -> int:
    return _number(cursor, "SELECT max(snapshot_id) FROM lake.snapshots AT (VERSION => $version)", {"version": version})


def _channels(cursor: duckdb.DuckDBPyConnection, version: int) -> list[tuple[Any, ...]]:
    """What changes orders without a new snapshot id: what each channel's sources report, and how many snapshots were replaced."""
    sql = (
        "SELECT channel, mapped_milestones FROM lake.channel_milestones AT (VERSION => $version) UNION ALL "
        "SELECT NULL, count(*) FROM lake.snapshots AT (VERSION => $version) WHERE state = 'replaced' ORDER BY ALL"
    )
    return cursor.execute(sql, {"version": version}).fetchall()


def _is_touched(cursor: duckdb.DuckDBPyConnection, derived: Derived, as_of: datetime) -> bool:
    if derived.told:
        keys = ", ".join(f"o.{name}" for name in ORDER_KEY)
        rows = f"SELECT {keys}, {derived.told} AS told"
        now = f"{rows} FROM changed AS o WHERE {derived.touches}"
        before = f"{rows} FROM {RECENT}.orders AS o SEMI JOIN changed ON {_same_order('o', 'changed')} WHERE {derived.touches}"
        sql = f"SELECT (SELECT count(*) FROM ({now} EXCEPT {before})) + (SELECT count(*) FROM ({before} EXCEPT {now}))"
        values = derived.values_at(as_of)
        return _number(cursor, sql, {name: value for name, value in values.items() if f"${name}" in sql}) > 0
    sql = (
        f"SELECT (SELECT count(*) FROM changed AS o WHERE {derived.touches}) + (SELECT count(*) FROM {RECENT}.orders AS o "
        f"SEMI JOIN changed ON {_same_order('o', 'changed')} WHERE {derived.touches})"
    )
    return _number(cursor, sql, derived.values_at(as_of)) > 0


def _same_order(left: str, right: str) -> str:
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in ORDER_KEY)


def _is_recent(alias: str) -> str:
    """Whether an order of the lake is kept: begun, and open or with a milestone or a promise since then."""
    since = " OR ".join(f"{alias}.{name} >= $since" for name in ("settled_at", "promised_at", "promised_ship_at"))
    return f"{alias}.created_at IS NOT NULL AND ({since})"


def _is_older(alias: str) -> str:
    return f"{alias}.created_at IS NOT NULL AND ({_is_recent(alias)}) IS NOT TRUE"


def _columns() -> str:
    """An order's columns, and for each milestone the instant from which on a contradiction with another one is seen.

    Of two instants in the wrong order the second to happen shows it: the one that should have come first.
    """
    columns = ["o.*"]
    for name in MILESTONES:
        pairs = [pair for pair in MUST_FOLLOW if name in pair]
        seen = ", ".join(f"CASE WHEN o.{later}_at < o.{earlier}_at THEN o.{earlier}_at END" for earlier, later in pairs)
        found = f"CASE WHEN (o.impossible_milestones & {MILESTONE_BIT[name]}) <> 0 THEN least({seen}) END"
        columns.append(f"coalesce({found}, TIMESTAMPTZ '{OPEN_UNTIL_FOREVER}') AS {name}_sound_until")
    return ", ".join(columns)


def _attach_all(cursor: duckdb.DuckDBPyConnection, values: dict[str, Any]) -> None:
    """Lay the recent returns and complaints beside their orders, all anew."""
    for table in ATTACHED:
        _take_attached(cursor, table, values, "TRUE")
        cursor.execute(f"CREATE OR REPLACE TABLE {RECENT}.{table} AS {_beside_order()}")


def _replace_attached(cursor: duckdb.DuckDBPyConnection, values: dict[str, Any]) -> None:
    """Lay anew what was attached, or whose order changed, since the last snapshot."""
    for table in ATTACHED:
        cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE due AS SELECT channel, order_id FROM changed UNION SELECT r.channel, r.order_id "
            f"FROM lake.{table} AS r AT (VERSION => $version) WHERE r.snapshot_id > $snapshot",
            {name: values[name] for name in ("version", "snapshot")},
        )
        _take_attached(cursor, table, values, f"EXISTS (FROM due WHERE {_same_order('due', 'r')})")
        cursor.execute(f"DELETE FROM {RECENT}.{table} AS held USING due WHERE {_same_order('held', 'due')}")
        cursor.execute(f"INSERT INTO {RECENT}.{table} {_beside_order()}")


def _take_attached(cursor: duckdb.DuckDBPyConnection, table: str, values: dict[str, Any], condition: str) -> None:
    """The temporary table `attached`, after any older order that something in it belongs to has been fetched."""
    own = ", ".join(f"r.{name} AS r_{name}" for name in ATTACHED[table])
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE attached AS SELECT r.channel, r.order_id, {own} "
        f"FROM lake.{table} AS r AT (VERSION => $version) WHERE {_attached_since(table)} AND {condition}",
        {name: values[name] for name in ("version", "since")},
    )
    _fetch_older(cursor, values["version"])


def _attached_since(table: str) -> str:
    instants = ", ".join(f"r.{name}" for name in ATTACHED[table] if name.endswith("_at"))
    return f"greatest({instants}) >= $since"


def _beside_order() -> str:
    """What is attached with its order's columns; those are null where no such order is known."""
    own = "SELECT a.channel, a.order_id, o.* EXCLUDE (channel, order_id), a.* EXCLUDE (channel, order_id)"
    both = f"(SELECT * EXCLUDE (order_number) FROM {RECENT}.orders UNION ALL FROM {RECENT}.older)"
    return f"{own} FROM attached AS a LEFT JOIN {both} AS o ON {_same_order('o', 'a')}"


def _fetch_older(cursor: duckdb.DuckDBPyConnection, version: int) -> None:
    """Fetch the orders of `attached` that lie before the span and are not here yet."""
    joins = " ".join(
        f"ANTI JOIN {RECENT}.{table} AS {table} ON {_same_order('attached', table)}" for table in ("orders", "older")
    )
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE missing AS SELECT DISTINCT channel, order_id FROM attached {joins}")
    numbers = [row[0] for row in cursor.execute("SELECT order_id FROM missing").fetchall()]
    if not numbers:
        return
    listed = "o.order_id IN (SELECT unnest($numbers)) AND" if len(numbers) > LISTED else f"o.order_id IN ({_marks(numbers)}) AND"
    given: dict[str, Any] = {"numbers": numbers} if len(numbers) > LISTED else {f"n{i}": n for i, n in enumerate(numbers)}
    cursor.execute(
        f"INSERT INTO {RECENT}.older SELECT {_columns()} FROM lake.orders AS o AT (VERSION => $version) WHERE {listed} "
        f"EXISTS (FROM missing WHERE {_same_order('o', 'missing')})",
        {"version": version} | given,
    )


def _marks(numbers: Sequence[str]) -> str:
    return ", ".join(f"$n{index}" for index in range(len(numbers)))


def _agrees(cursor: duckdb.DuckDBPyConnection, values: dict[str, Any]) -> bool:
    """Whether what is kept is the lake's: as many orders, last changed by the same snapshots, and as much attached."""
    since, told = {"since": values["since"]}, "count(*), sum(o.snapshot_id), sum(epoch_ms(o.settled_at) % 1000003)"
    sides = [
        (f"{RECENT}.{{}} AS {{}}", since),
        ("lake.{} AS {} AT (VERSION => $version)", since | {"version": values["version"]}),
    ]
    answers = []
    for side, given in sides:
        found = [f"SELECT {told} FROM {side.format('orders', 'o')} WHERE o.created_at IS NOT NULL AND o.settled_at >= $since"]
        kept = side.startswith(RECENT)
        for table in ATTACHED:
            where = "TRUE" if kept else _attached_since(table)
            found.append(f"SELECT count(*) FROM {side.format(table, 'r')} WHERE {where}")
        answers.append([cursor.execute(sql, {k: v for k, v in given.items() if f"${k}" in sql}).fetchone() for sql in found])
    return answers[0] == answers[1]
