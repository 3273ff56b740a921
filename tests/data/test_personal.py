"""Personal data: masked before anything else looks, kept encrypted, found by a keyed hash, and gone without a trace when erased."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from config import Settings
from data.active import ActiveContracts
from data.bounds import wrong_bounds
from data.contract import Contract, ContractError
from data.erase import drop_old_contacts, erase_contacts, find_bytes, orders_of_phone, rotate_contacts
from data.keys import KeysError, read_keys
from data.lake import Lake
from data.personal import mask_sql, plain_phone, seal, unseal, unseal_file, unseal_row, without_contacts
from data.watch import Inbox, look
from tests.data.intake import NOW, contract_of, home, take_in, traces, write_csv

PHONE, OTHER = "13812345678", "13900001111"
NAME, ADDRESS = "欧阳无名", "上海市浦东新区世纪大道一百号九楼"
HEADER = ("id", "created", "amount", "receiver", "mobile", "street")
CREATED = "2026-03-01T08:00:00Z"
CONTRACT_PARTS = {
    "columns": {"order_id": "id", "channel": "'web'", "created_at": "created", "amount": "amount"},
    "personal": {"name": "receiver", "phone": "mobile", "address": "street"},
    "quarantine": {"max_share": 1, "min_rows": 1000},
}
ROWS = [
    ("A1", CREATED, "10", NAME, f"+86 {PHONE[:3]}-{PHONE[3:7]}-{PHONE[7:]}", ADDRESS),
    ("A2", CREATED, "10", "Ann Lee", OTHER, "12 High Street, Springfield"),
    ("A3", CREATED, "ten", NAME, PHONE, ADDRESS),
]
SECRETS = (PHONE, PHONE[3:], NAME, "世纪大道", "138-1234-5678", OTHER, "High Street", "Ann Lee")


@pytest.fixture
def contract() -> Contract:
    """A source whose rows name the receiver."""
    return contract_of(**CONTRACT_PARTS)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fresh home."""
    return home(tmp_path)


@pytest.fixture
def lake(settings: Settings, contract: Contract, tmp_path: Path) -> Iterator[Lake]:
    """A lake with those rows, taken in from outside the home; the third is quarantined."""
    path = write_csv(tmp_path / "orders_20260301T090000.csv", ROWS, HEADER)
    with Lake.open_writer(settings) as opened:
        report = take_in(opened, contract, path)
        assert (report.state, report.accepted_count, sum(report.quarantined.values())) == ("accepted", 2, 1)
        yield opened


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("name", "张三", "张*"),
        ("name", "欧阳无名", "欧*"),
        ("name", "Ann Lee", "A*"),
        ("phone", "13812345678", "138****5678"),
        ("phone", "+86 138-1234-5678", "138****5678"),
        ("phone", "0086 13812345678", "138****5678"),
        ("phone", "12345", "****"),
        ("address", "上海市浦东新区世纪大道100号", "上海市浦东新区*"),
        ("address", "广东省深圳市南山区科技园1栋", "广东省深圳市南山区*"),
        ("address", "北京市朝阳区建国路8号", "北京市朝阳区*"),
        ("address", "广西壮族自治区南宁市青秀区民族大道", "广西壮族自治区南宁市青秀区*"),
        ("address", "12 High Street, Springfield", "*"),
        ("address", "黑龙江省哈尔滨市道里区中央大街1号", "黑龙江省哈尔滨市道里区*"),
        ("address", "浙江省台州市路桥区某路1号", "浙江省台州市路桥区*"),
        ("address", "山西省太原市小店区某路1号", "山西省太原市小店区*"),
        ("address", "北京市世纪路1号阳光小区", "北京市*"),
        ("address", "北京市阳光小区3号", "北京市*"),
        ("address", "世纪路1号上海市场", "*"),
        ("address", "138 1234上海市", "*"),
        ("address", "上海市浦东新区世纪大道*100号", "上海市浦东新区*"),
        ("phone", "13812345678*", "138****5678"),
        ("phone", "*13812345678", "138****5678"),
        ("phone", "13812345678 * 2", "381****6782"),
        ("phone", "１３８１２３４５６７８", "****"),
        ("name", "张三丰*", "张*"),
        ("name", "*张三丰", "**"),
        ("name", None, None),
        ("phone", "", ""),
    ],
)
def test_masked_form(field: str, value: str | None, expected: str | None) -> None:
    (found,) = duckdb.sql(f"SELECT {mask_sql(field, 'v')} FROM (SELECT $v AS v)", params={"v": value}).fetchone() or ("",)
    assert found == expected


@pytest.mark.parametrize(
    ("field", "masked"), [("name", "张*"), ("phone", "138****5678"), ("phone", "****"), ("address", "上海市浦东新区*")]
)
def test_masked_form_masks_to_itself(field: str, masked: str) -> None:
    assert duckdb.sql(f"SELECT {mask_sql(field, 'v')} FROM (SELECT $v AS v)", params={"v": masked}).fetchone() == (masked,)


@pytest.mark.parametrize(
    "written", ["13812345678", "+86 138 1234 5678", "0086-13812345678", "(138)12345678", "１３８１２３４５６７８"]
)
def test_phone_is_the_same_however_written(written: str) -> None:
    assert plain_phone(written) == "13812345678"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call 13812345678 back", "call 138****5678 back"),
        ("+86 138-1234-5678, or 0086 13912345678", "138****5678, or 139****5678"),
        ("电话138 1234 5678。", "电话138****5678。"),
        ("tel_１３８１２３４５６７８ or 138.1234.5678", "tel_138****5678 or 138****5678"),
        ("+55 (11) 91234-5678, li.lei@post.example", "551****5678, ***@***"),
        ("0.13812345678 and @east, 13:45 +08:00", "0.13812345678 and @east, 13:45 +08:00"),
        ("order 20260301123456789, 1,381,234 rows, 13:45", "order 20260301123456789, 1,381,234 rows, 13:45"),
    ],
)
def test_phone_numbers_that_people_write_are_masked(text: str, expected: str) -> None:
    assert without_contacts(text) == expected


def test_originals_are_in_no_file_of_the_home(lake: Lake, settings: Settings) -> None:
    assert find_bytes(settings.home, SECRETS) == []
    assert find_bytes(settings.home, ["A1"]) or find_bytes(settings.home, ["orders_20260301T090000"])


def test_quarantine_holds_the_row_masked_and_sealed(lake: Lake, settings: Settings) -> None:
    source, kept = lake.cursor().execute("SELECT source, raw FROM lake.quarantine").fetchone() or ("", "")
    assert "138****5678" not in kept
    raw = unseal_row(read_keys(settings), kept, source)
    assert "138****5678" in raw
    assert not any(secret in raw for secret in SECRETS)


def test_masked_forms_lie_beside_the_orders(lake: Lake) -> None:
    rows = lake.cursor().execute("SELECT field, masked FROM lake.order_contacts WHERE order_id = 'A1' ORDER BY 1").fetchall()
    assert rows == [("address", "上海市浦东新区*"), ("name", "欧*"), ("phone", "138****5678")]


def test_original_opens_for_its_own_order_only(lake: Lake, settings: Settings) -> None:
    key_id, sealed = lake.cursor().execute(
        "SELECT key_id, sealed FROM lake.order_contacts WHERE order_id = 'A1' AND field = 'name'"
    ).fetchone() or ("", "")
    keys = read_keys(settings)
    assert unseal(keys, key_id, sealed, channel="web", order_id="A1", field="name") == NAME
    with pytest.raises(KeysError, match="another order"):
        unseal(keys, key_id, sealed, channel="web", order_id="A2", field="name")
    with pytest.raises(KeysError, match="not in the home"):
        unseal(keys, "00000000", sealed, channel="web", order_id="A1", field="name")


def test_same_value_never_looks_the_same(settings: Settings) -> None:
    place = {"channel": "web", "order_id": "A1", "field": "name"}
    assert seal(read_keys(settings), NAME, **place) != seal(read_keys(settings), NAME, **place)


def test_order_is_found_by_the_whole_phone(lake: Lake, settings: Settings) -> None:
    keys = read_keys(settings)
    assert orders_of_phone(lake, keys, "0086 138 1234 5678") == [("web", "A1"), ("web", "A3")]
    assert orders_of_phone(lake, keys, "1381234567") == []


def test_rotation_seals_anew_and_forgets_the_old_key(lake: Lake, settings: Settings) -> None:
    old, sealed = read_keys(settings), _sealed_texts(lake, "A1")[:1]
    lake.writer().execute("DELETE FROM lake.quarantine")
    assert rotate_contacts(lake) == 9
    assert traces(settings, sealed) == [], "nothing under the old key is left"
    fresh = read_keys(settings)
    assert len(fresh.contacts) == 1
    assert fresh.contacts[0][0] not in dict(old.contacts)
    key_id, sealed = lake.cursor().execute(
        "SELECT key_id, sealed FROM lake.order_contacts WHERE order_id = 'A1' AND field = 'name'"
    ).fetchone() or ("", "")
    assert unseal(fresh, key_id, sealed, channel="web", order_id="A1", field="name") == NAME
    assert orders_of_phone(lake, fresh, OTHER) == [("web", "A2")]


def _sealed_texts(lake: Lake, order: str) -> list[str]:
    rows = lake.cursor().execute("SELECT sealed, search FROM lake.order_contacts WHERE order_id = ?", [order]).fetchall()
    return [text for row in rows for text in row if text]


def test_erased_values_are_in_no_version_and_no_file(lake: Lake, settings: Settings) -> None:
    sealed = _sealed_texts(lake, "A1")
    assert len(traces(settings, sealed)) >= len(sealed), "they are seen while they are there"
    assert erase_contacts(lake, orders_of_phone(lake, read_keys(settings), PHONE)) == 6
    assert orders_of_phone(lake, read_keys(settings), PHONE) == []
    assert orders_of_phone(lake, read_keys(settings), OTHER) == [("web", "A2")]
    assert traces(settings, [*SECRETS, *sealed]) == []
    assert wrong_bounds(lake) == []
    assert lake.cursor().execute("SELECT count(*) FROM lake.orders").fetchone() == (2,)
    assert lake.cursor().execute("SELECT count(*) FROM ducklake_snapshots('lake')").fetchone() == (1,)


def test_orders_come_in_again_after_everything_was_erased(
    lake: Lake, settings: Settings, contract: Contract, tmp_path: Path
) -> None:
    keys = read_keys(settings)
    sealed = [text for order in ("A1", "A2", "A3") for text in _sealed_texts(lake, order)]
    for phone in (PHONE, OTHER):
        erase_contacts(lake, orders_of_phone(lake, keys, phone))
    assert traces(settings, sealed) == [], "the smallest and the largest of a column, which the catalogue keeps, are gone too"
    assert lake.cursor().execute("SELECT count(*) FROM lake.order_contacts").fetchone() == (0,)
    path = write_csv(tmp_path / "orders_20260301T100000.csv", ROWS, HEADER)
    assert take_in(lake, contract, path).accepted_count == 2
    assert orders_of_phone(lake, keys, PHONE) == [("web", "A1"), ("web", "A3")]


def test_retention_drops_what_is_old(lake: Lake) -> None:
    as_of = datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert drop_old_contacts(lake, as_of) == 0
    assert drop_old_contacts(lake, as_of + timedelta(seconds=1)) == 9


def test_byte_search_finds_across_the_seam_of_two_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.erase.CHUNK_BYTES", 8)
    (tmp_path / "a").write_bytes(b"xxxxx" + PHONE.encode() + b"xx")
    (tmp_path / "b").write_bytes(NAME.encode("gb18030"))
    (tmp_path / "c").write_bytes(b"nothing of it")
    assert [file.name for file in find_bytes(tmp_path, [PHONE, NAME])] == ["a", "b"]


def test_archive_keeps_a_masked_copy_and_refused_files_stay_encrypted(
    settings: Settings, contract: Contract, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    write_csv(inbox / "orders_20260301T090000.csv", ROWS, HEADER)
    write_csv(inbox / "orders_20260301T100000.csv", [row[:1] + row[2:] for row in ROWS], HEADER[:1] + HEADER[2:])
    seen = Inbox(inbox)
    with Lake.open_writer(settings) as opened:
        for _ in range(2):
            look(opened, seen, ActiveContracts(contracts={"shop": contract}), settings, now=lambda: NOW, say=lambda _: None)
        assert list(inbox.iterdir()) == []
        assert find_bytes(settings.home, SECRETS) == []
        copy = tmp_path / "orders_20260301T090000.csv"
        unseal_file(read_keys(settings), settings.archive / "shop" / f"{copy.name}.sealed", copy)
        assert "138****5678" in copy.read_text(encoding="utf-8")
        assert take_in(opened, contract, copy).accepted_count == 2
    sealed = settings.refused / "shop" / "orders_20260301T100000.csv.sealed"
    unseal_file(read_keys(settings), sealed, tmp_path / "open.csv")
    assert PHONE in (tmp_path / "open.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("personal", "reason"),
    [
        ({"mail": "mail"}, "is none of name, phone, address"),
        ({"phone": "amount"}, "is read by columns too"),
    ],
)
def test_contract_that_would_leak_is_refused(personal: dict[str, str], reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        contract_of(**(CONTRACT_PARTS | {"personal": personal}))


def test_missing_personal_column_is_named(settings: Settings, contract: Contract, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "orders_20260301T110000.csv", [(*row[:4], row[5]) for row in ROWS], (*HEADER[:4], HEADER[5]))
    with Lake.open_writer(settings) as opened:
        report = take_in(opened, contract, path)
    assert report.state == "refused"
    assert "personal column 'mobile' is not in the header" in report.reason


def test_columns_read_the_masked_address(tmp_path: Path, settings: Settings) -> None:
    places = {"province_code": "split_part(street, ' ', 1)", "city": "split_part(street, ' ', 2)"}
    columns = {"order_id": "id", "channel": "'web'", "created_at": "created", **places}
    path = write_csv(tmp_path / "orders_20260301T090000.csv", [(*ROWS[0][:5], "浙江省 杭州市 西湖区 文三路12号")], HEADER)
    with Lake.open_writer(settings) as lake:
        assert take_in(lake, contract_of(**CONTRACT_PARTS | {"columns": columns}), path).notices == (
            f"{path.name}: columns not used by the contract: amount",
        )
        assert lake.cursor().execute("SELECT province_code, city FROM lake.orders").fetchall() == [("CN-ZJ", "杭州市")]
    assert traces(settings, ["文三路"]) == []
