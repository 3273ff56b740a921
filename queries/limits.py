"""A stage's limits from an edition of the targets: their text, their parameters, and the limit of a passage in memory."""

from __future__ import annotations

from dataclasses import dataclass

from data.targets import Edition


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A stage's limit as parameters: `$limit_<stage>`, and `$limit_<stage>_<i>` for `$limit_type_<i>`."""

    stage: str
    has_common: bool
    types: tuple[int, ...]

    def sql(self) -> str:
        """SQL of the limit in seconds for one order."""
        general = f"$limit_{self.stage}" if self.has_common else "NULL"
        cases = " ".join(f"WHEN business_type = $limit_type_{i} THEN $limit_{self.stage}_{i}" for i in self.types)
        return f"CASE {cases} ELSE {general} END" if cases else general


def _business_types(edition: Edition) -> tuple[str, ...]:
    return tuple(sorted({limit.business_type for limit in edition.stage_limits if limit.business_type}))


def limits_of(edition: Edition) -> tuple[Limit, ...]:
    """Each stage's limit as text."""
    types = _business_types(edition)
    stages = dict.fromkeys(limit.stage for limit in edition.stage_limits)
    known = {(limit.stage, limit.business_type) for limit in edition.stage_limits}
    return tuple(
        Limit(
            stage=stage,
            has_common=(stage, None) in known,
            types=tuple(index for index, name in enumerate(types) if (stage, name) in known),
        )
        for stage in stages
    )


def limit_values(edition: Edition) -> dict[str, object]:
    """The parameters that the limits name."""
    types = _business_types(edition)
    values: dict[str, object] = {f"limit_type_{index}": name for index, name in enumerate(types)}
    for limit in edition.stage_limits:
        suffix = "" if limit.business_type is None else f"_{types.index(limit.business_type)}"
        values[f"limit_{limit.stage}{suffix}"] = float(limit.seconds)
    return values


def passage_limit_sql(limits: tuple[Limit, ...]) -> str:
    """SQL of the limit in seconds of a passage `o` in memory."""
    cases = " ".join(f"WHEN '{limit.stage}' THEN {limit.sql()}" for limit in limits)
    return f"CAST(CASE o.passage_stage {cases} END AS DOUBLE)" if cases else "CAST(NULL AS DOUBLE)"
