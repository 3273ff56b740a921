"""Personal rules follow their owners: what somebody may no longer see is no longer watched for them, an account that is shut watches nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine, select, update

from access.audit import SYSTEM
from access.store import writing
from alerts.lifecycle import Author, end_episodes, entry_of, keep_event
from alerts.send import Sight
from alerts.tables import RULES
from queries.scope import Scope

CONTROL_ROOM: Final = Author(name="system", role="system", scope=Scope.ALL, actor=SYSTEM)
SHUT: Final = "the account of its owner is shut"
MOVED: Final = "the regions of its owner changed"


def follow_owners(store: Engine, sight: Sight, *, now: datetime) -> int:
    """Bring every personal rule to what its owner may see now; one whose owner's account is shut is paused. How many changed."""
    own = select(RULES).where(RULES.c.is_personal.is_(True), RULES.c.status != "retired").order_by(RULES.c.name)
    with store.connect() as connection:
        rows = [dict(row) for row in connection.execute(own).mappings()]
    scopes = {owner: sight(owner) for owner in dict.fromkeys(str(row["owner"]) for row in rows)}
    count = 0
    for row in rows:
        scope = scopes[row["owner"]]
        before = None if row["regions"] is None else sorted(row["regions"])
        regions = before if scope is None else None if scope.everything else sorted(scope.regions)
        is_shut = scope is None and row["status"] == "live"
        if not is_shut and regions == before:
            continue
        with writing(store) as connection:
            entry = entry_of(connection, row["name"])
            if entry.status == "live":
                end_episodes(connection, entry, "rule_paused" if is_shut else "rule_updated", now)
            values = {"regions": regions, "changed_at": now} | ({"status": "paused"} if is_shut else {})
            connection.execute(update(RULES).where(RULES.c.name == entry.name).values(**values))
            action, reason = ("paused", SHUT) if is_shut else ("moved", MOVED)
            keep_event(connection, entry.name, entry.live_version, CONTROL_ROOM, action, reason, now)
        count += 1
    return count
