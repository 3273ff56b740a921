"""Reading instants: from a text to UTC milliseconds, with the offset in the text or else the contract's zone."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from data.sql_text import literal
from data.zone import utc_ms_sql

SPECIAL_FORMATS: Final = ("iso", "epoch_seconds", "epoch_milliseconds", "excel")
"""Words beside strptime patterns: ISO 8601, seconds or milliseconds since 1970 UTC, and the day number of a spreadsheet."""

_TOO_EARLY: Final = 365 * 86_400_000 - 1
"""The last millisecond of 1970: up to then lie no orders, but zeros and the other dates by which systems mean «nothing yet»."""

NOTHING_YET: Final = r"[0:./ T-]*0[0:./ T-]*|(000\d|1[0-8]\d\d|19[0-6]\d|1970)[-/.年].*"
"""What such a date looks like."""

_EXCEL_EPOCH_DAYS: Final = 25_569
_FIRST_SURE_SERIAL: Final = 61
_LAST_SERIAL: Final = 2_958_465
_DAY_MS: Final = 86_400_000
_ZONED: Final = r"^([0-9][0-9T:./ -]{9,}?)\s*(Z|UTC|GMT|([+-])([0-9]{2}):?([0-9]{2})?)$"


def instant_ms_sql(raw: str, formats: list[str], zone: ZoneInfo, *, serials: bool = False) -> str:
    """SQL for the UTC milliseconds of the text column `raw`; null when it is no instant, or one of 1970 and before.

    With `formats` (strptime patterns and `SPECIAL_FORMATS`, `iso` among them) only these count, else ISO 8601. `serials` also reads
    the day numbers of a spreadsheet.
    """
    zoned = [text for text in formats if "%z" in text]
    naive = [text for text in formats if "%" in text and "%z" not in text]
    tries = []
    if zoned:
        tries.append(f"epoch_ms(try_strptime({raw}, [{_listed(zoned)}])::TIMESTAMPTZ)")
    if naive:
        tries.append(utc_ms_sql(f"try_strptime({raw}, [{_listed(naive)}])", zone))
    if "epoch_seconds" in formats:
        tries.append(f"round({_number(raw, 11)} * 1000)::BIGINT")
    if "epoch_milliseconds" in formats:
        tries.append(f"round({_number(raw, 14)})::BIGINT")
    if not formats or "iso" in formats:
        tries.append(_iso(raw, zone))
    if serials or "excel" in formats:
        tries.append(_serial(raw, zone))
    found = f"coalesce({', '.join(tries)})" if len(tries) > 1 else tries[0]
    return f"nullif(greatest({found}, {_TOO_EARLY}), {_TOO_EARLY})"


def _listed(texts: list[str]) -> str:
    return ", ".join(literal(text) for text in texts)


def _number(raw: str, digits: int) -> str:
    return f"CASE WHEN regexp_full_match({raw}, '\\d{{1,{digits}}}(\\.\\d+)?') THEN TRY_CAST({raw} AS DOUBLE) END"


def _serial(raw: str, zone: ZoneInfo) -> str:
    """Serials up to 60 are refused: 60 is a day that never was, and those below count differently."""
    serial = _number(raw, 7)
    days = f"CASE WHEN {serial} BETWEEN {_FIRST_SURE_SERIAL} AND {_LAST_SERIAL} THEN {serial} END"
    return utc_ms_sql(f"make_timestamp(round(({days} - {_EXCEL_EPOCH_DAYS}) * {_DAY_MS})::BIGINT * 1000)", zone)


def _iso(raw: str, zone: ZoneInfo) -> str:
    """A text that starts with a digit; with an offset at its end, or naive in the zone."""
    naive = utc_ms_sql(f"TRY_CAST({raw} AS TIMESTAMP)", zone)
    ends = (
        f"suffix({raw}, 'Z') OR suffix({raw}, 'UTC') OR suffix({raw}, 'GMT') OR (length({raw}) > 16 AND "
        f"({raw}[-6] IN ('+', '-') OR {raw}[-5] IN ('+', '-') OR {raw}[-3] IN ('+', '-')))"
    )
    zoned = f"coalesce(epoch_ms(TRY_CAST({raw} AS TIMESTAMPTZ)), {_zoned(raw)})"
    other = f"WHEN NOT ({raw}[1] BETWEEN '0' AND '9') THEN NULL WHEN {ends} THEN {zoned} ELSE {naive}"
    # The usual form comes first: it saves most of the time of a large file.
    return f"CASE WHEN {raw} IS NULL THEN NULL WHEN strlen({raw}) = 19 AND {raw}[17] = ':' THEN {naive} {other} END"


def _zoned(raw: str) -> str:
    """The forms that DuckDB's own cast does not read: `… +0800`, and times without seconds."""
    local, hours, minutes, sign = (f"regexp_extract({raw}, {literal(_ZONED)}, {group})" for group in (1, 4, 5, 3))
    shift = f"coalesce(TRY_CAST({hours} AS INTEGER), 0) * 60 + coalesce(TRY_CAST({minutes} AS INTEGER), 0)"
    return f"epoch_ms(TRY_CAST({local} AS TIMESTAMP)) - CASE WHEN {sign} = '-' THEN -60000 ELSE 60000 END * ({shift})"
