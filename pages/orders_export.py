"""A whole list of orders as a file: exactly what the address filters, stamped with who, when, as of what, in which scope.

CSV has the rows, an empty line, then the stamp as two columns: Excel shows it below, and the file's name has it in short.
XLSX has the rows on one sheet and the stamp on another. A text that a spreadsheet would run is made plain text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import xlsxwriter

from access.view import View
from components.format import exact_instant
from i18n import translate
from pages.orders_question import read_question
from pages.orders_table import column_name, span_of, title_of
from pages.wording import names_of
from queries.listing import MOST_ROWS
from queries.listing_columns import LISTING_COLUMNS
from queries.present import safe_text

BYTE_ORDER_MARK: Final = "\ufeff"
"""Excel reads a CSV as UTF-8 only with it."""

PERSONAL: Final = ("name", "phone", "address")

Value = str | int | float | datetime | None


@dataclass(frozen=True, kw_only=True)
class Export:
    """Heads and rows of a list, what it stands for as (name, text), and the names of its file and sheets."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    stamp: tuple[tuple[str, str], ...]
    file_name: str
    sheets: tuple[str, str]

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self.rows)


def read_export(view: View, parameters: Mapping[str, Sequence[str]]) -> Export:
    """The whole list (up to `MOST_ROWS` rows) that the parameters ask for in this view, whatever page they name."""
    listing = replace(read_question(view, parameters).listing, after=None, before=None, limit=MOST_ROWS)
    language, keys = view.language, ("channel", "order_id")
    columns = tuple(dict.fromkeys((*keys, *listing.columns, "currency")))
    rows = view.list_orders(replace(listing, columns=columns)).to_dicts()
    total = len(rows) if len(rows) < MOST_ROWS else view.count_orders(listing)
    local = f"{view.as_of.astimezone(view.zone):%Y%m%d-%H%M%S}"
    return Export(
        heads=tuple(_head(language, name) for name in columns),
        rows=tuple(tuple(_value(view, name, row[name]) for name in columns) for row in rows),
        stamp=_stamp(view, parameters, len(rows), total),
        file_name=f"orders_{listing.metric or listing.population}_{local}_snapshot-{view.snapshot}_{_plain(view.user.name)}",
        sheets=(translate(language, "listing.export.sheet"), translate(language, "listing.export.about")),
    )


def with_originals(
    view: View, export: Export, found: Mapping[tuple[str, str], Mapping[str, str]], *, approved_by: str, purpose: str
) -> Export:
    """The export with name, phone and address of each order behind its columns, and the approval in its stamp."""
    language = view.language
    heads = tuple(translate(language, f"twin.parties.{field}") for field in PERSONAL)
    rows = tuple((*row, *(found.get((str(row[0]), str(row[1])), {}).get(field) for field in PERSONAL)) for row in export.rows)
    about = {
        "purpose": translate(language, f"access.purpose.{purpose}"),
        "approved_by": approved_by,
        "warning": translate(language, "approval.warning"),
    }
    stamp = tuple((translate(language, f"approval.stamp.{name}"), text) for name, text in about.items())
    return replace(
        export, heads=(*export.heads, *heads), rows=rows, stamp=(*export.stamp, *stamp), file_name=f"unmasked_{export.file_name}"
    )


def csv_bytes(export: Export) -> bytes:
    """The export as CSV in UTF-8 with a byte order mark."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([safe_text(head) for head in export.heads])
    writer.writerows([[_csv(value) for value in row] for row in export.rows])
    writer.writerow([])
    writer.writerows([[safe_text(name), safe_text(said)] for name, said in export.stamp])
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def xlsx_bytes(export: Export) -> bytes:
    """The export as a workbook: the rows on one sheet, the stamp on another."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(content, options) as book:
        bold = book.add_format({"bold": True})
        instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
        sheet, about = (book.add_worksheet(name[:31]) for name in export.sheets)
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, [safe_text(head) for head in export.heads], bold)
        for number, row in enumerate(export.rows, 1):
            for place, value in enumerate(row):
                _write(sheet, number, place, value, instant)
        sheet.set_column(0, len(export.heads) - 1, 18)
        for number, (name, said) in enumerate(export.stamp):
            about.write_string(number, 0, name, bold)
            about.write_string(number, 1, safe_text(said))
        about.set_column(0, 1, 40)
    return content.getvalue()


def _head(language: str, name: str) -> str:
    """A column's name; durations are plain seconds and say so."""
    text = column_name(language, name)
    return translate(language, "listing.export.seconds", name=text) if LISTING_COLUMNS[name].kind == "seconds" else text


def _write(sheet: Any, number: int, place: int, value: Value, instant: Any) -> None:  # noqa: ANN401 - xlsxwriter has no types
    if isinstance(value, datetime):
        sheet.write_datetime(number, place, value, instant)
    elif isinstance(value, str):
        sheet.write_string(number, place, safe_text(value))
    elif value is not None:
        sheet.write_number(number, place, value)


def _csv(value: Value) -> str | int | float:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S.%f}"[:-3]
    return safe_text(value) if isinstance(value, str) else "" if value is None else value


def _value(view: View, name: str, value: Any) -> Value:  # noqa: ANN401 - any column of a list
    """Instants on the business zone's clock, codes as they are, numbers as numbers."""
    if isinstance(value, datetime):
        return value.astimezone(view.zone).replace(tzinfo=None)
    if value is None or isinstance(value, int | float):
        return None if value != value else value
    return str(value) if LISTING_COLUMNS[name].kind in ("text", "code") else float(value)


def _stamp(view: View, parameters: Mapping[str, Sequence[str]], listed: int, total: int) -> tuple[tuple[str, str], ...]:
    language, listing = view.language, read_question(view, parameters).listing
    regions = names_of(language, "region", view.scope.regions, most=20)
    filters = "; ".join(
        f"{translate(language, f'dimensions.{item.dimension}.name')} = {names_of(language, item.dimension, item.values, most=50)}"
        for item in listing.where
    )
    none = translate(language, "listing.export.none")
    what = (title_of(view, listing), *([] if listing.metric else [translate(language, f"listing.part.{listing.part}")]))
    span = span_of(view, listing)
    if listing.window and not listing.anchor.is_stock:
        start = exact_instant(listing.window.start, view.zone) if listing.window.start else ""
        span = f"{span} ({start} .. {exact_instant(listing.window.end, view.zone)} {view.zone.key})"
    texts = {
        "list": " · ".join(what),
        "window": span,
        "filters": filters or none,
        "search": listing.search or (translate(language, "listing.title.phone") if listing.among is not None else none),
        "as_of": f"{exact_instant(view.as_of, view.zone)} {view.zone.key}",
        "snapshot": str(view.snapshot),
        "scope": regions or translate(language, "listing.export.everything"),
        "user": f"{view.user.display_name} ({view.actor.name if view.actor else view.user.name})",
        "at": f"{exact_instant(view.now, view.zone)} {view.zone.key}",
        "rows": translate(language, "listing.export.of", n=f"{listed:,}", total=f"{total:,}"),
    }
    return tuple((translate(language, f"listing.export.{name}"), text) for name, text in texts.items())


def _plain(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
