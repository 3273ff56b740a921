"""Names that sentences about rules are made of: dimensions, lengths of time."""

from __future__ import annotations

from datetime import timedelta

from i18n import translate


def dimension_name(language: str, dimension: str) -> str:
    """What a dimension is called."""
    return translate(language, f"dimensions.{dimension}.name")


def length_words(language: str, length: timedelta) -> str:
    """A length of time in words: `30 min`, `24 h`, `3 d`."""
    seconds = round(length.total_seconds())
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds and seconds % size == 0 and (unit != "day" or seconds >= 2 * size):
            return translate(language, f"rule_words.unit.{unit}", n=seconds // size)
    return translate(language, "rule_words.unit.second", n=seconds)
