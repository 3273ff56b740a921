"""Retention: originals go in time, by field, at most about once a week; what is younger stays; the settings are checked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from access.audit_rows import list_audit
from access.store import open_store
from config import Settings, SettingsError, read_settings
from data.erase import find_bytes
from data.lake import Lake
from data.retention import Erased, erase_expired, kept_days, oldest_contact
from shell.upkeep import Upkeep
from tests.data.intake import contract_of, take_in, write_csv

FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
OLD_PHONE, NEW_PHONE = "13812345678", "13987654321"
CONTRACT = contract_of(
    columns={"order_id": "id", "channel": "'web'", "created_at": "created"}, personal={"name": "who", "phone": "mobile"}
)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """One order of the first of March, one of twenty days later, each with name and phone."""
    settings = read_settings({}, home=tmp_path / "home", demo=False, memory_limit="512MB", threads=1, keep_contacts="phone=28")
    with Lake.open_writer(settings) as opened:
        for number, (days, phone) in enumerate(((0, OLD_PHONE), (20, NEW_PHONE))):
            at = FIRST + timedelta(days=days)
            rows = [(f"A{number}", f"{at - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", "张三", phone)]
            path = write_csv(tmp_path / f"orders_{at:%Y%m%dT%H%M%S}.csv", rows, ("id", "created", "who", "mobile"))
            assert take_in(opened, CONTRACT, path).state == "accepted"
            path.unlink()
        yield opened


def _left(lake: Lake) -> list[tuple[str, str]]:
    return lake.cursor().execute("SELECT order_id, field FROM lake.order_contacts ORDER BY ALL").fetchall()


def test_nothing_goes_before_its_time(lake: Lake) -> None:
    assert erase_expired(lake, {"phone": 28}, FIRST + timedelta(days=28)) == []
    assert erase_expired(lake, {}, FIRST + timedelta(days=3_000)) == []
    assert len(_left(lake)) == 4


def test_what_reached_its_limit_goes_with_what_would_within_a_week_and_the_rest_stays(lake: Lake) -> None:
    now = FIRST + timedelta(days=28, hours=1)
    before = now - timedelta(days=21)
    assert erase_expired(lake, {"phone": 28}, now) == [Erased(field="phone", days=28, before=before, value_count=1, left_count=0)]
    assert _left(lake) == [("A0", "name"), ("A1", "name"), ("A1", "phone")]
    assert oldest_contact(lake, "phone") == FIRST + timedelta(days=20)
    assert erase_expired(lake, {"phone": 28}, now + timedelta(days=1)) == []


def test_worker_erases_by_itself_and_the_proof_is_in_the_audit(lake: Lake) -> None:
    said: list[str] = []
    store = open_store(lake.settings)
    upkeep, now = Upkeep(lake.settings, store, said.append), FIRST + timedelta(days=29)
    kept = lake.settings.archive / "shop" / "before.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text(f"id,mobile\nA0,{OLD_PHONE}\n", encoding="utf-8")
    for later in (timedelta(), timedelta(minutes=30), timedelta(hours=2)):
        upkeep(lake, now + later)
    rows = [row for row in list_audit(store) if row.action == "contacts_expired"]
    assert [(row.actor, row.detail["values"], row.detail["left"], row.detail["fields"]) for row in rows] == [
        ("system", 1, 0, ["phone"])
    ]
    assert len(said) == 2
    assert [file.name for file in kept.parent.iterdir()] == ["before.csv.sealed"]
    assert find_bytes(lake.settings.home, [OLD_PHONE]) == []
    store.dispose()


@pytest.mark.parametrize(
    ("text", "days"),
    [("", {}), ("365", {"name": 365, "phone": 365, "address": 365}), ("phone=30, address=90", {"phone": 30, "address": 90})],
)
def test_days_are_for_all_or_by_field(text: str, days: dict[str, int]) -> None:
    assert kept_days(Settings(keep_contacts=text)) == days


@pytest.mark.parametrize("text", ["soon", "0", "phone=0", "phone=-3", "fax=3", "phone", "99999999"])
def test_faulty_days_are_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(SettingsError, match="KEEP_CONTACTS"):
        kept_days(Settings(keep_contacts=text))
