"""Asking the lake for what rules need: one query per metric and group set, however many rules share it.

Rules that differ only in which region (or any one thing) they are for share it too (`alerts.widening`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from alerts.conditions import Condition
from alerts.rule import Group, Rule, label_of
from alerts.state import Reading, Sample
from alerts.widening import Ask, Figures, Wide, narrowed, wide_asks
from data.lake import Lake
from data.targets import Targets
from queries.build import build
from queries.clock import bucket_start, shift_days
from queries.metrics import METRICS
from queries.query import RESOLUTION, Query, QueryError, Window
from queries.run import RunError, run
from queries.scope import Scope

KNOWN_FOR: Final = timedelta(days=30)
KNOWN_BY: Final = "order_count"


@dataclass(frozen=True, kw_only=True)
class Source:
    """What figures are read from: one snapshot of the lake, its version, the targets and the business zone."""

    lake: Lake
    snapshot: int
    version: int
    zone: ZoneInfo
    targets: Targets


@dataclass
class Sampler:
    """Answers for one snapshot, each asked once; `queries` counts what was really asked."""

    source: Source
    queries: int = 0
    answers: dict[tuple[Ask, str], Figures | str] = field(default_factory=dict)

    def ask_all(self, wanted: Iterable[tuple[Rule, Scope, datetime]]) -> None:
        """Ask for everything these rules need at these instants, metrics over the same groups in one statement."""
        metrics: dict[Ask, list[str]] = {}
        for rule, scope, at in wanted:
            needed = [(ask, one.metric) for one in rule.conditions for ask in self._asks(rule, scope, at, one)]
            if rule.expected_dimension:
                needed.append((self._known_by(rule, scope, at), KNOWN_BY))
            for ask, metric in needed:
                names = metrics.setdefault(ask, [])
                if metric not in names and (ask, metric) not in self.answers:
                    names.append(metric)
        for wide in wide_asks(metrics):
            for kind in _together(tuple(wide.narrow)):
                self._ask_wide(wide, kind)
        for ask, names in metrics.items():
            for kind in _together([name for name in names if (ask, name) not in self.answers]):
                self._ask(ask, kind)

    def sample(self, rule: Rule, scope: Scope, at: datetime) -> Sample:
        """The rule's sample at an instant; its error where a figure could not be asked for."""
        self.ask_all([(rule, scope, at)])
        current: list[Figures] = []
        for condition in rule.conditions:
            answer = self.answers[(ask_of(rule, scope, at), condition.metric)]
            if isinstance(answer, str):
                return Sample(error=answer)
            current.append(_own(rule, answer))
        try:
            groups = sorted({group for figures in current for group in figures}, key=_sortable)
            return Sample(groups=[(group, self._readings(rule, scope, at, group, current)) for group in groups])
        except RunError as error:
            return Sample(error=str(error))

    def expected(self, rule: Rule, scope: Scope, at: datetime) -> Rule:
        """The rule with its expected dimension replaced by that dimension's known values: those of the last 30 days."""
        if not rule.expected_dimension:
            return rule
        ask = self._known_by(rule, scope, at)
        if (ask, KNOWN_BY) not in self.answers:
            self._ask(ask, (KNOWN_BY,))
        answer = self.answers[(ask, KNOWN_BY)]
        groups = () if isinstance(answer, str) else _own(rule, answer)
        known = tuple(sorted(label_of(group) for group in groups if None not in group))
        return replace(rule, expected_groups=known)

    def _known_by(self, rule: Rule, scope: Scope, at: datetime) -> Ask:
        """The query that an expected dimension's values come from."""
        return replace(ask_of(rule, scope, at), window=KNOWN_FOR, end=bucket_start(at, "day", self.source.zone))

    def _readings(self, rule: Rule, scope: Scope, at: datetime, group: Group, current: Sequence[Figures]) -> tuple[Reading, ...]:
        found = []
        for condition, figures in zip(rule.conditions, current, strict=True):
            value, n = figures.get(group, (None, None))
            score = None if value is None else condition.compare.score(value, self.earlier(rule, scope, at, condition, group))
            found.append(Reading(value=value, score=score, n=n))
        return tuple(found)

    def earlier(
        self, rule: Rule, scope: Scope, at: datetime, condition: Condition, group: Group
    ) -> Callable[[int], float | None]:
        """The group's figure of the same window so many days earlier; raises RunError where it could not be asked for."""

        def find(days: int) -> float | None:
            answer = self.answers[(ask_of(rule, scope, shift_days(at, -days, self.source.zone)), condition.metric)]
            if isinstance(answer, str):
                raise RunError(answer)
            return answer.get(group, (None, None))[0]

        return find

    def _asks(self, rule: Rule, scope: Scope, at: datetime, condition: Condition) -> list[Ask]:
        instants = [at, *(shift_days(at, -days, self.source.zone) for days in condition.compare.days())]
        return [ask_of(rule, scope, instant) for instant in instants]

    def _ask_wide(self, wide: Wide, metrics: tuple[str, ...]) -> None:
        """Answer from a wider question what it tells; where it cannot be asked each is asked by itself."""
        self.queries += 1
        try:
            found = figures_of(self.source, wide.ask, metrics)
        except (QueryError, RunError):
            return
        for name in metrics:
            for ask in wide.narrow[name]:
                own = narrowed(found[name], ask, wide.ask, name)
                if own is not None:
                    self.answers[(ask, name)] = own

    def _ask(self, ask: Ask, metrics: tuple[str, ...]) -> None:
        if not metrics:
            return
        self.queries += 1
        try:
            found: dict[str, Figures | str] = {**figures_of(self.source, ask, metrics)}
        except (QueryError, RunError) as error:
            if len(metrics) > 1:
                for name in metrics:
                    self._ask(ask, (name,))
                return
            found = {metrics[0]: f"{metrics[0]}: {error}"}
        self.answers |= {(ask, name): answer for name, answer in found.items()}


def ask_of(rule: Rule, scope: Scope, at: datetime) -> Ask:
    """The query that a rule's figures at an instant come from: closed periods only, `[at - delay - window, at - delay)`.

    A filter by what the rule groups by chooses among the answer's groups: rules for single regions share one query.
    """
    filters = tuple(item for item in rule.filters if item.dimension not in rule.group_by)
    return Ask(group_by=rule.group_by, filters=filters, scope=scope, window=rule.window, end=at - rule.delay)


def _own(rule: Rule, figures: Figures) -> Figures:
    """Of the answer's groups those that the rule's filters choose."""
    chosen = [(rule.group_by.index(item.dimension), set(item.values)) for item in rule.filters if item.dimension in rule.group_by]
    return {group: found for group, found in figures.items() if all(group[place] in values for place, values in chosen)}


def figures_of(source: Source, ask: Ask, metrics: tuple[str, ...]) -> dict[str, Figures]:
    """Each metric's figures by group. Stock figures are those at the window's last millisecond.

    Raises QueryError, RunError.
    """
    query = Query(metrics=metrics, by=ask.group_by, where=ask.filters, window=Window(start=ask.end - ask.window, end=ask.end))
    statement = build(
        query,
        scope=ask.scope,
        snapshot=source.snapshot,
        version=source.version,
        as_of=ask.end - RESOLUTION,
        zone=source.zone,
        targets=source.targets,
        newest=source.lake.newest_milestone(source.version),
    )
    rows = run(source.lake, statement).to_dicts()
    return {name: {_group(row, ask.group_by): figure_of(row, name) for row in rows} for name in metrics}


def figure_of(row: dict[str, Any], metric: str) -> tuple[float | None, int | None]:
    """A row's figure of a metric, and how many orders it stands on; a count says that itself."""
    value, n = row[metric], row.get(f"{metric}_n")
    if n is None and METRICS[metric].unit == "count":
        n = value
    return None if value is None else float(value), None if n is None else int(n)


def _group(row: dict[str, Any], group_by: tuple[str, ...]) -> Group:
    return tuple(None if row[name] is None else str(row[name]) for name in group_by)


def _sortable(group: Group) -> tuple[str, ...]:
    return tuple(value or "" for value in group)


def _together(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Metrics whose populations are of the same kind go into one statement: others would lend them their groups."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(METRICS[name].anchor.name, []).append(name)
    return [tuple(group) for group in kinds.values()]
