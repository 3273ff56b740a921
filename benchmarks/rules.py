"""Alert rules: two hundred of them from a committed snapshot to the outbox, and one tried on ninety days of history."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from sqlalchemy import Engine

from access.audit import SYSTEM
from access.freshness import SourceFreshness
from access.reading import Reading
from access.store import open_store
from alerts.backtest import backtest
from alerts.duty import templates
from alerts.evaluate import evaluate_rules
from alerts.lifecycle import Author, publish, save_draft
from alerts.needs import needed_columns
from alerts.parse import parse_rule
from alerts.rule import Rule
from alerts.sampling import Source
from benchmarks.figure import Figure, Trial
from benchmarks.lakes import END, lake_home
from benchmarks.wall_server import MANAGER, view_of
from config import Settings
from data.active import targets_in_force
from queries.cache import Cache
from queries.query import Filter
from queries.regions import regions_by_country
from queries.scope import Scope

BUDGET_SECONDS: Final = 5.0
RULES: Final = 200
TUNED: Final = 4
"""Of so many copies of a rule of the starter pack one is for a single region."""

BY_PROVINCE: Final = {
    "name": "late-by-province", "metric": "late_rate", "op": ">", "warning": 0.1, "critical": 0.2,
    "group_by": ["province"], "window": "24h", "every": "1h",
}  # fmt: skip
HOUSE: Final = Author(name="system", role="system", scope=Scope.ALL, actor=SYSTEM)


def two_hundred() -> list[Rule]:
    """The starter pack's rules over and over, each with limits of its own, some for one region."""
    regions = regions_by_country()["CN"]
    packed = [rule for rule in templates() if rule.order is None]
    found = []
    for number in range(RULES):
        rule, turn = packed[number % len(packed)], number // len(packed)
        own = (Filter("region", (regions[turn % len(regions)],)),) if turn % TUNED == TUNED - 1 else ()
        found.append(replace(rule, name=f"{rule.name}-{turn}", filters=(*rule.filters, *own), receivers=("desk",)))
    return found


def measure(trial: Trial) -> list[Figure]:
    """Seconds from a snapshot to the outbox with all rules due at once; and of a backtest, its frontier included."""
    settings = lake_home(trial)
    reading, store = Reading(settings), _store(settings)
    try:
        taken = list(_passes(reading, store, settings, trial.rounds))
        return [
            Figure(name="commit_to_outbox_seconds", value=median(taken), unit="seconds", budget=BUDGET_SECONDS),
            Figure(name="commit_to_outbox_worst_seconds", value=max(taken), unit="seconds", budget=BUDGET_SECONDS),
            _backtest(reading, trial),
        ]
    finally:
        store.dispose()
        reading.close()


def _store(settings: Settings) -> Engine:
    """A store of its own with the rules, all live."""
    folder = settings.home.parent / "rules"
    shutil.rmtree(folder, ignore_errors=True)
    store = open_store(replace(settings, home=folder))
    for rule in two_hundred():
        number = save_draft(store, rule, HOUSE, sources=(), now=END, reason="benchmark")
        publish(store, rule.name, number, HOUSE, sources=(), reason="benchmark", now=END)
    return store


def _passes(reading: Reading, store: Engine, settings: Settings, rounds: int) -> Iterator[float]:
    """Seconds of passes over snapshots a quarter of an hour apart, on the hour so that all hourly rules are due; the first is not counted."""
    ledger = reading.ledger()
    source = Source(
        lake=reading.lake(),
        snapshot=ledger.snapshot,
        version=ledger.version,
        zone=settings.zone,
        targets=targets_in_force(settings)[0],
    )
    for turn in range(rounds + 1):
        hour = END - timedelta(hours=rounds - turn)
        for at in (hour - timedelta(minutes=15), hour):
            started = time.perf_counter()
            done = evaluate_rules(store, source, [_fresh(at)], now=at)
            taken = time.perf_counter() - started
            if turn and at == hour:
                assert done.rules > 0.9 * RULES, done
                yield taken


def _fresh(at: datetime) -> SourceFreshness:
    """One source that delivers all that any rule needs."""
    feeds = frozenset[str]().union(*(needed_columns(rule) for rule in templates()))
    return SourceFreshness(source="demo_bulk", as_of=at, age_seconds=0, state="fresh", owner="", feeds=feeds)


def _backtest(reading: Reading, trial: Trial) -> Figure:
    rule, taken = parse_rule(BY_PROVINCE), list[float]()
    view = view_of(reading, MANAGER)
    for _ in range(trial.rounds):
        reading.cache = Cache(reading.settings.cache_bytes)
        started = time.perf_counter()
        report = backtest(rule, view.run, days=min(trial.days, 90), until=view.as_of, zone=view.zone)
        taken.append(time.perf_counter() - started)
        assert len(report.groups) > 1, report
    return Figure(name="backtest_90_days_34_groups_seconds", value=median(taken), unit="seconds", budget=BUDGET_SECONDS)
