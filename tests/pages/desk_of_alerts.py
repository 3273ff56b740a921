"""A book of alerts over the small country: rules published by the control room, evaluated once at its instant."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from access.audit import SYSTEM
from access.freshness import SourceFreshness
from access.reading import Reading
from alerts.evaluate import evaluate_rules
from alerts.lifecycle import Author, publish, save_draft
from alerts.parse import parse_rule
from alerts.sampling import Source
from data.targets import read_targets
from queries.scope import Scope
from tests.pages.conftest import AS_OF

ROOM = Author(name="system", role="system", scope=Scope.ALL, actor=SYSTEM)
MANY = {"name": "many", "metric": "order_count", "op": ">", "warning": 10, "critical": 60, "group_by": ["region"]}
LATE = {"name": "late", "metric": "late_rate", "op": ">", "warning": 0.1, "group_by": ["region"], "window": "24h"}


def publish_rule(store: Engine, **body: Any) -> None:
    """Publish a rule as the control room does, every hour over a day."""
    rule = parse_rule({"window": "24h", "every": "1h"} | body)
    publish(store, rule.name, save_draft(store, rule, ROOM, sources=(), now=AS_OF), ROOM, sources=(), reason="test", now=AS_OF)


def evaluate(store: Engine, reading: Reading, *, first: int = 1) -> None:
    """Evaluate every rule up to the country's instant."""
    ledger = reading.ledger()
    source = Source(
        lake=reading.lake(),
        snapshot=ledger.snapshot,
        version=ledger.version,
        zone=reading.settings.zone,
        targets=read_targets(reading.settings),
    )
    sources = [SourceFreshness(source="orders", as_of=AS_OF, age_seconds=0, state="once", owner="")]
    evaluate_rules(store, source, sources, now=AS_OF, first=first)
