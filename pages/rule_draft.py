"""The draft of a rule while it is in the form: where it came from, its texts, the rule they make, and its last trial."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from access.view import View
from alerts.conditions import Condition, Constant, Threshold
from alerts.history import HOUR, History, read_history, usual
from alerts.lifecycle import Entry
from alerts.order_trial import OrderTrial
from alerts.order_words import pick_words
from alerts.parse import parse_rule
from alerts.parse_condition import LEVEL_KEYS
from alerts.report import Report
from alerts.rule import Rule, RuleError
from alerts.values import read_length, write_length
from alerts.write import write_rule
from i18n import LANGUAGES, translate
from pages.order_rule_values import NEW, is_order, order_body
from pages.rule_values import Values, body_of, values_of
from pages.wording import names_of
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.query import Filter, Query, QueryError

LATELY: Final = timedelta(days=14)
WINDOWS: Final = {"24h": "1d", "7d": "1w", "today": "1d"}
LIMIT_SHARE: Final = (0.97, 0.995)
"""Where limits are proposed: beyond so large a share of what the figure lately was."""
LONGEST_TITLE: Final = 80
MOST_SAMPLES: Final = 60_000


@dataclass
class Draft:
    """What is in the form. `name` is the rule's where it exists already, `base` the version it began with.

    `is_unproposed` while limits are due that could not be looked up.
    """

    stamp: str
    values: Values
    name: str = ""
    base: int = 0
    is_personal: bool = False
    kept: Rule | None = None
    entry: Entry | None = None
    trials: list[tuple[str, Report]] = field(default_factory=list)
    order_trials: list[tuple[str, OrderTrial]] = field(default_factory=list)
    is_unproposed: bool = False


def rule_of(draft: Draft, language: str) -> Rule:
    """The rule that the form's texts say. Raises RuleError."""
    body = order_body(draft.values, language) if is_order(draft.values) else body_of(draft.values, language, draft.kept)
    rule = parse_rule(body | {"name": body.get("name") or "new"})
    return _titled(rule) if rule.order is not None and not rule.title else rule


def _titled(rule: Rule) -> Rule:
    """A rule about single orders without a name is called after what it looks for."""
    assert rule.order is not None
    words = ((language, pick_words(language, rule.order.pick)) for language in LANGUAGES)
    return replace(rule, title=tuple((language, (text[:1].upper() + text[1:])[:LONGEST_TITLE]) for language, text in words))


def signature(rule: Rule) -> str:
    """What a trial stands for: everything but the rule's name and words."""
    plain = replace(rule, name="r", title=(), text=(), runbook="", owner="", receivers=(), template="", repeat=timedelta(hours=4))
    return json.dumps(write_rule(plain), sort_keys=True)


def trial_of(draft: Draft, rule: Rule) -> Report | None:
    """The draft's trial of exactly this rule."""
    return next((report for known, report in reversed(draft.trials) if known == signature(rule)), None)


def order_trial_of(draft: Draft, rule: Rule) -> OrderTrial | None:
    """The draft's trial of exactly this rule about single orders."""
    return next((trial for known, trial in reversed(draft.order_trials) if known == signature(rule)), None)


def begin_order(view: View, stamp: str) -> Draft:
    """A new draft of a rule about single orders."""
    values = dict(NEW) | {"owner": view.user.name}
    return Draft(stamp=stamp, values=values, is_personal=view.user.role != "analyst")


def asker(view: View, entry: Entry | None) -> Callable[[Query], pl.DataFrame]:
    """How the rule's figures are asked for: by this user, and of the regions only that the rule is asked in."""

    def ask(query: Query) -> pl.DataFrame:
        if entry is not None and not entry.scope.everything and "region" not in {item.dimension for item in query.where}:
            query = replace(query, where=(*query.where, Filter("region", entry.scope.regions)))
        return view.run(query)

    return ask


def begin(view: View, parameters: dict[str, Sequence[str]], stamp: str) -> Draft:
    """A new draft from what an address names: a metric, filters, a window; limits proposed from what was lately usual."""
    metric = next(iter(parameters.get("metric", ())), "")
    metric = metric if metric in METRICS else "late_rate"
    known = [item for item in view.address.filters if METRICS[metric].anchor.rows in DIMENSIONS[item.dimension].rows]
    places = tuple(sorted(item.dimension for item in known if item.dimension not in ("stage",)))
    group_by = places or (("region",) if METRICS[metric].anchor.rows in DIMENSIONS["region"].rows else ())
    rule = Rule(
        name="new",
        conditions=(plain_condition(metric),),
        filters=tuple(known[:4]),
        group_by=group_by,
        window=timedelta(days=7) if view.address.window == "7d" else timedelta(days=1),
        every=timedelta(hours=1),
        min_samples=30 if METRICS[metric].n else 0,
        receivers=("desk",) if view.user.role == "analyst" else (),
        owner=view.user.name,
    )
    values = values_of(rule)
    for language, key in (("en", "title_en"), ("zh-CN", "title_zh")):
        where = " · ".join(names_of(language, item.dimension, item.values) for item in known)
        name = translate(language, f"metrics.{metric}.name")
        values[key] = f"{name} · {where}" if where else name
    values["name"] = ""
    draft = Draft(stamp=stamp, values=values, is_personal=view.user.role != "analyst")
    propose(view, draft)
    return draft


def plain_condition(metric: str) -> Condition:
    """A condition on a metric's bad side, without a limit yet."""
    op = "<" if METRICS[metric].better == "higher" else ">"
    return Condition(metric=metric, op="<" if op == "<" else ">", threshold=Threshold())


def propose(view: View, draft: Draft) -> None:
    """Set the first condition's limits beyond what the figure lately was; leave them empty where nothing is known.

    Where that cannot be looked up at this moment the draft stays unproposed.
    """
    metric = draft.values.get("c0.metric", "")
    draft.is_unproposed = metric in METRICS
    if not draft.is_unproposed:
        return
    values = draft.values
    if values.get("c0.compare", Constant.name) == Constant.name:
        values["c0.op"] = plain_condition(metric).op
    for key in ("warning", "critical", "warning_recover", "critical_recover"):
        values[f"c0.{key}"] = ""
    for name in [name for name in values if name.startswith("limit.")]:
        del values[name]
    scores = [score for series in lately(view, draft, values | {"c0.warning": "0"}).values() for _, score in series]
    draft.is_unproposed = False
    limits = _beyond(scores, values["c0.op"])
    if limits is None:
        return
    condition = plain_condition(metric)
    proposed = values_of(
        Rule(
            name="r",
            conditions=(
                replace(
                    condition, compare=_comparison(draft, values), threshold=Threshold(warning=limits[0], critical=limits[1])
                ),
            ),
        )
    )
    values |= {
        key: proposed[key] for key, limit in zip(("c0.warning", "c0.critical"), limits, strict=True) if _can_pass(values, limit)
    }


def _can_pass(values: Values, limit: float) -> bool:
    """Whether a figure can lie beyond a fixed limit: no share is above 100 %, none and no count below 0."""
    if values.get("c0.compare", Constant.name) != Constant.name:
        return True
    if not values["c0.op"].startswith(">"):
        return limit > 0
    return limit < 1 or METRICS[values["c0.metric"]].unit != "rate"


def _comparison(draft: Draft, values: Values) -> Constant:
    body = body_of(values | {"c0.warning": "0", "name": "r"}, "en", draft.kept)
    try:
        return parse_rule(body | {"name": "r"}).conditions[0].compare  # type: ignore[return-value]
    except RuleError:
        return Constant()


def _beyond(scores: Sequence[float], op: str) -> tuple[float, float] | None:
    finite = sorted(score for score in scores if math.isfinite(score))
    if len(finite) < 10:
        return None
    ordered = finite if op.startswith(">") else finite[::-1]
    warning, critical = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in LIMIT_SHARE)
    sign = 1 if op.startswith(">") else -1
    first, second = _round(warning), _round(critical)
    if sign * second <= sign * first:
        second = _round(first + sign * abs(first or 1) * 0.25)
    return first, second


def _round(value: float) -> float:
    return float(f"{value:.2g}")


Series = list[tuple[float, float]]
"""(value, score), oldest first."""


def lately(view: View, draft: Draft, values: Values | None = None) -> dict[str, Series]:
    """What each group's figure was in the last two weeks, by label; empty where the form says no rule yet."""
    history = history_of(view, draft, values)
    if history is None:
        return {}
    count = max(1, len(history.groups))
    stride = max(1, len(history.instants) * count // MOST_SAMPLES, 3 if count > 20 else 1)
    instants = [*history.instants[:-1:stride], *history.instants[-1:]]
    found: dict[str, Series] = {}
    for at in instants:
        for group, readings in history.sample(at).groups:
            one = readings[0]
            if one.value is not None and one.score is not None:
                found.setdefault("/".join("?" if part is None else part for part in group), []).append((one.value, one.score))
    return found


def history_of(view: View, draft: Draft, values: Values | None = None) -> History | None:
    """The first condition's history over the last two weeks; None where it cannot be asked for."""
    try:
        rule = _asked_of(draft, values or draft.values)
        return read_history(rule, asker(view, draft.entry), since=view.as_of - LATELY, until=view.as_of, zone=view.zone)
    except (RuleError, QueryError):
        return None


def unlimited(draft: Draft) -> Rule | None:
    """The rule of the form without any limit: what can be drawn while its limits are wrong or half typed."""
    try:
        rule = _asked_of(draft, draft.values)
    except RuleError:
        return None
    return replace(rule, conditions=(replace(rule.conditions[0], threshold=Threshold()),))


def _asked_of(draft: Draft, values: Values) -> Rule:
    """What is asked of the past: the first condition whatever its limits are. Raises RuleError."""
    plain = {name: text for name, text in values.items() if not name.startswith("limit.")}
    plain |= {f"c0.{key}": "" for key in LEVEL_KEYS} | {"c0.warning": "1", "conditions": "1"}
    body = body_of(plain, "en", draft.kept)
    for key in ("thresholds", "expected_groups", "datapoints", "for"):
        body.pop(key, None)
    window = read_length(body.get("window", "1d"), "window")
    return parse_rule(body | {"name": "r", "every": write_length(min(HOUR, window)), "window": write_length(window)})


def quarters(series: Series, *, scores: bool = False) -> tuple[float, float, float] | None:
    """Quarter, middle, three quarters of a series."""
    return usual([one[1] if scores else one[0] for one in series if math.isfinite(one[1])])


def new_name(draft: Draft, taken: Sequence[str], now: datetime) -> str:
    """A name for a new rule from its English title, or from the instant; none that is there already."""
    words = re.sub(r"[^a-z0-9]+", "-", draft.values.get("title_en", "").lower()).strip("-")[:48]
    base = words or f"rule-{now:%m%d-%H%M%S}"
    return next(name for number in range(1, 1000) if (name := base if number == 1 else f"{base}-{number}") not in taken)
