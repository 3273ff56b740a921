"""Between a rule and the plain texts of its form: figures in the unit a reader writes them in, one text per input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from alerts.conditions import COMPARISONS, LEVELS, Baseline, Condition, Constant, PeriodBefore, Threshold
from alerts.parse_condition import LEVEL_KEYS, MOST_CONDITIONS
from alerts.rule import Rule, RuleError, Schedule
from alerts.values import write_length
from i18n import translate
from queries.metrics import METRICS

Values = dict[str, str]
LANGUAGE_KEYS: Final = {"en": "en", "zh-CN": "zh"}
LENGTHS: Final = ("window", "every", "delay", "keep_firing", "repeat")
FILTERS: Final = 4
"""So many filters a form has room for."""
NUMBERS: Final = ("min_samples", "missing_evals", "max_instances")
PLAIN: Final = ("runbook", "owner", "template")


def unit_of(metric: str, kind: str, by: str = "percent") -> tuple[float, str]:
    """What a threshold is multiplied by to be shown, and the unit's key: `%` for a share, hours for a length of time."""
    unit = METRICS[metric].unit if metric in METRICS else "ratio"
    if kind == Baseline.name:
        return 1, "mad"
    if kind == PeriodBefore.name and by == "percent":
        return 1, "percent"
    if unit == "rate":
        return 100, "points" if kind == PeriodBefore.name else "percent"
    if unit == "seconds":
        return 1 / 3600, "hours"
    return 1, "orders" if unit == "count" else "none"


def shown(value: float | None, factor: float) -> str:
    """A threshold as it is written in the form."""
    return "" if value is None else f"{value * factor:.6g}"


def read(text: str, factor: float, what: str, language: str) -> float | None:
    """A threshold from its text; None where it is empty. Raises RuleError."""
    plain = text.strip().replace(",", "").replace("−", "-").rstrip("%").strip()
    if not plain:
        return None
    try:
        return float(f"{float(plain) / factor:.12g}")
    except ValueError:
        raise RuleError(translate(language, "rules.error.number", what=what, text=text[:40])) from None


def values_of(rule: Rule) -> Values:
    """Every input's text for a rule."""
    found: Values = {"name": rule.name, "join": rule.join, "conditions": str(len(rule.conditions))}
    for language, key in LANGUAGE_KEYS.items():
        found[f"title_{key}"] = dict(rule.title).get(language, "")
        found[f"text_{key}"] = dict(rule.text).get(language, "")
    for place, condition in enumerate(rule.conditions):
        found |= _condition_values(condition, place)
    for place, item in enumerate(rule.filters[:FILTERS]):
        found[f"filter.{place}"] = item.dimension
        found[f"filter_values.{place}"] = ", ".join("null" if value is None else value for value in item.values)
    found["group_by"] = ",".join(rule.group_by)
    found |= {key: write_length(getattr(rule, key)) for key in LENGTHS}
    found |= {"timing": "points" if rule.datapoints else "hold", "for": write_length(rule.hold)}
    found |= {"m": str(rule.datapoints.m) if rule.datapoints else "2", "n": str(rule.datapoints.n) if rule.datapoints else "3"}
    found |= {key: str(getattr(rule, key)) for key in NUMBERS} | {key: getattr(rule, key) for key in PLAIN}
    found["no_data"] = rule.no_data
    found["expected"] = "dimension" if rule.expected_dimension else "list" if rule.expected_groups else "none"
    found["expected_groups"] = ", ".join(rule.expected_groups)
    found["receivers"] = ",".join(rule.receivers)
    found["expires_on"] = rule.expires_on.isoformat() if rule.expires_on else ""
    found |= schedule_values(rule.schedule)
    return found


def _condition_values(condition: Condition, place: int) -> Values:
    compare = condition.compare
    by = compare.by if isinstance(compare, PeriodBefore) else "percent"
    factor, _ = unit_of(condition.metric, compare.name, by)
    own = {f"c{place}.{key}": shown(getattr(condition.threshold, key), factor) for key in LEVEL_KEYS}
    own |= {f"c{place}.metric": condition.metric, f"c{place}.op": condition.op, f"c{place}.compare": compare.name}
    for kind in COMPARISONS.values():
        for field in fields(kind):
            chosen = getattr(compare, field.name) if isinstance(compare, kind) else field.default
            own[f"c{place}.{kind.name}.{field.name}"] = str(chosen)
    if place == 0:
        for group, threshold in condition.groups:
            for level in LEVELS:
                own[f"limit.{level}.{group}"] = shown(threshold.start(level), factor)
    return own


def schedule_values(schedule: Schedule) -> Values:
    """The inputs of when messages go out."""
    return {
        "schedule": schedule.kind,
        "days": ",".join(map(str, schedule.days)),
        "start_hour": str(schedule.start_hour),
        "end_hour": str(schedule.end_hour),
        "since": schedule.since.isoformat() if schedule.since else "",
        "time_zone": schedule.time_zone,
    }


def body_of(values: Mapping[str, str], language: str, kept: Rule | None = None) -> dict[str, Any]:
    """The rule's YAML that the form's texts say; what the form has no input for stays as in `kept`. Raises RuleError."""

    def text(name: str) -> str:
        return values.get(name, "").strip()

    body: dict[str, Any] = {"name": text("name"), "join": text("join") or "and"}
    for key in ("title", "text"):
        words = {code: text(f"{key}_{short}") for code, short in LANGUAGE_KEYS.items()}
        body[key] = {code: word for code, word in words.items() if word}
    count = min(MOST_CONDITIONS, _whole(values, "conditions", language))
    conditions = [_condition_body(values, place, language, kept) for place in range(max(1, count))]
    body |= conditions[0] if len(conditions) == 1 else {"conditions": conditions}
    filters = {text(f"filter.{place}"): split_names(text(f"filter_values.{place}")) for place in range(FILTERS)}
    body["filters"] = {
        name: [None if value == "null" else value for value in chosen] for name, chosen in filters.items() if name and chosen
    }
    body["group_by"] = split_names(text("group_by"))
    body |= {key: text(key) for key in LENGTHS if text(key)}
    if text("timing") == "points":
        body["datapoints"] = f"{text('m')} of {text('n')}"
    elif text("for"):
        body["for"] = text("for")
    body |= {key: _whole(values, key, language) for key in NUMBERS if text(key)} | {key: text(key) for key in PLAIN}
    body["no_data"] = text("no_data") or "no_data"
    body |= _expected_body(values, body["group_by"])
    body["receivers"] = split_names(text("receivers"))
    body["schedule"] = schedule_body(values, language)
    if text("expires_on"):
        body["expires_on"] = text("expires_on")
    return {key: value for key, value in body.items() if value not in ("", [], {})}


def split_names(text: str) -> list[str]:
    """The names in a text, with commas of either script between."""
    return [name for part in text.replace("，", ",").replace("、", ",").split(",") if (name := part.strip())]


def _whole(values: Mapping[str, str], key: str, language: str) -> int:
    text = values.get(key, "").strip()
    if not text.isdecimal():
        raise RuleError(translate(language, "rules.error.whole", what=translate(language, f"rules.field.{key}"), text=text[:40]))
    return int(text)


def _condition_body(values: Mapping[str, str], place: int, language: str, kept: Rule | None) -> dict[str, Any]:
    prefix = f"c{place}."
    metric, kind = values.get(f"{prefix}metric", ""), values.get(f"{prefix}compare") or Constant.name
    compare: dict[str, Any] = {"with": kind}
    for field in fields(COMPARISONS.get(kind, Constant)):
        chosen = values.get(f"{prefix}{kind}.{field.name}", str(field.default))
        compare[field.name] = int(chosen) if chosen.isdecimal() else chosen
    factor, _ = unit_of(metric, kind, str(compare.get("by", "percent")))
    body: dict[str, Any] = {"metric": metric, "op": values.get(f"{prefix}op", ">"), "compare": compare}
    for key in LEVEL_KEYS:
        number = read(values.get(f"{prefix}{key}", ""), factor, translate(language, f"rules.field.{key}"), language)
        if number is not None:
            body[key] = number
    limits = _limits_body(values, factor, language) if place == 0 else _kept_limits(kept, place)
    return body | ({"thresholds": limits} if limits else {})


def _limits_body(values: Mapping[str, str], factor: float, language: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for name, text in values.items():
        kind, _, rest = name.partition(".")
        level, _, group = rest.partition(".")
        if kind == "limit" and level in LEVELS and group:
            number = read(text, factor, group, language)
            if number is not None:
                found.setdefault(group, {})[level] = number
    return found


def _kept_limits(kept: Rule | None, place: int) -> dict[str, dict[str, float]]:
    if kept is None or place >= len(kept.conditions):
        return {}
    return {group: _plain(threshold) for group, threshold in kept.conditions[place].groups}


def _plain(threshold: Threshold) -> dict[str, float]:
    return {key: value for key in LEVEL_KEYS if (value := getattr(threshold, key)) is not None}


def _expected_body(values: Mapping[str, str], group_by: list[str]) -> dict[str, Any]:
    if values.get("expected") == "dimension" and len(group_by) == 1:
        return {"expected_groups": group_by[0]}
    if values.get("expected") == "list":
        return {"expected_groups": split_names(values.get("expected_groups", ""))}
    return {}


def schedule_body(values: Mapping[str, str], language: str) -> dict[str, Any]:
    """When messages go out, as a rule has it; empty for always. Raises RuleError."""
    kind = values.get("schedule") or "always"
    if kind == "always":
        return {}
    if kind == "campaign":
        return {"kind": kind, "since": values.get("since") or None}
    days = [int(day) for day in split_names(values.get("days", "")) if day.isdecimal()]
    hours = {key: _whole(values, key, language) for key in ("start_hour", "end_hour")}
    zone = {"time_zone": values["time_zone"].strip()} if values.get("time_zone", "").strip() else {}
    return {"kind": kind, "days": days or [1, 2, 3, 4, 5, 6, 7], **hours, **zone}
