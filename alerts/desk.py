"""The alert book as a person reads it: every alert inside their scope, with its rule in words' reach, and what was done about it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal

from sqlalchemy import Connection, Engine, RowMapping, func, select

from alerts.conditions import Level
from alerts.deeds import Record, deeds_of
from alerts.freeze import thaw
from alerts.health import title_of
from alerts.parse import parse_rule
from alerts.places import is_visible
from alerts.rule import Group, Rule, RuleError
from alerts.silences import Silence, open_silences
from alerts.tables import DEEDS, INSTANCES, RULES, SILENCES, STATES, TRANSITIONS, VERSIONS
from queries.scope import Scope

Standing = Literal["firing", "pending", "recovering", "no_data", "silenced", "resolved"]
STANDINGS: Final[tuple[Standing, ...]] = ("firing", "pending", "recovering", "no_data", "silenced", "resolved")
OPEN: Final = ("pending", "firing", "recovering", "no_data")
RESOLVED_FOR: Final = timedelta(hours=24)
"""So long an ended alert stays in the list."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads: an alert outside the scope, or of somebody else's personal rule, does not exist for them."""

    name: str
    scope: Scope


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One episode of one group. `since` is the start of its present state, `ended_at` and `reason` are set once it is over.

    `evaluated_at` and `snapshot` say at which instant, knowing what, its `value` was taken.
    """

    rule: Rule
    version: int
    owner: str
    is_personal: bool
    group_key: str
    labels: Mapping[str, str | None]
    regions: frozenset[str] | None
    state: str
    level: Level | None
    since: datetime
    episode_at: datetime
    value: float | None
    n: int | None = None
    ended_at: datetime | None = None
    reason: str = ""
    is_flapping: bool = False
    is_few: bool = False
    frozen_by: str = ""
    snapshot: int = 0
    evaluated_at: datetime | None = None
    deeds: tuple[Record, ...] = ()
    silence: Silence | None = None

    @property
    def key(self) -> tuple[str, str, datetime]:
        """What names the episode."""
        return self.rule.name, self.group_key, self.episode_at

    @property
    def standing(self) -> Standing:
        """The tab it is under; a silenced one is under silenced alone."""
        if self.ended_at is not None:
            return "resolved"
        return "silenced" if self.silence else self.state  # type: ignore[return-value]

    @property
    def group(self) -> Group:
        """The values of the rule's dimensions."""
        return tuple(json.loads(self.group_key))

    def last(self, deed: str) -> Record | None:
        """The last deed of a kind that still counts."""
        return next((entry for entry in reversed(self.deeds) if entry.deed == deed), None)

    @property
    def holder(self) -> str:
        """Who has it: the person it was given to, else who acknowledged it; empty for nobody."""
        given, taken = self.last("assign"), self.last("acknowledge")
        return (given.value if given else "") or (taken.actor if taken else "")


STAMP: Final = select(
    *(
        part.scalar_subquery()
        for part in (
            select(func.max(TRANSITIONS.c.id)),
            select(func.max(DEEDS.c.id)),
            select(func.max(SILENCES.c.id)),
            select(func.count()).select_from(SILENCES).where(SILENCES.c.ended_at.is_not(None)),
            select(func.max(STATES.c.at)),
            select(func.max(RULES.c.changed_at)),
        )
    )
)
"""Put together once, for every open tab asks it every few seconds."""


def read_stamp(store: Engine) -> tuple[Any, ...]:
    """Something that differs whenever the book says something new; one cheap read."""
    with store.connect() as connection:
        return tuple(connection.execute(STAMP).one())


def read_alerts(
    store: Engine, reader: Reader, now: datetime, *, at: datetime | None = None, resolved_for: timedelta = RESOLVED_FOR
) -> list[Alert]:
    """Every open alert and those that ended within `resolved_for`, inside the reader's scope, most urgent first.

    `at` reads the book as it stood at an earlier instant of the data.
    """
    with store.connect() as connection:
        rules = {row["name"]: row for row in connection.execute(select(RULES)).mappings()}
        states = {row["rule"]: row for row in connection.execute(select(STATES)).mappings()}
        open_ = _open(connection, states) if at is None else _open_at(connection, at)
        found = [*open_, *_ended(connection, (at or now) - resolved_for, at)]
        bodies = _rules_of(connection, {(row["rule"], row["version"]) for row in found})
        visible = [row for row in found if _is_for(row, rules.get(row["rule"]), reader)]
        deeds = deeds_of(connection, until=at)
        silences = open_silences(connection, at or now)
    alerts = [_alert(row, bodies[(row["rule"], row["version"])], rules.get(row["rule"]), deeds, silences) for row in visible]
    return sorted(alerts, key=urgency)


def _open(connection: Connection, states: Mapping[str, RowMapping]) -> list[dict[str, Any]]:
    rows = connection.execute(select(INSTANCES).where(INSTANCES.c.state.in_(OPEN))).mappings()
    found = []
    for row in rows:
        instance, state = thaw(row["frozen"]), states.get(row["rule"])
        found.append(
            dict(row)
            | {
                "version": state["version"] if state else 0,
                "frozen_by": state["frozen_by"] if state else "",
                "snapshot": state["snapshot"] if state else 0,
                "evaluated_at": state["at"] if state else None,
                "n": instance.n,
                "is_flapping": instance.is_flapping,
                "is_few": instance.is_insufficient,
                "ended_at": None,
                "reason": "",
            }
        )
    return found


def _open_at(connection: Connection, at: datetime) -> list[dict[str, Any]]:
    """What was open at an instant: the last change of each group before it."""
    last = (
        select(func.max(TRANSITIONS.c.id))
        .where(TRANSITIONS.c.at <= at, TRANSITIONS.c.is_restated.is_(False))
        .group_by(TRANSITIONS.c.rule, TRANSITIONS.c.group_key)
    )
    query = select(TRANSITIONS).where(TRANSITIONS.c.id.in_(last), TRANSITIONS.c.after.in_(OPEN))
    return [
        dict(row)
        | {
            "state": row["after"],
            "since": row["at"],
            "ended_at": None,
            "reason": "",
            "is_few": False,
            "frozen_by": "",
            "evaluated_at": row["at"],
        }
        for row in connection.execute(query).mappings()
    ]


def _ended(connection: Connection, since: datetime, at: datetime | None) -> list[dict[str, Any]]:
    """Episodes that were told and are over: their last transition, with the level they had."""
    query = select(TRANSITIONS).where(
        TRANSITIONS.c.at > since,
        TRANSITIONS.c.after.in_(("inactive", "gone")),
        TRANSITIONS.c.before.in_(("firing", "recovering", "no_data")),
        TRANSITIONS.c.episode_at.is_not(None),
    )
    if at is not None:
        query = query.where(TRANSITIONS.c.at <= at)
    found: dict[tuple[str, str, datetime], dict[str, Any]] = {}
    for row in connection.execute(query.order_by(TRANSITIONS.c.id)).mappings():
        found[(row["rule"], row["group_key"], row["episode_at"])] = dict(row) | {
            "state": "resolved",
            "level": row["before_level"],
            "since": row["at"],
            "ended_at": row["at"],
            "is_few": False,
            "frozen_by": "",
            "evaluated_at": row["at"],
        }
    return list(found.values())


def _is_for(row: Mapping[str, Any], rule: RowMapping | None, reader: Reader) -> bool:
    if rule is not None and rule["is_personal"] and rule["owner"] != reader.name:
        return False
    regions = None if row["regions"] is None else frozenset(row["regions"])
    return is_visible(regions, reader.scope)


def _rules_of(connection: Connection, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], Rule]:
    names = {name for name, _ in wanted}
    rows = connection.execute(select(VERSIONS.c.rule, VERSIONS.c.version, VERSIONS.c.body).where(VERSIONS.c.rule.in_(names)))
    bodies = {(row.rule, row.version): row.body for row in rows}
    return {key: rule_from(key[0], bodies.get(key)) for key in wanted}


def rule_from(name: str, body: Mapping[str, Any] | None) -> Rule:
    """A kept version as a rule; one that no longer parses, or is the control room's own, has its name and title only."""
    own = _parsed(json.dumps(body, sort_keys=True)) if body is not None else None
    return replace(own, name=name) if own else Rule(name=name, conditions=(), title=title_of(name))


@lru_cache(maxsize=1024)
def _parsed(body: str) -> Rule | None:
    try:
        return parse_rule(json.loads(body))
    except RuleError:
        return None


def _alert(
    row: Mapping[str, Any],
    rule: Rule,
    kept: RowMapping | None,
    deeds: Mapping[tuple[str, str, datetime], Sequence[Record]],
    silences: Iterable[Silence],
) -> Alert:
    key = (row["rule"], row["group_key"], row["episode_at"])
    is_over = row["ended_at"] is not None
    silence = None if is_over else next((one for one in silences if one.matches(rule.name, row["labels"], row["level"])), None)
    return Alert(
        rule=rule,
        version=row["version"],
        owner=kept["owner"] if kept else "",
        is_personal=bool(kept and kept["is_personal"]),
        group_key=row["group_key"],
        labels=row["labels"],
        regions=None if row["regions"] is None else frozenset(row["regions"]),
        state=row["state"],
        level=row["level"],
        since=row["since"] or row["episode_at"],
        episode_at=row["episode_at"] or row["since"],
        value=row["value"],
        n=row["n"],
        ended_at=row["ended_at"],
        reason=row["reason"] or "",
        is_flapping=row["is_flapping"],
        is_few=row["is_few"],
        frozen_by=row["frozen_by"],
        snapshot=row["snapshot"],
        evaluated_at=row["evaluated_at"],
        deeds=tuple(deeds.get(key, ())),
        silence=silence,
    )


def urgency(alert: Alert) -> tuple[Any, ...]:
    """Critical before warning before the rest, without a holder before those in hand, the longest first; ended ones last."""
    standing = {"firing": 0, "no_data": 1, "recovering": 2, "pending": 3, "silenced": 4, "resolved": 5}[alert.standing]
    level = {"critical": 0, "warning": 1}.get(alert.level or "", 2)
    if alert.ended_at is not None:
        return (standing, 0, False, -alert.ended_at.timestamp(), alert.rule.name, alert.group_key)
    return (standing, level, bool(alert.holder), alert.episode_at.timestamp(), alert.rule.name, alert.group_key)


def count_standings(alerts: Iterable[Alert]) -> dict[Standing, int]:
    """How many alerts stand under each tab."""
    found: dict[Standing, int] = dict.fromkeys(STANDINGS, 0)
    for alert in alerts:
        found[alert.standing] += 1
    return found
