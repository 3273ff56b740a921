"""One pass over the live rules after a snapshot: due instants, samples, steps, and one transaction per rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, partial

from sqlalchemy import Engine

from access.freshness import SourceFreshness
from access.store import writing
from alerts.book import (
    LiveRule,
    Record,
    Told,
    last_instants,
    live_rules,
    read_state,
    write_evaluations,
    write_state,
    write_transitions,
)
from alerts.instants import due_instants
from alerts.needs import Readiness, readiness
from alerts.outbox import put_out
from alerts.places import regions_of
from alerts.restate import restate
from alerts.rule import Group
from alerts.sampling import Sampler, Source
from alerts.state import Instance, Message, Outcome, RuleState, Sample, Transition, close, frozen, message_between, step
from data.zone import from_epoch_ms

Checkpoint = Callable[[str], None]
"""Called between any two steps of a pass, with the step's name; tests end the process there."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """What one rule still has to evaluate."""

    live: LiveRule
    ready: Readiness
    instants: tuple[datetime, ...]
    skipped: int
    snapshot: int
    late_since: datetime | None = None


@dataclass
class Pass:
    """What a pass did: rules evaluated, instants, transitions, queries; `notes` are lines for the log."""

    rules: int = 0
    instants: int = 0
    transitions: int = 0
    queries: int = 0
    notes: list[str] = field(default_factory=list)


def evaluate_rules(
    store: Engine,
    source: Source,
    sources: Sequence[SourceFreshness],
    *,
    now: datetime,
    first: int = 1,
    checkpoint: Checkpoint = lambda _: None,
) -> Pass:
    """Evaluate every live rule up to its watermark; what another worker has done meanwhile is not done again.

    A rule that was never evaluated begins with its newest `first` instants.
    """
    done = Pass()
    known = last_instants(store)
    # Most rules last saw the same snapshot: what came late since is asked for once for all of them.
    late = cache(partial(late_since, source))
    due = [
        entry
        for live in live_rules(store)
        if live.rule.order is None and (entry := _due(live, source, sources, known, first, late=late))
    ]
    sampler = Sampler(source=source)
    sampler.ask_all(
        (entry.live.rule, entry.live.scope, at) for entry in due if not entry.ready.frozen_by for at in entry.instants
    )
    checkpoint("sampled")
    for entry in due:
        records = _evaluate(store, entry, sampler, now=now, checkpoint=checkpoint)
        done.rules += 1
        done.instants += len(records)
        done.transitions += sum(len(record.transitions) for record in records)
        done.notes += [f"rule {entry.live.rule.name}: {record.detail}" for record in records if record.outcome == "error"]
    done.queries = sampler.queries
    return done


def _due(
    live: LiveRule,
    source: Source,
    sources: Sequence[SourceFreshness],
    known: dict[str, tuple[int, datetime | None, int, str]],
    first: int,
    *,
    late: Callable[[int], datetime | None],
) -> Due | None:
    version, last, snapshot, was_frozen_by = known.get(live.rule.name, (0, None, 0, ""))
    after = last if version == live.version else None
    if after is not None and live.rule.has_ended(after, source.zone):
        return None
    newest = max((entry.as_of for entry in sources), default=None)
    ready = Readiness(until=newest) if live.error else readiness(live.rule, sources)
    if ready.until is None:
        return None
    instants, skipped = due_instants(live.rule.every, after, ready.until, source.zone, first=first)
    since = late(snapshot) if after is not None and snapshot < source.snapshot and not live.error else None
    has_news = since is not None and after is not None and since <= after
    if not instants and not has_news and ready.frozen_by == was_frozen_by:
        return None
    return Due(live=live, ready=ready, instants=tuple(instants), skipped=skipped, snapshot=snapshot, late_since=since)


def late_since(source: Source, snapshot: int) -> datetime | None:
    """The oldest as-of among the late snapshots taken in after `snapshot`; None when there is none."""
    row = (
        source.lake.cursor()
        .execute(
            "SELECT epoch_ms(min(as_of)) FROM lake.snapshots WHERE late AND state = 'accepted' AND snapshot_id > ? AND snapshot_id <= ?",
            [snapshot, source.snapshot],
        )
        .fetchone()
    )
    return None if row is None or row[0] is None else from_epoch_ms(row[0])


def _evaluate(store: Engine, due: Due, sampler: Sampler, *, now: datetime, checkpoint: Checkpoint) -> list[Record]:
    live, snapshot = due.live, sampler.source.snapshot
    with writing(store) as connection:
        before, _ = read_state(connection, live.rule.name, live.version)
        restated = restate(connection, due.live, before, sampler, since=due.late_since) if due.late_since else None
        start = restated.state if restated else before
        records = _records(due, start, sampler)
        last = records[-1].state if records else start
        checkpoint("stepped")
        changes = [*(restated.transitions if restated else ()), *(t for record in records for t in record.transitions)]
        ids = write_transitions(connection, live, changes, snapshot=snapshot, now=now)
        write_evaluations(connection, live, records, snapshot=snapshot, now=now)
        write_state(connection, live, last, before=before, snapshot=snapshot, frozen_by=due.ready.frozen_by)
        checkpoint("written")
        put_out(connection, live, _told(live, before, last, changes, ids, many=len(records) > 1 or bool(restated)), now=now)
        checkpoint("put out")
    checkpoint("committed")
    return records


def _records(due: Due, state: RuleState, sampler: Sampler) -> list[Record]:
    records = []
    for at in due.instants:
        if state.at is not None and at <= state.at:
            continue
        if due.ready.frozen_by:
            state = frozen(state, at).state
            records.append(Record(at=at, outcome="frozen", state=state, detail=f"{due.ready.frozen_by} is silent"))
            continue
        if due.live.rule.has_ended(at, sampler.source.zone):
            outcome = close(state, "rule_paused", at)
            state = replace(outcome.state, at=at)
            records.append(_record(at, replace(outcome, state=state), skipped=due.skipped if not records else 0))
            continue
        sample = Sample(error=due.live.error) if due.live.error else sampler.sample(due.live.rule, due.live.scope, at)
        outcome = step(sampler.expected(due.live.rule, due.live.scope, at), state, sample, at)
        state = outcome.state
        records.append(_record(at, outcome, skipped=due.skipped if not records else 0))
    return records


def _record(at: datetime, outcome: Outcome, *, skipped: int) -> Record:
    detail = outcome.state.error or (f"{skipped} older instants were skipped" if skipped else "")
    kind = "error" if outcome.state.error else "evaluated"
    return Record(at=at, outcome=kind, state=outcome.state, transitions=outcome.transitions, detail=detail)


def _told(
    live: LiveRule, before: RuleState, after: RuleState, changes: Sequence[Transition], ids: Sequence[int], *, many: bool
) -> list[Told]:
    """What is to be told of a pass: of several instants at once only what is different in the end."""
    last: dict[Group, tuple[int, Transition]] = {}
    for number, transition in zip(ids, changes, strict=True):
        if transition.message or many:
            last[transition.group] = (number, transition)
    found = []
    for group, (number, transition) in last.items():
        message = transition.message
        if many and message != "rule_changed":
            message = _message_of_many(before.instances.get(group, Instance()), after.instances.get(group), transition)
        if message:
            regions = regions_of(live.rule, live.scope, dict(zip(live.rule.group_by, group, strict=False)))
            found.append(Told(transition_id=number, transition=transition, message=message, regions=regions))
    return found


def _message_of_many(before: Instance, after: Instance | None, last: Transition) -> Message | None:
    """What several instants at once come to; an alert that ended and began anew meanwhile is told as the new one it is."""
    after = after or Instance(state="gone")
    message = message_between(before, after)
    is_another = before.was_told and after.state == "firing" and before.episode_at != after.episode_at
    return "firing" if message is None and is_another and not last.is_restated else message
