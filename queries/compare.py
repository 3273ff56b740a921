"""Comparison: differences with another period or the target, and each group's share of the whole difference."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from queries.fragment import named, select
from queries.metric import Metric
from queries.metrics import ASKABLE
from queries.shape import Shape, exists_for

ROUNDING: Final = "1e-9"
"""Of all that differs, a whole difference smaller than this is none."""


def compared(shape: Shape) -> exp.Select:
    """Differences, and each group's share of the difference of the whole."""
    chosen: list[exp.Expr] = [exp.column(name) for name in (*shape.by, *(["bucket_at"] if shape.setting.grain else []))]
    for metric in (ASKABLE[name] for name in shape.metrics):
        chosen += [exp.column(name) for name in (metric.name, *([f"{metric.name}_n"] if metric.n else []))]
        for comparand in shape.comparands:
            chosen += _differences(metric, comparand.name, shape)
        if shape.compares_target:
            target = _target_sql(metric, shape)
            chosen.append(named(target, f"{metric.name}_target"))
            chosen.append(named(f"{metric.name} - ({target})", f"{metric.name}_target_difference"))
    return select(*chosen).from_("answers", copy=False)


def _differences(metric: Metric, label: str, shape: Shape) -> list[exp.Expr]:
    name, other = metric.name, f"{metric.name}_{label}"
    found: list[exp.Expr] = [exp.column(other), *([exp.column(f"{name}_n_{label}")] if metric.n else [])]
    found.append(named(f"{name} - {other}", f"{other}_difference"))
    return [*found, named(_difference_share(metric, label, shape), f"{other}_difference_share")]


def _difference_share(metric: Metric, label: str, shape: Shape) -> str:
    """Sums: difference over the sum of differences. Ratios: change of part and mix against the earlier total ratio."""
    over = "OVER (PARTITION BY bucket_at)" if shape.setting.grain else "OVER ()"
    name, other = metric.name, f"{metric.name}_{label}"
    if metric.kind == "sum" and (metric.unit != "currency" or "currency" in shape.by):
        if metric.unit == "currency":
            over = over.replace("()", "(PARTITION BY currency)").replace("bucket_at)", "bucket_at, currency)")
        difference = f"(COALESCE({name}, 0) - COALESCE({other}, 0))"
        whole = f"SUM({difference}) {over}"
        if metric.unit == "count":
            return f"{difference} / NULLIF({whole}, 0)"
        # Fractions that cancel each other out leave a trace of rounding: that is no difference to share out.
        return f"CASE WHEN ABS({whole}) > {ROUNDING} * SUM(ABS({difference})) {over} THEN {difference} / ({whole}) END"
    broadcasts = any(not exists_for(dim, measure.anchor) for dim in shape.by for measure in metric.measures)
    if metric.kind != "ratio" or broadcasts:
        return "CAST(NULL AS DOUBLE)"
    part, whole = (f"COALESCE({name}_share_{of}, 0)" for of in ("part", "whole"))
    part_then, whole_then = (f"COALESCE({other}_share_{of}, 0)" for of in ("part", "whole"))
    all_part, all_whole = f"SUM({part}) {over}", f"NULLIF(SUM({whole}) {over}, 0)"
    all_part_then, all_whole_then = f"SUM({part_then}) {over}", f"NULLIF(SUM({whole_then}) {over}, 0)"
    then = f"({all_part_then} / {all_whole_then})"
    gained = f"({part} - {whole} * {then}) / {all_whole} - ({part_then} - {whole_then} * {then}) / {all_whole_then}"
    return f"({gained}) / NULLIF({all_part} / {all_whole} - {then}, 0)"


def _target_sql(metric: Metric, shape: Shape) -> str:
    for target in shape.targets:
        if target.metric != metric.name:
            continue
        general = f"$target_{metric.name}" if target.has_common else "NULL"
        cases = " ".join(
            f"WHEN {target.dimension} = $target_{metric.name}_code_{i} THEN $target_{metric.name}_{i}"
            for i in range(target.count)
        )
        return f"CAST(CASE {cases} ELSE {general} END AS DOUBLE)" if cases else f"CAST({general} AS DOUBLE)"
    return "CAST(NULL AS DOUBLE)"
