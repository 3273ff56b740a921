"""Duty: what the worker does for alerts at each of its turns; opened and closed with the worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import duckdb
import yaml
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from access.freshness import SourceFreshness, filling_share, judge_sources, read_promises
from access.reading import EmptyLake, Reading
from access.store import writing
from alerts.book import live_rules
from alerts.delivery import Line
from alerts.destination import allow_list
from alerts.evaluate import Pass, evaluate_rules
from alerts.health import OWN_RULES, watch_health
from alerts.heartbeat import plan_heartbeat
from alerts.lifecycle import publish, save_draft
from alerts.message import Words
from alerts.order_watch import watch_orders
from alerts.owners import CONTROL_ROOM, follow_owners
from alerts.parse import parse_rule
from alerts.repeats import plan_repeats
from alerts.rule import Rule
from alerts.sampling import Source
from alerts.send import Sender, Sight, send_due
from alerts.tables import RECEIVERS, RULES
from config import ROOT, Settings
from data.active import targets_in_force
from data.contract import ContractError
from data.lake import LakeError

TEMPLATES: Final = ROOT / "alerts" / "templates.yaml"
HEALTH_EVERY: Final = timedelta(seconds=15)
SEND_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 1.0
LOOK_BACK: Final = 12


@dataclass
class Duty:
    """The alerts' part of the worker: evaluates each new snapshot, watches health, sends.

    `first` is with how many past instants a rule begins that was never evaluated.
    """

    settings: Settings
    store: Engine
    reading: Reading
    clock: Callable[[], datetime]
    say: Callable[[str], None]
    sender: Sender
    stopping: threading.Event = field(default_factory=threading.Event)
    first: int = 1
    snapshot: int = 0
    edition: tuple[object, ...] = ()
    health_at: datetime | None = None
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin looking for snapshots and sending, each in a thread of its own: the intake waits for neither."""
        for work in (self._look_on, self._send_on):
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            self.threads.append(thread)

    def turn(self) -> Pass | None:
        """Evaluate a snapshot not yet evaluated, and what was published since; a fault is told and tried again next turn."""
        now = self.clock()
        try:
            if self.health_at is None or now - self.health_at >= HEALTH_EVERY or now < self.health_at:
                self.health_at = now
                watch_health(self.store, self._sources(now), now=now)
            done = self._evaluate(now)
        except EmptyLake:
            return None
        except duckdb.CatalogException:
            # The lake is being laid out: its tables are there in a moment.
            return None
        except (LakeError, ContractError, SQLAlchemyError, duckdb.Error, OSError) as error:
            if not self.stopping.is_set():
                self.say(f"alerts: {type(error).__name__}: {(str(error) or '-').splitlines()[0]}")
            return None
        for note in done.notes if done else ():
            self.say(f"alerts: {note}")
        return done

    def _sources(self, now: datetime) -> tuple[SourceFreshness, ...]:
        return judge_sources(self.reading.ledger().sources, read_promises(self.settings)[0], now)

    def _evaluate(self, now: datetime) -> Pass | None:
        follow_owners(self.store, self.sender.sight, now=now)
        ledger, edition = self.reading.ledger(), _edition(self.store)
        is_same = (ledger.snapshot, edition) == (self.snapshot, self.edition)
        if not ledger.snapshot or is_same or filling_share(self.settings) is not None:
            # While older history still comes in, what is usual is not known yet and half the orders lack their end.
            return None
        source = Source(
            lake=self.reading.lake(),
            snapshot=ledger.snapshot,
            version=ledger.version,
            zone=self.settings.zone,
            targets=targets_in_force(self.settings)[0],
        )
        sources = self._sources(now)
        done = evaluate_rules(self.store, source, sources, now=now, first=self.first)
        done.notes += watch_orders(self.store, source, sources, now=now).notes
        self.snapshot, self.edition = ledger.snapshot, edition
        return done

    def _look_on(self) -> None:
        while not self.stopping.wait(LOOK_SECONDS):
            self.turn()

    def _send_on(self) -> None:
        repeats_at: datetime | None = None
        while not self.stopping.wait(SEND_SECONDS):
            now = self.clock()
            try:
                if repeats_at is None or now - repeats_at >= timedelta(minutes=1) or now < repeats_at:
                    repeats_at = now
                    plan_heartbeat(self.store, self.settings.zone, now)
                    plan_repeats(self.store, _repeats(self.store), now)
                send_due(self.sender, now)
            except SQLAlchemyError as error:
                self.say(f"alerts: {type(error).__name__}: the outbox waits")

    def close(self) -> None:
        """End sending and release the lake and the store."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(15)
        self.reading.close()
        self.store.dispose()


def open_duty(
    settings: Settings,
    store: Engine,
    words: Words,
    *,
    clock: Callable[[], datetime],
    say: Callable[[str], None],
    environment: Mapping[str, str],
    holder: str,
    chance: Callable[[], float],
    sight: Sight,
) -> Duty:
    """The duty of a home; in the demo with the starter pack."""
    if settings.is_demo:
        install_templates(store, clock())
    sender = open_sender(settings, store, words, environment=environment, holder=holder, chance=chance, sight=sight, say=say)
    # The demo's history is there at once: its rules look back, so that what holds for hours already is told from the start.
    first = LOOK_BACK if settings.is_demo else 1
    return Duty(settings=settings, store=store, reading=Reading(settings), clock=clock, say=say, sender=sender, first=first)


def open_sender(
    settings: Settings,
    store: Engine,
    words: Words,
    *,
    environment: Mapping[str, str],
    holder: str,
    chance: Callable[[], float],
    sight: Sight,
    say: Callable[[str], None],
) -> Sender:
    """The sender of a home."""
    allowed = allow_list(settings.alert_hosts, settings.alert_private_hosts)
    return Sender(
        store=store,
        line=lambda now: Line(allowed=allowed, environment=environment, now=now),
        words=words,
        zone=settings.zone,
        holder=holder,
        chance=chance,
        sight=sight,
        notes=lambda text: say(f"alerts: {text}"),
    )


def _repeats(store: Engine) -> dict[str, timedelta]:
    """After how long each rule tells again, the control room's own ones too."""
    return dict.fromkeys(OWN_RULES, Rule.repeat) | {live.rule.name: live.rule.repeat for live in live_rules(store)}


def _edition(store: Engine) -> tuple[object, ...]:
    """What changes whenever a rule is published, paused or retired."""
    with store.connect() as connection:
        return tuple(connection.execute(select(func.count(), func.max(RULES.c.changed_at)).select_from(RULES)).one())


def templates() -> list[Rule]:
    """The starter pack."""
    return [parse_rule(raw) for raw in yaml.safe_load(TEMPLATES.read_text(encoding="utf-8"))]


def install_templates(store: Engine, now: datetime) -> int:
    """Publish the starter pack as `system` in a store that has no rule yet, with one in-app receiver; how many rules."""
    with store.connect() as connection:
        if connection.execute(select(func.count()).select_from(RULES)).scalar_one():
            return 0
    with writing(store) as connection:
        if connection.execute(select(RECEIVERS.c.name).where(RECEIVERS.c.name == "desk")).one_or_none() is None:
            connection.execute(
                RECEIVERS.insert().values(
                    name="desk",
                    channel="in_app",
                    settings={},
                    regions=None,
                    user_name="",
                    language="en",
                    per_hour=0,
                    is_disabled=False,
                    changed_at=now,
                )
            )
    rules = templates()
    for rule in rules:
        number = save_draft(store, rule, CONTROL_ROOM, sources=(), now=now, reason="starter pack")
        publish(store, rule.name, number, CONTROL_ROOM, sources=(), reason="starter pack", now=now)
    return len(rules)
