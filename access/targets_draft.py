"""A draft of targets: who may set what, what the file would say, and what that does to today's figures, by the real queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from access.targets_book import check_text
from access.user import User
from access.view import View
from data.places import region_of
from data.targets import Edition, Targets, TargetsError
from data.targets_change import BUSINESS_TYPE, Change, Figure, Kind, differences, figures_of, write_seconds
from data.targets_text import apply_changes
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.query import Filter, Query
from queries.scope import Scope

__all__ = [
    "BUSINESS_TYPE",
    "Change",
    "Edition",
    "Figure",
    "Kind",
    "Targets",
    "TargetsError",
    "differences",
    "figures_of",
    "write_seconds",
]

PLACES: Final = ("region", "province")
CLOSED: Final = (BUSINESS_TYPE,)
"""Dimensions whose values tell nothing of any one region."""
EDITORS: Final = ("analyst", "admin")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Changes to the text that has the mark `seen`, in force from a day; or (`origin`) the text of an earlier version."""

    seen: str
    text: str
    valid_from: date
    changes: tuple[Change, ...] = ()
    origin: int | None = None

    def with_change(self, change: Change) -> Draft:
        """The draft with the change, in the place of one of the same figure."""
        others = tuple(one for one in self.changes if one.figure != change.figure)
        return replace(self, changes=(*others, change))

    def from_day(self, day: date) -> Draft:
        """The draft in force from another day."""
        return replace(self, valid_from=day)

    def without(self, figure: Figure) -> Draft:
        """The draft without what it sets for a figure."""
        return replace(self, changes=tuple(one for one in self.changes if one.figure != figure))

    def written(self) -> str:
        """The text of the file with the draft."""
        return apply_changes(self.text, self.changes, valid_from=self.valid_from) if self.changes else self.text

    def targets(self) -> Targets:
        """What the file would say. Raises TargetsError."""
        return check_text(self.written())


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a draft does to one figure's groups today.

    For a target: how many groups of the dimension `by` with enough orders miss it before and after, out of how many, and
    which do only after (`newly`) or only before (`freed`). For a limit: the share of the orders that stay in the stage
    longer, before and after, of `n`. None where there is no figure.
    """

    figure: Figure
    before: float | None
    after: float | None
    by: str = ""
    missed_before: int | None = None
    missed_after: int | None = None
    newly: tuple[str | None, ...] = ()
    freed: tuple[str | None, ...] = ()
    value: float | None = None
    share_before: float | None = None
    share_after: float | None = None
    n: int = 0


def may_set(user: User, scope: Scope, figure: Figure) -> bool:
    """Whether the user may set it: analysts and administrators; one of some regions only those regions' own targets."""
    if user.role not in EDITORS:
        return False
    return scope.everything or (figure.kind == "target" and figure.dimension in PLACES and _is_inside(scope, figure))


def is_seen(scope: Scope, figure: Figure, known: Mapping[str, Iterable[str]]) -> bool:
    """Whether a figure exists for this scope; `known` are the values in sight by dimension."""
    if figure.dimension is None or scope.everything or figure.dimension in CLOSED:
        return True
    if figure.dimension in PLACES:
        return _is_inside(scope, figure)
    return figure.code in set(known.get(figure.dimension, ()))


def _is_inside(scope: Scope, figure: Figure) -> bool:
    region = figure.code if figure.dimension == "region" else region_of(figure.code)
    return region in scope.regions


def today_under(view: View, edition: Edition) -> View:
    """The user's view as if the edition counted at its instant."""
    return replace(view, targets=Targets((replace(edition, valid_from=date.min),)))


def effects(view: View, before: Edition, after: Edition, figures: Iterable[Figure]) -> list[Effect]:
    """What the figures' new values do to the window of the view, as if the edition `after` counted today."""
    one, other = figures_of(before), figures_of(after)
    now, then = today_under(view, before), today_under(view, after)
    return [
        _limit_effect(now, then, figure, one, other) if figure.kind == "limit" else _target_effect(now, then, figure, one, other)
        for figure in figures
    ]


def _limit_effect(now: View, then: View, figure: Figure, one: Mapping[Figure, float], other: Mapping[Figure, float]) -> Effect:
    where = [Filter("stage", (figure.name,))]
    where += [Filter(BUSINESS_TYPE, (figure.code,))] if figure.code is not None else []
    asked = Query(metrics=("over_limit_rate",), where=tuple(where), window=now.window)
    rows = [_first(view.run(asked).to_dicts()) for view in (now, then)]
    shares = [row.get("over_limit_rate") for row in rows]
    return Effect(
        figure=figure,
        before=_limit(one, figure),
        after=_limit(other, figure),
        share_before=shares[0],
        share_after=shares[1],
        n=int(rows[1].get("over_limit_rate_n") or rows[0].get("over_limit_rate_n") or 0),
    )


def _limit(known: Mapping[Figure, float], figure: Figure) -> float | None:
    """The limit that counts: a business type without one of its own has the common one."""
    return known.get(figure, known.get(replace(figure, dimension=None, code=None)))


def _target_effect(now: View, then: View, figure: Figure, one: Mapping[Figure, float], other: Mapping[Figure, float]) -> Effect:
    by = grouping_of(figure)
    where = (Filter(figure.dimension, (figure.code,)),) if figure.dimension is not None else ()
    asked = Query(metrics=(figure.name,), by=(by,) if by else (), where=where, window=now.window, compare=("target",))
    rows = [view.run(asked).to_dicts() for view in (now, then)]
    least = then.targets.editions[0].minimum_count
    groups = [{row[by] if by else None: row for row in found if _is_judged(row, figure.name, least)} for found in rows]
    missed = [{code for code, row in found.items() if _misses(row, figure.name)} for found in groups]
    return Effect(
        figure=figure,
        before=one.get(figure),
        after=other.get(figure),
        by=by,
        missed_before=len(missed[0]) if groups[0] else None,
        missed_after=len(missed[1]) if groups[0] else None,
        newly=tuple(sorted(missed[1] - missed[0], key=str)),
        freed=tuple(sorted(missed[0] - missed[1], key=str)),
        value=_first(list(groups[0].values())).get(figure.name) if not by or where else None,
        n=len(groups[0]),
    )


def grouping_of(figure: Figure) -> str:
    """By what a target's effect is counted: its own dimension, else regions; empty where only the whole has a target."""
    if figure.dimension is not None:
        return figure.dimension
    metric = METRICS[figure.name]
    return "" if metric.kind == "sum" or metric.anchor.rows not in DIMENSIONS["region"].rows else "region"


def _is_judged(row: Mapping[str, Any], metric: str, least: int) -> bool:
    n = row.get(f"{metric}_n")
    return row[metric] is not None and (n is None or n >= least)


def _misses(row: Mapping[str, Any], metric: str) -> bool:
    value, target = row[metric], row[f"{metric}_target"]
    if target is None:
        return False
    return bool(value < target if METRICS[metric].better == "higher" else value > target)


def _first(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return rows[0] if rows else {}
