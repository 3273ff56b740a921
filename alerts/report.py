"""What a rule tried on history would have done: its episodes, their worth, the thresholds to choose from; and as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from alerts.conditions import Level
from data.zone import epoch_ms, from_epoch_ms


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One group's time from leaving inactive to the end; `ended_at` None while it goes on, `level` the highest, None if only pending."""

    group: str
    started_at: datetime
    fired_at: datetime | None
    ended_at: datetime | None
    level: Level | None
    is_false_alarm: bool = False


@dataclass(frozen=True, kw_only=True)
class Point:
    """One threshold of the frontier: alerts a day, and the share of late orders that had a warning."""

    threshold: float
    alerts_a_day: float
    caught: float | None
    is_own: bool = False


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a rule would have done in (since, until].

    `late` are the orders whose promise broke, None where the groups are none of orders; `lead_seconds` is the median
    time from the alert to the broken promise. `step_seconds` is how often it was looked at.
    """

    since: datetime
    until: datetime
    step_seconds: int
    is_coarse: bool
    groups: tuple[str, ...]
    episodes: tuple[Episode, ...]
    firing_seconds: int
    messages: int
    late: int | None
    caught: int | None
    lead_seconds: float | None
    errors: int
    error: str = ""
    frontier: tuple[Point, ...] = ()

    @property
    def alerts(self) -> tuple[Episode, ...]:
        """The episodes that fired."""
        return tuple(episode for episode in self.episodes if episode.fired_at is not None)

    @property
    def false_alarms(self) -> int:
        """Alerts during which no more orders than usual became late."""
        return sum(episode.is_false_alarm for episode in self.alerts)

    @property
    def missed(self) -> int | None:
        """Late orders without a warning."""
        return None if self.late is None or self.caught is None else self.late - self.caught


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain JSON, instants in milliseconds since 1970."""

    def plain(value: object) -> object:
        if isinstance(value, datetime):
            return epoch_ms(value)
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list | tuple) else value

    return {key: plain(value) for key, value in asdict(report).items()}


def from_json(found: Mapping[str, Any]) -> Report:
    """The report in the JSON."""

    def instants(entry: Mapping[str, Any], *names: str) -> dict[str, Any]:
        return {name: None if entry[name] is None else from_epoch_ms(entry[name]) for name in names}

    episodes = tuple(Episode(**{**one, **instants(one, "started_at", "fired_at", "ended_at")}) for one in found["episodes"])
    points = tuple(Point(**one) for one in found["frontier"])
    own = {"groups": tuple(found["groups"]), "episodes": episodes, "frontier": points}
    return Report(**{**found, **instants(found, "since", "until"), **own})
