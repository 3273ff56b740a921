"""The door admits exactly one SELECT over the lake's own tables; everything else is refused before the engine sees it."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from data.lake import Lake
from queries.build import Statement
from queries.compose import compose
from queries.metrics import METRICS
from queries.query import Filter, Query, Window
from queries.run import RunError, admit, run
from queries.scope import Scope
from tests.queries.desk import AS_OF, Desk

ESCAPES = [
    "SELECT 1; SELECT 2",
    "SELECT * FROM lake.orders; DROP TABLE lake.orders",
    "DROP TABLE lake.orders",
    "DELETE FROM lake.orders",
    "INSERT INTO lake.orders SELECT * FROM lake.orders",
    "UPDATE lake.orders SET channel = 'x'",
    "CREATE TABLE copied AS SELECT * FROM lake.orders",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "ATTACH '/etc/passwd' AS foreign_file (TYPE sqlite)",
    "ATTACH 'other.sqlite' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET threads = 1",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "EXPLAIN SELECT 1",
    "DESCRIBE lake.orders",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_parquet('x.parquet')",
    "SELECT * FROM '/etc/passwd'",
    "WITH read_csv AS (SELECT 1) SELECT * FROM read_csv('/etc/passwd')",
    "WITH snapshots AS (SELECT 1) SELECT * FROM lake.snapshots",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM sqlite_scan('x', 'y')",
    "SELECT getenv('HOME')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM ducklake_snapshots('lake')",
    "SELECT * FROM lake.snapshots",
    "SELECT * FROM lake.order_rows",
    "SELECT * FROM lake.order_events",
    "SELECT r.* FROM lake.orders AS o, lake.order_rows AS r",
    "SELECT r.* FROM lake.orders AS o CROSS JOIN lake.order_rows AS r",
    "SELECT r.* FROM lake.orders AS o JOIN lake.order_rows AS r ON r.channel = o.channel",
    "SELECT r.* FROM lake.orders AS o JOIN lake.order_rows AS r ON r.channel = o.channel OR r.order_id = o.order_id",
    "SELECT r.* FROM lake.orders AS o RIGHT JOIN lake.order_rows AS r ON r.channel = o.channel AND r.order_id = o.order_id",
    "SELECT r.* FROM lake.orders AS o FULL JOIN lake.order_rows AS r ON r.channel = o.channel AND r.order_id = o.order_id",
    "WITH x AS (SELECT 1 AS channel, 2 AS order_id) SELECT r.* FROM x AS o JOIN lake.order_rows AS r "
    "ON r.channel = o.channel AND r.order_id = o.order_id",
    "SELECT (SELECT max(city) FROM lake.order_rows) FROM lake.orders AS o",
    "SELECT * FROM lake.quarantine",
    "SELECT * FROM orders",
    "SELECT * FROM other.lake.orders",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM lake.orders UNION ALL SELECT * FROM lake.snapshots",
    "SELECT 1 UNION SELECT 2",
    "WITH gone AS (DELETE FROM lake.orders RETURNING *) SELECT * FROM gone",
    "WITH files AS (SELECT * FROM read_blob('/etc/passwd')) SELECT * FROM files",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "FROM lake.snapshots",
    "not a statement at all (",
    "",
]


@pytest.mark.parametrize("sql", ESCAPES)
def test_anything_but_one_select_over_orders_is_refused(sql: str) -> None:
    with pytest.raises(RunError, match="refused"):
        admit(sql)


@pytest.mark.parametrize("sql", ["SELECT 1", "SELECT count(*) FROM lake.orders", "WITH a AS (SELECT 1 AS x) SELECT x FROM a"])
def test_one_select_is_admitted(sql: str) -> None:
    admit(sql)


def test_a_refused_statement_never_reaches_the_lake(desk: Desk) -> None:
    desk.filled([{"id": "A", "created": "10 10:00"}])
    with pytest.raises(RunError, match="refused"):
        run(desk.lake, Statement(sql="DELETE FROM lake.orders", parameters={}, columns=()))
    assert _count(desk.lake) == 1


def _count(lake: Lake) -> int:
    row = lake.cursor().execute("SELECT count(*) FROM lake.orders").fetchone()
    return int(row[0]) if row else 0


def test_a_failing_statement_says_nothing_of_the_data(desk: Desk) -> None:
    filled = desk.filled([{"id": "A", "created": "10 10:00", "city": "secret place"}])
    broken = Statement(sql="SELECT CAST(city AS INTEGER) AS x FROM lake.orders", parameters={}, columns=("x",))
    with pytest.raises(RunError) as caught:
        run(filled.lake, broken)
    assert "secret" not in str(caught.value)


AS_OF_CONDITIONS = ("o.created_at <= $as_of", "o.created_at <= i.as_of", "o.created_at <= $until", "o.created_at <= d.risk_end")
"""`$until` is the window's end where that lies before as-of, `risk_end` the beginning of a bucket's last day."""

ALL_QUERIES = [
    Query(
        metrics=(name,),
        by=("channel",),
        where=(Filter("status", ("paid", None)), Filter("city", ("x'; DROP TABLE lake.orders; --",))),
        window=Window(start=AS_OF.replace(day=10), end=AS_OF),
        grain=grain,
        compare=("previous", "last_week", "target"),
    )
    for name in METRICS
    for grain in (None, "day")
]


@pytest.mark.parametrize("query", ALL_QUERIES, ids=lambda query: f"{query.metrics[0]} {query.grain}")
def test_every_read_of_the_orders_carries_scope_as_of_and_snapshot(desk: Desk, query: Query) -> None:
    sql = desk.filled([]).statement(query, scope=Scope.of_regions(["R1", "R2"])).sql
    tree = parse_one(sql, dialect="duckdb")
    reads = [table for table in tree.find_all(exp.Table) if table.db == "lake"]
    assert reads
    for table in reads:
        select = table.find_ancestor(exp.Select)
        assert select is not None
        conditions = [condition.sql("duckdb") for condition in select.args["where"].this.flatten()]
        assert "o.region_code IN ($scope_0, $scope_1)" in conditions
        assert any(condition.startswith(AS_OF_CONDITIONS) for condition in conditions)
        assert table.args["when"].sql("duckdb") == "AT (VERSION => $version)"


@pytest.mark.parametrize("query", ALL_QUERIES, ids=lambda query: f"{query.metrics[0]} {query.grain}")
def test_no_value_is_ever_part_of_the_text(desk: Desk, query: Query) -> None:
    sql = desk.filled([]).statement(query, scope=Scope.of_regions(["N' OR '1'='1"])).sql
    assert "DROP" not in sql
    assert "OR '1'" not in sql


def test_a_statement_composed_anew_says_the_same(desk: Desk) -> None:
    """Trees are written as they stand, not from a copy, and share their fragments: none may be changed by it."""
    queries, desk = ALL_QUERIES[::7], desk.filled([])
    once = [desk.statement(query).sql for query in queries]
    compose.cache_clear()
    assert [desk.statement(query).sql for query in queries] == once


def test_the_text_is_the_same_at_the_next_snapshot(desk: Desk) -> None:
    query = Query(metrics=tuple(METRICS)[:20], by=("region",), window=Window(start=AS_OF.replace(day=10), end=AS_OF))
    texts = {desk.filled([]).statement(query, as_of=AS_OF.replace(hour=hour)).sql for hour in (1, 2, 3)}
    assert len(texts) == 1
