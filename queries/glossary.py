"""The glossary: every metric and dimension with its definition, as frames for the command line and as a document."""

from __future__ import annotations

from typing import Final

import polars as pl

from i18n import LANGUAGES, translate
from queries.dimensions import ALL_ROWS, DIMENSIONS, Dimension
from queries.metric import Metric
from queries.metrics import GROUPS, METRICS


def metrics_frame() -> pl.DataFrame:
    """One row per metric: name, unit, better, anchor, and name and definition in every language."""
    return pl.DataFrame([_metric_row(metric) for metric in METRICS.values()])


def dimensions_frame() -> pl.DataFrame:
    """One row per dimension: name, parent, aliases, codes, and name and description in every language."""
    return pl.DataFrame([_dimension_row(entry) for entry in DIMENSIONS.values()])


def _metric_row(metric: Metric) -> dict[str, str]:
    row = {"metric": metric.name, "unit": metric.unit, "better": metric.better, "anchor": metric.anchor.name}
    for part in ("name", "description", "population", "exclusions"):
        row |= {f"{part}_{language}": translate(language, f"metrics.{metric.name}.{part}") for language in LANGUAGES}
    return row


def _dimension_row(entry: Dimension) -> dict[str, str | None]:
    row: dict[str, str | None] = {
        "dimension": entry.name,
        "parent": entry.parent,
        "aliases": " ".join(entry.aliases),
        "codes": " ".join(map(str, entry.codes)),
    }
    for part in ("name", "description"):
        row |= {f"{part}_{language}": translate(language, f"dimensions.{entry.name}.{part}") for language in LANGUAGES}
    return row


def document() -> str:
    """docs/metrics.md: the registries in words; a test fails when the file is not this text."""
    lines = [_HEAD]
    for group, metrics in GROUPS.items():
        lines.append(f"## {_both(f'metrics.group.{group}')}\n")
        lines += [_metric_section(metric) for metric in metrics]
    lines.append(f"## Dimensions · 维度\n\n{_DIMENSIONS}\n")
    lines.append("| name | parent | also | English | 中文 |\n|---|---|---|---|---|")
    lines += [_dimension_line(entry) for entry in DIMENSIONS.values()]
    return "\n".join(lines) + "\n"


def _both(key: str) -> str:
    return " · ".join(translate(language, key) for language in LANGUAGES)


def _metric_section(metric: Metric) -> str:
    facts = [
        _both(f"metrics.unit.{metric.unit}"),
        f"better: {metric.better}",
        f"anchor: {_both(f'metrics.anchor.{metric.anchor.name}')}",
    ]
    if metric.n:
        facts.append(f"with `{metric.name}_n`")
    lines = [f"### `{metric.name}` {_both(f'metrics.{metric.name}.name')}\n", f"{'; '.join(facts)}.\n"]
    for language in LANGUAGES:
        texts = [translate(language, f"metrics.{metric.name}.{part}") for part in ("description", "population", "exclusions")]
        heads = _WORDS[language]
        lines.append(f"- {texts[0]} *{heads[0]}* {texts[1]} *{heads[1]}* {texts[2]}")
    measures = [f"    {measure.name} = {measure.expression}" for measure in metric.measures]
    formula = [] if metric.formula == metric.name else [f"    {metric.name} = {metric.formula}"]
    return "\n".join([*lines, "", *measures, *formula, ""])


def _dimension_line(entry: Dimension) -> str:
    aliases = ", ".join(f"`{alias}`" for alias in entry.aliases)
    words = [translate(language, f"dimensions.{entry.name}.description") for language in LANGUAGES]
    only = "" if entry.rows == ALL_ROWS else f" ({', '.join(entry.rows)} only)"
    return f"| `{entry.name}`{only} | {f'`{entry.parent}`' if entry.parent else ''} | {aliases} | {' | '.join(words)} |"


_WORDS: Final = {"en": ("Population:", "Left out:"), "zh-CN": ("总体：", "不计：")}
_HEAD: Final = """# Metrics and dimensions · 指标与维度

Made from `queries/metrics.py`, `queries/dimensions.py` and `i18n/`; do not edit, run `python -m queries.glossary`.

- Every metric is seen **at as-of**: a milestone later than as-of does not exist yet. A window is `[start, end)`; `24h` is the time up to
  and including as-of.
- A *flow* metric is of the orders whose anchor instant lies in the window; a *stock* metric is taken at as-of, with a grain at the end of
  each bucket.
- What a source reports of an order, or of its returns and complaints, before any has reported its creation counts nowhere until then.
- `*_measured_at` is a milestone's instant where durations may use it: not inferred from a status, not part of a contradictory pair.
- Ratios and statistics come with `<metric>_n`, what they stand on; without a denominator they are null. Quantiles are exact, interpolated.
- Comparison moves window and as-of together, so both periods are equally ripe. `<metric>_<period>_difference_share` is a group's share of
  the whole difference: for ratios its change of part and of mix against the earlier total ratio; shares add up to 1.
"""
_DIMENSIONS: Final = (
    "Null is unknown. Filters take several values; `DIMENSION=` or `DIMENSION=null` keeps the unknown. Drill: country → region → province → "
    "city, and warehouse → wave → order."
)

if __name__ == "__main__":
    from pathlib import Path

    Path(__file__).resolve().parent.parent.joinpath("docs", "metrics.md").write_text(document(), encoding="utf-8")
