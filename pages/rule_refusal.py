"""Why a rule was refused, in the reader's language: the reasons are written in English where they are found."""

from __future__ import annotations

import re
from typing import Final

from i18n import translate

REASONS: Final = (
    (r"^(?P<a>.+) has no threshold", "no_threshold"),
    (r"warning (?P<a>\S+) lies beyond critical (?P<b>\S+)", "beyond"),
    (r"_recover without", "recover_alone"),
    (r"_recover (?P<a>\S+) is on the wrong side", "recover_side"),
    (r"there is no metric '?(?P<a>[^']*)'?", "no_metric"),
    (r"the window (?P<a>\S+) is shorter than every (?P<b>[^:]+)", "window_short"),
    (r"every is 0", "every_zero"),
    (r"exclude each other", "hold_and_points"),
    (r"datapoints '(?P<a>.*)' is not possible", "points"),
    (r"a campaign ends some day", "campaign_end"),
    (r"expected_groups '?(?P<a>[^']*)'? is not what the rule groups by", "expected_other"),
    (r"expected_groups without group_by", "expected_alone"),
    (r"thresholds for '(?P<a>.*)' without group_by", "limits_alone"),
    (r"^(?P<a>\S+) has no dimension '(?P<b>.*)'", "no_dimension"),
    (r"^(?P<a>\S+) does not say how many orders", "no_n"),
    (r"is a rate from 0 to 1", "rate"),
    (r"^(?P<a>\S+) is never below 0", "negative"),
    (r"^(?P<b>\S+) '(?P<a>.*)' is no length of time", "length"),
    (r"is longer than a year", "year"),
    (r"^(?P<b>\S+) (?P<a>\S+) is not possible: give a whole number from (?P<c>\S+) to (?P<d>\S+)", "whole_between"),
    (r"time zone '(?P<a>.*)' does not exist", "zone"),
    (r"'(?P<a>.*)' is no day", "day"),
    (r"(?P<b>\S+) is never '(?P<a>.*)'", "value"),
    (r"(?P<a>\S+) lies outside the bounds of headquarters \((?P<b>.*)\)", "bounds"),
    (r"is not before", "hours"),
    (r"say why", "why"),
    (r"was never tried on history", "untried"),
    (r"is for others", "analyst"),
    (r"rules for others are the analysts'", "analyst"),
    (r"is mandatory", "mandatory"),
    (r"was never published", "unpublished"),
    (r"there is no rule", "no_rule"),
    (r"the name '(?P<a>.*)' cannot be used", "name"),
    (r"There is already a rule", "taken"),
)
"""What a reason says, and its sentence in `rules.refused`; the first that fits counts."""


def explain(error: Exception, language: str) -> str:
    """The reason in the reader's language; as it was written where there is no sentence for it."""
    text = str(error)
    if language == "en":
        return text[:1].upper() + text[1:]
    for pattern, key in REASONS:
        if match := re.search(pattern, text):
            return translate(language, f"rules.refused.{key}", **match.groupdict())
    return text
