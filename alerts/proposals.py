"""Critical versions that somebody has proposed and that wait for a second person."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Engine, func, select

from alerts.tables import EVENTS, RULES

Proposed = Mapping[int, str]
"""Who proposed a version last, by its number."""


def open_proposals(store: Engine) -> dict[str, Proposed]:
    """The proposals of every rule, until their version, or a later one, has gone live; by the rule's name."""
    query = (
        select(EVENTS.c.rule, EVENTS.c.version, EVENTS.c.actor)
        .join(RULES, RULES.c.name == EVENTS.c.rule)
        .where(EVENTS.c.action == "proposed", EVENTS.c.version > func.coalesce(RULES.c.live_version, 0))
        .order_by(EVENTS.c.id)
    )
    found: dict[str, dict[int, str]] = {}
    with store.connect() as connection:
        for rule, version, actor in connection.execute(query):
            found.setdefault(rule, {})[version] = actor
    return dict(found)


def is_proposed_by_another(connection: Connection, name: str, version: int, actor: str) -> bool:
    """Whether somebody else has proposed this very version."""
    query = select(EVENTS.c.actor).where(EVENTS.c.rule == name, EVENTS.c.version == version, EVENTS.c.action == "proposed")
    return any(proposer != actor for (proposer,) in connection.execute(query))
