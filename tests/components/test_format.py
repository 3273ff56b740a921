"""Figures are told in the reader's words, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from components.format import ChangeKind, age, brief, change, clock, count, duration, full_instant, percent, permille, when

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 6, 35, 10, tzinfo=UTC)

DURATIONS = [
    (0, "0 s", "0 秒"),
    (59.6, "1 min", "1 分"),
    (2_100, "35 min", "35 分"),
    (20_520, "5 h 42 min", "5 小时 42 分"),
    (7_199, "2 h", "2 小时"),
    (258_000, "71 h 40 min", "71 小时 40 分"),
    (259_200, "3 d", "3 天"),
    (345_600 + 7_200, "4 d 2 h", "4 天 2 小时"),
    (-4_200, "−1 h 10 min", "−1 小时 10 分"),
    (None, "–", "–"),
    (float("nan"), "–", "–"),
]


@pytest.mark.parametrize(("seconds", "english", "chinese"), DURATIONS)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float | None, english: str, chinese: str) -> None:
    assert (duration("en", seconds), duration("zh-CN", seconds)) == (english, chinese)


CHANGES: list[tuple[float | None, ChangeKind, str, str]] = [
    (0.041, "share", "+4.1%", "+4.1%"),
    (-0.039, "points", "−3.9 pp", "−3.9 pp"),
    (1908, "count", "+1,908", "+1,908"),
    (7_500, "seconds", "+2 h 05 min", "+2 时 05 分"),
    (-4_200, "seconds", "−1 h 10 min", "−1 时 10 分"),
    (-240, "seconds", "−4 min", "−4 分"),
    (0.0004, "points", "±0.0 pp", "±0.0 pp"),
    (0.0012, "permille", "+1.2‰", "+1.2‰"),
    (None, "count", "–", "–"),
]


@pytest.mark.parametrize(("value", "kind", "english", "chinese"), CHANGES)
def test_a_change_carries_its_sign_and_its_unit(value: float | None, kind: ChangeKind, english: str, chinese: str) -> None:
    assert (change("en", value, kind), change("zh-CN", value, kind)) == (english, chinese)


def test_where_there_is_no_room_a_duration_has_one_unit() -> None:
    assert [brief("en", seconds) for seconds in (50, 3_960, 70_000, 400_000, None)] == ["50 s", "66 min", "19 h", "5 d", "–"]


def test_counts_and_rates_are_rounded_half_up_and_separated() -> None:
    assert (count("en", 182_405.5), count("en", -12), percent("en", 0.913), percent("zh-CN", 0.305, 0)) == (
        "182,406",
        "−12",
        "91.3%",
        "30%",
    )
    assert permille("en", 0.0003) == "0.3‰"


AGES = [
    (20, "< 1 min", "不到 1 分钟"),
    (61, "1 min", "1 分钟"),
    (18 * 60, "18 min", "18 分钟"),
    (3 * 3600, "3 h", "3 小时"),
    (50 * 3600, "2 d", "2 天"),
]


@pytest.mark.parametrize(("seconds", "english", "chinese"), AGES)
def test_an_age_is_told_in_its_largest_unit(seconds: float, english: str, chinese: str) -> None:
    assert (age("en", seconds), age("zh-CN", seconds)) == (english, chinese)


INSTANTS = [
    (datetime(2026, 11, 22, 16, 30, tzinfo=UTC), "00:30"),
    (datetime(2026, 11, 22, 15, 30, tzinfo=UTC), "yesterday 23:30"),
    (datetime(2026, 11, 20, 1, 0, tzinfo=UTC), "Fri 09:00"),
    (datetime(2026, 11, 1, 1, 0, tzinfo=UTC), "11-01 09:00"),
    (datetime(2017, 10, 1, 1, 0, tzinfo=UTC), "2017-10-01 09:00"),
]


@pytest.mark.parametrize(("instant", "expected"), INSTANTS)
def test_an_instant_is_told_in_the_users_zone_and_no_nearer_than_needed(instant: datetime, expected: str) -> None:
    assert when("en", instant, NOW, SHANGHAI) == expected


def test_the_same_instant_reads_differently_in_another_zone() -> None:
    assert (clock(NOW, SHANGHAI, seconds=True), clock(NOW, ZoneInfo("America/Sao_Paulo"))) == ("14:35:10", "03:35")
    assert full_instant(NOW, SHANGHAI) == "2026-11-23 14:35:10 Asia/Shanghai"
