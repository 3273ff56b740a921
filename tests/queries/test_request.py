"""The command line's words become a question, or an error that says what to type instead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from queries.query import Filter, QueryError, Window
from queries.request import Words, parse_filters, parse_instant, parse_request, parse_window

SHANGHAI = ZoneInfo("Asia/Shanghai")
AS_OF = datetime(2026, 3, 20, 6, 30, tzinfo=UTC)
MS = timedelta(milliseconds=1)


def utc(*parts: int) -> datetime:
    """An instant in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


WINDOWS = [
    ("24h", AS_OF - timedelta(hours=24) + MS, AS_OF + MS),
    ("7d", AS_OF - timedelta(days=7) + MS, AS_OF + MS),
    ("90m", AS_OF - timedelta(minutes=90) + MS, AS_OF + MS),
    ("2w", AS_OF - timedelta(days=14) + MS, AS_OF + MS),
    ("all", None, AS_OF + MS),
    ("today", utc(2026, 3, 19, 16), utc(2026, 3, 20, 16)),
    ("2026-03-01..2026-03-02", utc(2026, 2, 28, 16), utc(2026, 3, 2, 16)),
    ("2026-03-01T08:00..2026-03-01T09:30", utc(2026, 3, 1), utc(2026, 3, 1, 1, 30)),
    ("2026-03-01T08:00Z..2026-03-01T08:00-03:00", utc(2026, 3, 1, 8), utc(2026, 3, 1, 11)),
    ("2026-03-01..", utc(2026, 2, 28, 16), AS_OF + MS),
    ("..2026-03-01", None, utc(2026, 3, 1, 16)),
]


@pytest.mark.parametrize(("text", "start", "end"), WINDOWS, ids=[text for text, _, _ in WINDOWS])
def test_a_window_means_these_instants(text: str, start: datetime | None, end: datetime) -> None:
    assert parse_window(text, as_of=AS_OF, zone=SHANGHAI) == Window(start=start, end=end)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "0h",
        "24",
        "7y",
        "9999999d",
        "2026-02-30..2026-03-01",
        "..x",
        "0001-01-01..",
        "..9999-12-31",
        "2026-03-02..2026-03-01",
    ],
)
def test_a_window_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse_window(text, as_of=AS_OF, zone=SHANGHAI)


def test_a_date_is_a_whole_day_where_the_clock_changes() -> None:
    window = parse_window("2026-03-08..2026-03-08", as_of=AS_OF, zone=ZoneInfo("America/New_York"))
    assert window.start is not None
    assert window.end - window.start == timedelta(hours=23)


def test_instants_are_cut_to_milliseconds() -> None:
    assert parse_instant("2026-03-01T00:00:00.123987Z", SHANGHAI) == utc(2026, 3, 1, 0, 0, 0, 123000)


FILTERS: list[tuple[list[str], tuple[Filter, ...]]] = [
    (["region=CN-EAST"], (Filter("region", ("CN-EAST",)),)),
    (["region=CN-EAST,CN-SOUTH"], (Filter("region", ("CN-EAST", "CN-SOUTH")),)),
    (["region=CN-EAST", "region=CN-SOUTH"], (Filter("region", ("CN-EAST", "CN-SOUTH")),)),
    (["city="], (Filter("city", (None,)),)),
    (["city=null"], (Filter("city", (None,)),)),
    (["city=Wuhan,"], (Filter("city", ("Wuhan", None)),)),
    (['city="Wuhan, east",x=y'], (Filter("city", ("Wuhan, east", "x=y")),)),
    (["warehouse_id=W1", "state=BR-SP"], (Filter("warehouse", ("W1",)), Filter("province", ("BR-SP",)))),
    (["hour=7"], (Filter("hour", ("7",)),)),
]


@pytest.mark.parametrize(("words", "expected"), FILTERS, ids=[" ".join(words) for words, _ in FILTERS])
def test_a_filter_means_these_values(words: list[str], expected: tuple[Filter, ...]) -> None:
    assert parse_filters(words) == expected


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"metrics": ["on_time_rat"]}, "did you mean on_time_rate"),
    ({"metrics": []}, "no metric is named"),
    ({"metrics": ["order_count"], "by": ["regoin"]}, "did you mean region"),
    ({"metrics": ["order_count"], "by": ["day"]}, "ask with the grain day"),
    ({"metrics": ["order_count"], "by": ["region,region"]}, "named twice"),
    ({"metrics": ["order_count"], "by": ["province,state"]}, "named twice"),
    ({"metrics": ["order_count"], "where": ["region"]}, "has no value"),
    ({"metrics": ["order_count"], "where": ["status=deliverd"]}, "did you mean delivered"),
    ({"metrics": ["order_count"], "where": ["hour=24"]}, "hour is never '24'"),
    ({"metrics": ["order_count"], "grain": "dayly"}, "did you mean day"),
    ({"metrics": ["order_count"], "compare": ["lastweek"]}, "did you mean last_week"),
    ({"metrics": ["order_count"], "by": ["return_kind"]}, "belongs to return_count"),
    ({"metrics": ["complaint_count"], "where": ["return_kind=refund"]}, "has no dimension 'return_kind'"),
    ({"metrics": ["arrival_rate_per_hour"]}, "needs a window with a start"),
    ({"metrics": ["backlog_count"], "grain": "day"}, "needs a window with a start"),
    ({"metrics": ["order_count"], "order_by": "region"}, "cannot be ordered by"),
    ({"metrics": ["order_count"], "limit": 0}, "keeps nothing"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_words_that_mean_nothing_are_refused_with_a_remedy(words: dict[str, Any], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        parse_request(Words(**words), as_of=AS_OF, zone=SHANGHAI)


def test_names_come_back_as_typed_and_the_window_is_told() -> None:
    words = Words(metrics=["order_count,backlog_count"], by=["state", "Region"], order_by="-order_count")
    request = parse_request(words, as_of=AS_OF, zone=SHANGHAI)
    assert request.query.metrics == ("order_count", "backlog_count")
    assert request.query.by == ("province", "region")
    assert request.names_as_typed(["province", "region", "order_count"]) == {"province": "state", "region": "Region"}
    assert request.notes == (
        "window from the beginning to before 2026-03-20T14:30:00.001+08:00, as of 2026-03-20T14:30:00.000+08:00 (Asia/Shanghai)",
    )


def test_a_window_has_aware_ends_in_order() -> None:
    with pytest.raises(QueryError, match="no time zone"):
        Window(start=None, end=AS_OF.replace(tzinfo=None))
    with pytest.raises(QueryError, match="before it starts"):
        Window(start=AS_OF, end=AS_OF - MS)
