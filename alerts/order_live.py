"""The live rules about single orders that a reader may know of."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, and_, select

from alerts.book import scope_from
from alerts.desk import Reader, rule_from
from alerts.lint import is_for
from alerts.order_part import KIND
from alerts.rule import Rule
from alerts.tables import RULES, VERSIONS
from queries.scope import Scope


@dataclass(frozen=True, kw_only=True)
class OrderRule:
    """A live rule with the scope its orders lie in."""

    rule: Rule
    scope: Scope


def live_order_rules(store: Engine, reader: Reader) -> list[OrderRule]:
    """Shared ones that touch the reader's regions, and the reader's own, by name; those that parse."""
    joined = and_(VERSIONS.c.rule == RULES.c.name, VERSIONS.c.version == RULES.c.live_version)
    query = select(RULES, VERSIONS.c.body).join(VERSIONS, joined).where(RULES.c.status == "live").order_by(RULES.c.name)
    with store.connect() as connection:
        rows = [row for row in connection.execute(query).mappings() if row["body"].get("kind") == KIND]
    found = []
    for row in rows:
        rule, scope = rule_from(row["name"], row["body"]), scope_from(row["regions"])
        is_mine = row["owner"] == reader.name if row["is_personal"] else is_for(rule, reader.scope, scope)
        if rule.order is not None and is_mine:
            found.append(OrderRule(rule=rule, scope=scope))
    return found
