"""Why a rule was refused, in the reader's language: the reasons are written in English where they are found."""

from __future__ import annotations

import re
from typing import Final

from alerts.rule import RuleError
from i18n import translate
from pages.reasons import first_fit
from pages.rule_values import Values, shown, unit_of
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.order_fields import ORDER_FIELDS

REASONS: Final = (
    (r"^filters: (?P<reason>.+)", "filters"),
    (r"^(?P<a>.+) has no threshold", "no_threshold"),
    (r"warning (?P<a>\S+) lies beyond critical (?P<b>\S+)", "beyond"),
    (r"_recover without", "recover_alone"),
    (r"_recover (?P<a>\S+) is on the wrong side", "recover_side"),
    (r"orders have no field '(?P<a>[^']*)'", "no_field"),
    (r"the rule does nothing", "nothing"),
    (r"^(?P<b>\S+) has \S+ values: choose", "values"),
    (r"^(?P<b>\S+) has no value to compare with", "no_compare"),
    (r"there is no metric '?(?P<a>[^']*)'?", "no_metric"),
    (r"there is no dimension '?(?P<a>[^']*)'?", "unknown_dimension"),
    (r"no metric is named", "metric_missing"),
    (r"the window (?P<a>\S+) is shorter than every (?P<b>[^:]+)", "window_short"),
    (r"the window (?P<a>\S+) is shorter than the (?P<b>\S+) in which (?P<c>\S+) sends", "window_rhythm"),
    (r"every is 0", "every_zero"),
    (r"exclude each other", "hold_and_points"),
    (r"datapoints '(?P<a>.*)' is not possible", "points"),
    (r"a campaign ends some day", "campaign_end"),
    (r"expected_groups names no dimension '(?P<a>.*?)'", "expected_unknown"),
    (r"expected_groups '?(?P<a>[^']*)'? is not what the rule groups by", "expected_other"),
    (r"expected_groups without group_by", "expected_alone"),
    (r"thresholds for '(?P<a>.*)' without group_by", "limits_alone"),
    (r"^thresholds has (?P<a>\S+) groups: at most (?P<b>\S+)", "limits_many"),
    (r"'(?P<a>.*)' must name a value of each of (?P<b>.+?), with", "group_value"),
    (r"'(?P<a>.*)' stands beside `conditions`", "beside_conditions"),
    (r"^conditions is a list of one to (?P<a>\S+)", "conditions_count"),
    (r"^(?P<a>\S+) has no dimension '(?P<b>.*?)'", "no_dimension"),
    (r"^(?P<a>\S+) does not say how many orders", "no_n"),
    (r"is a rate from 0 to 1", "rate"),
    (r"^(?P<a>\S+) is never below 0", "negative"),
    (r"^(?P<b>\S+) '(?P<a>.*)' is no length of time", "length"),
    (r"is longer than a year", "year"),
    (r"^(?P<b>\S+) '?(?P<a>\S+?)'? is not possible: give a whole number from (?P<c>\S+) to (?P<d>\S+)", "whole_between"),
    (r"^(?P<b>\S+) '(?P<a>.*)' is no number", "number"),
    (r"^(?P<b>\S+) is a text of at most (?P<a>\S+) characters", "text_long"),
    (r"^(?P<b>\S+) holds signs that turn or hide text", "hiding"),
    (r"^(?P<b>\S+) is a list of names, not '(?P<a>.*)'", "names"),
    (r"^(?P<b>\S+) holds a name that no order can have", "name_no_order"),
    (r"^the filter on (?P<b>\S+) holds a sign that no text has", "filter_sign"),
    (r"^(?P<b>\S+) has (?P<a>\S+) entries: at most (?P<c>\S+)", "entries_many"),
    (r"^(?P<a>.+) is a list of `key: value`", "mapping"),
    (r"time zone '(?P<a>.*)' does not exist", "zone"),
    (r"'(?P<a>.*)' is no day", "day"),
    (r"is never set to '(?P<a>.*)'", "status"),
    (r"(?P<b>\S+) is never '(?P<a>.*?)'", "value"),
    (r"(?P<a>\S+) lies outside the bounds of headquarters \((?P<b>.*)\)", "bounds"),
    (r"the least (?P<a>\S+) lies above the most (?P<b>[^:]+)", "bounds_order"),
    (r"bounds are the administrator's", "bounds_admin"),
    (r"^(?P<a>\S+) is personal", "mandatory_personal"),
    (r"^(?P<a>\S+) is not live", "mandatory_live"),
    (r"there is no receiver '(?P<a>.*)'", "no_receiver"),
    (r"There is already a receiver '(?P<a>.*)'", "receiver_taken"),
    (r"^the channel needs '(?P<a>.*)'", "receiver_needs"),
    (r"^(?P<a>\S+) is a secret: name it", "receiver_secret"),
    (r"test messages are the analysts'", "test_analyst"),
    (r"was tested a moment ago", "test_again"),
    (r"^schedule: .* is no time at all", "hours"),
    (r"^schedule\.days .* names no day", "days"),
    (r"say why", "why"),
    (r"was never tried on history", "untried"),
    (r"is for others", "analyst"),
    (r"rules for others are the analysts'", "analyst"),
    (r"is mandatory", "mandatory"),
    (r"was never published", "unpublished"),
    (r"there is no rule", "no_rule"),
    (r"^(?P<b>\S+) has no version (?P<a>[^\s:]+)", "no_version"),
    (r"the name '(?P<a>.*)' cannot be used", "name"),
    (r"There is already a rule", "taken"),
    (r"a verdict is one of", "verdict"),
    (r"there is no such alert", "no_alert"),
    (r"there is nothing to take back", "nothing_to_undo"),
    (r"a silence needs at least one matcher", "silence_empty"),
    (r"a silence has no matcher '(?P<a>.*)'", "silence_matcher"),
    (r"a silence ends later than now and within (?P<a>\S+) days", "silence_end"),
    (r"^silence (?P<a>\S+) has ended", "silence_over"),
    (r"'(?P<a>.*)' is named twice", "twice"),
    (r"^filter '(?P<a>.*)' has no value", "filter_empty"),
    (r"needs a window with a start|a window without a start", "window_start"),
    (r"^the filter on (?P<b>\S+) has (?P<a>\S+) values: at most (?P<c>\S+)", "filter_many"),
    (r"there is no snapshot", "no_snapshot"),
    (r"^(?P<a>\S+) buckets by \S+ are too many", "buckets"),
    (r"cannot be compared by bucket|does not fall on whole", "compare_bucket"),
    (r"there is no \S+ '(?P<a>.*?)'", "unknown_word"),
    (r"^(?P<b>.+?) has no '(?P<a>.*?)'", "no_key"),
)
"""What a reason says, and its sentence in `rules.refused`; the first that fits counts."""

LIMIT: Final = re.compile(r"(?<=warning |ritical |recover )-?[0-9.]+(?:e-?[0-9]+)?")
"""A limit in a reason."""

GUESS: Final = "did you mean"
"""A reason with this knows a remedy that no sentence has."""


def explain(error: Exception, language: str) -> str:
    """The reason in the reader's words; as it was written where there is no sentence for it, in English where it has a guess."""
    text = str(error)
    if language == "en" and GUESS in text:
        return text[:1].upper() + text[1:]
    if found := first_fit(REASONS, text):
        key, parts = found
        if reason := parts.pop("reason", ""):
            return translate(language, f"rules.refused.{key}", reason=explain(ValueError(reason), language))
        return translate(language, f"rules.refused.{key}", **{name: _word(language, part) for name, part in parts.items()})
    return text


def in_units(error: Exception, values: Values, language: str) -> Exception:
    """A refusal of the form's limits with its numbers as the form shows them: 7.8%, not 0.078."""
    if values.get("conditions", "1") != "1":
        return error
    kind = values.get("c0.compare") or "constant"
    factor, unit = unit_of(values.get("c0.metric", ""), kind, values.get(f"c0.{kind}.by", "percent"))
    suffix = translate(language, f"rules.unit.{unit}").strip() if factor != 1 else ""
    return RuleError(LIMIT.sub(lambda match: shown(float(match[0]), factor) + suffix, str(error)) if suffix else str(error))


def _word(language: str, text: str) -> str:
    """A metric, a dimension or a part of a rule by the name the page gives it, a list of them each; anything else as it is."""
    if ", " in text:
        return translate(language, "marks.joiner").join(_word(language, part) for part in text.split(", "))
    if text in METRICS:
        return translate(language, f"metrics.{text}.name")
    if text in DIMENSIONS:
        return translate(language, f"dimensions.{text}.name")
    if text in ORDER_FIELDS:
        return translate(language, f"order_rule.field.{text}")
    part = text.rpartition(".")[2]
    for key in (f"rules.field.{part}", f"rules.house.setting.{part}"):
        if (word := translate(language, key)) != key:
            return word
    return text
