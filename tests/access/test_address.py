"""The address in, checked values out; what is not understood is left out and named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from access.address import Address, parse_instant, parse_window, read_address
from queries.query import Filter, QueryError, Window

ZONE = ZoneInfo("Asia/Shanghai")
AS_OF = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MS = timedelta(milliseconds=1)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24h", Window(AS_OF - timedelta(hours=24) + MS, AS_OF + MS)),
        ("7d", Window(AS_OF - timedelta(days=7) + MS, AS_OF + MS)),
        ("all", Window(None, AS_OF + MS)),
        ("today", Window(_at("2026-03-02T00:00+08:00"), _at("2026-03-03T00:00+08:00"))),
        ("2026-01-01..2026-01-31", Window(_at("2026-01-01T00:00+08:00"), _at("2026-02-01T00:00+08:00"))),
        ("2026-01-01..", Window(_at("2026-01-01T00:00+08:00"), AS_OF)),
        ("2026-01-01T08:00Z..2026-01-01T09:00Z", Window(_at("2026-01-01T08:00Z"), _at("2026-01-01T09:00Z"))),
    ],
)
def test_window_means_what_it_says(text: str, expected: Window) -> None:
    assert parse_window(text, as_of=AS_OF, zone=ZONE) == expected


@pytest.mark.parametrize(
    "text", ["", "24", "0h", "99999d", "-1h", "24h; DROP", "2026-02-30..2026-03-01", "2026-03-02..2026-03-01", "x..y"]
)
def test_window_that_means_nothing_is_refused_with_examples(text: str) -> None:
    with pytest.raises(QueryError):
        parse_window(text, as_of=AS_OF, zone=ZONE)


def test_naive_instant_is_in_the_business_zone() -> None:
    assert parse_instant("2026-03-02T08:00", ZONE) == datetime(2026, 3, 2, 0, 0, tzinfo=UTC)


def test_plus_sign_that_became_a_space_in_the_address_is_read_as_plus() -> None:
    assert parse_instant("2026-03-02T08:00 08:00", ZONE) == datetime(2026, 3, 2, 0, 0, tzinfo=UTC)


def test_address_is_read_whole() -> None:
    parameters = {
        "window": ["7d"],
        "region": ["CN-EAST", "CN-SOUTH"],
        "channel": ["jd"],
        "as_of": ["2026-03-01"],
        "lang": ["zh-CN"],
    }
    address = read_address(parameters, ZONE)
    assert address == Address(
        window="7d",
        filters=(Filter("region", ("CN-EAST", "CN-SOUTH")), Filter("channel", ("jd",))),
        as_of=_at("2026-03-01T00:00+08:00"),
        language="zh-CN",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window", "nonsense"),
        ("as_of", "yesterday"),
        ("snapshot", "-1"),
        ("snapshot", "1 OR 1=1"),
        ("region", "x" * 65),
        ("channel", "a\nb"),
    ],
)
def test_part_that_is_not_understood_is_left_out_and_named(name: str, value: str) -> None:
    address = read_address({name: [value]}, ZONE)
    assert address.notes == (f"{name}={value[:64]}",)
    assert (address.window, address.filters, address.as_of, address.snapshot) == ("24h", (), None, None)


def test_unknown_parameters_are_nobodys_business() -> None:
    assert read_address({"utm_source": ["x"], "region": [""]}, ZONE) == Address()
