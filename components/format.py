"""Figures in the reader's words: the one place where hours, percent and local time exist.

Every function takes the language first and gives a plain text; None and NaN become a dash.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from i18n import translate

MINUS: Final = "−"
MINUTE, HOUR, DAY = 60, 3_600, 86_400
DAYS_FROM: Final = 72 * HOUR
"""From three days on a duration is told in days and hours."""

ChangeKind = Literal["share", "points", "count", "seconds", "permille"]


def is_missing(value: float | None) -> bool:
    """Whether there is no figure to show."""
    return value is None or math.isnan(value)


def dash(language: str) -> str:
    """What stands where there is no figure."""
    return translate(language, "format.none")


def count(language: str, value: float | None) -> str:
    """A count with thousands separated: `182,406`."""
    return dash(language) if value is None or is_missing(value) else _minus(f"{_round(value):,}")


def percent(language: str, rate: float | None, digits: int = 1) -> str:
    """A rate of 0–1 as `91.3%`."""
    return dash(language) if rate is None or is_missing(rate) else _minus(f"{rate * 100:.{digits}f}%")


def permille(language: str, rate: float | None, digits: int = 1) -> str:
    """A rate of 0–1 as `0.3‰`."""
    return dash(language) if rate is None or is_missing(rate) else _minus(f"{rate * 1000:.{digits}f}‰")


def money(language: str, value: float | None, currency: str | None = None) -> str:
    """An amount with its currency's code: `1,234.50 CNY`."""
    if value is None or is_missing(value):
        return dash(language)
    return _minus(f"{value:,.2f}") + (f" {currency}" if currency else "")


def exact_instant(instant: datetime | None, zone: ZoneInfo) -> str:
    """Date and time to the millisecond: `2026-11-23 14:35:10.250`."""
    return "–" if instant is None else f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def duration(language: str, seconds: float | None, *, short: bool = False) -> str:
    """A length of time in its two largest units: `5 h 42 min`, `5 小时 42 分`; `short` saves room where it can.

    Rounded to the smaller unit; under a minute in seconds, from three days on in days and hours.
    """
    if seconds is None or is_missing(seconds):
        return dash(language)
    sign = MINUS if seconds < 0 else ""
    (first, unit), *rest = _parts(abs(seconds))
    form = "short" if short else "long"
    words = [translate(language, f"format.{unit}_{form}", n=first)]
    words += [translate(language, f"format.{unit}_{form}", n=f"{n:02d}" if short else n) for n, unit in rest]
    return sign + translate(language, "format.joiner").join(words)


def brief(language: str, seconds: float | None) -> str:
    """A length of time in its largest unit only, where there is no room for two: `20 h`, `20 小时`."""
    if seconds is None or is_missing(seconds):
        return dash(language)
    units = ((DAYS_FROM, DAY, "day"), (1.5 * HOUR, HOUR, "hour"), (MINUTE, MINUTE, "minute"), (0, 1, "second"))
    size, unit = next((size, unit) for start, size, unit in units if abs(seconds) >= start)
    return _minus(translate(language, f"format.{unit}_long", n=_round(seconds / size)))


def age(language: str, seconds: float | None) -> str:
    """How old something is, in its largest unit: `18 min`, `18 分钟`."""
    if seconds is None or is_missing(seconds):
        return dash(language)
    for size, unit in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= 2 * size or (unit != "day" and seconds >= size):
            return translate(language, f"format.age_{unit}", n=int(seconds // size))
    return translate(language, "format.under_a_minute")


def change(language: str, value: float | None, kind: ChangeKind) -> str:
    """A signed difference: `+4.1%` (share), `−3.9 pp` (points), `+1,908` (count), `+2 h 05 min` (seconds)."""
    if value is None or is_missing(value):
        return dash(language)
    size = abs(value)
    texts = {
        "share": lambda: percent(language, size),
        "points": lambda: translate(language, "format.points", value=f"{size * 100:.1f}"),
        "permille": lambda: permille(language, size),
        "count": lambda: count(language, size),
        "seconds": lambda: duration(language, size, short=True),
    }
    text = texts[kind]()
    if not any(digit in text for digit in "123456789"):
        return "±" + text
    return (MINUS if value < 0 else "+") + text


def clock(instant: datetime | None, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """The time of day in the user's zone: `14:35`, `14:35:10`."""
    return "–" if instant is None else instant.astimezone(zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def when(language: str, instant: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """An instant as near as needed: `14:35` today, `yesterday 14:35`, `Tue 14:35`, `11-20 14:35`, `2017-10-01 14:35`."""
    if instant is None:
        return dash(language)
    there, here = instant.astimezone(zone), now.astimezone(zone)
    days = (here.date() - there.date()).days
    time = there.strftime("%H:%M")
    if days == 0:
        return time
    if days == 1:
        return f"{translate(language, 'format.yesterday')} {time}"
    if 1 < days < 7:
        return f"{translate(language, f'format.weekday.{there.isoweekday()}')} {time}"
    return there.strftime("%m-%d %H:%M" if there.year == here.year else "%Y-%m-%d %H:%M")


def full_instant(instant: datetime | None, zone: ZoneInfo) -> str:
    """Date, time to the second and zone: `2026-11-23 14:35:10 Asia/Shanghai`."""
    return "–" if instant is None else f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S} {zone.key}"


def dated_instant(instant: datetime, zone: ZoneInfo) -> str:
    """Date and time to the second, where the zone stands in the column's head: `2026-11-23 14:35:10`."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _parts(seconds: float) -> list[tuple[int, str]]:
    if seconds < MINUTE and _round(seconds) < MINUTE:
        return [(_round(seconds), "second")]
    if seconds >= DAYS_FROM:
        days, hours = divmod(_round(seconds / HOUR), 24)
        return [(days, "day"), (hours, "hour")] if hours else [(days, "day")]
    hours, minutes = divmod(_round(seconds / MINUTE), 60)
    if not hours:
        return [(minutes, "minute")]
    return [(hours, "hour"), (minutes, "minute")] if minutes else [(hours, "hour")]


def _round(value: float) -> int:
    return math.floor(value + 0.5)


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
