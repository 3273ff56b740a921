"""What a metric is: measures over a population, joined by a formula; and the few shapes almost all of them have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from queries.dimensions import Rows
from queries.quantiles import SECONDS, quantile_sql

Unit = Literal["count", "rate", "seconds", "currency", "per_hour", "ratio"]
Better = Literal["higher", "lower", "neutral"]
Kind = Literal["sum", "ratio", "statistic"]

HOURS: Final = "hours"
"""In a formula: the hours of the window (with a grain: of the bucket) up to as-of."""


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """Which rows a window selects: those whose `at` lies in it (`at` None: open orders at as-of).

    `extra` names further rows: `waiting` adds passages still open at the window's end, `due` also takes instants
    after as-of.
    """

    name: str
    rows: Rows
    at: str | None
    extra: Literal["", "waiting", "due", "risk"] = ""

    @property
    def is_stock(self) -> bool:
        """Whether the rows are taken at an instant instead of over a window."""
        return self.at is None


def _milestone(name: str) -> Anchor:
    return Anchor(name=name, rows="orders", at=f"{name}_at")


CREATED: Final = _milestone("created")
ACCEPTED: Final = _milestone("accepted")
SHIPPED: Final = _milestone("shipped")
DELIVERED: Final = _milestone("delivered")
PROMISED: Final = _milestone("promised")
PROMISED_SHIP: Final = _milestone("promised_ship")
SHIP_DUE: Final = Anchor(name="ship_due", rows="orders", at="ship_due_at", extra="due")
OPEN: Final = Anchor(name="open", rows="orders", at=None)
AT_RISK: Final = Anchor(name="at_risk", rows="orders", at=None, extra="risk")
PASSED: Final = Anchor(name="passed", rows="passages", at="closed_at")
PASSED_OR_WAITING: Final = Anchor(name="passed_or_waiting", rows="passages", at="closed_at", extra="waiting")
RETURN_REQUESTED: Final = Anchor(name="return_requested", rows="returns", at="requested_at")
RETURN_DUE: Final = Anchor(name="return_due", rows="returns", at="due_at")
RETURN_CLOSED: Final = Anchor(name="return_closed", rows="returns", at="closed_at")
COMPLAINED: Final = Anchor(name="complained", rows="complaints", at="complained_at")

ANCHORS: Final = {
    anchor.name: anchor
    for anchor in (
        CREATED, ACCEPTED, SHIPPED, DELIVERED, PROMISED, PROMISED_SHIP, SHIP_DUE, OPEN, AT_RISK,
        PASSED, PASSED_OR_WAITING, RETURN_REQUESTED, RETURN_DUE, RETURN_CLOSED, COMPLAINED,
    )
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Span:
    """The part of its open time in which an order counts: later than `after`, before the first of `until`, where `when` holds.

    SQL over the order's columns; what is not said does not bound it.
    """

    after: str = ""
    until: str = ""
    when: str = "TRUE"


WHILE_OPEN: Final = Span()

ROW_COUNT: Final = "row_count"
"""In what is counted: how many rows."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One aggregate over the rows of an anchor; `is_count` ones are 0 for a group without rows, others null.

    `counted` is the same over what is counted by the hour (`queries.cells`, `queries.order_cells`), where that tells enough. `during` says of a count
    of open orders through which part of their time they count (`queries.spans`).
    """

    name: str
    anchor: Anchor
    expression: str
    is_count: bool = True
    counted: str = ""
    during: Span | None = None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """The rows behind a figure, as conditions over those of its anchor: the ones it stands on, and the bad ones.

    An empty `bad` means a `value` beyond the metric's target, or where it has none beyond `typical`. `bad_anchor` is
    where the bad rows come from when that is another population; there an order counts once.
    """

    counted: str = "TRUE"
    bad: str = "TRUE"
    value: str = ""
    typical: str = ""
    bad_anchor: Anchor | None = None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One definition: `measures` and the `formula` over their names.

    `n` is the measure that says how many rows a ratio or a statistic stands on, `listed` which rows these are. `kind`
    decides how differences are shared out: sums add up, ratios by part and whole, statistics not at all. Words are in
    i18n (metrics.*).
    """

    name: str
    unit: Unit
    better: Better
    measures: tuple[Measure, ...]
    formula: str
    kind: Kind
    n: str | None = None
    part: str | None = None
    listed: Listed = field(default_factory=Listed)
    group: str = field(default="", compare=False)

    @property
    def anchor(self) -> Anchor:
        """The anchor of the metric's population."""
        return self.measures[0].anchor

    @property
    def counted_anchor(self) -> Anchor:
        """The anchor of the rows that `n` counts."""
        return next((measure.anchor for measure in self.measures if measure.name == self.n), self.anchor)

    @property
    def needs_hours(self) -> bool:
        """Whether the formula divides by the window's length, so that the window needs a start."""
        return HOURS in self.formula.split()


LATE: Final = "(delivered_at > promised_at OR (is_open AND promised_at < as_of))"
FAULTY: Final = "exception_code IS NOT NULL OR failed_attempt_count > 0"
TROUBLED: Final = f"({LATE} OR {FAULTY})"
"""Of orders that are counted without judgement, the bad ones: late, or with an exception."""


def total(
    name: str,
    anchor: Anchor,
    *,
    expression: str = "COUNT(*)",
    unit: Unit = "count",
    better: Better = "neutral",
    listed: Listed | None = None,
    counted: str = "",
    during: Span | None = None,
) -> Metric:
    """A figure that adds up over groups: a count, or a sum."""
    is_count = expression.startswith("COUNT")
    measure = Measure(name=name, anchor=anchor, expression=expression, is_count=is_count, counted=counted, during=during)
    rows = listed or Listed(bad=TROUBLED)
    return Metric(name=name, unit=unit, better=better, measures=(measure,), formula=name, kind="sum", listed=rows)


def count_if(
    name: str,
    anchor: Anchor,
    *,
    when: str,
    better: Better = "lower",
    bad: str = "",
    counted: str = "",
    during: Span | None = None,
) -> Metric:
    """How many rows of the anchor meet a condition; the bad ones are these, where no others are named."""
    listed = Listed(counted=when, bad=bad or when)
    expression = f"COUNT(*) FILTER (WHERE {when})"
    return total(name, anchor, expression=expression, better=better, listed=listed, counted=counted, during=during)


def counted_sum(figure: str) -> str:
    """SQL of how many rows cells stand for."""
    return f"CAST(COALESCE(SUM({figure}), 0) AS BIGINT)"


def per_hour(name: str, anchor: Anchor) -> Metric:
    """Rows of the anchor per hour of the window."""
    measure = Measure(name=f"{name}_rows", anchor=anchor, expression="COUNT(*)", counted=counted_sum(ROW_COUNT))
    return Metric(
        name=name,
        unit="per_hour",
        better="higher",
        measures=(measure,),
        formula=f"{measure.name} / {HOURS}",
        kind="sum",
        listed=Listed(bad=TROUBLED),
    )


def share(
    name: str,
    anchor: Anchor,
    *,
    when: str,
    of: str = "TRUE",
    better: Better = "lower",
    counted: tuple[str, str] = ("", ""),
) -> Metric:
    """The share of the rows `of` that also meet `when`."""
    some, every = f"COUNT(*) FILTER (WHERE ({of}) AND ({when}))", "COUNT(*)" if of == "TRUE" else f"COUNT(*) FILTER (WHERE {of})"
    part = Measure(name=f"{name}_part", anchor=anchor, expression=some, counted=counted[0])
    whole = Measure(name=f"{name}_n", anchor=anchor, expression=every, counted=counted[1])
    verdict = f"({when}) IS NOT TRUE" if better == "higher" else f"({when})"
    return ratio(name, part, whole, unit="rate", better=better, listed=Listed(counted=of, bad=f"({of}) AND {verdict}"))


def ratio(
    name: str,
    part: Measure,
    whole: Measure,
    *,
    unit: Unit,
    better: Better,
    listed: Listed,
    others: tuple[Measure, ...] = (),
) -> Metric:
    """Part divided by whole; null where there is no whole."""
    return Metric(
        name=name,
        unit=unit,
        better=better,
        measures=(part, whole, *others),
        formula=f"{part.name} / NULLIF({whole.name}, 0)",
        kind="ratio",
        n=others[0].name if others else whole.name,
        part=part.name,
        listed=listed,
    )


def statistic(
    name: str,
    anchor: Anchor,
    *,
    aggregate: str,
    value: str,
    unit: Unit = "seconds",
    bad: str = "",
    typical: str = "",
) -> Metric:
    """An aggregate of a value (`{}` in `aggregate`) over the rows where it is known; lower is better."""
    figure = Measure(name=name, anchor=anchor, expression=aggregate.format(value), is_count=False)
    known = Measure(name=f"{name}_n", anchor=anchor, expression=f"COUNT({value})")
    return Metric(
        name=name,
        unit=unit,
        better="lower",
        measures=(figure, known),
        formula=name,
        kind="statistic",
        n=known.name,
        listed=Listed(counted=f"({value}) IS NOT NULL", bad=bad, value=value, typical=typical or aggregate.format(value)),
    )


def quantile(name: str, anchor: Anchor, *, value: str, bad: str = "") -> Metric:
    """The exact quantile, interpolated, that the name's last part says: `_p50`, `_p90`, `_p95`."""
    q = int(name.rsplit("_p", 1)[1]) / 100
    return statistic(name, anchor, aggregate=quantile_sql("{}", q), value=value, bad=bad)


def seconds(later: str, earlier: str) -> str:
    """SQL of the seconds from one instant to another, exact to the millisecond."""
    return f"(EPOCH_MS({later}) - EPOCH_MS({earlier})){SECONDS}"
