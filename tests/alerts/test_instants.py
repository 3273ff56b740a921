"""When rules are looked at, and when their messages may go, across the change of the clocks."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.instants import due_instants, instants_between, last_instant
from alerts.parse import parse_rule
from alerts.rule import Schedule
from alerts.state import Reading, RuleState, Sample, step

BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("since", "lengths"),
    [(datetime(2026, 3, 27, 23, tzinfo=UTC), [24, 23, 24]), (datetime(2026, 10, 23, 22, tzinfo=UTC), [24, 25, 24])],
)
def test_daily_instants_are_midnights_of_the_business_zone_on_both_sides_of_the_change(
    since: datetime, lengths: list[int]
) -> None:
    found = [since, *instants_between(DAY, since, since + 3 * DAY + timedelta(hours=1), BERLIN)]
    assert [at.astimezone(BERLIN).hour for at in found] == [0] * 4
    assert [(b - a) / timedelta(hours=1) for a, b in itertools.pairwise(found)] == lengths
    assert due_instants(DAY, since, found[-1], BERLIN) == (found[1:], 0)


def test_shorter_steps_pass_the_repeated_and_the_missing_hour_once_each() -> None:
    change = datetime(2026, 10, 25, 1, tzinfo=UTC)
    hours = list(instants_between(timedelta(hours=1), change - timedelta(hours=3), change + timedelta(hours=3), BERLIN))
    assert [at.astimezone(BERLIN).hour for at in hours] == [1, 2, 2, 3, 4, 5][: len(hours)]
    assert len(set(hours)) == 6
    assert last_instant(timedelta(minutes=30), change + timedelta(minutes=29), BERLIN) == change


def test_a_hold_is_a_length_of_time_whatever_the_clocks_do() -> None:
    """True at midnight before the short day and at the next one: 23 h, and a hold of 24 h is not over."""
    rule = parse_rule({"metric": "value", "op": ">", "warning": 1, "for": "24h", "every": "1d"}, is_test=True)
    sample = Sample(groups=[((), (Reading(value=2, score=2),))])
    state, told = RuleState(), []
    for at in instants_between(DAY, datetime(2026, 3, 27, 23, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC), BERLIN):
        outcome = step(rule, state, sample, at)
        state = outcome.state
        told.append(state.instances[()].state)
    assert told == ["pending", "pending", "firing"]


def test_hours_of_a_night_shift_are_those_of_the_day_it_begins_on() -> None:
    nights = Schedule(kind="business_hours", days=(5, 7), start_hour=22, end_hour=6)
    week = [datetime(2026, 3, day, hour, tzinfo=BERLIN) for day in range(9, 16) for hour in range(24)]  # Monday to Sunday
    open_ = [(at.isoweekday(), at.hour) for at in week if nights.is_open(at, BERLIN)]
    assert open_ == [(1, h) for h in range(6)] + [(5, 22), (5, 23)] + [(6, h) for h in range(6)] + [(7, 22), (7, 23)]


def test_business_hours_are_those_of_the_wall_clock() -> None:
    hours = Schedule(kind="business_hours", time_zone="Europe/Berlin", start_hour=9, end_hour=18)
    winter, summer = datetime(2026, 3, 27, 7, 59, tzinfo=UTC), datetime(2026, 3, 30, 6, 59, tzinfo=UTC)
    for before in (winter, summer):
        assert not hours.is_open(before, ZoneInfo("Asia/Shanghai"))
        assert hours.is_open(before + timedelta(minutes=1), ZoneInfo("Asia/Shanghai"))
