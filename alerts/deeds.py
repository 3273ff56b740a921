"""What people do about an episode: acknowledge, assign, judge; rows are only added, an undo is a row too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection, Engine, and_, select

from access.audit import Actor, record
from access.store import writing
from alerts.places import is_visible
from alerts.rule import RuleError
from alerts.tables import DEEDS, INSTANCES, TRANSITIONS
from alerts.values import kept_note
from queries.scope import Scope

Deed = Literal["acknowledge", "assign", "verdict"]
VERDICTS: Final = ("useful", "false_alarm", "known")
WORDS: Final[Mapping[Deed, str]] = {"acknowledge": "alert_acknowledged", "assign": "alert_assigned", "verdict": "alert_judged"}


@dataclass(frozen=True, kw_only=True)
class Episode:
    """Which episode is meant."""

    rule: str
    group_key: str
    episode_at: datetime


@dataclass(frozen=True, kw_only=True)
class Record:
    """A deed that still counts."""

    id: int
    deed: Deed
    actor: str
    at: datetime
    value: str
    note: str


def do(
    store: Engine, episode: Episode, deed: Deed, actor: Actor, scope: Scope, *, now: datetime, value: str = "", note: str = ""
) -> int:
    """Keep a deed; its id. Raises RuleError for an episode that does not exist in the actor's scope."""
    if deed == "verdict" and value not in VERDICTS:
        raise RuleError(f"a verdict is one of {', '.join(VERDICTS)}")
    value, note = value[:64], kept_note(note)
    with writing(store) as connection:
        _check(connection, episode, scope)
        values = {"at": now, "actor": actor.name, "deed": deed, "value": value, "note": note, "undoes": None}
        own = {"rule": episode.rule, "group_key": episode.group_key, "episode_at": episode.episode_at}
        key = connection.execute(DEEDS.insert().values(**own, **values)).inserted_primary_key
        assert key is not None
        detail = {"value": value, "note": note, "episode": episode.episode_at.isoformat()}
        _audit(connection, WORDS[deed], episode, actor, now, detail)
    return int(key[0])


def undo(store: Engine, number: int, actor: Actor, scope: Scope, *, now: datetime) -> None:
    """Take a deed back. Raises RuleError where there is none."""
    with writing(store) as connection:
        row = connection.execute(select(DEEDS).where(DEEDS.c.id == number, DEEDS.c.deed != "undo")).mappings().one_or_none()
        if row is None:
            raise RuleError("there is nothing to take back")
        episode = Episode(rule=row["rule"], group_key=row["group_key"], episode_at=row["episode_at"])
        _check(connection, episode, scope)
        values = {"at": now, "actor": actor.name, "deed": "undo", "value": "", "note": "", "undoes": number}
        own = {"rule": episode.rule, "group_key": episode.group_key, "episode_at": episode.episode_at}
        connection.execute(DEEDS.insert().values(**own, **values))
        _audit(connection, "alert_undone", episode, actor, now, {"undoes": number})


def deeds_of(connection: Connection, *, until: datetime | None = None) -> dict[tuple[str, str, datetime], list[Record]]:
    """The deeds that count (those until an instant), oldest first, by (rule, group key, episode)."""
    undone = select(DEEDS.c.undoes).where(DEEDS.c.undoes.is_not(None))
    query = select(DEEDS).where(DEEDS.c.deed != "undo", DEEDS.c.id.not_in(undone)).order_by(DEEDS.c.id)
    if until is not None:
        query = query.where(DEEDS.c.at <= until)
    found: dict[tuple[str, str, datetime], list[Record]] = {}
    for row in connection.execute(query).mappings():
        entry = Record(id=row["id"], deed=row["deed"], actor=row["actor"], at=row["at"], value=row["value"], note=row["note"])
        found.setdefault((row["rule"], row["group_key"], row["episode_at"]), []).append(entry)
    return found


def acknowledged(connection: Connection) -> set[tuple[str, str]]:
    """(rule, group key) of the open episodes that somebody has acknowledged."""
    open_ = {
        (row.rule, row.group_key): row.episode_at
        for row in connection.execute(select(INSTANCES.c.rule, INSTANCES.c.group_key, INSTANCES.c.episode_at))
    }
    return {
        (rule, key)
        for (rule, key, episode_at), records in deeds_of(connection).items()
        if open_.get((rule, key)) == episode_at and any(entry.deed == "acknowledge" for entry in records)
    }


def _check(connection: Connection, episode: Episode, scope: Scope) -> None:
    own = and_(
        TRANSITIONS.c.rule == episode.rule,
        TRANSITIONS.c.group_key == episode.group_key,
        TRANSITIONS.c.episode_at == episode.episode_at,
    )
    row = connection.execute(select(TRANSITIONS.c.regions).where(own).limit(1)).one_or_none()
    if row is None or not is_visible(None if row.regions is None else frozenset(row.regions), scope):
        raise RuleError("there is no such alert")


def _audit(
    connection: Connection, action: str, episode: Episode, actor: Actor, now: datetime, detail: Mapping[str, object]
) -> None:
    where = f"{episode.rule} {episode.group_key}"
    record(connection, at=now, actor=actor, action=action, object_kind="alert", object_id=where, detail=detail)
