"""What is different here: which values are over-represented among the bad orders of a level, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from access.view import View
from components.format import count, percent
from components.panel import Part, Parts
from i18n import translate
from pages.drill_path import SPLITS, next_dimensions, path_of
from pages.heat_question import narrowed
from pages.links import link
from pages.problems import Problem, ask_problem
from pages.wording import name_of
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.query import Filter
from queries.statistics import Contrast, true_discoveries

LOOKED_AT: Final = (*SPLITS[:-1], "business_type", "priority")
"""The dimensions compared on every level, besides the next steps down."""
TOGETHER: Final = (("channel", "category", "customer_tier", "business_type", "priority"), ("warehouse", "carrier"))
"""Few values each: all combinations of either are some hundreds, so that one scan answers for all of them."""
MOST: Final = 6
MOST_ASKED_ELSEWHERE: Final = 3


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A value over-represented among the bad ones: against the other values here, with its share elsewhere where known."""

    dimension: str
    code: object
    contrast: Contrast
    elsewhere: float | None = None

    @property
    def excess(self) -> float:
        """How many bad ones there would be fewer, were it like the others."""
        return self.contrast.bad - self.contrast.n * self.contrast.bad_rest / self.contrast.n_rest


def find_contrasts(view: View, problem: Problem) -> list[Finding]:
    """The values that stand out, those with the largest excess first; at most one in twenty of them by chance."""
    where = narrowed(view, problem.metric, ())
    candidates = [
        finding for name in dimensions_looked_at(view, problem, where) for finding in _of_dimension(view, problem, name, where)
    ]
    real = true_discoveries([finding.contrast.p for finding in candidates])
    found = [finding for position, finding in enumerate(candidates) if position in real and finding.excess > 0]
    return sorted(found, key=lambda finding: -finding.excess)[:MOST]


def dimensions_looked_at(view: View, problem: Problem, where: Sequence[Filter]) -> list[str]:
    """The next steps down and the usual ones, but for those that are fixed here or that the figure does not have."""
    fixed = {filter_.dimension for filter_ in where if len(filter_.values) == 1}
    rows = METRICS[problem.metric].anchor.rows
    steps = [name for name in next_dimensions(view, problem.metric, where) if name != "stage"]
    names = dict.fromkeys((*steps, *LOOKED_AT))
    return [name for name in names if name not in fixed and rows in DIMENSIONS[name].rows]


def contrasts_of(groups: Sequence[tuple[object, int, int]], minimum: int) -> list[tuple[object, Contrast]]:
    """Each group (code, bad, n) against all others together; groups and rests with too few rows are left out."""
    bad, n = sum(group[1] for group in groups), sum(group[2] for group in groups)
    found = [(code, Contrast(bad=own_bad, n=own_n, bad_rest=bad - own_bad, n_rest=n - own_n)) for code, own_bad, own_n in groups]
    return [(code, contrast) for code, contrast in found if contrast.n >= minimum and contrast.n_rest >= minimum]


def _of_dimension(view: View, problem: Problem, dimension: str, where: Sequence[Filter]) -> list[Finding]:
    minimum = view.targets.at(view.as_of, view.zone).minimum_count
    groups = _groups(view, problem, dimension, where)
    return [Finding(dimension=dimension, code=code, contrast=contrast) for code, contrast in contrasts_of(groups, minimum)]


def _groups(view: View, problem: Problem, dimension: str, where: Sequence[Filter]) -> list[tuple[object, int, int]]:
    """(code, bad, n) of each value; dimensions with few values are asked in one scan and added up."""
    fixed = {filter_.dimension for filter_ in where if len(filter_.values) == 1}
    beside = next((names for names in TOGETHER if dimension in names), ())
    by = tuple(name for name in beside if name not in fixed or name == dimension) or (dimension,)
    groups: dict[object, tuple[int, int]] = {}
    for row in ask_problem(view, problem, by, where):
        bad, n = groups.get(row[dimension], (0, 0))
        groups[row[dimension]] = (bad + problem.bad(row), n + problem.n(row))
    return [(code, bad, n) for code, (bad, n) in groups.items()]


def with_elsewhere(view: View, problem: Problem, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with the same values' share in the rest of the level above; without where nothing is above."""
    where = narrowed(view, problem.metric, ())
    steps = path_of(where)
    if not steps:
        return list(findings)
    above = tuple(filter_ for filter_ in where if filter_.dimension != steps[-1].dimension)
    asked = list(dict.fromkeys(finding.dimension for finding in findings))[:MOST_ASKED_ELSEWHERE]
    known = {name: {code: (bad, n) for code, bad, n in _groups(view, problem, name, above)} for name in asked}
    return [_beside(finding, known.get(finding.dimension, {})) for finding in findings]


def _beside(finding: Finding, above: dict[Any, tuple[int, int]]) -> Finding:
    bad, n = above.get(finding.code, (0, 0))
    rest = n - finding.contrast.n
    share = (bad - finding.contrast.bad) / rest if rest > 0 else None
    return Finding(dimension=finding.dimension, code=finding.code, contrast=finding.contrast, elsewhere=share)


def read_contrasts(view: View, problem: Problem) -> Parts:
    """The findings in words; that nothing stands out is an answer."""
    language = view.language
    findings = with_elsewhere(view, problem, find_contrasts(view, problem))
    most = max((finding.excess for finding in findings), default=1.0)
    heads = ("value", "excess", "share", "ratio")
    return Parts(
        title=translate(language, "drill.different"),
        scope=translate(language, "drill.different_scope"),
        empty=translate(language, "drill.nothing_different"),
        heads=tuple(translate(language, f"drill.head.{name}") for name in heads),
        rows=tuple(_part(view, problem, finding, most) for finding in findings),
    )


def _part(view: View, problem: Problem, finding: Finding, most: float) -> Part:
    language, contrast = view.language, finding.contrast
    dimension = translate(language, f"dimensions.{finding.dimension}.name")
    name = translate(language, "frame.chip", dimension=dimension, names=name_of(language, finding.dimension, finding.code))
    texts = {
        "bad": count(language, contrast.bad),
        "n": count(language, contrast.n),
        "share": percent(language, contrast.bad / contrast.n),
        "rest": percent(language, contrast.bad_rest / contrast.n_rest),
        "excess": count(language, finding.excess),
    }
    tip = [name, translate(language, "drill.finding_tip", **texts), _ratio(language, contrast)]
    if finding.elsewhere is not None:
        tip.append(translate(language, "drill.elsewhere", share=percent(language, finding.elsewhere)))
    changes = {finding.dimension: (None if finding.code is None else str(finding.code),)}
    return Part(
        name=name,
        value=translate(language, "drill.finding", **texts),
        share=finding.excess / most,
        note=_ratio(language, contrast),
        tip="\n".join(tip),
        tone="warning",
        href=link(view, "/drill", metric=problem.metric, **changes),
    )


def _ratio(language: str, contrast: Contrast) -> str:
    """`2.3× (1.9–2.8)`; the difference where the others have no bad one at all."""
    ratio, interval = contrast.ratio, contrast.interval
    if ratio is None or interval is None:
        low, high = (percent(language, end) for end in contrast.difference_interval)
        return translate(language, "drill.more", low=low, high=high)
    return translate(language, "drill.ratio", ratio=f"{ratio:.1f}", low=f"{interval[0]:.1f}", high=f"{interval[1]:.1f}")
