"""Figures are judged against their targets from the right side, and named in the user's words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from alerts.parse import parse_rule
from alerts.sentence import sentence
from pages.telling import Telling
from pages.wording import codes_in_order, judge, name_of, names_of, window_name

JUDGEMENTS = [
    ("on_time_rate", 0.96, 0.95, "good"),
    ("on_time_rate", 0.94, 0.95, "warning"),
    ("on_time_rate", 0.913, 0.95, "critical"),
    ("exception_rate", 0.02, 0.02, "good"),
    ("exception_rate", 0.024, 0.02, "warning"),
    ("exception_rate", 0.03, 0.02, "critical"),
    ("backlog_count", 41_870, 38_000, "warning"),
    ("grey_zone_seconds_p90", 7 * 3600, 4 * 3600, "critical"),
    ("overdue_count", 0, 0, "good"),
    ("overdue_count", 5, 0, "critical"),
    ("order_count", 10, 5, None),
    ("on_time_rate", None, 0.95, None),
    ("on_time_rate", 0.9, None, None),
]


@pytest.mark.parametrize(("metric", "value", "target", "expected"), JUDGEMENTS)
def test_a_figure_is_judged_by_how_far_it_is_from_nothing(
    metric: str, value: float | None, target: float | None, expected: str | None
) -> None:
    assert judge(metric, value, target) == expected


@pytest.mark.parametrize(("language", "words"), [("en", "Fri from 22:00 to 6:00 on the next day."), ("zh-CN", "22:00–次日 6:00")])
def test_a_night_shift_is_told_with_the_day_it_ends_on(language: str, words: str) -> None:
    schedule = {"kind": "business_hours", "days": [5], "start_hour": 22, "end_hour": 6}
    rule = parse_rule({"name": "late", "metric": "late_rate", "op": ">", "warning": 0.05, "schedule": schedule})
    assert words in sentence(rule, language, Telling(zone=ZoneInfo("UTC")))


def test_regions_come_in_their_usual_order_and_unknown_codes_last() -> None:
    assert codes_in_order("region", ["CN-NORTH", "XX", None, "CN-EAST"]) == ["CN-EAST", "CN-NORTH", "XX"]
    assert codes_in_order("stage", ["picked", "paid"]) == ["paid", "picked"]


def test_values_are_named_and_long_lists_shortened() -> None:
    assert name_of("zh-CN", "region", "CN-EAST") == "华东"
    assert name_of("en", "warehouse", "WH-NEW") == "WH-NEW"
    assert names_of("en", "region", ("CN-EAST", "CN-SOUTH", "CN-NORTH")) == "East China, South China +1"
    assert names_of("zh-CN", "region", ("CN-EAST", "CN-SOUTH", "CN-NORTH")) == "华东、华南 等 3 项"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("24h", "last 24 h"),
        ("7d", "last 7 d"),
        ("90m", "last 90 min"),
        ("2w", "last 2 wk"),
        ("all", "all data"),
        ("2026-01-01..", "from 2026-01-01"),
        ("..2026-01-02T08:30", "until 2026-01-02 08:30"),
        ("2026-01-01..2026-01-03", "2026-01-01 – 2026-01-03"),
        ("2025-12-31T16:00:00Z..2026-01-01T16:00:00Z", "2026-01-01"),
        ("2026-01-01T01:00:00Z..2026-01-01T02:00:00Z", "2026-01-01 09:00 – 10:00"),
        ("2026-01-01T15:00:00Z..2026-01-01T16:00:00Z", "2026-01-01 23:00 – 2026-01-02 00:00"),
        ("..", "all data"),
    ],
)
def test_a_window_is_told_in_words_on_the_business_zones_clock(code: str, name: str) -> None:
    assert window_name("en", code, ZoneInfo("Asia/Shanghai")) == name
