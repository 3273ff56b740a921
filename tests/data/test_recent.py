"""The recent orders kept in memory: brought up by what changed they are the same as read anew, and what a lake holds."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.lake import Lake
from data.numbers import EPOCH, HOUR, Numbers
from data.recent import ATTACHED, COUNTED_ROWS, DOUBTFUL, DOUBTFUL_ORDERS, VISITS, Counted, Counting, Derived, Recent
from data.taken import TAKEN
from tests.data.intake import contract_of, home, take_in, write_csv
from tests.data.test_merge import HEADER, SNAPSHOT, _contract

EXAMPLES = int(os.environ.get("LAW_EXAMPLES", "1"))

SPANS = (timedelta(days=40),)
BEGIN = datetime(2026, 2, 1, tzinfo=UTC)
RETURNS = {
    "source": "desk",
    "kind": "returns",
    "columns": {
        "return_id": "no",
        "channel": "'web'",
        "order_id": "id",
        "kind": "kind",
        "requested_at": "asked",
        "closed_at": "done",
    },
}
RETURN_ROW = st.tuples(
    st.sampled_from(["R1", "R2"]),
    st.sampled_from(["A", "B", "Z"]),
    st.just("refund"),
    st.just("2026-01-20 08:00:00"),
    st.sampled_from(["", "2026-01-21 08:00:00"]),
)
FIRST = ("A", "2026-01-01 07:00:00", "Wuhan", "", "", "", "")
RETURN_HEADER = ("no", "id", "kind", "asked", "done")
PASSED = Counted(
    name="passed",
    figures=("number", "total_ms"),
    counting_at=lambda as_of: Counting(
        sql="SELECT city, passage_stage, date_trunc('month', $begin) AS month, count(*) AS number, "
        f"sum(coalesce(passage_seconds * 1000, 0))::BIGINT AS total_ms FROM {COUNTED_ROWS} GROUP BY ALL",
        values=(("begin", as_of.replace(day=1, hour=0)),),
    ),
)
PACES = Derived(
    name="paces",
    sql="SELECT passage_stage, avg(passage_seconds) AS pace FROM recent.passages WHERE city = 'Wuhan' GROUP BY ALL",
    touches="o.city = 'Wuhan'",
    values_at=lambda _: {},
)
SLOW = Counted(
    name="slow",
    figures=("number",),
    counting_at=lambda _: Counting(
        sql=f"SELECT r.city, count(*) FILTER (WHERE r.passage_seconds >= p.pace) AS number FROM {COUNTED_ROWS} AS r "
        "LEFT JOIN recent.paces AS p ON p.passage_stage = r.passage_stage GROUP BY ALL"
    ),
    reads="paces",
    of="visits",
)
CITIES = Counted(
    name="cities",
    figures=("number", "delivered"),
    counting_at=lambda _: Counting(
        sql=f"SELECT city, count(*) AS number, count(delivered_at) AS delivered FROM {COUNTED_ROWS} GROUP BY ALL"
    ),
    of="orders",
)
COUNTED = (PASSED, SLOW, CITIES)
REPEATED = (DOUBTFUL_ORDERS, DOUBTFUL, *VISITS, *TAKEN)
_numbers = count()


def _kept(lake: Lake) -> dict[str, list[tuple[Any, ...]]]:
    """All that is in memory, each row as text, whatever number its order has."""
    cursor = lake.cursor()
    cells = (
        "SELECT city, passage_stage, month, sum(number), sum(total_ms) FROM recent.passed GROUP BY ALL HAVING sum(number) <> 0"
    )
    hidden = {name: "" for name in ATTACHED} | {name: "EXCLUDE (order_number)" for name in ("orders", *REPEATED)}
    slow = "SELECT city, sum(number) FROM recent.slow GROUP BY ALL HAVING sum(number) <> 0"
    cities = "SELECT city, sum(number), sum(delivered) FROM recent.cities GROUP BY ALL HAVING sum(number) <> 0"
    counted = {"passed": cells, "slow": slow, "paces": "SELECT * FROM recent.paces", "cities": cities}
    tables = {name: f"SELECT * {without} FROM recent.{name}" for name, without in hidden.items()} | counted
    return {name: sorted(cursor.execute(f"SELECT held::VARCHAR FROM ({sql}) AS held").fetchall()) for name, sql in tables.items()}


def _numbered(lake: Lake, numbers: Numbers | None) -> list[tuple[bool, tuple[Any, ...]]]:
    """Of every order, and every row of one, whether it lies where the numbers say."""
    assert numbers is not None
    cursor, found = lake.cursor(), []
    for channel, order_id, hour in cursor.execute(
        f"SELECT channel, order_id, {HOUR} FROM lake.orders AS r WHERE created_at IS NOT NULL"
    ).fetchall():
        reach = numbers.reach_of(channel, order_id)
        is_within = reach is not None and reach.first <= EPOCH + timedelta(hours=hour) < reach.end
        found.append((is_within and "order_id" in numbers.found(order_id[:1]).columns, (channel, order_id, hour)))
    for row in cursor.execute(f"SELECT channel, order_id, {HOUR}, snapshot_id FROM lake.order_rows AS r").fetchall():
        rows = numbers.rows_of(*row[:2])
        if row[2] is None:
            found.append((rows.undated is not None and rows.undated[0] <= row[3] <= rows.undated[1], row))
        else:
            found.append((rows.dated is not None and rows.dated.first <= EPOCH + timedelta(hours=row[2]) < rows.dated.end, row))
    return found


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(snapshots=st.lists(SNAPSHOT, min_size=2, max_size=4), returned=st.lists(RETURN_ROW, max_size=3))
def test_what_is_kept_up_to_date_is_what_would_be_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshots: list[Any], returned: list[Any]
) -> None:
    monkeypatch.setattr("data.recent.VISIT_SPAN", SPANS[0])
    place = tmp_path / str(next(_numbers))
    place.mkdir()
    with Lake.open_writer(home(place)) as lake:
        take_in(lake, _contract("oms"), write_csv(place / f"first_{BEGIN:%Y%m%dT%H%M%S}.csv", [FIRST], HEADER))
        reader = Lake.open_reader(home(place))
        recent = Recent(reader, derived=[PACES], counted=COUNTED, spans=SPANS)
        for number, (source, hour, rows) in enumerate(snapshots):
            stamp = f"{BEGIN + timedelta(hours=hour):%Y%m%dT%H%M%S}"
            take_in(lake, _contract(source), write_csv(place / f"{number}_{stamp}.csv", rows, HEADER))
            if number == 1 and returned:
                take_in(lake, contract_of(**RETURNS), write_csv(place / f"r_{stamp}.csv", returned, RETURN_HEADER))
            version, as_of = reader.newest_version(), reader.head().as_of or BEGIN
            horizon = recent.advance(version, as_of)
            assert horizon is not None
            for known, row in _numbered(reader, horizon.numbers):
                assert known, row
            kept = _kept(reader)
            assert Recent(reader, derived=[PACES], counted=COUNTED, spans=SPANS).advance(version, as_of) is not None
            assert kept == _kept(reader)
        reader.close()


def test_only_what_changed_is_read_again(tmp_path: Path) -> None:
    """The order that stayed as it was keeps its place in memory."""
    columns = {"order_id": "id", "channel": "'web'", "created_at": "created", "shipped_at": "shipped"}
    contract, header = contract_of(columns=columns), ("id", "created", "shipped")
    with Lake.open_writer(home(tmp_path)) as lake:
        recent = Recent(lake, spans=SPANS)
        first = [("A", "2026-01-31 08:00:00", ""), ("B", "2026-01-31 09:00:00", ""), ("C", "2026-01-31 10:00:00", "")]
        later = [(id_, created, "2026-02-01 00:30:00") for id_, created, _ in first[:1]]
        for hour, rows in enumerate((first, later)):
            take_in(
                lake, contract, write_csv(tmp_path / f"o_{BEGIN + timedelta(hours=hour + 1):%Y%m%dT%H%M%S}.csv", rows, header)
            )
            recent.advance(lake.newest_version(), BEGIN + timedelta(hours=hour + 1))
        places = lake.cursor().execute("SELECT order_id, order_number FROM recent.orders ORDER BY 1").fetchall()
        waits = lake.cursor().execute("SELECT furthest FROM recent.waits WHERE until_at > '9999-01-01' ORDER BY 1").fetchall()
    assert places == [("A", 4), ("B", 2), ("C", 3)]
    assert waits == [("created",), ("created",), ("shipped",)]


def test_more_orders_than_fit_are_left_in_the_lake(tmp_path: Path) -> None:
    with Lake.open_writer(home(tmp_path)) as lake:
        rows = [(f"O{n}", "2026-01-31 08:00:00", "1", "", "") for n in range(3)]
        take_in(lake, contract_of(), write_csv(tmp_path / "o_20260201T000000.csv", rows))
        assert Recent(lake, most_rows=2).advance(lake.newest_version(), BEGIN) is None
        assert Recent(lake, most_rows=3).advance(lake.newest_version(), BEGIN) is not None
