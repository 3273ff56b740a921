"""How old each source's newest snapshot is, against what its contract promises; and whether the worker is alive."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal

from config import Settings
from data.active import Fault, active_contracts, contract_files
from data.contract import Contract

FreshnessState = Literal["fresh", "late", "stale", "once"]

HEARTBEAT_PERIODS: Final = 3
DEFAULT_PERIOD_SECONDS: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class SourceFreshness:
    """One source's age in seconds, its state against its contract, whom to ask, and the columns it feeds (`kind.column`).

    `fault` is what is wrong with its contract, because of which it is not taken in any more. `due_seconds`: a snapshot
    comes at least so often (None: the contract does not say).
    """

    source: str
    as_of: datetime
    age_seconds: float
    state: FreshnessState
    owner: str
    feeds: frozenset[str] = frozenset()
    fault: str = ""
    due_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What a contract says about a source's age: seconds until amber and grey (None: delivered once), and its owner."""

    owner: str
    warn_after_seconds: float | None
    error_after_seconds: float | None
    feeds: frozenset[str] = frozenset()
    fault: str = ""


def read_promises(settings: Settings) -> tuple[Mapping[str, Promise], tuple[Fault, ...]]:
    """Every source's promise from the contracts in use here, and the contracts that cannot be used."""
    stamp = tuple((file.name, file.stat().st_mtime_ns) for file in contract_files(settings) if file.exists())
    return _promises(settings, (settings.home / "demo.json").exists(), stamp)


def judge_sources(
    sources: Iterable[tuple[str, datetime]], promises: Mapping[str, Promise], at: datetime
) -> tuple[SourceFreshness, ...]:
    """Each source's freshness at an instant; a source without a contract counts as delivered once, owner empty."""
    return tuple(_judge(source, as_of, promises.get(source), at) for source, as_of in sources)


def promised_sources(settings: Settings, at: datetime) -> tuple[SourceFreshness, ...]:
    """Every source with a contract in use, as if a snapshot had just come: what each feeds, and how often it comes."""
    promises, _ = read_promises(settings)
    return judge_sources(((source, at) for source in promises), promises, at)


def is_worker_silent(settings: Settings, now: datetime) -> bool:
    """Whether a worker that once ran here has not shown itself for three of its periods."""
    heartbeat = settings.home / "worker.heartbeat"
    try:
        beat_at = datetime.fromtimestamp(heartbeat.stat().st_mtime, tz=UTC)
        period = float(heartbeat.read_text(encoding="utf-8") or DEFAULT_PERIOD_SECONDS)
    except OSError:
        return False
    except ValueError:
        period = DEFAULT_PERIOD_SECONDS
    return (now - beat_at).total_seconds() > HEARTBEAT_PERIODS * period


def filling_share(settings: Settings) -> float | None:
    """How much of the demo's history is in (0–1); None when nothing is being filled."""
    try:
        progress = json.loads((settings.home / "demo" / "progress.json").read_text(encoding="utf-8"))
        done, total = int(progress["done"]), int(progress["total"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return done / total if done < total else None


def _judge(source: str, as_of: datetime, promise: Promise | None, at: datetime) -> SourceFreshness:
    age = max(0.0, (at - as_of).total_seconds())
    state: FreshnessState = "once"
    if promise and promise.fault:
        state = "stale"
    elif promise and promise.warn_after_seconds is not None and promise.error_after_seconds is not None:
        state = "fresh" if age <= promise.warn_after_seconds else "late" if age <= promise.error_after_seconds else "stale"
    owner, feeds, fault = (promise.owner, promise.feeds, promise.fault) if promise else ("", frozenset[str](), "")
    return SourceFreshness(
        source=source,
        as_of=as_of,
        age_seconds=age,
        state=state,
        owner=owner,
        feeds=feeds,
        fault=fault,
        due_seconds=promise.warn_after_seconds if promise else None,
    )


@lru_cache(maxsize=4)
def _promises(
    settings: Settings, is_demo: bool, _stamp: tuple[tuple[str, int], ...]
) -> tuple[Mapping[str, Promise], tuple[Fault, ...]]:
    active = active_contracts(settings, demo=is_demo)
    broken = {fault.source: _broken_promise(fault) for fault in active.faults}
    return broken | {source: _promise_of(contract) for source, contract in active.contracts.items()}, active.faults


def _broken_promise(fault: Fault) -> Promise:
    """How old a source may be is not known while its contract cannot be used: it counts as silent."""
    return Promise(owner=fault.owner, warn_after_seconds=None, error_after_seconds=None, feeds=fault.feeds, fault=fault.reason)


def _promise_of(contract: Contract) -> Promise:
    cadence, feeds = contract.cadence, _feeds_of(contract)
    if cadence == "once":
        return Promise(owner=contract.owner, warn_after_seconds=None, error_after_seconds=None, feeds=feeds)
    return Promise(
        owner=contract.owner, warn_after_seconds=cadence.warn_after, error_after_seconds=cadence.error_after, feeds=feeds
    )


def _feeds_of(contract: Contract) -> frozenset[str]:
    """The columns the contract maps, and those of the milestones its events reach, as `kind.column`."""
    mapped = {f"{contract.kind}.{column}" for column in contract.columns}
    return frozenset(mapped | {f"orders.{milestone}_at" for milestone in contract.milestones.values()})
