"""The first of the older orders in memory: none beyond a bound is missing, and each is as the lake has it, whatever comes in."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.lake import Lake
from data.leading import Ranking, beyond_sql
from data.recent import Horizon, Recent
from tests.data.intake import home, take_in, write_csv
from tests.data.test_merge import HEADER, SNAPSHOT, _contract
from tests.data.test_recent import BEGIN, EXAMPLES

SPAN = timedelta(days=30, hours=12)
"""Since noon of the first of January: some orders were done before, others later or not at all."""
RANKINGS = (
    Ranking(name="cycle", value="epoch_ms(o.delivered_at) - epoch_ms(o.created_at)"),
    Ranking(name="name", value="length(o.city)"),
)
FIRST = [
    (f"{sign}{number}", f"2026-01-01 0{number}:00:00", "Wuhan" if number % 2 else "", "", "", "2026-01-01 11:00:00", "")
    for sign in "CD"
    for number in range(1, 4)
]
_numbers = count()


def kept_and_held(lake: Lake, horizon: Horizon) -> tuple[set[str], set[str], set[str]]:
    """As text: the older orders in memory, those beyond a bound in the lake, and all older ones in the lake."""
    assert horizon.bounds is not None
    beyond, given_values = beyond_sql(RANKINGS, horizon.bounds)
    cursor, since = lake.cursor(), {"since": horizon.since}
    older = "(o.settled_at >= $since OR o.promised_at >= $since OR o.promised_ship_at >= $since) IS NOT TRUE"
    names = ", ".join(row[0] for row in cursor.execute("SELECT column_name FROM (DESCRIBE lake.orders)").fetchall())

    def texts(sql: str, values: dict[str, Any]) -> set[str]:
        rows = cursor.execute(f"SELECT held::VARCHAR FROM (SELECT {names} FROM {sql}) AS held", values).fetchall()
        return {row[0] for row in rows}

    held = texts(f"lake.orders AS o WHERE {older} AND {beyond}", since | given_values)
    return texts("recent.leading", {}), held, texts(f"lake.orders AS o WHERE {older}", since)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(snapshots=st.lists(SNAPSHOT, min_size=2, max_size=4))
def test_no_older_order_beyond_a_bound_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshots: list[Any]) -> None:
    monkeypatch.setattr("data.leading.MOST", 2)
    place = tmp_path / str(next(_numbers))
    place.mkdir()
    with Lake.open_writer(home(place)) as lake:
        take_in(lake, _contract("oms"), write_csv(place / f"first_{BEGIN:%Y%m%dT%H%M%S}.csv", FIRST, HEADER))
        reader = Lake.open_reader(home(place))
        recent = Recent(reader, rankings=RANKINGS, spans=(SPAN,))
        recent.advance(reader.newest_version(), BEGIN)
        for number, (source, hour, rows) in enumerate(snapshots):
            horizon = recent.complete()
            assert horizon is not None
            kept, held, older = kept_and_held(reader, horizon)
            assert held <= kept <= older
            stamp = f"{BEGIN + timedelta(hours=hour):%Y%m%dT%H%M%S}"
            take_in(lake, _contract(source), write_csv(place / f"{number}_{stamp}.csv", rows, HEADER))
            horizon = recent.advance(reader.newest_version(), reader.head().as_of or BEGIN)
            assert horizon is not None
            if horizon.bounds is not None:
                kept, held, older = kept_and_held(reader, horizon)
                assert held <= kept <= older
        reader.close()


def test_when_too_many_have_been_added_none_is_kept_until_their_bounds_are_found_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.leading.MOST", 1)
    with Lake.open_writer(home(tmp_path)) as lake:
        recent = Recent(lake, rankings=RANKINGS, spans=(SPAN,))
        for number, many in enumerate((1, 12)):
            rows = [
                (f"E{number}{n:02d}", "2026-01-01 08:00:00", "Wuhan" + "n" * n, "", "", "2026-01-01 11:00:00", "")
                for n in range(many)
            ]
            path = write_csv(tmp_path / f"o_{BEGIN + timedelta(hours=number):%Y%m%dT%H%M%S}.csv", rows, HEADER)
            take_in(lake, _contract("oms"), path)
            horizon = recent.advance(lake.newest_version(), BEGIN)
            assert horizon is not None
            assert horizon.bounds is None
            assert lake.cursor().execute("SELECT count(*) FROM recent.leading").fetchone() == (0,)
            completed = recent.complete()
            assert completed is not None
            kept, held, older = kept_and_held(lake, completed)
            assert held <= kept < older if number else kept == older
