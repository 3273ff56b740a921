"""Every metric, in the order of the glossary. To add one, add an entry, its words in i18n and its YAML case."""

from __future__ import annotations

from typing import Final

from data.order import MILESTONE_BIT, STAGES
from queries.metric import (
    ACCEPTED,
    ANCHORS,
    AT_RISK,
    COMPLAINED,
    CREATED,
    DELIVERED,
    FAULTY,
    OPEN,
    PASSED,
    PASSED_OR_WAITING,
    PROMISED,
    PROMISED_SHIP,
    RETURN_CLOSED,
    RETURN_DUE,
    RETURN_REQUESTED,
    ROW_COUNT,
    SHIP_DUE,
    SHIPPED,
    TROUBLED,
    WHILE_OPEN,
    Listed,
    Measure,
    Metric,
    Span,
    count_if,
    counted_sum,
    per_hour,
    quantile,
    ratio,
    seconds,
    share,
    statistic,
    total,
)
from queries.parts import part_metrics

CYCLE: Final = seconds("delivered_measured_at", "created_measured_at")
AGE: Final = seconds("as_of", "created_measured_at")
GREY: Final = seconds("accepted_measured_at", "created_measured_at")
DEVIATION: Final = seconds("delivered_measured_at", "promised_at")
HANDLING: Final = f"CASE WHEN closed_at >= requested_at THEN {seconds('closed_at', 'requested_at')} END"
LATE_BY: Final = (
    f"CASE WHEN cancelled_at IS NULL AND delivered_at > promised_at THEN {DEVIATION} "
    f"WHEN is_open AND promised_at < as_of THEN {seconds('as_of', 'promised_at')} END"
)

DUE: Final = "cancelled_at IS NULL OR (NOT cancelled_inferred AND cancelled_at >= {promise})"
"""Orders a promise was due for: cancelled earlier, or at an unknown instant, is no broken promise."""
DUE_DELIVERY: Final = DUE.format(promise="promised_at")
DUE_SHIPMENT: Final = DUE.format(promise="promised_ship_at")
ON_TIME: Final = "delivered_at <= promised_at"
LATE: Final = f"({ON_TIME}) IS NOT TRUE"
KNOWN_IN_FULL: Final = "quantity IS NOT NULL AND (delivered_at IS NULL OR delivered_quantity IS NOT NULL)"
MEASURED_WITH_PROMISE: Final = "NOT delivered_inferred AND cancelled_at IS NULL AND promised_at IS NOT NULL"
DISPATCHED: Final = "shipped_at, out_for_delivery_at, delivered_at"
UNSHIPPED: Final = f"COALESCE({DISPATCHED}) IS NULL"
STILL_DUE: Final = f"is_open AND {UNSHIPPED}"
SHIPS: Final = f"(mapped_milestones & {MILESTONE_BIT['shipped']}) <> 0"
UNDISPATCHED: Final = f"{SHIPS} AND {UNSHIPPED}"
ALLOCATED: Final = "allocated_at, accepted_at, picked_at, packed_at, shipped_at, out_for_delivery_at"
UNALLOCATED: Final = f"(mapped_milestones & 8) <> 0 AND COALESCE({ALLOCATED}) IS NULL"
BEYOND: Final = "passage_seconds > limit_seconds"
EXCESS: Final = "passage_seconds - limit_seconds"
BEYOND_SECONDS: Final = f"SUM({EXCESS}) FILTER (WHERE {BEYOND})"
LOSING: Final = "passage_seconds > normal_seconds"
LOSS: Final = "passage_seconds - normal_seconds"
LOST_MS: Final = f"CAST(ROUND(({LOSS}) * 1000) AS BIGINT)"
"""Whole milliseconds: they add up to the same in any order."""
GREY_STAGES: Final = ", ".join(f"'{stage}'" for stage in STAGES[: STAGES.index("accepted") + 1])


def _money(value: str, aggregate: str) -> str:
    """An aggregate of money that is null where the group mixes currencies."""
    currency = f"CASE WHEN {value} IS NOT NULL THEN COALESCE(currency, '') END"
    return f"CASE WHEN MIN({currency}) = MAX({currency}) THEN CAST({aggregate.format(value)} AS DOUBLE) END"


def _grey_zone_delay_share() -> Metric:
    name = "grey_zone_delay_share"
    grey = Measure(
        name=f"{name}_part",
        anchor=PASSED_OR_WAITING,
        expression=f"COALESCE(SUM({EXCESS}) FILTER (WHERE {BEYOND} AND passage_stage IN ({GREY_STAGES})), 0)",
        counted=f"COALESCE(SUM(beyond_ms) FILTER (WHERE passage_stage IN ({GREY_STAGES})), 0) / 1000.0",
    )
    everything = Measure(
        name=f"{name}_whole",
        anchor=PASSED_OR_WAITING,
        expression=f"COALESCE({BEYOND_SECONDS}, 0)",
        counted="COALESCE(SUM(beyond_ms), 0) / 1000.0",
    )
    beyond = Measure(
        name=f"{name}_n",
        anchor=PASSED_OR_WAITING,
        expression=f"COUNT(*) FILTER (WHERE {BEYOND})",
        counted=counted_sum("beyond_count"),
    )
    listed = Listed(counted=BEYOND, bad=f"({BEYOND}) AND passage_stage IN ({GREY_STAGES})")
    return ratio(name, grey, everything, unit="rate", better="lower", others=(beyond,), listed=listed)


def _complaint_rate() -> Metric:
    part = Measure(name="complaint_rate_part", anchor=COMPLAINED, expression="COUNT(DISTINCT channel || '/' || order_id)")
    whole = Measure(name="complaint_rate_n", anchor=CREATED, expression="COUNT(*)", counted=counted_sum(ROW_COUNT))
    return ratio("complaint_rate", part, whole, unit="rate", better="lower", listed=Listed(bad_anchor=COMPLAINED))


VOLUME: Final = (
    total("order_count", CREATED, counted=counted_sum(ROW_COUNT)),
    total(
        "order_amount",
        CREATED,
        expression=_money("amount", "SUM({})"),
        unit="currency",
        listed=Listed(counted="amount IS NOT NULL", bad=f"amount IS NOT NULL AND {TROUBLED}"),
    ),
    per_hour("arrival_rate_per_hour", CREATED),
    per_hour("completion_rate_per_hour", DELIVERED),
    per_hour("ship_rate_per_hour", SHIPPED),
    total("shipped_count", SHIPPED),
    total("delivered_count", DELIVERED),
)

STATE: Final = (
    total("backlog_count", OPEN, better="lower", during=WHILE_OPEN),
    count_if(
        "unallocated_count",
        OPEN,
        when=UNALLOCATED,
        during=Span(until=ALLOCATED, when="(mapped_milestones & 8) <> 0"),
    ),
    count_if(
        "overdue_count",
        OPEN,
        when="promised_at < as_of",
        during=Span(after="promised_at"),
    ),
    count_if("undispatched_count", OPEN, when=UNDISPATCHED, during=Span(until=DISPATCHED, when=SHIPS)),
    count_if(
        "overdue_ship_count",
        OPEN,
        when=f"{UNSHIPPED} AND promised_ship_at < as_of",
        during=Span(after="promised_ship_at", until=DISPATCHED),
    ),
    count_if("at_risk_count", AT_RISK, when="is_at_risk"),
    quantile("ageing_seconds_p50", OPEN, value=AGE),
    quantile("ageing_seconds_p90", OPEN, value=AGE),
    count_if("ship_due_count", SHIP_DUE, when=f"is_open OR NOT ({UNSHIPPED})", better="neutral", bad=STILL_DUE),
    count_if("ship_due_done_count", SHIP_DUE, when=f"NOT ({UNSHIPPED})", better="higher", bad=STILL_DUE),
)

PROMISE: Final = (
    share(
        "on_time_rate",
        PROMISED,
        of=DUE_DELIVERY,
        when=ON_TIME,
        better="higher",
        counted=(counted_sum("on_time_count"), counted_sum("due_count")),
    ),
    share(
        "late_rate",
        PROMISED,
        of=DUE_DELIVERY,
        when=LATE,
        counted=(counted_sum("late_count"), counted_sum("due_count")),
    ),
    share("delivered_on_time_rate", DELIVERED, of=MEASURED_WITH_PROMISE, when=ON_TIME, better="higher"),
    share("on_time_ship_rate", PROMISED_SHIP, of=DUE_SHIPMENT, when="shipped_at <= promised_ship_at", better="higher"),
    share(
        "otif_rate",
        PROMISED,
        of=f"({DUE_DELIVERY}) AND {KNOWN_IN_FULL}",
        when=f"{ON_TIME} AND delivered_quantity >= quantity",
        better="higher",
    ),
    quantile("promise_deviation_seconds_p50", DELIVERED, value=DEVIATION, bad=f"{DEVIATION} > 0"),
    quantile("promise_deviation_seconds_p90", DELIVERED, value=DEVIATION, bad=f"{DEVIATION} > 0"),
    quantile("late_by_seconds_p90", PROMISED, value=LATE_BY, bad=f"({LATE_BY}) IS NOT NULL"),
)

SPEED: Final = (
    quantile("order_cycle_seconds_p50", DELIVERED, value=CYCLE),
    quantile("order_cycle_seconds_p90", DELIVERED, value=CYCLE),
    quantile("order_cycle_seconds_p95", DELIVERED, value=CYCLE),
    statistic(
        "order_cycle_variation",
        DELIVERED,
        aggregate="STDDEV_SAMP({0}) / NULLIF(AVG({0}), 0)",
        value=CYCLE,
        unit="ratio",
        typical=f"AVG({CYCLE})",
    ),
    quantile("dwell_seconds_p50", PASSED, value="passage_seconds", bad=BEYOND),
    quantile("dwell_seconds_p90", PASSED, value="passage_seconds", bad=BEYOND),
    share(
        "over_limit_rate",
        PASSED_OR_WAITING,
        of="passage_seconds IS NOT NULL AND limit_seconds IS NOT NULL",
        when=BEYOND,
        counted=(counted_sum("beyond_count"), counted_sum("timed_count")),
    ),
    total(
        "over_limit_seconds",
        PASSED_OR_WAITING,
        expression=f"COALESCE({BEYOND_SECONDS}, CASE WHEN COUNT(limit_seconds) > 0 THEN 0 END)",
        unit="seconds",
        better="lower",
        listed=Listed(counted=BEYOND, bad=BEYOND),
        counted="CASE WHEN SUM(limited_count) > 0 THEN SUM(beyond_ms) / 1000.0 END",
    ),
    count_if("over_limit_count", PASSED_OR_WAITING, when=BEYOND, counted=counted_sum("beyond_count")),
    share(
        "lost_rate",
        PASSED_OR_WAITING,
        of="passage_seconds IS NOT NULL AND normal_seconds IS NOT NULL",
        when=LOSING,
        counted=(counted_sum("losing_count"), counted_sum("compared_count")),
    ),
    total(
        "lost_seconds",
        PASSED_OR_WAITING,
        expression=f"COALESCE(SUM({LOST_MS}) FILTER (WHERE {LOSING}) / 1000.0, CASE WHEN COUNT(normal_seconds) > 0 THEN 0 END)",
        unit="seconds",
        better="lower",
        listed=Listed(counted=LOSING, bad=LOSING),
        counted="CASE WHEN SUM(normal_count) > 0 THEN SUM(lost_ms) / 1000.0 END",
    ),
    count_if("lost_count", PASSED_OR_WAITING, when=LOSING, counted=counted_sum("losing_count")),
    quantile("grey_zone_seconds_p50", ACCEPTED, value=GREY),
    quantile("grey_zone_seconds_p90", ACCEPTED, value=GREY),
    _grey_zone_delay_share(),
)

QUALITY: Final = (
    share("exception_rate", CREATED, when=FAULTY, counted=(counted_sum("faulty_count"), counted_sum(ROW_COUNT))),
    share("cancel_rate", CREATED, when="cancelled_at IS NOT NULL"),
    share("delivery_failed_rate", SHIPPED, when="failed_attempt_count > 0 OR exception_code = 'failed_attempt'"),
    share("return_rate", DELIVERED, when="return_requested_at IS NOT NULL OR returned_at IS NOT NULL"),
    total("return_count", RETURN_REQUESTED, better="lower", listed=Listed()),
    quantile("return_handling_seconds_p50", RETURN_CLOSED, value=HANDLING),
    quantile("return_handling_seconds_p90", RETURN_CLOSED, value=HANDLING),
    share("return_within_target_rate", RETURN_DUE, when="closed_at <= due_at", better="higher"),
    total("complaint_count", COMPLAINED, better="lower", listed=Listed()),
    _complaint_rate(),
)

COST: Final = (
    statistic("freight_per_order", SHIPPED, aggregate=_money("{0}", "AVG({})"), value="freight_cost", unit="currency"),
)

GROUPS: Final = {"volume": VOLUME, "state": STATE, "promise": PROMISE, "speed": SPEED, "quality": QUALITY, "cost": COST}

METRICS: Final[dict[str, Metric]] = {metric.name: metric for metrics in GROUPS.values() for metric in metrics}

POPULATIONS: Final[dict[str, Metric]] = {
    f"{name}_rows": total(f"{name}_rows", anchor, counted=counted_sum(ROW_COUNT) if anchor.rows == "orders" else "")
    for name, anchor in ANCHORS.items()
}
"""How many rows each anchor has: not figures of their own, but what tells how many rows a figure leaves out."""

ASKABLE: Final = METRICS | POPULATIONS | part_metrics(METRICS.values())


def population_of(metric: str) -> str | None:
    """The population whose rows a metric's `n` is counted from; None for a metric without an `n`."""
    entry = METRICS[metric]
    counted = next((measure for measure in entry.measures if measure.name == entry.n), None)
    return f"{counted.anchor.name}_rows" if counted else None
