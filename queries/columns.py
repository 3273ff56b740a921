"""The columns a metric or dimension may name, as SQL over one row `o` of lake.orders, seen at an instant.

As-of is applied here and nowhere else: a milestone later than as-of is null. `<milestone>_measured_at` is the
milestone's instant where it may be used in a duration: not inferred, not part of an impossible pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from data.order import FORWARD_MILESTONES, MILESTONE_BIT, MILESTONES, MUST_FOLLOW, ORDER_COLUMNS, STAGES

RAW_COLUMNS: Final = frozenset(
    {column.name for column in ORDER_COLUMNS if column.type != "instant"} - {"exception_code", "failed_attempt_count"}
    | {"promised_at", "promised_ship_at", "mapped_milestones", "inferred_milestones"}
)
"""Columns that no later instant changes: filters on them go straight into the scan."""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """From which instant (SQL) orders are seen, and what is certain of the rows beforehand.

    `is_settled`: no milestone of the snapshot lies after the instant, so there is nothing to hide and the contradictions
    the merge found are the ones to see. `certain`: milestones that the rows' own conditions place at or before the instant.
    `is_recent`: the rows are those kept in memory, which say of each milestone until when it is free of contradictions.
    """

    as_of: str
    is_settled: bool = False
    certain: frozenset[str] = frozenset({"created"})
    is_recent: bool = False

    def is_certain(self, milestone: str) -> bool:
        """Whether the milestone, where it is known at all, lies at or before the instant."""
        return self.is_settled or milestone in self.certain


def _clip(column: str, at: str, sight: Sight) -> str:
    return f"CASE WHEN o.{at} <= {sight.as_of} THEN o.{column} END"


def _milestone(name: str, sight: Sight) -> str:
    return f"o.{name}_at" if sight.is_certain(name) else _clip(f"{name}_at", f"{name}_at", sight)


def _contradictions(milestone: str, as_of: str) -> str:
    """Conditions under which a known instant contradicts the milestone's own, both not later than as-of."""
    later = [f"o.{after}_at < o.{milestone}_at" for before, after in MUST_FOLLOW if before == milestone]
    earlier = [
        f"(o.{before}_at > o.{milestone}_at AND o.{before}_at <= {as_of})" for before, after in MUST_FOLLOW if after == milestone
    ]
    return " OR ".join(later + earlier)


def _measured(milestone: str, sight: Sight) -> str:
    """Nested, not joined by AND: an engine looks for contradictions only in the few rows that may have one."""
    at, bit = f"o.{milestone}_at", MILESTONE_BIT[milestone]
    if sight.is_settled:
        return f"CASE WHEN ((o.inferred_milestones | o.impossible_milestones) & {bit}) = 0 THEN {at} END"
    reached = "" if sight.is_certain(milestone) else f" AND {at} <= {sight.as_of}"
    if sight.is_recent:
        sound = f"o.{milestone}_sound_until > {sight.as_of}"
        return f"CASE WHEN (o.inferred_milestones & {bit}) = 0{reached} AND {sound} THEN {at} END"
    doubtful = f"WHEN {_contradictions(milestone, sight.as_of)} THEN NULL ELSE {at}"
    sound = f"CASE WHEN (o.impossible_milestones & {bit}) = 0 THEN {at} {doubtful} END"
    return f"CASE WHEN (o.inferred_milestones & {bit}) = 0{reached} THEN {sound} END"


def _status(as_of: str) -> str:
    cases = " ".join(f"WHEN o.{milestone}_at <= {as_of} THEN '{milestone}'" for milestone in reversed(MILESTONES))
    return f"CASE {cases} END"


def _derived(sight: Sight) -> dict[str, str]:
    columns = {f"{milestone}_at": _milestone(milestone, sight) for milestone in MILESTONES}
    columns |= {f"{milestone}_measured_at": _measured(milestone, sight) for milestone in MILESTONES}
    columns |= {f"{milestone}_inferred": f"(o.inferred_milestones & {bit}) <> 0" for milestone, bit in MILESTONE_BIT.items()}
    columns |= {name: _clip(name, "exception_at", sight) for name in ("exception_at", "exception_code", "failed_attempt_count")}
    return columns | {
        "as_of": sight.as_of,
        "status": "o.status" if sight.is_settled else _status(sight.as_of),
        "is_open": f"o.open_until_at > {sight.as_of}",
    }


@lru_cache(maxsize=64)
def order_columns(sight: Sight) -> dict[str, str]:
    """Every column by name as SQL text."""
    return {name: f"o.{name}" for name in RAW_COLUMNS} | _derived(sight)


def _waiting_stage() -> str:
    cases = []
    for position, stage in enumerate(STAGES):
        unreached = ", ".join(f"{name}_at" for name in STAGES[position:])
        cases.append(
            f"WHEN (mapped_milestones & {MILESTONE_BIT[stage]}) <> 0 AND COALESCE({unreached}, NULL) IS NULL THEN '{stage}'"
        )
    return f"CASE WHEN is_open THEN CASE {' '.join(cases)} END END"


def _age_bucket(buckets: tuple[tuple[str, int], ...], beyond: str) -> str:
    age = "EPOCH_MS(as_of) - EPOCH_MS(created_at)"
    cases = " ".join(f"WHEN {age} < {hours * 3_600_000} THEN '{code}'" for code, hours in buckets)
    return f"CASE WHEN is_open THEN CASE {cases} ELSE '{beyond}' END END"


AGE_BUCKETS: Final = (("lt_4h", 4), ("4h_12h", 12), ("12h_24h", 24), ("1d_3d", 72), ("3d_7d", 168), ("7d_14d", 336))
AGE_BUCKET_BEYOND: Final = "ge_14d"
DISPATCH_AGES: Final = (("lt_2h", 2), ("2h_8h", 8), ("8h_24h", 24), ("24h_48h", 48), ("48h_72h", 72))
DISPATCH_AGE_BEYOND: Final = "ge_72h"

WAITING_STAGE: Final = _waiting_stage()
"""The stage an open order waits in: the first mapped one after the furthest milestone reached; null when closed."""

AGE_BUCKET: Final = _age_bucket(AGE_BUCKETS, AGE_BUCKET_BEYOND)
"""The age of an open order since creation, as a code; null when closed."""

DISPATCH_AGE: Final = _age_bucket(DISPATCH_AGES, DISPATCH_AGE_BEYOND)
"""The same in the steps in which a warehouse works off what it has not shipped."""

WAITING_SINCE: Final = (
    "CASE " + " ".join(f"WHEN {name}_at IS NOT NULL THEN {name}_measured_at" for name in reversed(FORWARD_MILESTONES)) + " END"
)
"""The measured instant of the furthest milestone reached; null where that is not measured."""


@lru_cache(maxsize=16)
def opened_at(stage: str) -> str:
    """SQL of the instant at which an order entered `stage`: its previous mapped milestone, null where not measured."""
    before = FORWARD_MILESTONES[: FORWARD_MILESTONES.index(stage)]
    cases = " ".join(
        f"WHEN (mapped_milestones & {MILESTONE_BIT[name]}) <> 0 THEN {name}_measured_at" for name in reversed(before)
    )
    return f"CASE {cases} END"
