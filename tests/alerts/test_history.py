"""A rule's history is what it would have seen live at every instant, and its backtest what it would have done."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.backtest import backtest, episodes_of, main_level, play, report_of, with_threshold
from alerts.changes import changes_of, course_of
from alerts.duty import templates
from alerts.history import History, pace_of, read_history
from alerts.parse import parse_rule
from alerts.report import from_json, to_json
from alerts.rule import Rule, label_of
from alerts.sampling import Sampler, Source
from alerts.state import Reading, RuleState, Sample, Transition, step
from alerts.values import read_length
from config import read_settings
from data.lake import Lake
from queries.build import build
from queries.query import Query
from queries.run import run
from queries.scope import Scope
from tests.alerts.bench import START, Bench, hourly
from tests.alerts.test_laws import rules, samples
from tests.queries.desk import Desk

ZONE = ZoneInfo("Asia/Shanghai")
UNTIL = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _orders() -> Iterator[dict[str, Any]]:
    """Orders of four days in two regions, with stages of all lengths; nothing about them is learned after it happened."""
    chance = random.Random(7)
    for number in range(500):
        created = UNTIL - timedelta(minutes=chance.randrange(4 * 1440))
        later = [created + timedelta(minutes=chance.randrange(1, 900) * place) for place in range(1, 6)]
        accepted, shipped, delivered = sorted(later[:3])
        yield {
            "id": f"o{number}",
            "region_code": chance.choice(["R1", "R2"]),
            "created": created,
            "accepted": accepted,
            "shipped": shipped,
            "delivered": delivered if chance.random() < 0.8 else None,
            "promised": created + timedelta(hours=chance.randrange(10, 40)),
            "promised_ship": created + timedelta(hours=8),
            "quantity": 2,
            "delivered_quantity": 2,
        }


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A lake with these orders."""
    folder = tmp_path_factory.mktemp("history")
    with Lake.open_writer(read_settings({}, home=folder, threads=1, memory_limit="512MB")) as lake:
        yield Desk(lake=lake, folder=folder).filled(list(_orders()))


def asker(desk: Desk, snapshot: int = 1) -> Any:
    def ask(query: Query) -> pl.DataFrame:
        known: Any = {
            "scope": Scope.ALL,
            "snapshot": snapshot,
            "version": desk.version,
            "zone": desk.zone,
            "targets": desk.targets,
        }
        return run(desk.lake, build(query, as_of=UNTIL, newest=desk.lake.newest_milestone(desk.version), **known))

    return ask


CASES: list[dict[str, Any]] = [
    {"metric": "order_count", "window": "6h"},
    {"metric": "shipped_count", "window": "2h", "compare": {"with": "period_before", "period": "day"}},
    {"metric": "order_count", "window": "1h", "compare": {"with": "baseline", "weeks": 1}},
    {"metric": "arrival_rate_per_hour", "window": "3h"},
    {"metric": "late_rate", "window": "12h"},
    {"metric": "on_time_rate", "window": "24h"},
    {"metric": "order_cycle_seconds_p90", "window": "12h"},
    {"metric": "grey_zone_seconds_p50", "window": "6h"},
    {"metric": "order_cycle_variation", "window": "24h"},
    {"metric": "overdue_count", "window": "1h"},
    {"metric": "ageing_seconds_p90", "window": "1h"},
    {"metric": "over_limit_rate", "window": "6h", "filters": {"stage": ["accepted"]}},
    {"metric": "over_limit_count", "window": "4h"},
    {"metric": "dwell_seconds_p50", "window": "8h", "filters": {"stage": ["shipped"]}},
]


def _assert_as_live(history: History, live: Sampler, rule: Rule, instants: Iterable[datetime]) -> None:
    for at in instants:
        wanted, found = dict(live.sample(rule, Scope.ALL, at).groups), dict(history.sample(at).groups)
        assert found.keys() == wanted.keys()
        for group, readings in wanted.items():
            one, other = readings[0], found[group][0]
            assert other.value == pytest.approx(one.value), (at, group)
            assert other.score == pytest.approx(one.score)
            assert other.n == one.n


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['metric']}-{case['window']}")
def test_every_instant_of_a_history_is_what_was_asked_for_at_that_instant(desk: Desk, case: dict[str, Any]) -> None:
    rule = parse_rule({"name": "r", "op": ">", "warning": 0.5, "group_by": ["region"], "every": "1h"} | case)
    history = read_history(rule, asker(desk), since=UNTIL - timedelta(hours=30), until=UNTIL, zone=desk.zone)
    source = Source(lake=desk.lake, snapshot=1, version=desk.version, zone=desk.zone, targets=desk.targets)
    live = Sampler(source=source)
    assert len(history.instants) == 30
    _assert_as_live(history, live, rule, history.instants[::4])


FINE: list[dict[str, Any]] = [
    {"metric": "order_count", "window": "15m", "every": "5m"},
    {"metric": "late_rate", "window": "45m", "every": "15m", "delay": "5m"},
    {"metric": "overdue_count", "window": "5m", "every": "5m"},
    {"metric": "arrival_rate_per_hour", "window": "90m", "every": "30m"},
    {"metric": "order_cycle_seconds_p90", "window": "90m", "every": "10m"},
    {"metric": "over_limit_rate", "window": "30m", "every": "15m"},
    {"metric": "shipped_count", "window": "7m", "every": "7m"},
    {"metric": "order_count", "window": "30m", "every": "30m", "compare": {"with": "period_before", "period": "day"}},
]


@pytest.mark.parametrize("case", FINE, ids=lambda case: f"{case['metric']}-{case['window']}-{case['every']}")
def test_parts_of_an_hour_are_played_as_they_run(desk: Desk, case: dict[str, Any]) -> None:
    rule = parse_rule({"name": "r", "op": ">", "warning": 0.5, "group_by": ["region"]} | case)
    history = read_history(rule, asker(desk), since=UNTIL - timedelta(hours=20), until=UNTIL, zone=desk.zone)
    source = Source(lake=desk.lake, snapshot=1, version=desk.version, zone=desk.zone, targets=desk.targets)
    live = Sampler(source=source)
    assert (history.step, history.is_coarse) == (rule.every, False)
    assert len(history.instants) == timedelta(hours=20) // rule.every
    _assert_as_live(history, live, rule, history.instants[:: max(1, len(history.instants) // 9)])


@pytest.mark.parametrize(
    ("every", "window", "days", "step", "is_coarse"),
    [
        ("5m", "15m", 7, "5m", False),
        ("5m", "15m", 30, "1h", True),
        ("15m", "1h", 30, "15m", False),
        ("15m", "1h", 90, "1h", True),
        ("30m", "6h", 90, "30m", False),
        ("1h", "24h", 90, "1h", False),
        ("1h", "90s", 7, "1h", True),
        ("1d", "1d", 90, "1d", False),
    ],
)
def test_what_is_too_fine_for_so_many_days_is_played_by_the_hour_and_says_so(
    every: str, window: str, days: int, step: str, is_coarse: bool
) -> None:
    rule = Rule(name="r", conditions=(), every=read_length(every), window=read_length(window))
    grain, found = pace_of(rule, timedelta(days=days), timedelta(days=days) + rule.window)
    history = History(rule=rule, zone=ZoneInfo("UTC"), first=UNTIL, instants=(), step=found, grain=grain)
    assert (found, history.is_coarse) == (read_length(step), is_coarse)


def test_backtest_stands_still_where_the_rule_stood_still_and_ends_with_its_last_day(desk: Desk) -> None:
    plain = {"name": "r", "metric": "order_count", "op": ">", "warning": 0, "group_by": ["region"], "window": "1d", "every": "1h"}
    ask, last = asker(desk), (UNTIL - timedelta(days=1)).astimezone(desk.zone).date().isoformat()
    whole = backtest(parse_rule(plain), ask, days=2, until=UNTIL, zone=desk.zone, with_frontier=False)
    begin = UNTIL - timedelta(hours=47)
    still = {begin + hour * HOUR for hour in range(5)}
    stood = backtest(parse_rule(plain), ask, days=2, until=UNTIL, zone=desk.zone, with_frontier=False, still=still)
    ended = backtest(parse_rule(plain | {"expires_on": last}), ask, days=2, until=UNTIL, zone=desk.zone, with_frontier=False)
    assert {episode.fired_at for episode in whole.alerts} == {begin}
    assert {episode.fired_at for episode in stood.alerts} == {begin + 5 * HOUR}
    assert {episode.ended_at for episode in whole.alerts} == {None}
    assert {episode.ended_at.astimezone(desk.zone).hour for episode in ended.alerts if episode.ended_at} == {0}
    assert len([episode for episode in ended.alerts if episode.ended_at]) == len(whole.alerts)


def test_a_history_is_asked_for_once_for_each_kind_of_rows(desk: Desk) -> None:
    asked: list[Query] = []
    ask = asker(desk)

    def counting(query: Query) -> pl.DataFrame:
        asked.append(query)
        return ask(query)  # type: ignore[no-any-return]

    rule = parse_rule({"name": "r", "metric": "late_rate", "op": ">", "warning": 0.1, "group_by": ["region"], "every": "1h"})
    read_history(rule, counting, since=UNTIL - timedelta(days=3), until=UNTIL, zone=desk.zone)
    assert len(asked) == 1


@settings(max_examples=25, deadline=None)
@given(rule=rules(), series=st.lists(samples, max_size=15))
def test_a_backtest_does_what_live_evaluation_does_step_by_step(rule: Rule, series: list[Any]) -> None:
    instants = [START + (index + 1) * rule.every for index in range(len(series))]
    live, state = [], RuleState()
    for at, sample in zip(instants, series, strict=True):
        outcome = step(rule, state, sample, at)
        live.append(outcome)
        state = outcome.state
    assert [outcome for _, outcome in play(rule, zip(instants, series, strict=True))] == live


FIGURES = st.one_of(st.none(), st.sampled_from([float("nan"), *range(-6, 7), *range(2, 7)]))


@st.composite
def plateaus(draw: st.DrawFn) -> list[Sample | None]:
    """Two groups' figures, each staying for a while; now and then a fault, or an instant at which the rule was frozen."""
    lines = []
    for _ in "AB":
        held = draw(st.lists(st.tuples(FIGURES, st.integers(0, 9), st.integers(1, 5)), min_size=6, max_size=14))
        lines.append([(value, n + 2) for value, n, length in held for _ in range(length)])
    found: list[Sample | None] = []
    for both in zip(*lines, strict=False):
        groups = [((name,), (Reading(value=v, score=v, n=n),)) for name, (v, n) in zip("AB", both, strict=True) if n != 4]
        found.append(draw(st.sampled_from([Sample(groups=groups)] * 12 + [None, Sample(error="failed")])))
    return found


def _levels_and_back() -> list[Sample | None]:
    values = [value for value in (0, 4, 6, 4, 6, 0, 4) for _ in range(3)]
    return [Sample(groups=[(("A",), (Reading(value=value, score=value, n=9),))]) for value in values]


LEVELLED = parse_rule({"name": "r", "metric": "order_count", "op": ">", "warning": 3, "critical": 5, "group_by": ["region"]})


@settings(max_examples=60, deadline=None)
@example(rule=LEVELLED, series=_levels_and_back(), shift=0, ends=False)
@given(rule=rules(), series=plateaus(), shift=st.sampled_from([-2, 0, 1.5]), ends=st.booleans())
def test_from_change_to_change_is_step_by_step(rule: Rule, series: list[Sample | None], shift: float, ends: bool) -> None:
    """What goes on can be passed over; under other thresholds the same course holds."""
    rule = replace(rule, every=HOUR, hold=12 * rule.hold, keep_firing=12 * rule.keep_firing, max_instances=500)
    rule = replace(rule, expires_on=START.date() if ends else None)
    told = [(START + (index + 1) * HOUR, sample) for index, sample in enumerate(series)]
    course = course_of(rule, told, ZONE)
    moved = with_threshold(rule, main_level(rule), (rule.conditions[0].threshold.start(main_level(rule)) or 0) + shift)
    steps = [change for _, outcome in play(moved, told, ZONE) for change in outcome.transitions]
    assert sorted(changes_of(moved, course), key=_instant_and_group) == sorted(steps, key=_instant_and_group)


def _instant_and_group(change: Transition) -> tuple[datetime, str]:
    return change.at, label_of(change.group)


def test_a_backtest_tells_the_episodes_that_live_evaluation_had(bench: Bench) -> None:
    chance = random.Random(3)
    story = {region: [chance.choice([0, 1, 3, 4]) for _ in range(48)] for region in ("R1", "R2", "R3")}
    bench.receiver()
    bench.publish("busy", **{"for": "1h", "keep_firing": "2h", "critical": 3})
    bench = bench.filled(hourly(story))
    for hour in range(1, 49):
        bench.evaluate(hour)
    rule = parse_rule(
        {"name": "busy", "metric": "order_count", "op": ">", "warning": 2, "critical": 3, "group_by": ["region"], "window": "1h"}
        | {"every": "1h", "for": "1h", "keep_firing": "2h"}
    )
    until = START + 48 * HOUR

    def ask(query: Query) -> pl.DataFrame:
        source = bench.source
        known: Any = {"scope": Scope.ALL, "snapshot": source.snapshot, "version": source.version, "zone": source.zone}
        return run(source.lake, build(query, as_of=until, targets=source.targets, **known))

    history = read_history(rule, ask, since=START, until=until, zone=bench.source.zone)
    played = [
        f"{(change.at - START) / HOUR:g} {change.group[0]} {change.before}>{change.after}"
        for _, outcome in play(rule, ((at, history.sample(at)) for at in history.instants))
        for change in outcome.transitions
    ]
    live = [" ".join(line.split(" ")[:3]) for line in bench.history()]
    assert len(live) > 20
    assert played == live


def test_worth_is_counted_from_orders_that_really_became_late(desk: Desk) -> None:
    rule = parse_rule({"name": "r", "metric": "overdue_count", "op": ">", "warning": 5, "group_by": ["region"], "every": "1h"})
    report = backtest(rule, asker(desk), days=2, until=UNTIL, zone=desk.zone)
    rows = desk.lake.cursor().execute(
        "SELECT count(*) FROM lake.orders WHERE promised_at >= $1 AND promised_at < $2 "
        "AND (delivered_at IS NULL OR delivered_at > promised_at)",
        [UNTIL - timedelta(days=2), UNTIL],
    )
    assert report.late == (rows.fetchone() or [0])[0]
    assert 0 < (report.caught or 0) <= (report.late or 0)
    assert report.missed == (report.late or 0) - (report.caught or 0)
    assert report.alerts
    assert from_json(to_json(report)) == report


def test_a_stricter_threshold_gives_no_more_alerts_and_the_own_one_is_among_them(desk: Desk) -> None:
    rule = parse_rule({"name": "r", "metric": "overdue_count", "op": ">", "warning": 5, "group_by": ["region"], "every": "1h"})
    report = backtest(rule, asker(desk), days=2, until=UNTIL, zone=desk.zone)
    own = [point for point in report.frontier if point.is_own]
    assert [point.threshold for point in own] == [5]
    assert own[0].alerts_a_day == pytest.approx(len(report.alerts) / 2, abs=0.001)
    never = with_threshold(rule, "warning", 10_000)
    history = read_history(never, asker(desk), since=UNTIL - timedelta(days=2), until=UNTIL, zone=desk.zone)
    assert report_of(history, None, since=UNTIL - timedelta(days=2), until=UNTIL).alerts == ()


def test_the_starter_pack_has_fifteen_rules_in_both_languages_that_can_all_be_tried(desk: Desk) -> None:
    pack = templates()
    assert len(pack) >= 15
    assert [rule.name for rule in pack if {"en", "zh-CN"} - set(dict(rule.title))] == []
    for rule in [rule for rule in pack if rule.order is None]:
        history = read_history(rule, asker(desk), since=UNTIL - timedelta(hours=6), until=UNTIL, zone=desk.zone)
        assert (
            episodes_of([t for _, o in play(rule, ((at, history.sample(at)) for at in history.instants)) for t in o.transitions])
            is not None
        )
