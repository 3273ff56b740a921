"""Silences: matchers and an end; the state goes on underneath, messages resume if it still fires at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, and_, select, update

from access.audit import Actor, record
from access.store import writing
from alerts.rule import RuleError
from alerts.tables import OUTBOX, SILENCES
from alerts.values import kept_note
from queries.check import suggest
from queries.dimensions import DIMENSIONS

LONGEST: Final = timedelta(days=30)
SILENCED: Final = "silenced until"
MATCHERS: Final = ("rule", "level", *DIMENSIONS)


@dataclass(frozen=True, kw_only=True)
class Silence:
    """One silence: what it matches (`rule`, `level`, or a dimension's value), from when until when, by whom and why."""

    id: int
    matchers: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    actor: str
    note: str

    def matches(self, rule: str, labels: Mapping[str, str | None], level: str | None) -> bool:
        """Whether all its matchers fit an alert."""
        found = {"rule": rule, "level": level, **labels}
        return all(found.get(name) == value for name, value in self.matchers.items())


def open_silences(connection: Connection, now: datetime) -> list[Silence]:
    """Those that hold now."""
    query = select(SILENCES).where(SILENCES.c.starts_at <= now, SILENCES.c.ends_at > now, SILENCES.c.ended_at.is_(None))
    return [
        Silence(
            id=row["id"],
            matchers=row["matchers"],
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
            actor=row["actor"],
            note=row["note"],
        )
        for row in connection.execute(query.order_by(SILENCES.c.id)).mappings()
    ]


def set_silence(
    store: Engine, matchers: Mapping[str, str], actor: Actor, *, now: datetime, ends_at: datetime, note: str = ""
) -> int:
    """Silence what the matchers fit until `ends_at`; its id. Raises RuleError without a matcher or with an impossible end."""
    if not matchers:
        raise RuleError("a silence needs at least one matcher: name the rule or the place")
    for name in matchers:
        if name not in MATCHERS:
            raise RuleError(f"a silence has no matcher {name!r}: {suggest(name, MATCHERS)}")
    if not now < ends_at <= now + LONGEST:
        raise RuleError(f"a silence ends later than now and within {LONGEST.days} days")
    note = kept_note(note)
    with writing(store) as connection:
        values = {"matchers": dict(matchers), "starts_at": now, "ends_at": ends_at, "actor": actor.name, "note": note}
        key = connection.execute(SILENCES.insert().values(ended_by="", **values)).inserted_primary_key
        assert key is not None
        detail = {"matchers": dict(matchers), "ends_at": ends_at.isoformat(), "note": note}
        record(connection, at=now, actor=actor, action="silence_set", object_kind="silence", object_id=str(key[0]), detail=detail)
    return int(key[0])


def end_silence(store: Engine, number: int, actor: Actor, *, now: datetime) -> None:
    """End a silence before its time: what still fires is told with the next sending."""
    with writing(store) as connection:
        own = update(SILENCES).where(SILENCES.c.id == number, SILENCES.c.ended_at.is_(None))
        if not connection.execute(own.values(ended_at=now, ended_by=actor.name)).rowcount:
            raise RuleError(f"silence {number} has ended already")
        held = and_(OUTBOX.c.status == "waiting", OUTBOX.c.reason.startswith(SILENCED))
        connection.execute(update(OUTBOX).where(held).values(due_at=now))
        record(connection, at=now, actor=actor, action="silence_ended", object_kind="silence", object_id=str(number))
