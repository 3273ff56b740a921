"""Where a view stands on the way down: country → region → province → city, or warehouse → wave; and where to go next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from access.view import View
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.query import Filter

PLACES: Final = ("country", "region", "province", "city")
ORIGINS: Final = ("warehouse", "wave")
SPLITS: Final = ("channel", "carrier", "category", "customer_tier", "stage")
"""What any level may also be split by."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the path: the dimension and its one value."""

    dimension: str
    code: str | None


def path_of(where: Sequence[Filter]) -> tuple[Step, ...]:
    """The steps a view has taken: its filters of one value on either way down, places before origins."""
    chosen = {filter_.dimension: filter_.values for filter_ in where if len(filter_.values) == 1}
    return tuple(Step(dimension=name, code=chosen[name][0]) for name in (*PLACES, *ORIGINS) if name in chosen)


def next_dimensions(view: View, metric: str, where: Sequence[Filter]) -> tuple[str, ...]:
    """What the level can be ranked by, the next step down first; then the other way down, then the splits."""
    steps = [step.dimension for step in path_of(where)]
    fixed = {filter_.dimension for filter_ in where if len(filter_.values) == 1}
    place = _below(PLACES, steps, view)
    origin = _below(ORIGINS, steps, view)
    ways = (origin, place) if steps and steps[-1] in ORIGINS else (place, origin)
    known = [name for name in (*ways, *SPLITS) if name and METRICS[metric].anchor.rows in DIMENSIONS[name].rows]
    return tuple(dict.fromkeys(name for name in known if name not in fixed))


def next_dimension(view: View, metric: str, where: Sequence[Filter]) -> str:
    """The first of them; a channel where everything else is fixed."""
    return next(iter(next_dimensions(view, metric, where)), "channel")


def _below(way: Sequence[str], steps: Sequence[str], view: View) -> str | None:
    """The step below the lowest one taken; a lead of one region begins at its provinces, everyone at regions."""
    taken = [way.index(step) for step in steps if step in way]
    if taken:
        return way[max(taken) + 1] if max(taken) + 1 < len(way) else None
    if way is ORIGINS:
        return ORIGINS[0]
    return "province" if len(view.scope.regions) == 1 else "region"
