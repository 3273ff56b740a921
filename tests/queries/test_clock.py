"""Calendar arithmetic in plain numbers agrees with the time zone database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from queries.clock import STEP_MS, bucket_end, bucket_start, buckets, offsets_between, shift_days, start_of_day
from queries.fragment import bucket_sql, local_ms, utc_ms
from queries.query import GRAINS, Grain

ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
)
INSTANTS = st.datetimes(datetime(2005, 1, 1), datetime(2029, 12, 31)).map(lambda naive: naive.replace(microsecond=0, tzinfo=UTC))  # noqa: DTZ001
END = datetime(2030, 6, 1, tzinfo=UTC)
CONNECTION = duckdb.connect()


def _value(sql: str, instant: datetime) -> int:
    row = CONNECTION.execute(f"SELECT {sql}", {"at": instant}).fetchone()
    assert row is not None
    return int(row[0])


@settings(max_examples=25, deadline=None)
@given(instant=INSTANTS, zone=st.sampled_from(ZONES))
def test_the_clock_reading_in_sql_is_the_zone_s(instant: datetime, zone: str) -> None:
    local = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    offsets = offsets_between(ZoneInfo(zone), None, END)
    assert _value(local_ms("$at", offsets), instant) == int(local.timestamp() * 1000)


@example(instant=datetime(2018, 11, 4, 3, tzinfo=UTC), zone="America/Sao_Paulo", grain="day")
@example(instant=datetime(2026, 11, 1, 6, tzinfo=UTC), zone="America/Havana", grain="day")
@settings(max_examples=20, deadline=None)
@given(
    instant=INSTANTS,
    zone=st.sampled_from([name for name in ZONES if name != "Australia/Lord_Howe"]),
    grain=st.sampled_from(GRAINS),
)
def test_the_bucket_in_sql_begins_where_the_zone_s_does(instant: datetime, zone: str, grain: Grain) -> None:
    offsets = offsets_between(ZoneInfo(zone), None, END)
    bucket = bucket_sql("$at", grain, offsets)
    begin = _value(bucket if grain in STEP_MS else utc_ms(f"({bucket})", offsets), instant)
    assert begin == int(bucket_start(instant, grain, ZoneInfo(zone)).timestamp() * 1000)


@settings(max_examples=100, deadline=None)
@given(instant=INSTANTS, zone=st.sampled_from(ZONES), grain=st.sampled_from(GRAINS))
def test_every_instant_lies_in_the_bucket_that_holds_it(instant: datetime, zone: str, grain: Grain) -> None:
    begin = bucket_start(instant, grain, ZoneInfo(zone))
    assert begin <= instant < bucket_end(begin, grain, ZoneInfo(zone))


def test_buckets_follow_each_other_without_gaps() -> None:
    start, end = datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)
    found = buckets(start, end, "day", ZoneInfo("America/New_York"))
    assert [(stop - begin) // timedelta(hours=1) for begin, stop in found] == [24, 24, 24, 25, 24]
    assert all(before[1] == after[0] for before, after in pairwise(found))


DAYS = [
    ("Asia/Shanghai", date(2026, 1, 2), datetime(2026, 1, 1, 16, tzinfo=UTC)),
    ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ("America/Havana", date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC)),
]


@pytest.mark.parametrize(("zone", "day", "expected"), DAYS)
def test_a_day_begins_at_midnight_or_where_midnight_is_skipped_or_first_read(zone: str, day: date, expected: datetime) -> None:
    assert start_of_day(day, ZoneInfo(zone)) == expected


def test_a_week_earlier_is_the_same_clock_reading() -> None:
    instant = datetime(2026, 3, 10, 16, tzinfo=UTC)
    assert shift_days(instant, -7, ZoneInfo("America/New_York")) == datetime(2026, 3, 3, 17, tzinfo=UTC)
