"""`python cli.py personal`: erased by phone, proven by a search of every byte, on record without the phone."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

from access.audit_rows import list_audit
from access.personal_command import add_personal_arguments, personal
from access.store import open_store
from config import Settings
from data.lake import Lake
from tests.data.intake import contract_of, take_in, write_csv

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PHONE = "13812345678"
CONTRACT = contract_of(columns={"order_id": "id", "channel": "'web'", "created_at": "created"}, personal={"phone": "mobile"})


def _call(settings: Settings, *words: str) -> tuple[list[str], int]:
    parser = ArgumentParser()
    add_personal_arguments(parser)
    return personal(settings, parser.parse_args(words), NOW)


def test_person_is_erased_by_phone_and_the_proof_holds(settings: Settings, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    home = settings.home / "home"
    own = type(settings)(home=home, demo=False, memory_limit="512MB")
    path = write_csv(outside / "orders_20260301T090000.csv", [("A1", "2026-03-01T08:00:00Z", PHONE)], ("id", "created", "mobile"))
    with Lake.open_writer(own) as lake:
        assert take_in(lake, CONTRACT, path).accepted_count == 1
    assert _call(own, "erase", "--phone", "+86 138 1234 5678")[0][0].startswith("1 values of 1 orders removed")
    assert _call(own, "prove", PHONE)[1] == 0
    (home / "note.txt").write_text(f"call {PHONE}", encoding="utf-8")
    lines, code = _call(own, "prove", PHONE)
    assert (code, lines) == (1, [f"{home / 'note.txt'}: holds the text"])
    store = open_store(own)
    row = list_audit(store, limit=1)[0]
    assert (row.actor, row.action, row.detail) == ("local", "contacts_erased", {"values": 1, "orders": ["web/A1"]})
    assert PHONE not in str(list_audit(store))
    store.dispose()
