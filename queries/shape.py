"""The shape of a question: everything that decides its statement's text, without the values."""

from __future__ import annotations

from dataclasses import dataclass

from data.order import STAGES
from queries.base import Period, Setting
from queries.dimensions import DIMENSIONS
from queries.metric import Anchor
from queries.query import Comparison


@dataclass(frozen=True, kw_only=True)
class WhereShape:
    """A filter without its values: how many codes, and whether unknown passes; `stages` are named where it chooses among them."""

    dimension: str
    count: int
    has_null: bool
    stages: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Comparand:
    """A period to compare with; `bucket_shift` (ms) moves its buckets onto the current ones."""

    name: Comparison
    bucket_shift: int = 0
    is_settled: bool = False
    is_known: bool = False
    is_current: bool = False
    has_comparables: bool = False
    has_visits: bool = False

    @property
    def period(self) -> Period:
        """The compared period."""
        return Period(
            suffix=f"_{self.name}",
            is_settled=self.is_settled,
            is_known=self.is_known,
            is_current=self.is_current,
            has_comparables=self.has_comparables,
            has_visits=self.has_visits,
        )


@dataclass(frozen=True, kw_only=True)
class TargetShape:
    """A metric's target: whether there is an overall one, and the dimension and number of codes with their own."""

    metric: str
    has_common: bool
    dimension: str | None
    count: int


@dataclass(frozen=True, kw_only=True)
class Shape:
    """All of a question that decides the text of its statement."""

    metrics: tuple[str, ...]
    by: tuple[str, ...]
    where: tuple[WhereShape, ...]
    comparands: tuple[Comparand, ...]
    targets: tuple[TargetShape, ...]
    compares_target: bool
    order_by: str | None
    limit: int | None
    setting: Setting
    is_settled: bool = False
    is_known: bool = False
    is_current: bool = False
    has_comparables: bool = False

    @property
    def period(self) -> Period:
        """The period asked for."""
        return Period(
            is_settled=self.is_settled,
            is_known=self.is_known,
            is_current=self.is_current,
            has_comparables=self.has_comparables,
            has_visits=self.setting.has_visits,
        )


def stages_of(filters: tuple[WhereShape, ...]) -> tuple[str, ...]:
    """The stages that pass the filters, in order; all of them where that cannot be said."""
    chosen = [set(where.stages) for where in filters if where.stages]
    found = tuple(stage for stage in STAGES if all(stage in stages for stages in chosen))
    return found or STAGES


def exists_for(name: str, anchor: Anchor) -> bool:
    return anchor.rows in DIMENSIONS[name].rows
