"""Reading single values of a rule's YAML; every refusal names the part, the reason and the remedy."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, cast

from alerts.fault import RuleError
from data.personal import plain_note
from i18n import FALLBACK, LANGUAGES
from queries.check import NO_TEXT, suggest

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LONGEST: Final = timedelta(days=366)
MOST_GROUPS: Final = 1000
MOST_TEXT: Final = 2000
HIDING: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Signs that turn, hide or break a line of text, and halves of signs; none belongs in a name or a message."""


def write_length(length: timedelta) -> str:
    """The shortest text that reads back as this length."""
    seconds = round(length.total_seconds())
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % UNITS[unit] == 0:
            return f"{seconds // UNITS[unit]}{unit}"
    return f"{seconds}s"


def read_mapping(raw: object, what: str) -> Mapping[str, Any]:
    """A mapping with text keys; raises RuleError."""
    if not isinstance(raw, Mapping):
        raise RuleError(f"{what} is a list of `key: value`, not {type(raw).__name__}: see docs/rules.md")
    return {str(key): value for key, value in raw.items()}


def check_keys(given: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    """Raise RuleError, with a did-you-mean, for a key that is not known."""
    for key in given:
        if key not in known:
            raise RuleError(f"{what} has no {key!r}: {suggest(key, known)}")


def read_choice(value: object, known: Sequence[str], what: str) -> str:
    """One of the known words; raises RuleError."""
    # YAML reads a bare `no` or `on` as a truth value; only texts are names.
    if isinstance(value, str) and value in known:
        return value
    raise RuleError(f"{what} is never {value!r}: {suggest(str(value), known)}")


def read_length(value: object, key: str = "a length") -> timedelta:
    """A length of time from `90s`, `5m`, `1h30m`, `2d`, `1w`; raises RuleError."""
    text = "0s" if value == 0 and not isinstance(value, bool) else str(value).strip()
    if not re.fullmatch(r"([0-9]{1,9}(\.[0-9]+)?[smhdw])+", text):
        raise RuleError(f"{key} {value!r} is no length of time: write 90s, 5m, 1h30m, 2d or 1w")
    seconds = sum(float(number) * UNITS[unit] for number, _, unit in re.findall(r"([0-9]+(\.[0-9]+)?)([smhdw])", text))
    if seconds > LONGEST.total_seconds():
        raise RuleError(f"{key} {value!r} is longer than a year: shorten it")
    return timedelta(seconds=seconds)


def read_whole(value: object, key: str, least: int, most: int) -> int:
    """A whole number within bounds; raises RuleError."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RuleError(f"{key} {value!r} is not possible: give a whole number from {least} to {most}")
    return value


def read_number(value: object, key: str) -> float | None:
    """A finite number, or None; raises RuleError."""
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if not is_number:
        raise RuleError(f"{key} {str(value)[:40]!r} is no number: give a plain figure such as 0.05 or 7200")
    return float(cast(float, value))


def read_text(value: object, key: str) -> str:
    """A text of bounded length; raises RuleError."""
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise RuleError(f"{key} is a text of at most {MOST_TEXT} characters")
    if HIDING.search(value):
        raise RuleError(f"{key} holds signs that turn or hide text: write it anew, without copying them")
    return value


def kept_note(text: str) -> str:
    """A note or a reason as every book of the alerts and its audit keep it: phone numbers masked, of bounded length."""
    return plain_note(text)[:MOST_TEXT]


def read_name(value: object, *, is_test: bool) -> str:
    """A rule's name; raises RuleError."""
    if value is None and is_test:
        return "rule"
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", value):
        raise RuleError(f"the name {value!r} cannot be used: take up to 64 of a-z, 0-9, '-', '_'")
    return value


def read_words(value: object, key: str) -> tuple[str, ...]:
    """Names, each once; raises RuleError."""
    if value is None:
        return ()
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not all(isinstance(word, str) and word for word in found):
        raise RuleError(f"{key} is a list of names, not {value!r}")
    if len(found) > MOST_GROUPS:
        raise RuleError(f"{key} has {len(found)} entries: at most {MOST_GROUPS} are allowed")
    return tuple(dict.fromkeys(read_code(word, key) for word in found))


def read_code(word: str, key: str) -> str:
    """A value as the data may hold it; raises RuleError."""
    if len(word) > MOST_TEXT or NO_TEXT.search(word):
        raise RuleError(f"{key} holds a name that no order can have: write it anew, without copying it")
    return word


def read_texts(value: object, key: str) -> tuple[tuple[str, str], ...]:
    """Texts by language, one of the interface's; a plain text stands for English."""
    if value is None:
        return ()
    given = {FALLBACK: value} if isinstance(value, str) else read_mapping(value, key)
    check_keys(given, LANGUAGES, key)
    return tuple((language, read_text(text, f"{key}.{language}")) for language, text in given.items())


def read_day(value: object, key: str) -> date | None:
    """A calendar day, or None; raises RuleError."""
    if value is None or type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise RuleError(f"{key} {value!r} is no day: write 2026-12-31") from None
