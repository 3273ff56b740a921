"""A rule read back as a few sentences in a reader's language: what it looks at, when it speaks, whom it tells."""

from __future__ import annotations

from alerts.conditions import LEVELS, Baseline, Condition, Constant, Level, PeriodBefore
from alerts.message import Words
from alerts.order_words import part_sentences
from alerts.rule import Rule
from alerts.rule_words import dimension_name, length_words
from i18n import translate
from queries.metrics import METRICS
from queries.value_name import value_name


def sentence(rule: Rule, language: str, words: Words) -> str:
    """The whole rule in words; every part that can change what happens is in it."""
    # Chinese sentences follow each other without a space.
    joiner = "" if language == "zh-CN" else " "
    if rule.order is not None:
        return joiner.join([*part_sentences(rule.order, language, rule.receivers), *_schedule(rule, language)])
    parts = [
        _looks_at(rule, language),
        *(_condition(rule, condition, language, words) for condition in rule.conditions),
        *_timing(rule, language),
        *_data(rule, language),
        *_telling(rule, language),
    ]
    return joiner.join(part for part in parts if part)


def metric_name(language: str, metric: str) -> str:
    """What a metric is called; its own name in rule tests."""
    return translate(language, f"metrics.{metric}.name") if metric in METRICS else metric


def group_name(rule: Rule, language: str, group: str) -> str:
    """What a group's label is called."""
    values = [group] if len(rule.group_by) < 2 else group.split("/")
    return " · ".join(value_name(language, name, value) for name, value in zip(rule.group_by, values, strict=False)) or group


def threshold_words(condition: Condition, value: float, language: str, words: Words) -> str:
    """A threshold in the unit it is held against: the figure's own, a change, or a distance from the usual."""
    compare = condition.compare
    unit = METRICS[condition.metric].unit if condition.metric in METRICS else "ratio"
    if isinstance(compare, Constant):
        return words.figure(language, unit, value) if condition.metric in METRICS else f"{value:g}"
    if isinstance(compare, Baseline):
        return translate(language, "rule_words.mads", n=f"{value:g}")
    if compare.by == "percent":
        return translate(language, "rule_words.percent", n=f"{value:+g}")
    if unit == "rate":
        return translate(language, "format.points", value=f"{value * 100:+g}")
    text = words.figure(language, unit, abs(value))
    return ("−" if value < 0 else "+") + text


def _looks_at(rule: Rule, language: str) -> str:
    joiner = translate(language, "rule_words.comma")
    groups = joiner.join(_in_a_sentence(dimension_name(language, name)) for name in rule.group_by)
    where = [
        translate(
            language,
            "rule_words.only",
            dimension=dimension_name(language, item.dimension),
            values=joiner.join(value_name(language, item.dimension, value) for value in item.values),
        )
        for item in rule.filters
    ]
    return translate(
        language,
        "rule_words.looks_each" if groups else "rule_words.looks_all",
        groups=groups,
        every=length_words(language, rule.every),
        where="".join(where),
    )


def _condition(rule: Rule, condition: Condition, language: str, words: Words) -> str:
    stock = condition.metric in METRICS and METRICS[condition.metric].anchor.is_stock
    over = translate(language, "rule_words.now" if stock else "rule_words.over", window=length_words(language, rule.window))
    against = _against(condition, language)
    levels = [_level(condition, level, language, words) for level in LEVELS if condition.threshold.start(level) is not None]
    prefix = translate(language, f"rule_words.joined_{rule.join}") if condition is not rule.conditions[0] else ""
    text = translate(
        language,
        "rule_words.figure",
        metric=metric_name(language, condition.metric),
        over=over,
        against=against,
        levels=translate(language, "rule_words.semicolon").join(levels),
    )
    return prefix + text + _own_limits(rule, condition, language, words)


def _in_a_sentence(name: str) -> str:
    return name[:1].lower() + name[1:]


def _against(condition: Condition, language: str) -> str:
    compare = condition.compare
    if isinstance(compare, PeriodBefore):
        return translate(language, f"rule_words.against_{compare.period}")
    if isinstance(compare, Baseline):
        return translate(language, "rule_words.against_baseline", weeks=compare.weeks)
    return ""


def _level(condition: Condition, level: Level, language: str, words: Words) -> str:
    start, recover = condition.threshold.start(level), condition.threshold.recover(level)
    assert start is not None
    text = translate(
        language,
        f"rule_words.{level}",
        op=translate(language, f"rule_words.op.{_OPS[condition.op]}"),
        value=threshold_words(condition, start, language, words),
    )
    if recover is None or recover == start:
        return text
    return text + translate(language, "rule_words.recover", value=threshold_words(condition, recover, language, words))


_OPS = {">": "above", ">=": "at_least", "<": "below", "<=": "at_most"}


def _own_limits(rule: Rule, condition: Condition, language: str, words: Words) -> str:
    if not condition.groups:
        return ""
    joiner = translate(language, "rule_words.comma")
    found = []
    for group, threshold in condition.groups:
        values = [
            threshold_words(condition, value, language, words)
            for level in LEVELS
            if (value := threshold.start(level)) is not None
        ]
        found.append(f"{group_name(rule, language, group)} {' / '.join(values)}")
    return translate(language, "rule_words.own_limits", groups=joiner.join(found))


def _timing(rule: Rule, language: str) -> list[str]:
    found = []
    if rule.datapoints and rule.datapoints.n > 1:
        key = "in_a_row" if rule.datapoints.m == rule.datapoints.n else "m_of_n"
        found.append(translate(language, f"rule_words.{key}", m=rule.datapoints.m, n=rule.datapoints.n))
    elif rule.hold:
        found.append(translate(language, "rule_words.hold", length=length_words(language, rule.hold)))
    else:
        found.append(translate(language, "rule_words.at_once"))
    if rule.keep_firing:
        found.append(translate(language, "rule_words.keep_firing", length=length_words(language, rule.keep_firing)))
    return found


def _data(rule: Rule, language: str) -> list[str]:
    found = []
    if rule.min_samples:
        found.append(translate(language, "rule_words.min_samples", n=rule.min_samples))
    if rule.delay:
        found.append(translate(language, "rule_words.delay", length=length_words(language, rule.delay)))
    found.append(translate(language, f"rule_words.no_data.{rule.no_data}"))
    if rule.expected_dimension:
        found.append(translate(language, "rule_words.expected", groups=dimension_name(language, rule.expected_dimension)))
    elif rule.expected_groups:
        names = translate(language, "rule_words.comma").join(group_name(rule, language, group) for group in rule.expected_groups)
        found.append(translate(language, "rule_words.expected", groups=names))
    return found


def _telling(rule: Rule, language: str) -> list[str]:
    found = _schedule(rule, language)
    if rule.receivers:
        names = translate(language, "rule_words.comma").join(rule.receivers)
        found.append(translate(language, "rule_words.tells", names=names, repeat=length_words(language, rule.repeat)))
    return found


def _schedule(rule: Rule, language: str) -> list[str]:
    found = []
    if rule.schedule.kind == "business_hours":
        days = translate(language, "rule_words.comma").join(
            translate(language, f"format.weekday.{day}") for day in rule.schedule.days
        )
        hours = {"start": rule.schedule.start_hour, "end": rule.schedule.end_hour}
        key = "rule_words.business_hours_overnight" if rule.schedule.is_overnight else "rule_words.business_hours"
        found.append(translate(language, key, days=days, **hours))
    if rule.schedule.kind == "campaign" and rule.schedule.since:
        found.append(translate(language, "rule_words.campaign", day=rule.schedule.since.isoformat()))
    if rule.expires_on:
        found.append(translate(language, "rule_words.expires", day=rule.expires_on.isoformat()))
    return found
