"""A frame as text: a table to read, JSON or CSV to read on. Nothing is rounded in JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, Literal

import polars as pl

from queries.metrics import METRICS
from queries.query import Query, QueryError

Format = Literal["table", "json", "csv"]
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""A text cell that a spreadsheet would run as a formula starts with one of these."""

_BLANK: Final = (
    r"\s\x00-\x1f\x7f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
)
UNSEEN: Final = re.compile(rf"^[{_BLANK}'\";,|]+")
"""What a spreadsheet, or whoever cleans a file before it, may drop or split at in front of a formula."""

TABLE_DIGITS: Final = 6
"""Significant digits of fractions in a table."""

Scalar = str | int | float | bool | None


def present(frame: pl.DataFrame, form: str) -> str:
    """The frame as `table`, `json` (one array of flat objects) or `csv`, ending in a newline.

    Instants are ISO 8601 UTC, unknown is null (empty in CSV), NaN is null. Raises QueryError for another form.
    """
    if form == "json":
        return _json(frame)
    if form == "csv":
        return _csv(frame)
    if form == "table":
        return _table(frame)
    raise QueryError(f"there is no format {form!r}: use table, json or csv")


def notes(frame: pl.DataFrame, query: Query) -> list[str]:
    """What a reader should know beside the figures, one sentence each."""
    found = []
    for name in query.metrics:
        if METRICS[name].unit == "currency" and name in frame.columns and "currency" not in query.by and frame[name].null_count():
            found.append(f"{name} is null where a group is empty or mixes currencies: add --by currency")
    return found


def plain(value: object) -> Scalar:
    """A cell as text, number, truth value or None; instants as ISO 8601 UTC with milliseconds."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def _json(frame: pl.DataFrame) -> str:
    if frame.is_empty():
        return "[]\n"
    rows = [json.dumps({name: plain(value) for name, value in row.items()}, ensure_ascii=False) for row in frame.to_dicts()]
    return "[\n" + ",\n".join(rows) + "\n]\n"


def _csv(frame: pl.DataFrame) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in frame.iter_rows():
        writer.writerow([_csv_cell(plain(value)) for value in row])
    return out.getvalue()


def safe_text(text: str) -> str:
    """A text that no spreadsheet runs as a formula: an apostrophe before what would start one, whatever stands in front."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) or UNSEEN.sub("", text).startswith(FORMULA_STARTS) else text


def _csv_cell(value: Scalar) -> Scalar:
    return safe_text(value) if isinstance(value, str) else "" if value is None else value


def _table(frame: pl.DataFrame) -> str:
    cells = [[_table_cell(plain(value)) for value in row] for row in frame.iter_rows()]
    widths = [max(map(_width, [name, *(row[i] for row in cells)])) for i, name in enumerate(frame.columns)]
    numeric = [dtype.is_numeric() for dtype in frame.dtypes]
    lines = [frame.columns, ["-" * width for width in widths], *cells]
    text = ["  ".join(_pad(cell, widths[i], right=numeric[i]) for i, cell in enumerate(line)).rstrip() for line in lines]
    return "\n".join(text) + "\n"


def _table_cell(value: Scalar) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.{TABLE_DIGITS}g}" if abs(value) < 10**TABLE_DIGITS else f"{value:.1f}"
    return "".join(char if char.isprintable() else "�" for char in str(value))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space
