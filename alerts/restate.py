"""Late data changes the past: the last instants are played again, what differs is appended and marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, and_, select, update

from alerts.book import LiveRule, freeze_state, key_of, thaw_state
from alerts.rule import Group, label_of
from alerts.sampling import Sampler
from alerts.state import Instance, Outcome, RuleState, Transition, step
from alerts.tables import EVALUATIONS, TRANSITIONS


def restate(connection: Connection, live: LiveRule, present: RuleState, sampler: Sampler, *, since: datetime) -> Outcome | None:
    """The state that the kept instants after `since` lead to with what is known now; None where nothing differs.

    Its transitions are those that were not there before, marked as restated and without a message of their own.
    """
    own = and_(EVALUATIONS.c.rule == live.rule.name, EVALUATIONS.c.version == live.version)
    kept = select(EVALUATIONS.c.at, EVALUATIONS.c.outcome, EVALUATIONS.c.state).where(own, EVALUATIONS.c.state.is_not(None))
    rows = [row for row in connection.execute(kept.order_by(EVALUATIONS.c.at)) if row.state]
    earlier = [row for row in rows if row.at <= since]
    again = [row for row in rows if row.at > since]
    if not again or not earlier or present.at is None:
        return None
    state, changes = thaw_state(earlier[-1].state, earlier[-1].at), list[Transition]()
    for row in again:
        if row.outcome != "evaluated":
            state = replace(state, at=row.at)
            continue
        outcome = step(
            sampler.expected(live.rule, live.scope, row.at), state, sampler.sample(live.rule, live.scope, row.at), row.at
        )
        state = outcome.state
        changes += outcome.transitions
        # The instants' states are what the next restatement starts from; the history of transitions stays as it was.
        connection.execute(update(EVALUATIONS).where(own, EVALUATIONS.c.at == row.at).values(state=freeze_state(state)))
    new = _new(connection, live, changes, since)
    new += _jumps(present, state, {change.group for change in new if change.at == present.at})
    if not new and state.instances == present.instances:
        return None
    return Outcome(state=state, transitions=tuple(new))


def _new(connection: Connection, live: LiveRule, changes: Sequence[Transition], since: datetime) -> list[Transition]:
    own = and_(TRANSITIONS.c.rule == live.rule.name, TRANSITIONS.c.version == live.version, TRANSITIONS.c.at > since)
    columns = (TRANSITIONS.c.group_key, TRANSITIONS.c.at, TRANSITIONS.c.after, TRANSITIONS.c.level)
    known = {tuple(row) for row in connection.execute(select(*columns).where(own))}
    return [
        replace(change, is_restated=True, message=None, reason="restated")
        for change in changes
        if (key_of(change.group), change.at, change.after, change.level) not in known
    ]


def _jumps(present: RuleState, restated: RuleState, told: set[Group]) -> list[Transition]:
    """Groups whose present is another one although no instant changed them: they were what they are now all along."""
    found = []
    for group in sorted({*present.instances, *restated.instances}, key=label_of):
        before, after = present.instances.get(group, Instance()), restated.instances.get(group, Instance())
        if group not in told and (before.state, before.level) != (after.state, after.level) and present.at is not None:
            found.append(
                Transition(
                    at=present.at,
                    group=group,
                    before=before.state,
                    before_level=before.level,
                    after=after.state,
                    level=after.level,
                    episode_at=after.episode_at or before.episode_at,
                    reason="restated",
                    value=after.value,
                    n=after.n,
                    is_restated=True,
                )
            )
    return found
