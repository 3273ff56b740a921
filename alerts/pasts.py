"""What was: the figures at the last instants, the states of the last days, earlier episodes, and how useful a rule was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, and_, func, select

from alerts.conditions import Level
from alerts.deeds import Record, deeds_of
from alerts.desk import OPEN, Alert, Reader
from alerts.places import is_visible
from alerts.tables import EVALUATIONS, TRANSITIONS


def read_trends(store: Engine, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, str], list[float | None]]:
    """The figures at the last evaluated instants, oldest first, by (rule, group key); for rules and their versions."""
    pairs = sorted(set(wanted))
    found: dict[tuple[str, str], list[float | None]] = {}
    if not pairs:
        return found
    with store.connect() as connection:
        for name, version in pairs:
            own = and_(EVALUATIONS.c.rule == name, EVALUATIONS.c.version == version, EVALUATIONS.c.state.is_not(None))
            query = select(EVALUATIONS.c.at, EVALUATIONS.c.state).where(own).order_by(EVALUATIONS.c.at)
            rows = [row for row in connection.execute(query) if row.state]
            for place, (_, state) in enumerate(rows):
                for group, frozen in state["instances"]:
                    key = (name, json.dumps(group, ensure_ascii=False, separators=(",", ":")))
                    series = found.setdefault(key, [None] * len(rows))
                    series[place] = frozen.get("value")
    return found


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of one state in the past of a group."""

    state: str
    level: Level | None
    start: datetime
    end: datetime | None


def read_spans(store: Engine, keys: Iterable[tuple[str, str]], since: datetime) -> dict[tuple[str, str], list[Span]]:
    """The states of rules' groups from `since` on, by (rule, group key), oldest first; the last one has no end."""
    wanted = set(keys)
    if not wanted:
        return {}
    names = {name for name, _ in wanted}
    recent = select(TRANSITIONS).where(TRANSITIONS.c.rule.in_(names), TRANSITIONS.c.at >= since)
    newest = (
        select(func.max(TRANSITIONS.c.id).label("id"))
        .where(TRANSITIONS.c.rule.in_(names), TRANSITIONS.c.at < since)
        .group_by(TRANSITIONS.c.rule, TRANSITIONS.c.group_key)
    )
    with store.connect() as connection:
        before = connection.execute(select(TRANSITIONS).where(TRANSITIONS.c.id.in_(newest))).mappings().all()
        rows = [*before, *connection.execute(recent.order_by(TRANSITIONS.c.id)).mappings().all()]
    found: dict[tuple[str, str], list[Span]] = {}
    for row in rows:
        key = (row["rule"], row["group_key"])
        if key not in wanted:
            continue
        spans = found.setdefault(key, [])
        if spans and spans[-1].end is None:
            spans[-1] = replace(spans[-1], end=row["at"])
        spans.append(Span(state=row["after"], level=row["level"], start=max(row["at"], since), end=None))
    return {key: [span for span in spans if span.state in OPEN] for key, spans in found.items()}


@dataclass(frozen=True, kw_only=True)
class Past:
    """An earlier episode of the same rule and group: when, how high, how long, how it ended, and the verdict on it."""

    started_at: datetime
    ended_at: datetime | None
    level: Level | None
    reason: str
    verdict: str
    note: str


def read_past(store: Engine, alert: Alert, *, limit: int = 6) -> list[Past]:
    """The last earlier episodes of this rule and group, newest first."""
    own = and_(TRANSITIONS.c.rule == alert.rule.name, TRANSITIONS.c.group_key == alert.group_key)
    query = select(TRANSITIONS).where(own, TRANSITIONS.c.episode_at < alert.episode_at).order_by(TRANSITIONS.c.id)
    with store.connect() as connection:
        rows = connection.execute(query).mappings().all()
        deeds = deeds_of(connection)
    found: dict[datetime, Past] = {}
    for row in rows:
        start = row["episode_at"]
        past = found.get(start) or Past(started_at=start, ended_at=None, level=None, reason="", verdict="", note="")
        level = row["level"] if row["after"] == "firing" and past.level != "critical" else past.level
        over = row["after"] in ("inactive", "gone")
        found[start] = replace(
            past,
            level=level,
            ended_at=row["at"] if over else past.ended_at,
            reason=(row["reason"] or "") if over else past.reason,
        )
    told = [past for past in found.values() if past.level]
    return [
        _with_verdict(past, deeds.get((alert.rule.name, alert.group_key, past.started_at), [])) for past in told[::-1][:limit]
    ]


def _with_verdict(past: Past, deeds: Sequence[Record]) -> Past:
    verdict = next((entry for entry in reversed(deeds) if entry.deed == "verdict"), None)
    notes = [entry.note for entry in deeds if entry.note]
    return replace(past, verdict=verdict.value if verdict else "", note=notes[-1] if notes else "")


LEAST_VERDICTS: Final = 5
"""Fewer say nothing about a rule."""
USELESS: Final = 0.2
FADED: Final = 0.25


@dataclass(frozen=True, kw_only=True)
class Usefulness:
    """How a rule's alerts were received: fired, judged useful, false or known, seconds to acknowledge and to recover (medians).

    `share_before` is what share (0–1) was useful in the same length of time before; None with too few verdicts.
    """

    fired: int = 0
    useful: int = 0
    false_alarms: int = 0
    known: int = 0
    acknowledge_seconds: float | None = None
    recover_seconds: float | None = None
    share_before: float | None = None

    @property
    def judged(self) -> int:
        """How many alerts somebody has judged."""
        return self.useful + self.false_alarms + self.known

    @property
    def share(self) -> float:
        """What share of those judged was useful (0–1); 0 where none is."""
        return self.useful / self.judged if self.judged else 0.0

    @property
    def is_useless(self) -> bool:
        """Whether enough were judged and hardly any was useful."""
        return self.judged >= LEAST_VERDICTS and self.share < USELESS

    @property
    def is_fading(self) -> bool:
        """Whether enough were judged, then and now, and clearly fewer are useful than before."""
        return self.judged >= LEAST_VERDICTS and self.share_before is not None and self.share_before - self.share >= FADED


def read_times(store: Engine, reader: Reader, since: datetime) -> tuple[float | None, float | None]:
    """Median seconds until somebody acknowledged and until it was over, of the reader's alerts that fired since an instant."""
    starts, ends, deeds = _fired(store, since, reader)
    taken = [(at, entry.at) for key, at in starts.items() for entry in deeds.get(key, []) if entry.deed == "acknowledge"]
    first = sorted((later - at).total_seconds() for at, later in taken)
    over = sorted((ends[key] - at).total_seconds() for key, at in starts.items() if key in ends)
    return (first[len(first) // 2] if first else None), (over[len(over) // 2] if over else None)


EpisodeKey = tuple[str, str, datetime]


def _fired(
    store: Engine, since: datetime, reader: Reader
) -> tuple[dict[EpisodeKey, datetime], dict[EpisodeKey, datetime], dict[EpisodeKey, list[Record]]]:
    """When each episode since an instant fired and was over, inside the reader's scope, and what was done about them."""
    query = select(TRANSITIONS).where(TRANSITIONS.c.at >= since, TRANSITIONS.c.message.in_(("firing", "resolved")))
    with store.connect() as connection:
        rows = connection.execute(query.order_by(TRANSITIONS.c.id)).mappings().all()
        deeds = deeds_of(connection)
    starts: dict[EpisodeKey, datetime] = {}
    ends: dict[EpisodeKey, datetime] = {}
    for row in rows:
        regions = None if row["regions"] is None else frozenset(row["regions"])
        if is_visible(regions, reader.scope):
            key = (row["rule"], row["group_key"], row["episode_at"])
            (starts if row["message"] == "firing" else ends).setdefault(key, row["at"])
    return starts, {key: at for key, at in ends.items() if key in starts}, deeds


def read_usefulness(store: Engine, since: datetime, reader: Reader, *, before: timedelta) -> dict[str, Usefulness]:
    """Every rule's usefulness since an instant, against that of the time `before` it, by the alerts inside the reader's scope."""
    starts, ends, deeds = _fired(store, since - before, reader)
    found: dict[str, dict[str, list[Any]]] = {}
    for key, at in starts.items():
        names = ("fired", "verdict", "acknowledge", "recover", "verdict_before")
        own = found.setdefault(key[0], {name: [] for name in names})
        entries = deeds.get(key, [])
        verdict = [entry.value for entry in entries if entry.deed == "verdict"][-1:]
        if at < since:
            own["verdict_before"] += verdict
            continue
        own["fired"].append(at)
        own["verdict"] += verdict
        own["acknowledge"] += [(entry.at - at).total_seconds() for entry in entries if entry.deed == "acknowledge"][:1]
        own["recover"] += [(ends[key] - at).total_seconds()] if key in ends else []
    return {name: _usefulness(own) for name, own in found.items()}


def _usefulness(own: Mapping[str, list[Any]]) -> Usefulness:
    middle = {name: sorted(own[name])[len(own[name]) // 2] if own[name] else None for name in ("acknowledge", "recover")}
    earlier = own["verdict_before"]
    return Usefulness(
        fired=len(own["fired"]),
        useful=own["verdict"].count("useful"),
        false_alarms=own["verdict"].count("false_alarm"),
        known=own["verdict"].count("known"),
        acknowledge_seconds=middle["acknowledge"],
        recover_seconds=middle["recover"],
        share_before=earlier.count("useful") / len(earlier) if len(earlier) >= LEAST_VERDICTS else None,
    )
