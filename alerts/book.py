"""The alert book: live rules, their states, and what one evaluation commits, all in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Engine, RowMapping, and_, bindparam, delete, select, update

from alerts.freeze import freeze, thaw
from alerts.instants import MOST_CAUGHT_UP
from alerts.parse import parse_rule
from alerts.places import regions_of
from alerts.rule import Group, Rule, RuleError
from alerts.state import Instance, Message, RuleState, Transition
from alerts.tables import EVALUATIONS, INSTANCES, RULES, STATES, TRANSITIONS, VERSIONS
from queries.scope import Scope

# Built once: a pass over two hundred rules writes each of them two hundred times.
_OF: Final[BindParameter[str]] = bindparam("of")
_OWN = and_(EVALUATIONS.c.rule == _OF, EVALUATIONS.c.version == bindparam("by"))
STATE_OF: Final = select(STATES).where(STATES.c.rule == _OF).with_for_update()
INSTANCES_OF: Final = select(INSTANCES.c.group_key, INSTANCES.c.frozen).where(INSTANCES.c.rule == _OF)
CHANGE_STATE: Final = update(STATES).where(STATES.c.rule == _OF)
DROP_INSTANCES: Final = delete(INSTANCES).where(
    INSTANCES.c.rule == _OF, INSTANCES.c.group_key.in_(bindparam("keys", expanding=True))
)
ADD_TRANSITIONS: Final = TRANSITIONS.insert().returning(TRANSITIONS.c.id, sort_by_parameter_order=True)
LAST_KEPT: Final = select(EVALUATIONS.c.at).where(_OWN).order_by(EVALUATIONS.c.at.desc()).offset(MOST_CAUGHT_UP).limit(1)
FORGET_STATES: Final = update(EVALUATIONS).where(_OWN, EVALUATIONS.c.at <= bindparam("until")).values(state=None)


@dataclass(frozen=True, kw_only=True)
class LiveRule:
    """A published rule: its version, the scope its figures are asked in; `error` says why it cannot be used."""

    rule: Rule
    version: int
    scope: Scope
    owner: str = ""
    is_personal: bool = False
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One instant's evaluation as it is kept: what it came to, and what changed."""

    at: datetime
    outcome: str
    state: RuleState
    transitions: tuple[Transition, ...] = ()
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A kept transition that somebody is to hear of, and as what."""

    transition_id: int
    transition: Transition
    message: Message
    regions: frozenset[str] | None


def scope_from(regions: Sequence[str] | None) -> Scope:
    """The scope kept beside a rule or a receiver: null is everything."""
    return Scope.ALL if regions is None else Scope.of_regions(regions)


def live_rules(store: Engine) -> list[LiveRule]:
    """Every published rule by name; one that no longer parses comes with its error and disturbs no other."""
    chosen = select(RULES, VERSIONS.c.version, VERSIONS.c.body).join(
        VERSIONS, and_(VERSIONS.c.rule == RULES.c.name, VERSIONS.c.version == RULES.c.live_version)
    )
    with store.connect() as connection:
        rows = connection.execute(chosen.where(RULES.c.status == "live").order_by(RULES.c.name)).mappings().all()
    return [_live(row) for row in rows]


def _live(row: RowMapping) -> LiveRule:
    try:
        rule, error = parse_rule(row["body"]), ""
    except (RuleError, TypeError, AttributeError) as fault:
        rule, error = Rule(name=row["name"], conditions=()), str(fault) or type(fault).__name__
    return LiveRule(
        rule=replace(rule, name=row["name"]),
        version=row["version"],
        scope=scope_from(row["regions"]),
        owner=row["owner"],
        is_personal=row["is_personal"],
        error=error,
    )


def key_of(group: Group) -> str:
    """A group as the key of its row."""
    return json.dumps(list(group), ensure_ascii=False, separators=(",", ":"))


def group_from(key: str) -> Group:
    """The group of a row's key."""
    return tuple(json.loads(key))


def labels_of(rule: Rule, group: Group) -> dict[str, str | None]:
    """A group's values by dimension."""
    return dict(zip(rule.group_by, group, strict=False))


def read_state(connection: Connection, rule: str, version: int) -> tuple[RuleState, int]:
    """The rule's state after its last evaluation and the snapshot it knew; a fresh one for another version."""
    row = connection.execute(STATE_OF, {"of": rule}).mappings().one_or_none()
    if row is None or row["version"] != version:
        return RuleState(), 0
    kept = connection.execute(INSTANCES_OF, {"of": rule})
    instances = {group_from(key): thaw(frozen) for key, frozen in kept}
    return RuleState(at=row["at"], instances=instances, errors=row["errors"], error=row["error"]), row["snapshot"]


def last_instants(store: Engine) -> dict[str, tuple[int, datetime | None, int, str]]:
    """By rule: version, newest evaluated instant, newest snapshot known, the silent source that froze it."""
    columns = (STATES.c.rule, STATES.c.version, STATES.c.at, STATES.c.snapshot, STATES.c.frozen_by)
    with store.connect() as connection:
        return {name: (version, at, snapshot, by) for name, version, at, snapshot, by in connection.execute(select(*columns))}


def frozen_instants(store: Engine, rule: str, since: datetime) -> frozenset[datetime]:
    """The instants after `since` at which a silent source kept the rule still, in any version: a backtest replays them."""
    where = (EVALUATIONS.c.rule == rule, EVALUATIONS.c.outcome == "frozen", EVALUATIONS.c.at > since)
    with store.connect() as connection:
        return frozenset(connection.execute(select(EVALUATIONS.c.at).where(*where)).scalars())


def write_state(
    connection: Connection, live: LiveRule, state: RuleState, *, before: RuleState, snapshot: int, frozen_by: str = ""
) -> None:
    """Keep the state of a rule and of those of its instances that changed, within the caller's transaction."""
    name = live.rule.name
    values = {
        "version": live.version,
        "at": state.at,
        "snapshot": snapshot,
        "errors": state.errors,
        "error": state.error[:2000],
        "frozen_by": frozen_by,
    }
    if not connection.execute(CHANGE_STATE, {"of": name, **values}).rowcount:
        connection.execute(STATES.insert(), {"rule": name, **values})
    gone = [key_of(group) for group in before.instances if group not in state.instances]
    changed = {g: i for g, i in state.instances.items() if before.instances.get(g) != i}
    stale = [*gone, *(key_of(group) for group in changed)]
    if not before.instances:
        connection.execute(delete(INSTANCES).where(INSTANCES.c.rule == name))
    elif stale:
        connection.execute(DROP_INSTANCES, {"of": name, "keys": stale})
    if changed:
        connection.execute(INSTANCES.insert(), [_instance_row(live, group, instance) for group, instance in changed.items()])


def _instance_row(live: LiveRule, group: Group, instance: Instance) -> dict[str, Any]:
    frozen = freeze(instance)
    return {
        "rule": live.rule.name,
        "group_key": key_of(group),
        "labels": labels_of(live.rule, group),
        "regions": _regions(live, group),
        "state": instance.state,
        "level": instance.level,
        "since": instance.since,
        "episode_at": instance.episode_at,
        "value": frozen.get("value"),
        "frozen": frozen,
    }


def _regions(live: LiveRule, group: Group) -> list[str] | None:
    found = regions_of(live.rule, live.scope, labels_of(live.rule, group))
    return None if found is None else sorted(found)


def write_transitions(
    connection: Connection, live: LiveRule, transitions: Iterable[Transition], *, snapshot: int, now: datetime
) -> list[int]:
    """Append transitions to the history; their ids, in order."""
    rows = [
        {
            "rule": live.rule.name,
            "version": live.version,
            "group_key": key_of(transition.group),
            "labels": labels_of(live.rule, transition.group),
            "regions": _regions(live, transition.group),
            "at": transition.at,
            "before": transition.before,
            "before_level": transition.before_level,
            "after": transition.after,
            "level": transition.level,
            "episode_at": transition.episode_at,
            "message": transition.message,
            "reason": transition.reason,
            "value": transition.value,
            "n": transition.n,
            "is_flapping": transition.is_flapping,
            "is_restated": transition.is_restated,
            "snapshot": snapshot,
            "recorded_at": now,
        }
        for transition in transitions
    ]
    return [int(number) for number in connection.execute(ADD_TRANSITIONS, rows).scalars()] if rows else []


def write_evaluations(connection: Connection, live: LiveRule, records: Sequence[Record], *, snapshot: int, now: datetime) -> None:
    """Keep what each instant came to; the states of the last instants too, from which a restatement starts."""
    if not records:
        return
    own = {"of": live.rule.name, "by": live.version}
    connection.execute(
        EVALUATIONS.insert(),
        [
            {
                "rule": live.rule.name,
                "version": live.version,
                "at": record.at,
                "outcome": record.outcome,
                "snapshot": snapshot,
                "detail": record.detail[:2000],
                "recorded_at": now,
                "state": freeze_state(record.state),
            }
            for record in records
        ],
    )
    if oldest := connection.execute(LAST_KEPT, own).scalar_one_or_none():
        connection.execute(FORGET_STATES, {**own, "until": oldest})


def freeze_state(state: RuleState) -> dict[str, Any]:
    """A rule's whole state as JSON."""
    return {
        "instances": [[list(group), freeze(instance)] for group, instance in state.instances.items()],
        "errors": state.errors,
        "error": state.error,
    }


def thaw_state(frozen: Mapping[str, Any], at: datetime) -> RuleState:
    """The state in the JSON, as it was after the evaluation at `at`."""
    instances = {tuple(group): thaw(instance) for group, instance in frozen["instances"]}
    return RuleState(at=at, instances=instances, errors=frozen["errors"], error=frozen["error"])
