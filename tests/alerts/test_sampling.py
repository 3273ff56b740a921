"""What rules see of the lake: closed windows, shared queries, scope."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final

import pytest

from alerts.parse import parse_rule
from alerts.rule import Rule
from alerts.sampling import Sampler, Source
from alerts.state import Reading, Sample
from config import read_settings
from data.lake import Lake
from queries.scope import Scope
from tests.queries.desk import Desk

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A lake whose orders were created on 10 March: 1 at 9:00, 2 at 10:00 (one just before 11:00), 3 from 11:00 to 12:00."""
    folder = tmp_path_factory.mktemp("sampling")
    orders = [
        {"id": "a", "created": "10 09:00", "promised": "10 11:30", "delivered": "10 11:00"},
        {"id": "b", "created": "10 10:00", "promised": "10 11:30", "delivered": "10 11:45"},
        {"id": "c", "created": "2026-03-10T10:59:59.999", "region_code": "R2"},
        {"id": "d", "created": "10 11:00", "region_code": "R2"},
        {"id": "e", "created": "10 11:30"},
        {"id": "f", "created": "10 12:00"},
        {"id": "g", "created": "09 11:30"},
        {"id": "h", "created": "03 11:30", "region_code": "R3"},
        {"id": "i", "created": "03 11:40"},
    ]
    complaints = [
        {"id": 1, "order": "h", "kind": "delay", "created": "10 11:20"},
        {"id": 2, "order": "c", "kind": "delay", "created": "10 11:30"},
    ]
    with Lake.open_writer(read_settings({}, home=folder, threads=1, memory_limit="512MB")) as lake:
        yield Desk(lake=lake, folder=folder).filled(orders, [], complaints)


def _sampler(desk: Desk) -> Sampler:
    return Sampler(source=Source(lake=desk.lake, snapshot=1, version=desk.version, zone=desk.zone, targets=desk.targets))


def _rule(**changes: Any) -> Rule:
    return parse_rule({"name": "r", "metric": "order_count", "op": ">", "warning": 1, "window": "1h", "every": "1h"} | changes)


def _values(sample: Sample) -> dict[tuple[str | None, ...], tuple[float | None, ...]]:
    assert sample.error == ""
    return {group: tuple(reading.value for reading in readings) for group, readings in sample.groups}


@pytest.mark.parametrize(
    ("at", "count"), [(AT, 2), (AT - timedelta(hours=1), 2), (AT - timedelta(hours=2), 1), (AT + timedelta(hours=1), 1)]
)
def test_window_is_closed_at_its_start_and_open_at_its_end(desk: Desk, at: datetime, count: int) -> None:
    assert _values(_sampler(desk).sample(_rule(), Scope.ALL, at)) == {(): (count,)}


def test_delay_moves_the_window_back(desk: Desk) -> None:
    assert _values(_sampler(desk).sample(_rule(delay="1h"), Scope.ALL, AT)) == {(): (2,)}
    assert _values(_sampler(desk).sample(_rule(delay="2h"), Scope.ALL, AT)) == {(): (1,)}


def test_nothing_after_the_window_is_known(desk: Desk) -> None:
    rule = _rule(metric="late_rate", warning=0.5, window="24h")
    # b was promised for 11:30 and delivered at 11:45: at 11:40 it is late too, at 11:20 neither was due.
    assert _values(_sampler(desk).sample(rule, Scope.ALL, AT - timedelta(minutes=20))) == {(): (0.5,)}
    assert _values(_sampler(desk).sample(rule, Scope.ALL, AT - timedelta(minutes=40))) == {(): (None,)}


def test_stock_is_what_is_open_just_before_the_instant(desk: Desk) -> None:
    rule = _rule(metric="backlog_count", window="24h")
    assert _values(_sampler(desk).sample(rule, Scope.ALL, AT)) == {(): (6,)}


def test_groups_come_with_their_orders(desk: Desk) -> None:
    sample = _sampler(desk).sample(_rule(group_by=["region"], window="24h"), Scope.ALL, AT)
    assert list(sample.groups) == [
        (("R1",), (Reading(value=3, score=3, n=3),)),
        (("R2",), (Reading(value=2, score=2, n=2),)),
    ]


def test_scope_and_filters_bound_what_a_rule_sees(desk: Desk) -> None:
    rule = _rule(group_by=["region"], window="24h")
    assert _values(_sampler(desk).sample(rule, Scope.of_regions(["R2"]), AT)) == {("R2",): (2,)}
    assert _values(_sampler(desk).sample(rule, Scope.NONE, AT)) == {}
    assert _values(_sampler(desk).sample(_rule(filters={"region": ["R2"]}, window="24h"), Scope.ALL, AT)) == {(): (2,)}


def test_rules_for_single_groups_share_the_query_of_all_groups(desk: Desk) -> None:
    sampler = _sampler(desk)
    assert _values(sampler.sample(_rule(group_by=["region"], window="24h"), Scope.ALL, AT)) == {("R1",): (3,), ("R2",): (2,)}
    for regions, found in ((["R2"], {("R2",): (2,)}), (["R1", "R9"], {("R1",): (3,)}), (["R9"], {})):
        rule = _rule(group_by=["region"], filters={"region": regions}, window="24h", expected_groups="region")
        assert _values(sampler.sample(rule, Scope.ALL, AT)) == found
        # Known are those of the days before; nothing of R2 was there then.
        assert sampler.expected(rule, Scope.ALL, AT).expected_groups == (("R1",) if "R1" in regions else ())
    assert sampler.queries == 2  # the figures, and the regions of the last days
    by_warehouse = _rule(group_by=["warehouse"], filters={"region": ["R2"]}, window="24h")
    assert _values(sampler.sample(by_warehouse, Scope.ALL, AT)) == {(None,): (2,)}
    assert sampler.queries == 3


ADDED: Final = ("order_count", "late_rate", "complaint_rate", "over_limit_rate", "backlog_count")
ALONE: Final = ("order_amount", "order_cycle_seconds_p50", "arrival_rate_per_hour")
CHOICES: Final[tuple[dict[str, list[str]], ...]] = (
    {},
    {"region": ["R1"]},
    {"region": ["R2"]},
    {"region": ["R1", "R2"]},
    {"region": ["R9"]},
)


def test_rules_for_single_regions_share_a_query_by_region(desk: Desk) -> None:
    rules = [
        _rule(
            name=f"r{number}", metric=metric, warning=1, window="24h", group_by=["city"], filters=choice, expected_groups="city"
        )
        for number, (metric, choice) in enumerate(product((*ADDED, *ALONE), CHOICES))
    ]
    together = _sampler(desk)
    together.ask_all([(rule, Scope.ALL, AT) for rule in rules])
    # By region what adds up and the single regions of the rest; for all and for two regions each of the rest by itself, by kinds.
    assert together.queries < len(rules) / 2
    asked = together.queries
    for rule in rules:
        assert together.sample(rule, Scope.ALL, AT) == _sampler(desk).sample(rule, Scope.ALL, AT), rule
        assert together.expected(rule, Scope.ALL, AT) == _sampler(desk).expected(rule, Scope.ALL, AT)
    assert together.queries == asked


def test_a_share_of_two_kinds_of_rows_is_not_added_up_where_its_whole_is_missing(desk: Desk) -> None:
    """The complaint of R3 is of an order of the week before: its region's share is null, yet it counts in the country's."""
    rules = [_rule(metric="complaint_rate", window="24h", group_by=["city"], filters=choice) for choice in CHOICES[:3]]
    together = _sampler(desk)
    together.ask_all([(rule, Scope.ALL, AT) for rule in rules])
    assert [_values(together.sample(rule, Scope.ALL, AT)) for rule in rules] == [
        {(None,): (value,)} for value in (2 / 5, 0, 1 / 2)
    ]


@pytest.mark.parametrize(
    ("compare", "score"),
    [
        ({"with": "period_before", "period": "day", "by": "difference"}, 1),
        ({"with": "period_before", "period": "day", "by": "percent"}, 100),
        ({"with": "period_before", "period": "week", "by": "difference"}, 0),
    ],
)
def test_earlier_windows_are_asked_for_at_their_own_instant(desk: Desk, compare: dict[str, str], score: float) -> None:
    sample = _sampler(desk).sample(_rule(compare=compare), Scope.ALL, AT)
    assert sample.groups[0][1] == (Reading(value=2, score=score, n=2),)


def test_rules_that_share_a_figure_share_its_query(desk: Desk) -> None:
    sampler = _sampler(desk)
    rules = [_rule(name=f"r{number}", warning=number, group_by=["region"]) for number in range(200)]
    rules.append(_rule(name="other", metric="order_amount", group_by=["region"]))
    sampler.ask_all([(rule, Scope.ALL, AT) for rule in rules])
    assert sampler.queries == 1
    assert _values(sampler.sample(rules[7], Scope.ALL, AT)) == {("R1",): (1,), ("R2",): (1,)}
    assert sampler.queries == 1


def test_question_without_an_answer_is_an_error_of_its_rule_only(desk: Desk) -> None:
    broken = Sampler(source=Source(lake=desk.lake, snapshot=0, version=desk.version, zone=desk.zone, targets=desk.targets))
    assert "no snapshot" in broken.sample(_rule(), Scope.ALL, AT).error
