"""A workbench for evaluation tests: a lake with a few orders, a store, published rules, and one call that evaluates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from access.audit import SYSTEM
from access.freshness import FreshnessState, SourceFreshness
from access.store import open_store, writing
from alerts.evaluate import Checkpoint, Pass, evaluate_rules
from alerts.lifecycle import Author, publish, save_draft
from alerts.parse import parse_rule
from alerts.rule import Rule
from alerts.sampling import Source
from alerts.tables import INSTANCES, OUTBOX, RECEIVERS, TRANSITIONS
from config import Settings, read_settings
from data.lake import Lake
from queries.scope import Scope
from tests.queries.desk import Desk

START = datetime(2026, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOSS = Author(name="system", role="system", scope=Scope.ALL, actor=SYSTEM)
FEEDS = frozenset({"orders.created_at", "orders.delivered_at", "orders.promised_at", "orders.cancelled_at"})


def hourly(counts: Mapping[str, Sequence[int]]) -> list[dict[str, Any]]:
    """Orders by region: so many created in each hour from START on."""
    return [
        {"id": f"{region}-{hour}-{number}", "region_code": region, "created": START + hour * HOUR + timedelta(minutes=number)}
        for region, series in counts.items()
        for hour, count in enumerate(series)
        for number in range(count)
    ]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A lake and a store side by side; `hour` counts from START."""

    settings: Settings
    desk: Desk
    store: Engine
    snapshot: int = 1

    def publish(self, name: str = "busy", **changes: Any) -> None:
        """Publish a rule as the control room does: more than 2 orders an hour, by region."""
        plain = {"name": name, "metric": "order_count", "op": ">", "warning": 2, "group_by": ["region"]}
        self.make_live(parse_rule(plain | {"window": "1h", "every": "1h", "receivers": ["desk"]} | changes))

    def make_live(self, rule: Rule) -> None:
        """Draft a rule and publish it, as the control room does."""
        number = save_draft(self.store, rule, BOSS, sources=(), now=START)
        publish(self.store, rule.name, number, BOSS, sources=(), reason="test", now=START)

    def receiver(self, name: str = "desk", channel: str = "in_app", regions: list[str] | None = None, **settings: Any) -> None:
        """Keep a receiver."""
        plain = {"language": "en", "per_hour": 0, "is_disabled": False, "changed_at": START, "user_name": ""}
        with writing(self.store) as connection:
            connection.execute(RECEIVERS.insert().values(name=name, channel=channel, settings=settings, regions=regions, **plain))

    def filled(self, orders: list[dict[str, Any]], *, late: datetime | None = None) -> Bench:
        """The same bench after another snapshot with these orders; `late` is its as-of when it came too late."""
        desk = self.desk.filled(orders)
        if late:
            row = "INSERT INTO lake.snapshots (snapshot_id, source, state, as_of, late) VALUES (?, 'oms', 'accepted', ?, true)"
            desk.lake.cursor().execute(row, [self.snapshot + 1, late])
        return replace(self, desk=replace(desk, version=desk.lake.newest_version()), snapshot=self.snapshot + 1)

    def evaluate(
        self,
        hour: float,
        *,
        state: FreshnessState = "fresh",
        now: datetime | None = None,
        checkpoint: Checkpoint = lambda _: None,
    ) -> Pass:
        """Evaluate with the one source's as-of at that hour."""
        at = START + hour * HOUR
        sources = [SourceFreshness(source="oms", as_of=at, age_seconds=0, state=state, owner="o", feeds=FEEDS)]
        return evaluate_rules(self.store, self.source, sources, now=now or at, checkpoint=checkpoint)

    @property
    def source(self) -> Source:
        """What figures are read from."""
        desk = self.desk
        return Source(lake=desk.lake, snapshot=self.snapshot, version=desk.version, zone=desk.zone, targets=desk.targets)

    def history(self) -> list[str]:
        """Every transition as `hour region before>after message reason`."""
        with self.store.connect() as connection:
            rows = connection.execute(select(TRANSITIONS).order_by(TRANSITIONS.c.id)).mappings().all()
        return [
            " ".join(
                str(part)
                for part in (
                    f"{(row['at'] - START) / HOUR:g}",
                    row["labels"].get("region", "-"),
                    f"{row['before']}>{row['after']}",
                    row["message"] or "",
                    row["reason"] or "",
                )
                if part
            )
            for row in rows
        ]

    def states(self) -> dict[str, str]:
        """State by group key."""
        with self.store.connect() as connection:
            return {row.group_key: row.state for row in connection.execute(select(INSTANCES))}

    def outbox(self) -> list[tuple[str, str, str]]:
        """(message, receiver, status) of every row, in order."""
        with self.store.connect() as connection:
            rows = connection.execute(select(OUTBOX).order_by(OUTBOX.c.id))
            return [(row.message, row.receiver, row.status) for row in rows]


def open_bench(folder: Path, lake: Lake, store_url: str = "") -> Bench:
    """A bench over an open lake, with a store of its own."""
    settings = read_settings({}, home=folder, threads=1, memory_limit="512MB", store_url=store_url)
    return Bench(settings=settings, desk=Desk(lake=lake, folder=folder), store=open_store(settings))
