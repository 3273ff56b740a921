"""`python cli.py personal`: erased by phone, proven by a search of every byte, on record without the phone."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

from access.acting import By
from access.approval import ask, decide, take
from access.audit import LOCAL, Actor
from access.audit_rows import list_audit
from access.contacts import originals, reveal, search_by_phone
from access.personal_command import add_personal_arguments, personal
from access.reading import Reading
from access.store import open_store
from access.user import User, add_user
from access.view import open_view
from access.work_act import Act, perform
from config import Settings
from data.archive import seal_what_lies_open
from data.erase import find_bytes
from data.lake import Lake
from pages.orders_export import csv_bytes, read_export, with_originals
from tests.access.conftest import PASSWORD
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
    own = type(settings)(home=home, demo=False, memory_limit="512MB", threads=1)
    path = write_csv(outside / "orders_20260301T090000.csv", [("A1", "2026-03-01T08:00:00Z", PHONE)], ("id", "created", "mobile"))
    bad = write_csv(outside / "orders_20260301T093000.csv", [("A2", f"call {PHONE}", "")], ("id", "created", "mobile"))
    with Lake.open_writer(own) as lake:
        assert take_in(lake, CONTRACT, path).accepted_count == 1
        assert take_in(lake, CONTRACT, bad).state == "refused"
    (own.archive / "shop").mkdir(parents=True)
    path.replace(own.archive / "shop" / path.name)
    assert seal_what_lies_open(own) == 1
    sealed = own.archive / "shop" / f"{path.name}.sealed"
    assert _call(own, "prove", PHONE) == (["a refused row of shop: holds the text", f"{sealed}: holds the text"], 1)
    assert _call(own, "open", str(sealed), str(tmp_path / "opened.csv"))[1] == 0
    assert PHONE in (tmp_path / "opened.csv").read_text("utf-8")
    assert _call(own, "expire", "3000")[0] == ["0 values older than 3000 days removed"]
    assert _call(own, "erase", "--phone", "+86 138 1234 5678")[0][0].startswith("1 values of 1 orders removed")
    assert _call(own, "prove", PHONE)[1] == 0
    (home / "note.txt").write_text(f"call {PHONE}", encoding="utf-8")
    lines, code = _call(own, "prove", PHONE)
    assert (code, lines) == (1, [f"{home / 'note.txt'}: holds the text"])
    store = open_store(own)
    row = list_audit(store, limit=1)[0]
    assert [one.action for one in list_audit(store)] == ["contacts_erased", "contacts_expired", "sealed_file_opened"]
    assert (row.actor, row.action, row.detail) == (
        "local",
        "contacts_erased",
        {
            "values": 1,
            "orders": ["web/A1"],
            "rows": 1,
            "files": 1,
            "removed": [],
        },
    )
    assert PHONE not in str(list_audit(store))
    store.dispose()


def test_after_everything_that_was_done_with_a_number_no_file_of_the_home_holds_it(
    settings: Settings, tmp_path: Path, password_hash: str
) -> None:
    """Revealed, searched, exported, asked about, noted down, guessed at: then erased, and searched for in every byte."""
    outside = tmp_path / "outside"
    outside.mkdir()
    own = type(settings)(home=settings.home / "home", demo=False, memory_limit="512MB", threads=1)
    path = write_csv(outside / "orders_20260301T090000.csv", [("A1", "2026-03-01T08:00:00Z", PHONE)], ("id", "created", "mobile"))
    with Lake.open_writer(own) as lake:
        assert take_in(lake, CONTRACT, path).accepted_count == 1
    assert _call(own, "rotate")[0][0].startswith("1 values are encrypted under a fresh key"), "what follows works after it"
    store, reading = open_store(own), Reading(own)
    root, second = (User(name=name, display_name=name, role="admin") for name in ("root", "second"))
    for user in (root, second):
        add_user(store, user, password_hash=password_hash, now=NOW, by=LOCAL)
    actor = Actor(name="root", session="0" * 64)
    view = open_view(
        reading, root, {"window": ["all"]}, now=NOW, language="en", stays_valid=lambda: None, store=store, actor=actor
    )
    said = f"the courier has 138 1234 5678, not +86 {PHONE}"
    assert reveal(view, "web", "A1", "phone", purpose="delivery", text=said, password=PASSWORD, now=NOW).value == PHONE
    assert search_by_phone(view, PHONE) == [("web", "A1")]
    assert view.make_journey("web", "A1").startswith("/journey/")
    done = ["journey_made", "contact_revealed", "user_added", "user_added", "keys_rotated"]
    assert [row.action for row in list_audit(store)] == done
    assert perform(view, Act(verb="note", key=("web", "A1"), value=said)).error is None
    number = ask(store, {"window": ["all"]}, row_count=1, purpose="delivery", reason=said, by=view.by())
    decide(store, number, is_approved=True, by=By(user=second, at=NOW))
    export = with_originals(
        view, read_export(view, {"window": ["all"]}), originals(view, [("web", "A1")]), approved_by="", purpose="delivery"
    )
    assert PHONE in csv_bytes(export).decode("utf-8-sig")
    take(store, number, view.by())
    reading.close()
    assert _call(own, "erase", "--phone", PHONE)[0][0].startswith("1 values of 1 orders removed")
    forms = [PHONE, PHONE[3:], "138 1234 5678", "138-1234-5678", f"86{PHONE}"]
    assert find_bytes(own.home, forms) == []
    store.dispose()
    assert find_bytes(own.home, forms) == []
    assert find_bytes(own.home, ["138****5678"]), "what was written is there, masked"
