"""The worker: one process that feeds the demo (where there is one), takes in the inbox, and keeps the lake tidy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from config import Settings
from data.active import active_contracts
from data.contract import Contract, ContractError
from data.demo.incidents import write_labels
from data.demo.snapshots import DemoCountry, Emission, plan_emissions
from data.demo.targets import write_targets
from data.demo.world import World, found_world
from data.ingest import Report
from data.lake import Lake, LakeError
from data.maintain import compact
from data.watch import Inbox, describe, look, take, tell_faults
from data.zone import from_epoch_ms

PERIOD_SECONDS: Final = 2.0
COMPACT_AFTER: Final = 40
BY_THE_MINUTE: Final = timedelta(minutes=6)
FRONT: Final = timedelta(hours=30)
"""So much of the demo's history comes first, so that the page opens on it; older days follow, the newest of them first:
at every moment the orders that are known are known to their end, only older ones are still missing."""

Clock = Callable[[], datetime]
Say = Callable[[str], None]


@dataclass
class Demo:
    """The demo country of a home, once for what happens now and once for its past, and what of that is still to be taken in."""

    country: DemoCountry
    past: DemoCountry
    started: datetime
    waiting: list[Emission] = field(default_factory=list)
    total: int = 0

    @property
    def world(self) -> World:
        """Seed, rate and founding instant."""
        return self.country.world


def open_demo(settings: Settings, lake: Lake, now: datetime) -> Demo:
    """The demo with its history planned: what the ledger does not hold yet, the newest hours first, then day by day."""
    world = found_world(settings, now)
    write_labels(settings.home / "demo" / "incidents.yaml", world, now + timedelta(days=2))
    write_targets(settings.home / "targets.yaml", world)
    planned = plan_emissions(world, {}, world.anchor, fine=BY_THE_MINUTE)
    held = _held(lake)
    missing = [emission for emission in planned if (emission.source, emission.as_of) not in held]
    front = [emission for emission in missing if emission.as_of > world.anchor - FRONT]
    older = (emission for emission in missing if emission.as_of <= world.anchor - FRONT)
    newest_first = sorted(older, key=lambda emission: emission.as_of, reverse=True)
    return Demo(
        country=DemoCountry(world), past=DemoCountry(world), started=now, waiting=[*front, *newest_first], total=len(planned)
    )


def _held(lake: Lake) -> set[tuple[str, datetime]]:
    rows = lake.cursor().execute("SELECT source, epoch_ms(as_of) FROM lake.snapshots WHERE state = 'accepted'").fetchall()
    return {(source, from_epoch_ms(as_of)) for source, as_of in rows if as_of is not None}


def run_worker(
    settings: Settings,
    *,
    now: Clock,
    is_stopping: Callable[[], bool],
    pause: Callable[[float], None],
    say: Say,
    upkeep: Callable[[Lake, datetime], None] = lambda lake, at: None,
) -> None:
    """Work until `is_stopping`: each turn takes what is due and what is whole in the inbox, and shows that it lives.

    `upkeep` is called at every turn with the lake, which it may write, and the instant.

    A fault of one turn is told and tried again with the next; nothing half-done stays behind.
    """
    settings.inbox.mkdir(parents=True, exist_ok=True)
    is_demo = settings.is_demo
    if is_demo:
        # Before there is a lake: from then on this file alone says that the home is the demo's.
        found_world(settings, now())
    with Lake.open_writer(settings) as lake:
        demo = open_demo(settings, lake, now()) if is_demo else None
        inbox = Inbox(settings.inbox)
        commits, was_filling = 0, False
        while not is_stopping():
            _beat(settings)
            try:
                busy, done = _turn(settings, lake, inbox, demo, now=now, say=say)
                commits += done
                is_filled = bool(demo and was_filling and not demo.waiting)
                was_filling = bool(demo and demo.waiting)
                if commits >= COMPACT_AFTER or is_filled:
                    compact(lake)
                    _beat(settings)
                    commits = 0
                upkeep(lake, now())
            except (LakeError, ContractError, OSError) as error:
                say(f"worker: {error}")
                busy = False
            if not busy:
                pause(PERIOD_SECONDS)


def _turn(settings: Settings, lake: Lake, inbox: Inbox, demo: Demo | None, *, now: Clock, say: Say) -> tuple[bool, int]:
    """One turn; whether more waits already, and how many snapshots were committed."""
    active = active_contracts(settings, demo=demo is not None)
    tell_faults(inbox, active, say)
    fed = _feed(settings, lake, demo, active.contracts, now=now) if demo else []
    for report in fed:
        if report.state == "refused":
            say(describe(report))
    reports = [*fed, *look(lake, inbox, active, settings, now=now, say=say)]
    return bool(demo and demo.waiting), sum(report.state == "accepted" for report in reports)


def _feed(settings: Settings, lake: Lake, demo: Demo, contracts: Mapping[str, Contract], *, now: Clock) -> list[Report]:
    """Emit what the demo owes up to now, then one file of its waiting history; take each in at once."""
    due = _live_emissions(lake, demo, settings, now()) if _front_is_in(demo) else []
    reports = [report for emission in due if (report := _take_emission(settings, lake, demo.country, emission, contracts, now))]
    if demo.waiting:
        report = _take_emission(settings, lake, demo.past, demo.waiting.pop(0), contracts, now)
        reports += [report] if report else []
    _write_progress(settings, demo)
    return reports


def _take_emission(
    settings: Settings, lake: Lake, country: DemoCountry, emission: Emission, contracts: Mapping[str, Contract], now: Clock
) -> Report | None:
    _beat(settings)
    path = country.write(emission, settings.inbox)
    return take(lake, contracts[emission.source], (path,), settings, now=now()) if path else None


def _front_is_in(demo: Demo) -> bool:
    return not demo.waiting or demo.waiting[0].as_of <= demo.world.anchor - FRONT


def _live_emissions(lake: Lake, demo: Demo, settings: Settings, now: datetime) -> list[Emission]:
    until = demo.started + (now - demo.started) * settings.live_pace
    last: dict[str, datetime] = {}
    for source, as_of in _held(lake):
        last[source] = max(as_of, last.get(source, as_of))
    return plan_emissions(demo.world, _at_least_anchor(demo, last), until, fine=BY_THE_MINUTE, pace=settings.live_pace)


def _at_least_anchor(demo: Demo, last: dict[str, datetime]) -> dict[str, datetime]:
    """Where live begins for each source: after its newest snapshot, and never before the end of its planned history."""
    ends: dict[str, datetime] = {}
    for emission in plan_emissions(demo.world, {}, demo.world.anchor, fine=BY_THE_MINUTE):
        ends[emission.source] = max(emission.as_of, ends.get(emission.source, emission.as_of))
    return {source: max(end, last.get(source, end)) for source, end in ends.items()}


def _write_progress(settings: Settings, demo: Demo) -> None:
    _replace(settings.home / "demo" / "progress.json", json.dumps({"done": demo.total - len(demo.waiting), "total": demo.total}))


def _beat(settings: Settings) -> None:
    _replace(settings.home / "worker.heartbeat", str(10.0))


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
