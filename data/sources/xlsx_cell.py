"""What a number in a workbook's cell means by its format: a date, a time, a padded code or a plain number.

Source: ECMA-376 part 1, 18.8.30 (number formats) and 18.17.4 (dates and times).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

Show = Callable[[str], str]

DAY_MS: Final = 86_400_000
_BUILT_IN_DATES: Final = {*range(14, 18), 22, *range(27, 37), *range(50, 59)}
_BUILT_IN_TIMES: Final = {*range(18, 22), 45, 47}
_NOT_CODE: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_MAX_DIGITS: Final = 15
_LEAP_DAY_THAT_NEVER_WAS: Final = 60


def shown_by_style(number: int, code: str, base_1904: bool) -> Show:
    """How values of a format (its number and code) are written as text."""
    bare = _NOT_CODE.sub("", code.split(";")[0]).lower()
    if "[" in bare:
        return plain_number
    if number in _BUILT_IN_DATES or number in _BUILT_IN_TIMES or (bare != "general" and re.search("[ymdhs]", bare)):
        return lambda value: date_text(value, base_1904)
    if re.fullmatch("0{2,}", bare):
        return lambda value: plain_number(value).zfill(len(bare))
    return plain_number


def plain_number(value: str) -> str:
    """A number with the 15 significant digits Excel keeps; a longer one shows as `1.23456789012346e+15` so it is seen."""
    if len(value) <= _MAX_DIGITS and value.isdigit():
        return value
    return f"{float(value):.15g}"


def date_text(value: str, base_1904: bool) -> str:
    """ISO text of a serial: date, time of day below 1, else both. Serial 60, 29 February 1900, shows as that and is no date."""
    serial = float(value)
    milliseconds = round(serial * DAY_MS)
    days, rest = divmod(milliseconds, DAY_MS)
    if serial < 0 or days > 2_958_465:
        return plain_number(value)
    clock = _clock(rest)
    if days == 0 and not base_1904:
        return clock
    date = _date(days, base_1904)
    return date if rest == 0 else f"{date} {clock}"


def _date(days: int, base_1904: bool) -> str:
    if days == _LEAP_DAY_THAT_NEVER_WAS and not base_1904:
        return "1900-02-29"
    first = datetime(1904, 1, 1) if base_1904 else datetime(1899, 12, 31 if days < _LEAP_DAY_THAT_NEVER_WAS else 30)  # noqa: DTZ001 - a calendar day
    return f"{first + timedelta(days=days):%Y-%m-%d}"


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{clock}.{rest:03d}" if rest else clock
