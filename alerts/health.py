"""Alerts about the watching itself: a silent source, a rule that fails; by the same steps as any rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, select

from access.freshness import SourceFreshness
from access.store import writing
from alerts.book import LiveRule, Told, read_state, write_state, write_transitions
from alerts.conditions import Condition, Threshold
from alerts.outbox import put_out, read_receivers
from alerts.rule import Rule
from alerts.state import Reading, Sample, step
from alerts.tables import RULES, STATES
from queries.scope import Scope

SOURCE_SILENT: Final = "system:source-silent"
RULE_FAILS: Final = "system:rule-fails"
HEARTBEAT: Final = "system:heartbeat"
OWN_RULES: Final = (SOURCE_SILENT, RULE_FAILS)
"""What fires without a rule of anybody's."""
ERRORS_IN_A_ROW: Final = 3
EVERY: Final = timedelta(seconds=1)
TITLES: Final = {
    SOURCE_SILENT: (("en", "Source silent"), ("zh-CN", "数据源中断")),
    RULE_FAILS: (("en", "Rule cannot be evaluated"), ("zh-CN", "规则无法评估")),
    HEARTBEAT: (("en", "Weekly sign of life"), ("zh-CN", "每周运行报告")),
}


def watch_health(store: Engine, sources: Sequence[SourceFreshness], *, now: datetime) -> int:
    """Fire or resolve one alert per silent source and per failing rule; how many changed.

    The wall clock judges here: silence is what no data tells of.
    """
    silent = {source.source: float(source.state == "stale") for source in sources if source.state != "once"}
    with store.connect() as connection:
        rows = connection.execute(
            select(STATES.c.rule, STATES.c.errors).join(RULES, RULES.c.name == STATES.c.rule).where(RULES.c.status == "live")
        )
        failing = {row.rule: float(row.errors >= ERRORS_IN_A_ROW) for row in rows}
    return _step(store, SOURCE_SILENT, "source", silent, now) + _step(store, RULE_FAILS, "rule", failing, now)


def _step(store: Engine, name: str, label: str, figures: dict[str, float], now: datetime) -> int:
    if not figures:
        return 0
    condition = Condition(metric=label, op=">=", threshold=Threshold(warning=1))
    sample = Sample(groups=[((key,), (Reading(value=value, score=value),)) for key, value in sorted(figures.items())])
    with writing(store) as connection:
        receivers = tuple(name for name, receiver in read_receivers(connection).items() if receiver.scope.everything)
        rule = Rule(
            name=name,
            conditions=(condition,),
            group_by=(label,),
            every=EVERY,
            no_data="keep",
            title=TITLES[name],
            receivers=receivers,
        )
        live = LiveRule(rule=rule, version=0, scope=Scope.ALL)
        before, _ = read_state(connection, name, 0)
        outcome = step(rule, before, sample, now)
        if outcome.refused or outcome.state == before:
            return 0
        ids = write_transitions(connection, live, outcome.transitions, snapshot=0, now=now)
        write_state(connection, live, outcome.state, before=before, snapshot=0)
        told = [
            Told(transition_id=number, transition=transition, message=transition.message, regions=None)
            for number, transition in zip(ids, outcome.transitions, strict=True)
            if transition.message
        ]
        put_out(connection, live, told, now=now)
    return len(outcome.transitions)


def title_of(rule: str) -> tuple[tuple[str, str], ...]:
    """The titles of a rule of the control room's own; empty for any other."""
    return TITLES.get(rule, ())
