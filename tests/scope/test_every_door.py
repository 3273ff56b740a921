"""No second door: who may touch the lake is a list, and whatever else does fails here.

A new query, page or command that reads orders past `queries.base` is found by what it does, not by anyone remembering.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import pytest
from sqlglot import exp, parse
from streamlit.testing.v1 import AppTest

from access.reading import Reading
from config import Settings
from data.lake import RECENT, UNBEGUN
from pages import PAGES
from queries.risk import KEPT_COMPARABLES
from tests.scope.conftest import EAST
from tests.scope.test_every_figure import view_of

ROOT = Path(__file__).resolve().parents[2]
INSIDE = ("access", "alerts", "components", "pages", "shell", "queries")

LAKE_READERS = {
    "access/query_command.py": "the command line's lake, asked through `queries.build` in the scope of the user named",
    "access/personal_command.py": "the local administrator's erasure, expiry and rotation, which reach every order by duty",
    "access/reading.py": "the ledger's own rows: which snapshot is the newest, and each source's as-of",
    "alerts/evaluate.py": "the ledger's own rows: how old the oldest late snapshot is",
    "queries/run.py": "the door itself",
}
"""The only modules outside `data` that take a cursor of the lake; each says why it needs no scope."""

UNSCOPED = {UNBEGUN}
"""What the lake asks of all its orders for itself: only whether there are such orders goes on."""

LEDGER = {"snapshots", "channel_milestones", KEPT_COMPARABLES}
"""Tables that hold nothing of any one order; what comparable orders needed is joined to scoped rows by their region."""


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in INSIDE:
        for file in sorted((ROOT / folder).rglob("*.py")) if (ROOT / folder).is_dir() else ():
            yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def lake_uses(tree: ast.Module) -> list[int]:
    """Lines that take a cursor or a connection of the lake, or hold SQL over its tables."""
    lines = []
    for node in ast.walk(tree):
        is_cursor = isinstance(node, ast.Attribute) and (
            node.attr in ("open_reader", "open_writer")
            or (node.attr in ("cursor", "writer") and bool(re.search("lake|reading", ast.unparse(node.value))))
        )
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if is_cursor or re.search(r"\b(FROM|JOIN|INTO|UPDATE)\s+lake\.", text, re.IGNORECASE):
            lines.append(getattr(node, "lineno", 0))
    return sorted(set(lines))


def test_lake_is_reached_through_the_door_only() -> None:
    """A file named here reads the lake: it is to ask queries.build with a scope instead."""
    sources = dict(_sources())
    assert len(sources) > 300
    assert {name: uses for name, tree in sources.items() if name not in LAKE_READERS and (uses := lake_uses(tree))} == {}


@pytest.mark.parametrize(
    "source", ["lake.cursor()", "Lake.open_reader(s)", 'x = "SELECT 1 from lake.orders"', "self._lake.writer()"]
)
def test_rule_sees_what_it_forbids(source: str) -> None:
    assert lake_uses(ast.parse(source)) != []


def unscoped_reads(sql: str) -> list[str]:
    """Lake tables that a statement reads without the scope's condition in the same SELECT."""
    found = []
    for tree in parse(sql, dialect="duckdb"):
        for table in tree.find_all(exp.Table) if tree else ():
            if table.db not in ("lake", RECENT, "temp") or table.name in LEDGER:
                continue
            select = table.find_ancestor(exp.Select)
            where = select.args.get("where") if select else None
            parts = [] if where is None else where.this.flatten() if isinstance(where.this, exp.And) else [where.this]
            conditions = [part.sql("duckdb") for part in parts]
            if not any(
                re.fullmatch(r"o\.region_code IN \(\$scope_\d+(, \$scope_\d+)*\)|FALSE", condition) for condition in conditions
            ):
                found.append(table.name)
    return found


def leaks(statements: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The statements that read beyond the scope, each with the tables."""
    return [(sql, found) for sql in statements if sql not in UNSCOPED and (found := unscoped_reads(sql))]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT 1 FROM lake.orders AS o WHERE o.region_code IN ($scope_0) AND TRUE", []),
        ("SELECT 1 FROM lake.orders AS o WHERE o.region_code IN ($scope_0) OR TRUE", ["orders"]),
        ("SELECT 1 FROM lake.orders AS o", ["orders"]),
        ("SELECT 1 FROM temp.taken_0 AS o WHERE o.settled_at > $start", ["taken_0"]),
        (
            "SELECT 1 FROM lake.order_events AS e, (SELECT 1 FROM lake.orders AS o WHERE o.region_code IN ($scope_0))",
            ["order_events"],
        ),
        ("SELECT max(snapshot_id) FROM lake.snapshots", []),
    ],
)
def test_check_of_statements_sees_what_it_forbids(sql: str, found: list[str]) -> None:
    assert unscoped_reads(sql) == found


def _draw(module: str, home: str, region: str) -> None:
    from importlib import import_module
    from pathlib import Path

    from access.reading import Reading
    from config import read_settings
    from tests.scope.test_every_figure import view_of

    reading = Reading(read_settings({}, home=Path(home), memory_limit="512MB", threads=1, demo=False))
    reading.lake().cursor().execute("CALL enable_logging('QueryLog')")
    import_module(module).render(view_of(reading, "lead", region))
    rows = reading.lake().cursor().execute("SELECT DISTINCT message FROM duckdb_logs() WHERE type = 'QueryLog'").fetchall()
    import streamlit as st

    st.session_state["statements"] = [row[0] for row in rows]
    reading.close()


@pytest.mark.parametrize("page", [page for page in PAGES if "lead" in page.roles], ids=lambda page: page.url_path)
def test_every_statement_a_page_runs_for_a_lead_is_scoped(country: Settings, page: object) -> None:
    for _ in range(3):  # an engine that breaks off under its log is opened anew, without it
        app = AppTest.from_function(_draw, args=(page.module, str(country.home), EAST), default_timeout=120).run()  # type: ignore[attr-defined]
        statements = [] if app.exception else app.session_state["statements"]
        if any("lake." in sql for sql in statements):
            break
    assert not app.exception, app.exception
    assert any("lake." in sql for sql in statements)
    assert leaks(statements) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.url_path)
def test_what_is_asked_ahead_for_a_lead_is_scoped(reading: Reading, page: object) -> None:
    module = import_module(page.module)  # type: ignore[attr-defined]
    if not hasattr(module, "prepare"):
        pytest.skip(f"{page.url_path} prepares nothing")  # type: ignore[attr-defined]
    reading.lake().cursor().execute("CALL enable_logging('QueryLog')")
    module.prepare(view_of(reading, "lead", EAST), {})
    rows = reading.lake().cursor().execute("SELECT DISTINCT message FROM duckdb_logs() WHERE type = 'QueryLog'").fetchall()
    assert leaks([sql for (sql,) in rows]) == []
