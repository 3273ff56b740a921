"""Personal data in a wrong column: masked or refused at intake, encrypted where rows and files are kept, gone after an erasure."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import Settings
from data.active import ActiveContracts
from data.archive import seal_what_lies_open
from data.erase import erase_contacts, erase_wanted, kept_files, orders_of_phone, rotate_contacts
from data.ingest import _by_reason
from data.keys import read_keys
from data.lake import Lake
from data.personal import key_of_file, sealed_frames, unseal_row
from data.replay import list_quarantine, replay
from data.validate import Refusal
from data.wanted import wanted_phone, wanted_text, whole_lines
from data.watch import Inbox, look
from tests.data.intake import NOW, contract_of, home, take_in, traces, write_csv

PHONE, MAIL, BYSTANDER = "13987650321", "li.lei@post.example", "13700002222"
HEADER = ("id", "created", "amount", "town", "product", "site", "remark", "mobile")
CREATED = "2026-03-01T08:00:00Z"
ROWS = [
    ("S1", CREATED, "1", f"苏州 {PHONE}", "tea", "EAST-01", f"ring +86 {PHONE[:3]}-{PHONE[3:7]}-{PHONE[7:]}", PHONE),
    ("S2", CREATED, "2", "Suzhou", f"gift for {MAIL}", "EAST-01", MAIL, ""),
    ("S3", CREATED, f"tel {BYSTANDER}", "Suzhou", "tea", "EAST-01", "no amount: " + BYSTANDER, ""),
    (PHONE, CREATED, "3", "Suzhou", "tea", "EAST-01", "", ""),
    (MAIL, CREATED, "4", "Suzhou", "tea", "EAST-01", "", ""),
    ("S6", f"call {PHONE}", "5", "Suzhou", "tea", f"１３９{PHONE[3:]}", "", ""),
    ("S8\0' OR 1=1", CREATED, "7", "Suzhou", "tea", "EAST-01", "a NUL ends SQL early", BYSTANDER),
    ("S9", CREATED, "8", "Su\0zhou", "tea", "EAST-01", "", ""),
    ("S7", CREATED, "6", "Suzhou", "tea", f"tel_{PHONE}", "plain", ""),
]
PARTS = {
    "columns": {
        "order_id": "id", "channel": "'web'", "created_at": "created", "amount": "amount", "city": "town",
        "category": "product", "warehouse_id": "site",
    },
    "quarantine": {"max_share": 1, "min_rows": 1000},
    "as_of": {"from": "constant", "value": "2026-03-01T09:00:00Z"},
}  # fmt: skip
PLAIN = contract_of(source="shop", **PARTS, reader={"format": "csv", "path": "orders_*.csv"})
DATED = contract_of(source="dated", reader={"format": "csv", "path": "dated_*.csv"})
NAMED = contract_of(source="named", **PARTS, personal={"phone": "mobile"}, reader={"format": "csv", "path": "named_*.csv"})


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A fresh home."""
    return home(tmp_path_factory.mktemp("stray"))


@pytest.fixture(scope="module")
def lake(settings: Settings) -> Iterator[Lake]:
    """The same rows of a source without and of one with personal columns, and a file that is refused whole, all through the inbox."""
    settings.inbox.mkdir(parents=True)
    write_csv(settings.inbox / f"orders_{PHONE}.csv", ROWS, HEADER)
    write_csv(settings.inbox / "named_1.csv", ROWS, HEADER)
    write_csv(settings.inbox / "orders_broken.csv", [(PHONE, "tea")], ("product", "remark"))
    write_csv(settings.inbox / f"dated_{PHONE}.csv", ROWS, HEADER)
    (settings.lake_folder / "staging-killed").mkdir(parents=True)
    (settings.lake_folder / "staging-killed" / "copy.csv").write_text(PHONE)
    seen, contracts = Inbox(settings.inbox), ActiveContracts(contracts={"shop": PLAIN, "named": NAMED, "dated": DATED})
    with Lake.open_writer(settings) as opened:
        for _ in range(2):
            reports = look(opened, seen, contracts, settings, now=lambda: NOW, say=lambda _: None)
        assert sorted((report.state, report.accepted_count) for report in reports) == [
            ("accepted", 3),
            ("accepted", 3),
            ("refused", 0),
            ("refused", 0),
        ]
        yield opened


def test_no_file_of_the_home_holds_it_in_the_open(lake: Lake, settings: Settings) -> None:
    assert traces(settings, (PHONE, MAIL, PHONE[:3] + "-" + PHONE[3:7])) == []


def test_text_columns_are_masked_and_the_figures_stay(lake: Lake) -> None:
    rows = (
        lake.cursor().execute("SELECT order_id, city, category, warehouse_id, amount::INT FROM lake.orders ORDER BY 1").fetchall()
    )
    assert rows == [
        ("S1", "苏州 139****0321", "tea", "EAST-01", 1),
        ("S2", "Suzhou", "gift for ***@***", "EAST-01", 2),
        ("S7", "Suzhou", "tea", "tel_139****0321", 6),
    ]


def test_an_order_number_that_is_a_phone_number_or_an_address_is_refused_with_the_remedy(lake: Lake) -> None:
    rows = list_quarantine(lake.cursor(), source="shop").select("column", "value", "reason").rows()
    found = {(column, value) for column, value, reason in rows if "number_ids: true" in reason}
    assert found == {("order_id", "139****0321"), ("order_id", "***@***")}
    assert ("created_at", "call 139****0321") in {row[:2] for row in rows}
    assert {("order_id", "S8�' OR 1=1"), ("city", "Su�zhou")} <= {row[:2] for row in rows}, "what ends SQL early is never kept"


def test_what_a_report_counts_by_reason_holds_no_contact() -> None:
    said = [
        Refusal(line=n, column="", value=None, reason=f"cast: cannot read {who}", raw="") for n, who in enumerate((PHONE, MAIL))
    ]
    assert _by_reason(said) == {"cast: cannot read 139****0321": 1, "cast: cannot read ***@***": 1}


def test_a_contract_may_say_that_its_numbers_look_like_that(tmp_path: Path) -> None:
    with Lake.open_writer(home(tmp_path)) as lake:
        assert take_in(lake, PLAIN, write_csv(tmp_path / "orders_1.csv", ROWS[3:5], HEADER)).state == "refused"
        contract = contract_of(source="shop", **PARTS, number_ids=True)
        reports = replay(lake, contract, now=NOW)
        assert [(one.tried, one.report.accepted_count) for one in reports] == [(2, 2)]
        ids = lake.cursor().execute("SELECT order_id FROM lake.orders ORDER BY 1").fetchall()
    assert ids == [(PHONE,), (MAIL,)]


def test_an_archived_file_is_taken_in_again_as_it_came(lake: Lake, settings: Settings) -> None:
    (kept,) = (settings.archive / "shop").glob("*.sealed")
    assert kept.name == "orders_139****0321.csv.sealed"
    assert take_in(lake, PLAIN, kept).state == "duplicate"


def test_rotation_seals_rows_and_files_anew(lake: Lake, settings: Settings) -> None:
    before = _refused(lake, settings, PHONE)
    rotate_contacts(lake)
    keys = read_keys(settings)
    assert before
    assert traces(settings, before) == [], "nothing under the old key is left in an older version"
    assert {key_of_file(path) for path in kept_files(settings)} == {keys.contacts[-1][0]}
    rows = lake.cursor().execute("SELECT source, raw FROM lake.quarantine").fetchall()
    assert sum(PHONE in unseal_row(keys, raw, source) for source, raw in rows) >= 4


def test_after_an_erasure_it_is_in_no_file_even_opened(lake: Lake, settings: Settings) -> None:
    keys = read_keys(settings)
    packed = settings.archive / "shop" / "day.csv.gz"
    packed.write_bytes(gzip.compress(f"id\n{PHONE}\n".encode()))
    other = settings.archive / "shop" / "other.csv.gz"
    other.write_bytes(gzip.compress(b"id\n1\n"))
    assert seal_what_lies_open(settings) == 2
    assert len(opened(lake, settings, PHONE)) >= 6
    refused = _refused(lake, settings, PHONE)
    erase_contacts(lake, orders_of_phone(lake, keys, PHONE))
    found = erase_wanted(lake, keys, wanted_phone(f"+86 {PHONE}"))
    assert found.row_count >= 4
    assert found.removed == ("day.csv.gz.sealed",)
    erase_wanted(lake, keys, wanted_text(MAIL.upper()))
    assert refused
    assert traces(settings, refused) == [], "no older version of the lake holds a row that would still open"
    for secret in (PHONE, MAIL, f"{PHONE[:3]}-{PHONE[3:7]}-{PHONE[7:]}"):
        assert traces(settings, (secret,)) == []
        assert opened(lake, settings, secret) == []
    assert opened(lake, settings, BYSTANDER) != []
    assert lake.cursor().execute("SELECT count(*) FROM lake.orders").fetchone() == (3,)


def test_lines_are_never_cut() -> None:
    assert list(whole_lines([b"a\nb", b"c\n", b"d"])) == [b"a\n", b"bc\n", b"d"]


@pytest.mark.parametrize("short", ["12", "+86", "138 12"])
def test_too_little_is_not_erased(short: str) -> None:
    with pytest.raises(ValueError, match="give all its digits"):
        wanted_phone(short)


def _refused(lake: Lake, settings: Settings, text: str) -> list[str]:
    """Refused rows that hold the text, as they are kept: encrypted."""
    rows = lake.cursor().execute("SELECT source, raw FROM lake.quarantine WHERE raw <> ''").fetchall()
    return [raw for source, raw in rows if text in unseal_row(read_keys(settings), raw, source)]


def opened(lake: Lake, settings: Settings, text: str) -> list[str]:
    """Kept files and refused rows in which the text stands once they are decrypted."""
    keys = read_keys(settings)
    found = []
    for path in kept_files(settings):
        raw = b"".join(sealed_frames(keys, path))
        raw = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
        found += [path.name] if text.encode() in raw else []
    rows = lake.cursor().execute("SELECT source, raw FROM lake.quarantine WHERE raw <> ''").fetchall()
    return found + [source for source, raw in rows if text in unseal_row(keys, raw, source)]
