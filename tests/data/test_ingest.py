"""Intake end to end on real files and a real lake: what is kept, refused, repeated, late, and what the ledger says."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from config import Settings
from data.active import ActiveContracts
from data.ingest import find_units
from data.lake import Lake, LakeError
from data.maintain import check_counts, compact, count_files
from data.places import region_of
from data.replay import list_quarantine, replay
from data.validate import RefusedError
from data.watch import Inbox, look
from tests.data.intake import NOW, contract_of, home, table, take_in, write_csv

GOOD = ["0001", "2026-01-01 08:00:00", "12.50", "2026-01-02 08:00:00", ""]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return home(tmp_path)


def _file(folder: Path, *rows: list[str], hour: int = 0) -> Path:
    return write_csv(folder / f"orders_20260201T{hour:02d}0000.csv", rows)


@pytest.mark.parametrize(
    ("amounts", "as_of", "expected"),
    [
        (("1", "2"), {"from": "newest"}, ["1 orders have several rows that differ in amount: only the last row's value counts."]),
        (("2", "2"), {"from": "newest"}, []),
        (("1", "2"), {"from": "column", "column": "created"}, []),
    ],
)
def test_lines_of_an_order_that_are_not_added_up_are_told(
    tmp_path: Path, amounts: tuple[str, str], as_of: dict[str, str], expected: list[str]
) -> None:
    path = write_csv(
        tmp_path / "a.csv", [(key, "2026-01-01", amount, "", "") for key, amount in zip("AAB", (*amounts, "3"), strict=True)]
    )
    with Lake.open_writer(home(tmp_path)) as lake:
        report = take_in(lake, contract_of(as_of=as_of), path)
    assert [notice.partition(" Where")[0] for notice in report.notices] == expected


def test_a_file_becomes_orders_and_a_ledger_row(tmp_path: Path, settings: Settings) -> None:
    with Lake.open_writer(settings) as lake:
        report = take_in(lake, contract_of(), _file(tmp_path, GOOD))
        assert (report.state, report.row_count, report.changed_count, report.snapshot_id) == ("accepted", 1, 1, 1)
        assert lake.cursor().execute("SELECT order_id, amount::VARCHAR, status FROM lake.orders").fetchall() == [
            ("0001", "12.5000", "shipped")
        ]
        assert lake.head().snapshot_id == 1
        assert lake.version_of(1) > 0
        assert check_counts(lake) == []


def test_the_same_file_again_changes_nothing(tmp_path: Path, settings: Settings) -> None:
    with Lake.open_writer(settings) as lake:
        path = _file(tmp_path, GOOD)
        take_in(lake, contract_of(), path)
        before = table(lake)
        assert take_in(lake, contract_of(), path).state == "duplicate"
        assert (table(lake), lake.head().snapshot_id) == (before, 1)


def test_a_known_file_of_another_name_changes_nothing_however_large(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file is hashed while it is read; it is known all the same, also where it would now be refused."""
    monkeypatch.setattr("data.digest.LARGE_BYTES", 0)
    newest = contract_of(as_of={"from": "newest"}, max_growth=2)
    rows = [[f"{number:04d}", *GOOD[1:]] for number in range(1100)]
    with Lake.open_writer(settings) as lake:
        path = _file(tmp_path, *rows)
        assert take_in(lake, newest, path).state == "accepted"
        path = path.rename(path.with_name("renamed.csv"))
        assert take_in(lake, newest, path).state == "duplicate"
        for number in range(2):
            small = take_in(lake, newest, _file(tmp_path, [f"x{number}", *GOOD[1:]], hour=number + 1))
            assert small.state == "accepted"
        before = table(lake)
        again = path.rename(path.with_name("once_more.csv"))
        other = _file(tmp_path, *rows, ["y", *GOOD[1:]])
        reports = [take_in(lake, newest, file) for file in (again, other)]
        assert [report.state for report in reports] == ["duplicate", "refused"]
        assert reports[0].snapshot_id == 1
        assert table(lake) == before


def test_same_content_with_a_newer_as_of_only_advances_freshness(tmp_path: Path, settings: Settings) -> None:
    with Lake.open_writer(settings) as lake:
        take_in(lake, contract_of(), _file(tmp_path, GOOD, hour=1))
        first = lake.head().as_of
        report = take_in(lake, contract_of(), _file(tmp_path, GOOD, hour=2))
        head = lake.head()
        assert first is not None
        assert head.as_of is not None
        assert (report.state, report.changed_count) == ("accepted", 0)
        assert head.as_of > first


def test_a_correction_of_the_same_as_of_says_whose_values_stay(tmp_path: Path, settings: Settings) -> None:
    newest = contract_of(as_of={"from": "newest"})
    other = ["0002", "2026-01-03 08:00:00", "", "", ""]
    with Lake.open_writer(settings) as lake:
        reports = [
            take_in(lake, newest, _file(tmp_path, [*GOOD[:2], amount, *GOOD[3:]], hour=hour))
            for hour, amount in enumerate(["1", "2", "3"])
        ]
        told = [" ".join(report.notices) for report in reports]
        (kept,) = lake.cursor().execute("SELECT amount::INTEGER FROM lake.orders").fetchone() or ()
        assert "also in snapshot" not in told[0]
        assert all("1 orders are also in snapshot" in text for text in told[1:])
        assert ("this file stay" in told[2]) == (kept == 3)
        assert "also in snapshot" not in " ".join(take_in(lake, newest, _file(tmp_path, GOOD, other, hour=9)).notices)


def test_an_older_snapshot_is_marked_late_and_newer_values_stay(tmp_path: Path, settings: Settings) -> None:
    with Lake.open_writer(settings) as lake:
        take_in(lake, contract_of(), _file(tmp_path, GOOD, hour=5))
        report = take_in(lake, contract_of(), _file(tmp_path, [*GOOD[:2], "99", "", ""], hour=4))
        assert report.late
        assert lake.cursor().execute("SELECT amount::VARCHAR FROM lake.orders").fetchall() == [("12.5000",)]


def test_a_row_with_a_bad_number_waits_in_the_quarantine(tmp_path: Path, settings: Settings) -> None:
    with Lake.open_writer(settings) as lake:
        report = take_in(lake, contract_of(), _file(tmp_path, GOOD, ["0002", "2026-01-01 08:00:00", "a lot", "", ""]))
        assert (report.accepted_count, report.quarantined) == (1, {"amount is not an amount": 1})
        rows = list_quarantine(lake.cursor()).select("line", "column", "value", "reason").rows()
        assert rows == [(3, "amount", "a lot", "is not an amount")]


def test_a_file_with_too_many_bad_rows_is_refused_whole(tmp_path: Path, settings: Settings) -> None:
    bad = [[f"{number:04d}", "soon", "1", "", ""] for number in range(101)]
    good = [[f"{number:04d}", "2026-01-01 08:00:00", "1", "", ""] for number in range(5000, 5100)]
    with Lake.open_writer(settings) as lake:
        take_in(lake, contract_of(), _file(tmp_path, GOOD, hour=1))
        before = table(lake)
        report = take_in(lake, contract_of(), _file(tmp_path, *bad, *good, hour=2))
        assert report.state == "refused"
        assert "101 of 201 rows refused" in report.reason
        assert table(lake) == before
        assert len(list_quarantine(lake.cursor())) == 101


def test_replay_takes_refused_rows_in_under_the_changed_contract(tmp_path: Path, settings: Settings) -> None:
    with Lake.open_writer(settings) as lake:
        take_in(lake, contract_of(), _file(tmp_path, GOOD, ["0002", "01.01.2026 10:00", "5", "", ""]))
        formats = ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M"]
        (again,) = replay(lake, contract_of(instant_formats=formats), now=NOW)
        assert (again.tried, again.report.accepted_count) == (1, 1)
        assert list_quarantine(lake.cursor()).is_empty()
        rows = lake.cursor().execute("SELECT created_at::VARCHAR FROM lake.orders WHERE order_id = '0002'").fetchall()
        assert rows == [("2026-01-01 10:00:00+00",)]


def test_rows_that_a_replay_refuses_again_stand_once_under_the_file_they_came_with(tmp_path: Path, settings: Settings) -> None:
    bad, worse = ["0002", "01.01.2026 10:00", "5", "", ""], ["0003", "never", "5", "", ""]
    formats = ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M"]
    with Lake.open_writer(settings) as lake:
        take_in(lake, contract_of(), _file(tmp_path, GOOD, bad, worse))
        tried = [
            replay(lake, contract_of(), now=NOW),
            *(replay(lake, contract_of(instant_formats=formats), now=NOW) for _ in "12"),
        ]
        assert [[(one.tried, one.report.accepted_count) for one in done] for done in tried] == [[(2, 0)], [(2, 1)], [(1, 0)]]
        (left,) = list_quarantine(lake.cursor()).to_dicts()
        assert (left["file"], left["line"], left["value"]) == ("orders_20260201T000000.csv", 4, "never")


def test_an_instant_in_the_future_of_the_snapshot_is_refused(tmp_path: Path, settings: Settings) -> None:
    with Lake.open_writer(settings) as lake:
        report = take_in(lake, contract_of(), _file(tmp_path, GOOD, ["0002", "2026-02-01 00:11:00", "5", "", ""]))
        assert report.quarantined == {"created_at lies in the future of the snapshot": 1}


def test_a_mistyped_year_does_not_carry_the_newest_instant_into_the_future(tmp_path: Path, settings: Settings) -> None:
    with Lake.open_writer(settings) as lake:
        report = take_in(
            lake, contract_of(as_of={"from": "newest"}), _file(tmp_path, GOOD, ["0002", "2027-02-01 00:11:00", "5", "", ""])
        )
        assert report.quarantined == {"created_at lies in the future": 1}
        assert report.as_of is not None
        assert report.as_of < NOW


def test_a_bare_province_code_is_one_of_the_rows_country(tmp_path: Path, settings: Settings) -> None:
    columns = {
        "order_id": "id",
        "channel": "'web'",
        "created_at": "created",
        "country_code": "shipped",
        "province_code": "delivered",
    }
    rows = [["1", GOOD[1], "5", "US", "sc"], ["2", GOOD[1], "5", "BR", "SC"], ["3", GOOD[1], "5", "US", "Bayern"]]
    with Lake.open_writer(settings) as lake:
        (notice,) = take_in(lake, contract_of(columns=columns, mandatory=[]), _file(tmp_path, *rows)).notices[-1:]
        places = lake.cursor().execute("SELECT province_code, region_code FROM lake.orders ORDER BY order_id").fetchall()
    assert places == [("US-SC", region_of("US-SC")), ("BR-SC", region_of("BR-SC")), (None, None)]
    assert notice.startswith("1 rows have a province")
    assert "DE-BY" in notice
    assert "country_code || '-' || the code" in notice


def test_a_row_of_a_warehouse_before_the_shop_waits_without_created(tmp_path: Path, settings: Settings) -> None:
    with Lake.open_writer(settings) as lake:
        take_in(lake, contract_of(), _file(tmp_path, ["0001", "", "", "2026-01-02 08:00:00", ""], hour=2))
        take_in(lake, contract_of(), _file(tmp_path, [*GOOD[:3], "", ""], hour=1))
        rows = lake.cursor().execute("SELECT created_at IS NOT NULL, shipped_at IS NOT NULL FROM lake.orders").fetchall()
        assert rows == [(True, True)]


def test_a_second_source_of_a_channel_widens_the_stages_of_all_its_orders(tmp_path: Path, settings: Settings) -> None:
    narrow = contract_of(columns={"order_id": "id", "channel": "'web'", "created_at": "created"})
    with Lake.open_writer(settings) as lake:
        take_in(lake, narrow, _file(tmp_path, GOOD, hour=1))
        take_in(lake, contract_of(source="tms"), _file(tmp_path, ["0002", *GOOD[1:]], hour=2))
        masks = lake.cursor().execute("SELECT DISTINCT mapped_milestones FROM lake.orders").fetchall()
        assert len(masks) == 1


def test_an_inbox_file_is_taken_in_only_once_it_stopped_growing(tmp_path: Path, settings: Settings) -> None:
    settings.inbox.mkdir(parents=True)
    inbox, contracts = Inbox(settings.inbox), ActiveContracts(contracts={"shop": contract_of()})
    path = _file(settings.inbox, GOOD)
    with Lake.open_writer(settings) as lake:
        assert look(lake, inbox, contracts, settings, now=lambda: NOW, say=print) == []
        with path.open("a", encoding="utf-8") as file:
            file.write("0002,2026-01-01 08:00:00,1,,\n")
        assert look(lake, inbox, contracts, settings, now=lambda: NOW, say=print) == []
        (report,) = look(lake, inbox, contracts, settings, now=lambda: NOW, say=print)
        assert report.accepted_count == 2
        assert (settings.archive / "shop" / f"{path.name}.sealed").exists()


def test_a_refused_inbox_file_lies_beside_its_reason(tmp_path: Path, settings: Settings) -> None:
    settings.inbox.mkdir(parents=True)
    inbox = Inbox(settings.inbox)
    write_csv(settings.inbox / "orders_20260201T000000.csv", [["1"]], ["other"])
    with Lake.open_writer(settings) as lake:
        for _ in range(2):
            look(lake, inbox, ActiveContracts(contracts={"shop": contract_of()}), settings, now=lambda: NOW, say=print)
    reason = (settings.refused / "shop" / "orders_20260201T000000.csv.reason.txt").read_text(encoding="utf-8")
    assert "none of the columns that the contract needs is in the header, which holds 'other'" in reason


def test_compaction_leaves_fewer_files_and_the_same_rows(tmp_path: Path, settings: Settings) -> None:
    with Lake.open_writer(settings) as lake:
        for hour in range(6):
            take_in(lake, contract_of(), _file(tmp_path, [f"{hour:04d}", *GOOD[1:]], hour=hour))
        before, files = table(lake), count_files(lake)
        compact(lake)
        assert table(lake) == before
        assert count_files(lake) < files
        first = lake.version_of(1)
        assert lake.cursor().execute(f"SELECT count(*) FROM lake.orders AT (VERSION => {first})").fetchall() == [(1,)]


def test_changes_after_a_compaction_reach_the_orders_they_are_of(tmp_path: Path, settings: Settings) -> None:
    """Rows are removed by their ids in the lake, which a compaction must leave as they are."""
    expected = {f"{hour:04d}": "1.00" for hour in range(6)}

    def change(lake: Lake, hour: int, **amounts: str) -> None:
        rows = [[name.removeprefix("n"), GOOD[1], amount, *GOOD[3:]] for name, amount in amounts.items()]
        assert take_in(lake, contract_of(), _file(tmp_path, *rows, hour=hour)).changed_count == len(rows)
        expected.update({row[0]: row[2] for row in rows})

    with Lake.open_writer(settings) as lake:
        for hour in range(6):
            change(lake, hour, **{f"n{hour:04d}": "1.00"})
        compact(lake)
        change(lake, 6, n0002="2.00", n0004="3.00")
        compact(lake)
        change(lake, 7, n0000="4.00", n0002="5.00", n0005="6.00")
        found = lake.cursor().execute("SELECT order_id, amount::DECIMAL(18, 2)::VARCHAR FROM lake.orders ORDER BY 1").fetchall()
        assert found == sorted(expected.items())
        assert check_counts(lake) == []


def test_a_gzip_bomb_is_refused(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "orders_20260201T000000.csv.gz"
    path.write_bytes(gzip.compress(b"id,created,amount,shipped,delivered\n" + b"0" * 30_000_000))
    with Lake.open_writer(settings) as lake:
        report = take_in(lake, contract_of(), path)
        assert report.state == "refused"
        assert "unpacks to more than" in report.reason


def test_a_missing_path_or_pattern_is_named(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="does not exist"):
        find_units(contract_of(), [tmp_path / "nowhere"])
    with pytest.raises(RefusedError, match="no file matches"):
        find_units(contract_of(), [tmp_path])


def test_a_second_writer_waits_and_then_says_so(settings: Settings) -> None:
    with (
        Lake.open_writer(settings) as lake,
        Lake.open_writer(settings) as other,
        lake.lock(),
        pytest.raises(LakeError, match="another process has been writing"),
        other.lock(wait_seconds=0.1),
    ):
        pass


def test_a_reader_can_neither_leave_the_lake_nor_write(tmp_path: Path, settings: Settings) -> None:
    with Lake.open_writer(settings) as lake:
        take_in(lake, contract_of(), _file(tmp_path, GOOD))
    reader = Lake.open_reader(settings)
    for statement in (
        "SELECT * FROM read_csv('/etc/passwd')",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET threads = 1",
        "DELETE FROM lake.orders",
    ):
        with pytest.raises(Exception, match=r"(?i)permission|disabled|read-only|cannot|locked"):
            reader.cursor().execute(statement)
    is_on = {name: False for name in ("enable_external_access", "autoinstall_known_extensions", "autoload_known_extensions")}
    settled = "SELECT name, value::BOOLEAN FROM duckdb_settings() WHERE list_contains($names, name)"
    wanted = is_on | {"lock_configuration": True}
    assert dict(reader.cursor().execute(settled, {"names": list(wanted)}).fetchall()) == wanted
    assert reader.cursor().execute("SELECT count(*) FROM lake.orders").fetchall() == [(1,)]


def test_a_home_may_be_moved(tmp_path: Path, settings: Settings) -> None:
    with Lake.open_writer(settings) as lake:
        take_in(lake, contract_of(), _file(tmp_path, GOOD))
    moved = replace(settings, home=settings.home.rename(tmp_path / "elsewhere"))
    with Lake.open_writer(moved) as lake:
        take_in(lake, contract_of(), _file(tmp_path, ["0002", *GOOD[1:]], hour=1))
    assert Lake.open_reader(moved).cursor().execute("SELECT count(*) FROM lake.orders").fetchall() == [(2,)]


def test_a_misnamed_file_is_refused_and_holds_nothing_up(tmp_path: Path, settings: Settings) -> None:
    settings.inbox.mkdir(parents=True)
    inbox = Inbox(settings.inbox)
    write_csv(settings.inbox / "a_name_without_instant.csv", [GOOD])
    _file(settings.inbox, ["0002", *GOOD[1:]])
    with Lake.open_writer(settings) as lake:
        for _ in range(2):
            reports = look(lake, inbox, ActiveContracts(contracts={"shop": contract_of()}), settings, now=lambda: NOW, say=print)
    assert sorted(report.state for report in reports) == ["accepted", "refused"]
    reason = (settings.refused / "shop" / "a_name_without_instant.csv.reason.txt").read_text(encoding="utf-8")
    assert "does not match as_of.pattern" in reason


@pytest.mark.parametrize("hours", [(1, 2, 3), (3, 1, 2)])
def test_orders_lie_in_the_order_of_their_creation_however_they_came(
    settings: Settings, tmp_path: Path, hours: tuple[int, ...]
) -> None:
    rows = [(str(hour), f"2026-02-01 0{hour}:00:00", "", "", "") for hour in hours]
    with Lake.open_writer(settings) as lake:
        assert take_in(lake, contract_of(), write_csv(tmp_path / "o_20260301T080000.csv", rows)).state == "accepted"
    (file,) = settings.home.rglob("orders/**/*.parquet")
    assert pl.read_parquet(file)["order_id"].to_list() == ["1", "2", "3"]
