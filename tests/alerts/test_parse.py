"""Reading rules: what is refused says the part, the reason and the remedy; what is read can be written and read again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from alerts.conditions import COMPARISONS, Baseline, Threshold
from alerts.parse import parse_rule
from alerts.rule import Datapoints, RuleError
from alerts.values import read_length, write_length
from alerts.write import write_rule
from queries.query import Filter

PLAIN: dict[str, Any] = {"name": "late", "metric": "late_rate", "op": ">", "warning": 0.05}

FULL: dict[str, Any] = {
    "name": "east-late",
    "title": {"en": "Late in the East", "zh-CN": "华东延误"},
    "text": {"en": "{place} is at {value}"},
    "metric": "late_rate",
    "op": ">",
    "warning": 0.05,
    "critical": 0.1,
    "warning_recover": 0.04,
    "thresholds": {"CN-EAST": {"warning": 0.08}},
    "compare": {"with": "baseline", "weeks": 8},
    "filters": {"channel": ["tmall", "jd"], "warehouse": [None]},
    "group_by": ["region"],
    "window": "24h",
    "every": "15m",
    "delay": "10m",
    "datapoints": "2 of 3",
    "keep_firing": "30m",
    "no_data": "keep",
    "missing_evals": 3,
    "expected_groups": "region",
    "min_samples": 30,
    "max_instances": 40,
    "repeat": "8h",
    "schedule": {"kind": "campaign", "since": "2026-11-01", "time_zone": "Asia/Tokyo"},
    "expires_on": "2026-11-30",
    "receivers": ["desk"],
    "runbook": "https://wiki.example/late",
    "owner": "analyst",
}


def test_every_key_is_read() -> None:
    rule = parse_rule(FULL)
    assert rule.conditions[0].threshold == Threshold(warning=0.05, critical=0.1, warning_recover=0.04)
    assert rule.conditions[0].threshold_of("CN-EAST") == Threshold(warning=0.08, critical=0.1)
    assert rule.conditions[0].compare == Baseline(weeks=8)
    assert rule.filters == (Filter("channel", ("tmall", "jd")), Filter("warehouse", (None,)))
    assert (rule.window, rule.every, rule.delay) == (timedelta(days=1), timedelta(minutes=15), timedelta(minutes=10))
    assert (rule.datapoints, rule.expected_dimension) == (Datapoints(m=2, n=3), "region")
    assert (rule.schedule.since, rule.expires_on) == (date(2026, 11, 1), date(2026, 11, 30))
    assert rule.title_in("zh-CN") == "华东延误"


TWO: dict[str, Any] = {
    "name": "two",
    "conditions": [{"metric": "late_rate", "op": ">", "warning": 0.05}, {"metric": "order_count", "op": ">=", "critical": 100}],
    "join": "or",
}


NIGHT = PLAIN | {"schedule": {"kind": "business_hours", "days": [5], "start_hour": 22, "end_hour": 6}}


@pytest.mark.parametrize("raw", [PLAIN, FULL, TWO, NIGHT])
def test_written_rule_reads_back_the_same(raw: dict[str, Any]) -> None:
    rule = parse_rule(raw)
    assert parse_rule(write_rule(rule)) == rule


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metric": "on_time_rat"}, "did you mean on_time_rate"),
        ({"group_by": ["regoin"]}, "did you mean region"),
        ({"warnin": 1}, "did you mean warning"),
        ({"warning_recover": 0.06}, "warning_recover 0.06 is on the wrong side: with > it must not lie above warning 0.05"),
        ({"critical": 0.01}, "warning 0.05 lies beyond critical 0.01"),
        ({"every": "1h", "window": "5m"}, "the window 5m is shorter than every 1h"),
        ({"schedule": {"time_zone": "Asia/Shangai"}}, "time zone 'Asia/Shangai' does not exist"),
        ({"max_instances": 10_000}, "max_instances 10000 is not possible"),
        ({"warning": 5}, "5 % is written 0.05"),
        ({"schedule": {"start_hour": 6, "end_hour": 6}}, "from 6:00 to 6:00 is no time at all: use 0 and 24"),
        ({"group_by": ["return_kind"]}, "late_rate has no dimension 'return_kind'"),
        ({"expected_groups": ["CN-EAST"]}, "expected_groups without group_by"),
        ({"group_by": ["stage"], "expected_groups": ["packd"]}, "did you mean packed"),
        (
            {"group_by": ["region"], "expected_groups": ["CN-EAS"]},
            "expected_groups: region is never 'CN-EAS': did you mean CN-EAST",
        ),
        ({"group_by": ["region"], "thresholds": {"CN-EAS": {"warning": 0.1}}}, "thresholds: region is never 'CN-EAS'"),
        ({"filters": {"province": ["CN-SHA"]}}, "filters: province is never 'CN-SHA'"),
        ({"critical": 10**400}, "is no number"),
        ({"metric": ["late_rate"]}, "there is no metric"),
        ({"name": "Late Orders"}, "cannot be used"),
        ({"filters": {"status": "shiped"}}, "did you mean shipped"),
        ({"for": "soon"}, "no length of time"),
        ({"expires_on": "soon"}, "no day"),
        ({"compare": "yesterday"}, "compare is never 'yesterday'"),
        ({"title": "half \ud83d"}, "title.en holds signs"),
        ({"text": {"\ud83d": "x"}}, "has no"),
        ({"runbook": "https://wiki.example/\udfff"}, "runbook holds signs"),
        ({"filters": {"city": "half \ud83d"}}, "the filter on city holds a sign that no text has"),
        ({"filters": ["city=a\x00b"]}, "filters holds a name that no order can have"),
        ({"receivers": ["\ud83d"]}, "receivers holds a name"),
        ({"group_by": ["city"], "expected_groups": ["\ud83d"]}, "expected_groups holds a name"),
        ({"group_by": ["city"], "thresholds": {"\x00": {"warning": 0.1}}}, "thresholds holds a name"),
    ],
)
def test_refusal_names_the_part_and_the_remedy(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(RuleError, match=reason.replace("(", r"\(")):
        parse_rule(PLAIN | change)


def test_test_metric_is_for_tests_only() -> None:
    with pytest.raises(RuleError, match="there is no metric 'value'"):
        parse_rule(PLAIN | {"metric": "value"})


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800), ("0.5h", 1800)])
def test_length_reads(text: str, seconds: int) -> None:
    assert read_length(text) == timedelta(seconds=seconds)
    assert read_length(write_length(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_every_comparison_has_a_case() -> None:
    from tests.alerts.test_notation import CASES

    used = {str((case["rule"].get("compare") or {}).get("with", "constant")) for _, case in CASES if _is_condition(case)}
    assert set(COMPARISONS) <= used


def _is_condition(case: Any) -> bool:
    return isinstance(case["rule"], dict) and isinstance(case["rule"].get("compare", {}), dict)


def test_places_of_countries_that_nobody_declared_are_left_to_the_data() -> None:
    plain = {"name": "r", "metric": "order_count", "op": ">", "warning": 1}
    assert parse_rule(plain | {"filters": {"region": ["DE-SOUTH"], "province": ["DE-BY"]}}).filters
    order = {"name": "o", "kind": "order", "severity": "critical"}
    assert parse_rule(order | {"conditions": [{"field": "region", "values": ["DE-SOUTH"]}]}).order
    with pytest.raises(RuleError, match="region is never 'CN-EAS'"):
        parse_rule(order | {"conditions": [{"field": "region", "values": ["CN-EAS"]}]})
