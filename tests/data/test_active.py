"""A faulty contract or targets file is named with its remedy; the other sources, and everything else, go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from config import Settings
from data.active import active_contracts, targets_in_force, with_business_zone
from data.ingest import Report
from data.lake import Lake
from data.watch import Inbox, look, remember_contract, tell_faults
from data.worker import run_worker
from tests.data.intake import NOW, PLAIN, contract_of, home, write_csv

GOOD_ROW = ("0001", "2026-01-01 08:00:00", "1.5", "", "")
HEAD = "source: crm_returns\nkind: returns\nowner: crm@example.com # desk 4\nas_of: {from: newest}\n"
FAULTY = {
    "misspelt key": ("colums: {}\n", "unknown key 'colums'"),
    "unknown column": ("columns: {order_id: id, channel: c, return_id: r, closed_att: t}\n", "did you mean 'closed_at'"),
    "no YAML": ("columns: {order_id: [\n", "not valid YAML"),
    "no such day": ("day: 2026-02-30\n", "day is out of range"),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with a sound contract of the source `shop`, whose files are `orders_*.csv`."""
    made = home(tmp_path)
    write_contract(made, "shop", PLAIN | {"reader": {"path": "orders_*.csv"}})
    made.inbox.mkdir(parents=True)
    return made


def write_contract(settings: Settings, name: str, content: object) -> Path:
    folder = settings.home / "contracts"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("text", FAULTY)
def test_a_faulty_contract_is_named_and_the_sound_one_stays_in_force(settings: Settings, text: str) -> None:
    written, words = FAULTY[text]
    path = write_contract(
        settings,
        "broken",
        HEAD + written,
    )
    active = active_contracts(settings, demo=False)
    assert list(active.contracts) == ["shop"]
    (fault,) = active.faults
    assert (fault.source, fault.owner) == ("crm_returns", "crm@example.com")
    assert fault.reason.startswith("broken.yaml")
    assert words in fault.reason
    assert str(path) in fault.sentence
    assert "is not taken in until" in fault.sentence


def test_a_file_that_is_no_text_is_named_after_its_file(settings: Settings) -> None:
    (settings.home / "contracts" / "oms.yaml").write_bytes(b"\xff\xfe\x00owner")
    (fault,) = active_contracts(settings, demo=False).faults
    assert (fault.source, fault.reason) == ("oms", "oms.yaml: is no UTF-8 text: save it as UTF-8")


def test_of_two_contracts_for_one_source_the_first_stays_in_force(settings: Settings) -> None:
    write_contract(settings, "zweite", PLAIN | {"owner": "other@example.com"})
    active = active_contracts(settings, demo=False)
    assert active.contracts["shop"].owner == PLAIN["owner"]
    assert [fault.file.name for fault in active.faults] == ["zweite.yaml"]


def test_the_columns_a_faulty_contract_feeds_are_known(settings: Settings) -> None:
    write_contract(settings, "wms", "source: wms\ncolumns:\n  order_id: id\n  packed_at: packed\nowner: [\n")
    (fault,) = active_contracts(settings, demo=False).faults
    assert fault.feeds == {"orders.order_id", "orders.packed_at"}


def test_a_faulty_contract_does_not_move_the_business_zone(settings: Settings) -> None:
    """Two zones: none of them is the house's, before and after one of the contracts is broken."""
    path = write_contract(settings, "berlin", PLAIN | {"source": "berlin", "time_zone": "Europe/Berlin"})
    assert with_business_zone(settings).time_zone == settings.time_zone
    path.write_text("source: berlin\ntime_zone: Europe/Berlin\ncolums: {}\n", encoding="utf-8")
    assert with_business_zone(settings).time_zone == settings.time_zone
    path.write_text("source: berlin\ntime_zone: UTC\ncolums: {}\n", encoding="utf-8")
    assert with_business_zone(settings).time_zone == "UTC"


def test_faulty_targets_put_no_target_and_no_limit_in_force(settings: Settings) -> None:
    (settings.home / "targets.yaml").write_text("- {valid_from: 2020-01-01, stage_limits: {payed: 1h}}", encoding="utf-8")
    targets, fault = targets_in_force(settings)
    edition = targets.at(NOW)
    assert fault is not None
    assert fault.reason.startswith("targets.yaml: ")
    assert "unknown stage 'payed'" in fault.reason
    assert (edition.target_of("on_time_rate"), edition.limit_of("paid")) == (None, None)


def looks(settings: Settings, times: int) -> Iterator[tuple[list[Report], list[str]]]:
    """What each of several looks at the inbox takes in and says."""
    inbox = Inbox(settings.inbox)
    with Lake.open_writer(settings) as lake:
        for _ in range(times):
            said: list[str] = []
            active = active_contracts(settings, demo=False)
            tell_faults(inbox, active, said.append)
            yield look(lake, inbox, active, settings, now=lambda: NOW, say=said.append), said


def test_a_faulty_contract_is_told_once_and_its_file_waits_until_it_is_mended(settings: Settings) -> None:
    path = write_contract(settings, "crm", "source: crm\ncolums: {}\n")
    write_csv(settings.inbox / "orders_20260201T000000.csv", [GOOD_ROW])
    waiting = write_csv(settings.inbox / "crm_20260201T000000.csv", [GOOD_ROW])
    found = []
    for number, (reports, said) in enumerate(looks(settings, 4)):
        found += [(report.source, report.state) for report in reports]
        assert sum("unknown key 'colums'" in line for line in said) == (number == 0)
        if number == 1:
            assert (found, waiting.exists()) == ([("shop", "accepted")], True)
            path.write_text(yaml.safe_dump(PLAIN | {"source": "crm", "reader": {"path": "crm_*.csv"}}), encoding="utf-8")
    assert found == [("shop", "accepted"), ("crm", "accepted")]


def test_the_worker_goes_on_beside_a_faulty_contract(settings: Settings) -> None:
    write_contract(settings, "crm", "source: crm\ncolumns: [")
    (settings.home / "targets.yaml").write_text("- [", encoding="utf-8")
    write_csv(settings.inbox / "orders_20260201T000000.csv", [GOOD_ROW])
    said: list[str] = []
    turns = iter(range(4))
    run_worker(
        replace(settings, demo=False),
        now=lambda: NOW,
        is_stopping=lambda: next(turns, None) is None,
        pause=lambda _: None,
        say=said.append,
    )
    assert [line.split(":")[0] for line in said] == ["crm.yaml, line 2", "orders_20260201T000000.csv"]
    assert Lake.open_reader(settings).head().snapshot_id == 1


def test_a_contract_that_fails_only_at_its_rows_stops_its_own_file_only(settings: Settings) -> None:
    columns = PLAIN["columns"] | {"amount": "no_such_function(amount)"}
    write_contract(settings, "odd", PLAIN | {"source": "odd", "reader": {"path": "odd_*.csv"}, "columns": columns})
    write_csv(settings.inbox / "odd_20260201T000000.csv", [GOOD_ROW])
    write_csv(settings.inbox / "orders_20260201T000000.csv", [GOOD_ROW])
    reports = [report for found, _ in looks(settings, 2) for report in found]
    assert sorted((report.source, report.state) for report in reports) == [("odd", "refused"), ("shop", "accepted")]


@pytest.mark.parametrize("content", [PLAIN, "source: shop\ncolums: {}\n"])
def test_a_remembered_contract_takes_the_place_of_the_home_s_file_for_its_source(
    settings: Settings, tmp_path: Path, content: object
) -> None:
    (settings.home / "contracts" / "shop.yaml").unlink()
    write_contract(settings, "our_shop", content)
    mended = tmp_path / "mended.yaml"
    mended.write_text(yaml.safe_dump(PLAIN | {"owner": "new@example.com"}), encoding="utf-8")
    remember_contract(settings, mended, contract_of(owner="new@example.com"))
    active = active_contracts(settings, demo=False)
    assert (active.contracts["shop"].owner, active.faults) == ("new@example.com", ())


def test_a_contract_of_the_home_is_not_copied_beside_itself(settings: Settings) -> None:
    path = write_contract(settings, "named_otherwise", PLAIN | {"source": "kiosk"})
    remember_contract(settings, path, contract_of(source="kiosk"))
    assert sorted(file.name for file in path.parent.iterdir()) == ["named_otherwise.yaml", "shop.yaml"]
