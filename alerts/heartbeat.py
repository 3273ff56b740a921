"""The weekly sign of life: each receiver hears once a week that the control room is alive, and of how much it told.

It goes through the outbox like an alert. The week's row in the evaluations is its key: whoever writes it first, of any
number of workers and however often they start anew, writes the messages in the same transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, and_, func, select
from sqlalchemy.exc import IntegrityError

from access.store import inserted_id, writing
from alerts.delivery import Post
from alerts.health import HEARTBEAT
from alerts.outbox import Receiver, new_row, read_receivers
from alerts.places import is_visible
from alerts.tables import EVALUATIONS, OUTBOX, RULES, TRANSITIONS
from i18n import translate
from queries.scope import Scope

MESSAGE: Final = "heartbeat"
WEEK: Final = timedelta(days=7)
HOUR: Final = 9
"""Mondays at nine by the business zone's clock."""


def week_instant(now: datetime, zone: ZoneInfo) -> datetime:
    """The last Monday, nine o'clock, not after `now`."""
    local = now.astimezone(zone)
    monday = (local - timedelta(days=local.weekday())).replace(hour=HOUR, minute=0, second=0, microsecond=0)
    found = monday if monday <= local else (monday - WEEK)
    return found.astimezone(now.tzinfo)


def plan_heartbeat(store: Engine, zone: ZoneInfo, now: datetime) -> int:
    """Write this week's messages unless they are written; how many. Weeks missed while nothing ran stay missed."""
    at = week_instant(now, zone)
    with store.connect() as connection:
        begun = connection.execute(select(func.min(RULES.c.created_at))).scalar()
        is_done = connection.execute(select(EVALUATIONS.c.at).where(_key(at))).one_or_none()
    if begun is None or begun >= at or is_done:
        return 0
    try:
        with writing(store) as connection:
            return _write(connection, at, now)
    except IntegrityError:
        # Another worker was first.
        return 0


def _key(at: datetime) -> ColumnElement[bool]:
    return and_(EVALUATIONS.c.rule == HEARTBEAT, EVALUATIONS.c.version == 0, EVALUATIONS.c.at == at)


def _write(connection: Connection, at: datetime, now: datetime) -> int:
    values = {"outcome": "evaluated", "snapshot": 0, "detail": "", "recorded_at": now, "state": None}
    connection.execute(EVALUATIONS.insert().values(rule=HEARTBEAT, version=0, at=at, **values))
    receivers = sorted(read_receivers(connection))
    if not receivers:
        return 0
    plain = {"before": "inactive", "before_level": None, "after": "inactive", "level": None, "episode_at": None, "reason": None}
    figures = {"value": None, "n": None, "is_flapping": False, "is_restated": False, "snapshot": 0}
    done = connection.execute(
        TRANSITIONS.insert().values(
            rule=HEARTBEAT, version=0, group_key="[]", labels={}, regions=None, at=at, message=MESSAGE, recorded_at=now,
            **plain, **figures,
        )
    )  # fmt: skip
    number = inserted_id(done)
    rows = [
        new_row(
            rule=HEARTBEAT, group_key="[]", receiver=name, transition_id=number, message=MESSAGE, due_at=now, created_at=now
        )
        for name in receivers
    ]  # fmt: skip
    connection.execute(OUTBOX.insert(), rows)
    return len(rows)


def compose_heartbeat(connection: Connection, row: RowMapping, receiver: Receiver) -> Post:
    """The week's message for one receiver: what it counts is what the receiver's regions may know of."""
    at, language = row["at"], receiver.language
    since = at - WEEK
    rules = _rule_count(connection, receiver.scope)
    alerts = _alert_count(connection, receiver.scope, since, at)
    failed = _failed_count(connection, receiver, since, at)
    title = translate(language, "alerts.heartbeat_title")
    lines = (
        translate(language, "alerts.heartbeat_line", rules=rules, alerts=alerts, failed=failed),
        translate(language, "alerts.heartbeat_next"),
    )
    payload = {"type": MESSAGE, "rules": rules, "alerts": alerts, "failed": failed, "until": at.isoformat()}
    return Post(id=f"heartbeat-{row['id']}", title=title, lines=lines, payload=payload)


def _rule_count(connection: Connection, scope: Scope) -> int:
    """Live shared rules that are asked in regions the receiver knows."""
    rows = connection.execute(select(RULES.c.regions).where(RULES.c.status == "live", RULES.c.is_personal.is_(False))).scalars()
    return sum(scope.everything or regions is None or bool(set(regions) & set(scope.regions)) for regions in rows)


def _alert_count(connection: Connection, scope: Scope, since: datetime, until: datetime) -> int:
    """Alerts of shared rules that began to fire in the week, inside the receiver's regions."""
    own = select(TRANSITIONS.c.rule, TRANSITIONS.c.group_key, TRANSITIONS.c.episode_at, TRANSITIONS.c.regions).where(
        TRANSITIONS.c.message == "firing", TRANSITIONS.c.at > since, TRANSITIONS.c.at <= until
    )
    personal = set(connection.execute(select(RULES.c.name).where(RULES.c.is_personal.is_(True))).scalars())
    return len(
        {
            (row.rule, row.group_key, row.episode_at)
            for row in connection.execute(own)
            if row.rule not in personal and is_visible(None if row.regions is None else frozenset(row.regions), scope)
        }
    )


def _failed_count(connection: Connection, receiver: Receiver, since: datetime, until: datetime) -> int:
    """Messages given up in the week: of all receivers for one that sees every region, else the receiver's own."""
    query = select(func.count()).where(OUTBOX.c.status == "dead", OUTBOX.c.done_at > since, OUTBOX.c.done_at <= until)
    if not receiver.scope.everything:
        query = query.where(OUTBOX.c.receiver == receiver.name)
    return int(connection.execute(query).scalar_one())
