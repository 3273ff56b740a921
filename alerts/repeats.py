"""Telling again: what still fires and nobody has taken, some hours after the last message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Engine, RowMapping, and_, select

from access.store import writing
from alerts.deeds import acknowledged
from alerts.outbox import new_row
from alerts.send import STARTS
from alerts.tables import INSTANCES, OUTBOX, TRANSITIONS


def plan_repeats(store: Engine, repeats: Mapping[str, timedelta], now: datetime) -> int:
    """Tell again what still fires and nobody has acknowledged, `repeat` after the last message; how many rows."""
    query = (
        select(OUTBOX)
        .join(TRANSITIONS, TRANSITIONS.c.id == OUTBOX.c.transition_id)
        .join(INSTANCES, and_(INSTANCES.c.rule == OUTBOX.c.rule, INSTANCES.c.group_key == OUTBOX.c.group_key))
        .where(INSTANCES.c.state.in_(("firing", "no_data")), INSTANCES.c.episode_at == TRANSITIONS.c.episode_at)
        .where(OUTBOX.c.message.in_((*STARTS, "de_escalate")))
        .order_by(OUTBOX.c.id)
    )
    with writing(store) as connection:
        taken = acknowledged(connection)
        last: dict[tuple[str, str, str], RowMapping] = {}
        for row in connection.execute(query).mappings():
            last[(row["rule"], row["group_key"], row["receiver"])] = row
        rows = [
            new_row(
                rule=row["rule"],
                group_key=row["group_key"],
                receiver=row["receiver"],
                transition_id=row["transition_id"],
                message=row["message"],
                due_at=now,
                created_at=now,
                repeat_number=row["repeat_number"] + 1,
            )
            for row in last.values()
            if row["status"] == "sent"
            and (row["rule"], row["group_key"]) not in taken
            and now - row["done_at"] >= repeats.get(row["rule"], timedelta.max)
        ]
        if rows:
            connection.execute(OUTBOX.insert(), rows)
    return len(rows)
