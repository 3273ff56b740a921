"""`rows`: a line that cannot be read is set apart where each line stands for itself, and every refused row names its line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data.ingest import Report
from data.lake import Lake
from data.replay import list_quarantine, replay
from data.selected import takes_lines_by_themselves
from tests.data.intake import NOW, contract_of, home, take_in

UNNESTED = """
SELECT "order" ->> '$.id' AS id, event ->> '$.type' AS type, event ->> '$.at' AS at
FROM file, unnest(events::JSON[]) AS one(event)
"""
SUMMED = """SELECT id, sum(amount::DECIMAL(18,2)) AS amount, min(created) AS created FROM file GROUP BY 1"""
EVENTS: dict[str, Any] = {
    "kind": "events",
    "reader": {"format": "jsonl", "path": "*.jsonl"},
    "rows": UNNESTED,
    "columns": {"channel": "'web'", "order_id": "id", "milestone": "type", "occurred_at": "at"},
    "milestones": {"placed": "created", "sent": "shipped"},
    "quarantine": {"max_share": 0.5},
}
SUMS: dict[str, Any] = {
    "rows": SUMMED,
    "columns": {"channel": "'web'", "order_id": "id", "created_at": "created", "amount": "amount"},
    "quarantine": {"max_share": 0.5},
}


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.open_writer(home(tmp_path)) as opened:
        yield opened


def _line(number: int, *types: str) -> str:
    events = [{"type": name, "at": f"2026-01-0{hour}T00:00:00Z"} for hour, name in enumerate(types, start=1)]
    return json.dumps({"order": {"id": f"A{number}"}, "events": events})


def _feed(lake: Lake, folder: Path, lines: list[str], suffix: str = "jsonl", **changes: Any) -> Report:
    path = folder / f"feed_20260201T000000.{suffix}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return take_in(lake, contract_of(**changes), path)


def _refused(lake: Lake) -> list[tuple[Any, ...]]:
    return list_quarantine(lake.cursor()).select("line", "column", "value").rows()


def _orders(lake: Lake) -> list[tuple[Any, ...]]:
    return lake.cursor().execute("SELECT order_id, status FROM lake.orders ORDER BY order_id").fetchall()


def test_a_line_that_is_no_json_is_set_apart_and_the_others_come_in(lake: Lake, tmp_path: Path) -> None:
    lines = [_line(1, "placed", "sent"), '{"order": {"id": "A2"', "", _line(3, "placed")]
    report = _feed(lake, tmp_path, lines, **EVENTS)
    assert (report.state, report.row_count, report.accepted_count) == ("accepted", 4, 3)
    assert report.quarantined == {"not a JSON object": 1}
    assert _refused(lake) == [(2, "", None)]
    assert _orders(lake) == [("A1", "shipped"), ("A3", "created")]


def test_a_refused_row_names_the_line_it_comes_from(lake: Lake, tmp_path: Path) -> None:
    lines = [_line(1, "placed", "sent", "sent"), "{", "", _line(3, "placed", "lost"), _line(4, "stolen")]
    _feed(lake, tmp_path, lines, **EVENTS)
    assert _refused(lake) == [(2, "", None), (4, "milestone", "lost"), (5, "milestone", "stolen")]


def test_a_broken_line_does_not_keep_the_others_from_coming_in_again(lake: Lake, tmp_path: Path) -> None:
    _feed(lake, tmp_path, [_line(1, "placed"), _line(3, "lost"), '{"order": {"id": "A2"', _line(4, "placed")], **EVENTS)
    mended = contract_of(**(EVENTS | {"milestones": EVENTS["milestones"] | {"lost": "cancelled"}}))
    assert [(done.tried, done.report.accepted_count) for done in replay(lake, mended, now=NOW)] == [(1, 1)]
    assert _orders(lake) == [("A1", "created"), ("A3", "cancelled"), ("A4", "created")]
    assert _refused(lake) == [(3, "", None)]


def test_a_refused_sum_names_the_first_line_of_its_order(lake: Lake, tmp_path: Path) -> None:
    lines = ["id,created,amount", "A,2026-01-01,1", "A,2026-01-01,2", "B,yesterday,3", "C,2026-01-01,4", "B,yesterday,3"]
    report = _feed(lake, tmp_path, lines, suffix="csv", **SUMS)
    assert report.accepted_count == 2
    assert _refused(lake) == [(4, "created_at", "yesterday")]


def test_a_broken_line_refuses_a_file_whose_lines_are_added_up(lake: Lake, tmp_path: Path) -> None:
    lines = ["id,created,amount", "A,2026-01-01,1", "A,2026-01-01,2,3", "B,2026-01-01,3"]
    report = _feed(lake, tmp_path, lines, suffix="csv", **SUMS)
    assert report.state == "refused"
    assert "line 3" in report.reason
    assert "puts lines together" in report.reason


def test_a_broken_line_of_text_is_set_apart_where_each_is_reshaped_by_itself(lake: Lake, tmp_path: Path) -> None:
    lines = ["id,created,amount", "A,2026-01-01,1", "A,2026-01-01,2,3", "B,2026-01-01,x"]
    rows = "SELECT upper(id) AS id, created, amount FROM file AS f WHERE id <> 'Z' ORDER BY id DESC"
    report = _feed(lake, tmp_path, lines, suffix="csv", **(SUMS | {"rows": rows}))
    assert report.accepted_count == 1
    assert [(line, column) for line, column, _ in _refused(lake)] == [(3, ""), (4, "amount")]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (UNNESTED, True),
        ("SELECT a, unnest(b) AS b FROM file WHERE a <> ''", True),
        ("FROM file SELECT a", True),
        ("SELECT f.a, j.value FROM file AS f LEFT JOIN json_each(f.x) AS j ON true", True),
        ("SELECT a, (SELECT sum(q) FROM unnest(items::INT[]) AS t(q)) AS q FROM file", True),
        ("SELECT count(*) AS n FROM file", False),
        ("SELECT histogram(a) AS n FROM file", False),
        ("SELECT a, sum(b) AS b FROM file GROUP BY a", False),
        ("SELECT DISTINCT a FROM file", False),
        ("SELECT a FROM file LIMIT 3", False),
        ("SELECT a, row_number() OVER () AS n FROM file", False),
        ("SELECT a FROM file QUALIFY row_number() OVER (PARTITION BY a) = 1", False),
        ("SELECT a, b FROM file JOIN (SELECT a, sum(b) AS n FROM file GROUP BY 1) USING (a)", False),
        ("SELECT a FROM file WHERE b = (SELECT max(b) FROM file)", False),
        ("WITH one AS (FROM file) SELECT a FROM one", False),
        ("SELECT a FROM file UNION ALL SELECT b FROM file", False),
    ],
)
def test_which_rows_take_each_line_by_itself(rows: str, expected: bool) -> None:
    with duckdb.connect() as connection:
        assert takes_lines_by_themselves(connection, rows) is expected
