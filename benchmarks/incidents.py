"""The demo's planted incidents: found or not, how long after they began, and how many false alarms a day beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from benchmarks.figure import Figure, Trial
from benchmarks.lakes import BULK_CONTRACT, END, settings_of, take_in
from config import Settings
from data.contract import read_contract
from data.demo.bulk import write_bulk
from data.demo.incidents import Incident, incidents_between
from data.demo.world import World
from data.lake import Lake
from data.targets import read_targets
from queries.build import build
from queries.flow import Flow, build_flow
from queries.listing import Moment
from queries.query import Query, Window
from queries.ranking import Bottleneck, rank
from queries.run import run
from queries.scope import Scope
from queries.series import courses

SEEDS: Final = (101, 102, 103)
DAYS: Final = 16
A_DAY: Final = 6_000
WATCHED: Final = timedelta(days=5)
STEP: Final = timedelta(hours=3)
HOURS: Final = 24
AFTERMATH: Final = timedelta(hours=36)
"""So long after an incident what it left behind is not a false alarm."""
DIMENSIONS: Final = {"storm": "warehouse", "carrier_decay": "carrier"}
"""What has a place that a ranking can name; held reviews are found at their stage, silent sources by freshness."""


@dataclass(frozen=True)
class Alarm:
    """A bottleneck named as beyond chance at an instant."""

    at: datetime
    by: str
    item: Bottleneck


def measure(trial: Trial) -> list[Figure]:
    """Recall, the middle delay until found and false alarms per day (each place and stage counted once a day), over the seeds."""
    found, delays, planted, false, days = 0, [], 0, 0, 0.0
    for seed in SEEDS[: max(1, min(trial.rounds, len(SEEDS)))]:
        settings = settings_of(trial.out / f"incidents-{seed}" / "home")
        world = World(seed=seed, orders_per_day=A_DAY, anchor=END, zone=settings.zone, history_days=DAYS - 1)
        with closing(_filled(settings, trial, seed)) as lake:
            alarms = list(_watch(lake, settings))
        begins, incidents = END - WATCHED, _incidents(world)
        for incident in incidents:
            first = min((alarm.at for alarm in alarms if _names(alarm, incident)), default=None)
            planted += 1
            if first is not None:
                found += 1
                delays.append((first - max(incident.starts_at, begins)).total_seconds())
        false += len(
            {
                _about(alarm)
                for alarm in alarms
                if not any(_explains(alarm, incident) for incident in _incidents(world, early=True))
            }
        )
        days += WATCHED.total_seconds() / 86400
        trial.say(f"seed {seed}: {planted} planted, {found} found, {false} false alarms so far")
    return [
        Figure(name="missed_share", value=1 - found / planted if planted else 0.0, unit="ratio", budget=0.2),
        Figure(name="delay_until_found", value=median(delays) if delays else 0.0, unit="seconds", budget=6 * 3600.0),
        Figure(name="false_alarms_per_day", value=false / days, unit="count", budget=1.0),
    ]


def _filled(settings: Settings, trial: Trial, seed: int) -> Lake:
    """The lake of a seed, open for reading; filled the first time."""
    marker = settings.home.parent / "filled"
    if not marker.exists():
        trial.say(f"seed {seed}: taking in {DAYS * A_DAY:,} orders")
        files = settings.home.parent / "files"
        with Lake.open_writer(settings) as lake:
            for path in write_bulk(files, orders=DAYS * A_DAY, days=DAYS, seed=seed, end=END):
                take_in(lake, read_contract(BULK_CONTRACT), path)
                path.unlink()
        marker.write_text("", encoding="utf-8")
    return Lake.open_reader(settings)


def _incidents(world: World, *, early: bool = False) -> list[Incident]:
    """Those with a place, that begin early enough to be found by the end; `early` also those that began before the watch."""
    since = END - WATCHED - (AFTERMATH if early else timedelta())
    known = [incident for incident in incidents_between(world, since, END) if incident.kind in DIMENSIONS or early]
    return known if early else [incident for incident in known if incident.starts_at < END - timedelta(hours=6)]


def _watch(lake: Lake, settings: Settings) -> Iterator[Alarm]:
    """What is named, every few hours over the watched days, knowing only what had happened by then."""
    head = lake.head().snapshot_id
    version = lake.version_of(head)
    moment = Moment(
        scope=Scope.ALL,
        version=version,
        as_of=END,
        zone=settings.zone,
        targets=read_targets(settings),
        newest=lake.newest_milestone(version),
    )
    at = END - WATCHED
    while at <= END:
        for by in DIMENSIONS.values():
            yield from (Alarm(at, by, item) for item in _named(lake, replace(moment, as_of=at), head, by))
        at += STEP


def _named(lake: Lake, moment: Moment, head: int, by: str) -> list[Bottleneck]:
    metrics = ("lost_seconds", "lost_count", "lost_rate")
    asked = Query(metrics=metrics, by=(by, "stage"), window=Window.last(timedelta(hours=HOURS), moment.as_of))
    statement = build(
        asked,
        scope=moment.scope,
        snapshot=head,
        version=moment.version,
        as_of=moment.as_of,
        zone=moment.zone,
        targets=moment.targets,
        newest=moment.newest,
    )
    window = Window.last(timedelta(days=7), moment.as_of)
    rows = run(lake, build_flow(Flow(kind="stuck", window=window, by=(by,)), moment))
    known = courses(rows, (by, "stage"), window.start or moment.as_of, moment.as_of)
    ranked = rank(run(lake, statement).to_dicts(), known, by, hours=HOURS)
    return [item for item in ranked if item.is_significant]


def _names(alarm: Alarm, incident: Incident) -> bool:
    """Whether an alarm names the incident's place while it lasts or soon after."""
    is_place = alarm.by == DIMENSIONS[incident.kind] and alarm.item.place == incident.place
    return is_place and incident.starts_at <= alarm.at <= incident.ends_at + AFTERMATH


def _explains(alarm: Alarm, incident: Incident) -> bool:
    """Whether something planted was going on anywhere that alarm may come from: at its place, or before the warehouse."""
    is_then = incident.starts_at <= alarm.at <= incident.ends_at + AFTERMATH
    if incident.kind in DIMENSIONS and alarm.by == DIMENSIONS[incident.kind]:
        return is_then and alarm.item.place == incident.place
    return False


def _about(alarm: Alarm) -> tuple[str, str | None, str, int]:
    return alarm.by, alarm.item.place, alarm.item.stage, (END - alarm.at).days
