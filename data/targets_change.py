"""Changes of targets and stage limits: what is to be set from which day, and what one version of the file differs in from another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Literal

from data.targets import UNIT_SECONDS, Edition, Targets

Kind = Literal["target", "limit"]
Item = dict[str, Any]
BUSINESS_TYPE: Final = "business_type"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What is set: a metric's target (everywhere, or in one group), or a stage's limit (for all, or one business type)."""

    kind: Kind
    name: str
    dimension: str | None = None
    code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Change:
    """One figure with the value it gets, as the file spells it (0.97, `8h`); None takes it away."""

    figure: Figure
    value: float | str | None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A figure that two versions of the file give another value (in the metric's unit, or seconds) from a day on."""

    valid_from: date
    figure: Figure
    before: float | None
    after: float | None


def write_seconds(seconds: float) -> str:
    """A length of time as the file spells it, in the largest unit that divides it: `8h`, `90m`, `2d`."""
    size, unit = next(
        ((size, unit) for unit, size in reversed(UNIT_SECONDS.items()) if seconds and seconds % size == 0 and unit != "d"),
        (1, "s"),
    )
    return f"{seconds / size:.12g}{unit}"


def figures_of(edition: Edition) -> dict[Figure, float]:
    """Every target and limit of an edition, in the file's order."""
    targets = {
        Figure(kind="target", name=target.metric, dimension=target.dimension, code=target.code): target.value
        for target in edition.metric_targets
    }
    limits = {
        Figure(
            kind="limit", name=limit.stage, dimension=BUSINESS_TYPE if limit.business_type else None, code=limit.business_type
        ): limit.seconds
        for limit in edition.stage_limits
    }
    return targets | limits


def differences(before: Targets, after: Targets) -> tuple[Difference, ...]:
    """What `after` sets otherwise, edition by edition; a day that only one of them has is held against what counted there before."""
    found: list[Difference] = []
    for day in sorted({edition.valid_from for targets in (before, after) for edition in targets.editions}):
        one, other = figures_of(before.on(day)), figures_of(after.on(day))
        found += [
            Difference(valid_from=day, figure=figure, before=one.get(figure), after=other.get(figure))
            for figure in dict.fromkeys((*one, *other))
            if one.get(figure) != other.get(figure)
        ]
    return tuple(found)


def differs_elsewhere(before: Targets, after: Targets) -> bool:
    """Whether more than targets and limits differs: the calendar, minimum counts, the days themselves."""
    plain = [tuple(replace(edition, metric_targets=(), stage_limits=()) for edition in t.editions) for t in (before, after)]
    return plain[0] != plain[1]


def changed(editions: Sequence[Item], changes: Iterable[Change], valid_from: date) -> list[Item]:
    """The file's content with the changes made in the edition of that day; where there is none, in a copy of the one before it."""
    found = deepcopy(list(editions))
    place = place_of(found, valid_from)
    if place is None:
        found.insert(place_for(found, valid_from), {**deepcopy(in_force(found, valid_from)), "valid_from": valid_from})
        place = place_of(found, valid_from)
    assert place is not None
    for change in changes:
        _set(found[place], change)
    return found


def place_of(editions: Sequence[Item], valid_from: date) -> int | None:
    """Where the edition of exactly that day stands."""
    return next((place for place, item in enumerate(editions) if day_of(item) == valid_from), None)


def place_for(editions: Sequence[Item], valid_from: date) -> int:
    """Where an edition of that day belongs: before the first later one."""
    return next((place for place, item in enumerate(editions) if day_of(item) > valid_from), len(editions))


def in_force(editions: Sequence[Item], valid_from: date) -> Item:
    """The edition that counts on a day; before the first one, the first."""
    ordered = sorted(editions, key=day_of)
    return next((item for item in reversed(ordered) if day_of(item) <= valid_from), ordered[0])


def day_of(item: Item) -> date:
    """The first day of an edition."""
    return date.fromisoformat(str(item["valid_from"])[:10])


def _set(edition: Item, change: Change) -> None:
    figure, value = change.figure, change.value
    if figure.kind == "limit":
        parts = ("stage_limits",) if figure.code is None else ("stage_limits_by_business_type", figure.code)
        _put(edition, (*parts, figure.name), value)
        return
    own = edition.get("metrics", {}).get(figure.name)
    if figure.dimension is None and not isinstance(own, dict):
        _put(edition, ("metrics", figure.name), value)
        return
    if not isinstance(own, dict):
        _put(edition, ("metrics", figure.name), {} if own is None else {"target": own})
    place = ("target",) if figure.dimension is None else ("by", figure.dimension, str(figure.code))
    _put(edition, ("metrics", figure.name, *place), value)


def _put(item: Item, path: Sequence[str], value: object) -> None:
    for name in path[:-1]:
        item = item.setdefault(name, {})
    if value is None:
        item.pop(path[-1], None)
    else:
        item[path[-1]] = value
