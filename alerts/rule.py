"""A rule version: immutable once published, the same for live, backtest and rule tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from alerts.conditions import Condition, Level
from alerts.fault import RuleError as RuleError
from alerts.order_part import OrderPart
from queries.query import Filter

NoData = Literal["no_data", "ok", "keep", "alert"]
Join = Literal["and", "or"]
ScheduleKind = Literal["always", "business_hours", "campaign"]

NO_DATA: Final[tuple[NoData, ...]] = get_args(NoData)
JOINS: Final[tuple[Join, ...]] = get_args(Join)
SCHEDULES: Final[tuple[ScheduleKind, ...]] = get_args(ScheduleKind)

Group = tuple[str | None, ...]
"""The values of the rule's dimensions, in the order of `group_by` (which is sorted): the identity of an instance."""

UNKNOWN_LABEL: Final = "?"
TEST_METRIC: Final = "value"
"""In rule tests a metric that needs no registry entry."""


@dataclass(frozen=True, kw_only=True)
class Datapoints:
    """M of N: of the last `n` instants at least `m` breach, not necessarily in a row."""

    m: int
    n: int


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When messages go out: always, in business hours (of `time_zone`, empty: the business zone), or during a campaign.

    Hours that end before they begin go on after midnight; they are those of the day on which they begin.
    """

    kind: ScheduleKind = "always"
    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    start_hour: int = 9
    end_hour: int = 18
    since: date | None = None
    time_zone: str = ""

    @property
    def is_overnight(self) -> bool:
        """Whether the hours go on after midnight."""
        return self.end_hour < self.start_hour

    def is_open(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether messages go out at an instant."""
        local = at.astimezone(ZoneInfo(self.time_zone) if self.time_zone else zone)
        if self.kind == "business_hours":
            is_begun, is_over = local.hour >= self.start_hour, local.hour >= self.end_hour
            if not self.is_overnight:
                return local.isoweekday() in self.days and is_begun and not is_over
            yesterday = local.isoweekday() - 1 or 7
            return (is_begun and local.isoweekday() in self.days) or (not is_over and yesterday in self.days)
        return self.kind != "campaign" or self.since is None or local.date() >= self.since


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One version of a rule. Lengths are exact; `hold` and `datapoints` exclude each other; `group_by` is sorted.

    `expected_groups` are labels that are never forgotten, or (`expected_dimension`) all known values of a dimension.
    A rule with an `order` part is about single open orders: it has no conditions on figures and no groups.
    """

    name: str
    conditions: tuple[Condition, ...]
    join: Join = "and"
    filters: tuple[Filter, ...] = ()
    group_by: tuple[str, ...] = ()
    window: timedelta = timedelta(days=1)
    every: timedelta = timedelta(minutes=5)
    delay: timedelta = timedelta()
    hold: timedelta = timedelta()
    datapoints: Datapoints | None = None
    keep_firing: timedelta = timedelta()
    no_data: NoData = "no_data"
    missing_evals: int = 2
    expected_groups: tuple[str, ...] = ()
    expected_dimension: str = ""
    min_samples: int = 0
    max_instances: int = 500
    repeat: timedelta = timedelta(hours=4)
    schedule: Schedule = field(default_factory=Schedule)
    expires_on: date | None = None
    receivers: tuple[str, ...] = ()
    runbook: str = ""
    owner: str = ""
    title: tuple[tuple[str, str], ...] = ()
    text: tuple[tuple[str, str], ...] = ()
    template: str = ""
    order: OrderPart | None = None

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The levels it can reach, the lower first."""
        if self.order is not None:
            return (self.order.severity,) if self.order.severity else ()
        found: list[Level] = []
        for level in ("warning", "critical"):
            own = [condition.threshold.start(level) for condition in self.conditions]
            own += [threshold.start(level) for condition in self.conditions for _, threshold in condition.groups]
            if any(value is not None for value in own):
                found.append(level)
        return tuple(found)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of its conditions, each once."""
        return tuple(dict.fromkeys(condition.metric for condition in self.conditions))

    def has_ended(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether its last day is over at an instant."""
        return self.expires_on is not None and at.astimezone(zone).date() > self.expires_on

    def title_in(self, language: str) -> str:
        """Its title in a language; its name where there is none."""
        titles = dict(self.title)
        return titles.get(language) or titles.get("en") or next(iter(titles.values()), self.name)


TEXT_FIELDS: Final = ("title", "text", "runbook", "owner", "receivers", "repeat", "template")
"""A change of these alone keeps the state of the instances."""


@lru_cache(maxsize=20_000)
def label_of(group: Group) -> str:
    """A group as one text: its values joined by `/`; empty for the one instance without `group_by`."""
    return "/".join(UNKNOWN_LABEL if value is None else value for value in group)


def group_of(rule: Rule, label: str) -> Group:
    """The group of a label of this rule."""
    values = (label,) if len(rule.group_by) == 1 else tuple(label.split("/"))
    return tuple(None if value == UNKNOWN_LABEL else value for value in values)
