"""The address in, checked values out; what is not understood is left out and named."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from access.address import Address, read_address
from queries.query import Filter

ZONE = ZoneInfo("Asia/Shanghai")


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_plus_sign_that_became_a_space_in_the_address_is_read_as_plus() -> None:
    assert read_address({"as_of": ["2026-03-02T08:00 08:00"]}, ZONE).as_of == datetime(2026, 3, 2, 0, 0, tzinfo=UTC)


def test_naive_instant_is_in_the_business_zone() -> None:
    assert read_address({"as_of": ["2026-03-02T08:00"]}, ZONE).as_of == datetime(2026, 3, 2, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["24h", "7d", "today", "all", "2026-01-01..2026-01-31", "2026-01-01T08:00Z..2026-01-01T09:00Z"])
def test_windows_of_the_command_line_work_in_the_address(text: str) -> None:
    assert read_address({"window": [text]}, ZONE) == Address(window=text)


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
        ("window", "24h; DROP"),
        ("window", "2026-02-30.."),
        ("window", "0h"),
        ("as_of", "yesterday"),
        ("snapshot", "-1"),
        ("snapshot", "1 OR 1=1"),
        ("region", "x" * 65),
        ("channel", "a\nb"),
        ("city", "x" * 65),
        ("stage", "nowhere"),
        ("hour", "24"),
        ("lang", "xx"),
        ("theme", "pink"),
    ],
)
def test_part_that_is_not_understood_is_left_out_and_named(name: str, value: str) -> None:
    address = read_address({name: [value]}, ZONE)
    assert address.notes == (f"{name}={value[:64]}",)
    assert (address.window, address.filters, address.as_of, address.snapshot) == ("24h", (), None, None)


def test_unknown_parameters_are_nobodys_business() -> None:
    assert read_address({"utm_source": ["x"], "region": [""]}, ZONE) == Address()


def test_every_dimension_may_be_a_filter_and_null_is_unknown() -> None:
    parameters = {"city": ["Wuhan", "null"], "stage": ["packed"], "hour": ["7"], "wave": ["NULL"], "return_kind": ["own words"]}
    assert set(read_address(parameters, ZONE).filters) == {
        Filter("city", ("Wuhan", None)),
        Filter("stage", ("packed",)),
        Filter("hour", ("7",)),
        Filter("wave", (None,)),
        Filter("return_kind", ("own words",)),
    }


def test_a_theme_is_one_that_there_is() -> None:
    assert [read_address({"theme": [text]}, ZONE).theme for text in ("light", "pink")] == ["light", ""]
