"""The audit: rows come with what they record, never change, and one touched row is found and named."""

from __future__ import annotations

import json
import re
import sqlite3
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DatabaseError

from access.audit import AUDIT, LOCAL, Actor, AuditError, hash_of, note, record, verify
from access.audit_command import add_audit_arguments, audit
from access.audit_rows import AuditFilter, AuditRow, check_export, export_audit, list_audit
from access.session import end_session, start_session
from access.sign_in import sign_in
from access.store import writing
from access.user import User, add_user, end_user_sessions, set_access, set_disabled, set_password
from config import Settings
from data.keys import read_keys
from i18n import LANGUAGES, catalogue

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 2, 8, 0, 0, 123_456, tzinfo=UTC)
OTHERS = ", ".join(column.name for column in AUDIT.columns if column.name != "seq")


def _fill(store: Engine, count: int = 5) -> None:
    for number in range(count):
        note(
            store,
            at=NOW + timedelta(seconds=number),
            actor="ming",
            action="tried",
            object_id=f"物 {number}",
            detail={"n": number},
        )


def _as_owner(store: Engine, statement: str) -> None:
    """What someone with the database in their hands can do: take the guard away first."""
    is_sqlite = store.dialect.name == "sqlite"
    drops = ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"]
    with writing(store) as connection:
        for drop in drops if is_sqlite else ["DROP TRIGGER audit_no_change ON audit"]:
            connection.execute(text(drop))
        connection.execute(text(statement))


def test_untouched_chain_is_sound(any_store: Engine) -> None:
    _fill(any_store)
    verdict = verify(any_store)
    assert (verdict.sound_count, verdict.broken_seq) == (5, None)


def test_empty_audit_is_sound(any_store: Engine) -> None:
    assert verify(any_store).broken_seq is None


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'li' WHERE seq = 3", "DELETE FROM audit WHERE seq = 3"])
def test_database_refuses_to_change_a_row(any_store: Engine, statement: str) -> None:
    _fill(any_store)
    with pytest.raises(DatabaseError, match="never changed or removed"), writing(any_store) as connection:
        connection.execute(text(statement))
    assert verify(any_store).broken_seq is None


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        *(
            (f"UPDATE audit SET {column} = 'x' WHERE seq = 3", 3)
            for column in ("actor", "address", "action", "object_id", "detail")
        ),
        ("UPDATE audit SET at = at + 1 WHERE seq = 3", 3),
        ("UPDATE audit SET previous_hash = hash WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq >= 4", 4),
        ("UPDATE audit SET seq = 6 WHERE seq = 5", 5),
        ("UPDATE audit_head SET seq = 4", 5),
        ("UPDATE audit_head SET seq = 6", 6),
        (f"INSERT INTO audit (seq, {OTHERS}) SELECT 6, {OTHERS} FROM audit WHERE seq = 5", 6),
        (f"INSERT INTO audit (seq, {OTHERS}) SELECT 0, {OTHERS} FROM audit WHERE seq = 5", 0),
    ],
)
def test_tampering_is_found_at_the_row(any_store: Engine, statement: str, broken: int) -> None:
    _fill(any_store)
    _as_owner(any_store, statement)
    assert verify(any_store).broken_seq == broken


def _rewrite(store: Engine, changes: dict[int, dict[str, object]]) -> None:
    """Change rows and give each of them a hash that fits itself, as someone does who has read the code."""
    with store.connect() as connection:
        rows = {row.seq: dict(row._mapping) for row in connection.execute(select(AUDIT))}
    for number, (seq, values) in enumerate(changes.items()):
        row = rows[seq] | values
        row["hash"] = hash_of(row)
        columns = ", ".join(f"{name} = :{name}" for name in values | {"hash": ""})
        if number == 0:
            _as_owner(store, "SELECT 1")
        with writing(store) as connection:
            connection.execute(text(f"UPDATE audit SET {columns} WHERE seq = :old"), values | {"hash": row["hash"], "old": seq})


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({3: {"actor": "li"}}, 4),
        ({5: {"detail": "{}"}}, 6),
        ({2: {"seq": 60}, 3: {"seq": 2}, 4: {"seq": 3}}, 2),
        ({4: {"previous_hash": "0" * 64}}, 4),
    ],
    ids=["edited", "last edited", "taken out and closed up", "tied elsewhere"],
)
def test_tampering_with_hashes_made_to_fit_is_found_by_the_links(
    any_store: Engine, changes: dict[int, dict[str, object]], broken: int
) -> None:
    _fill(any_store)
    _rewrite(any_store, changes)
    assert verify(any_store).broken_seq == broken


def test_a_row_put_in_at_the_end_with_a_hash_that_fits_is_found(any_store: Engine) -> None:
    _fill(any_store)
    with any_store.connect() as connection:
        last = dict(connection.execute(select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(1)).mappings().one())
    row = last | {"seq": 6, "previous_hash": last["hash"], "actor": "li"}
    with writing(any_store) as connection:
        connection.execute(AUDIT.insert().values(row | {"hash": hash_of(row)}))
    assert (verify(any_store).broken_seq, verify(any_store).sound_count) == (6, 5)


def test_rows_that_change_places_are_found(any_store: Engine) -> None:
    _fill(any_store)
    _as_owner(any_store, "UPDATE audit SET seq = seq + 100 WHERE seq IN (2, 4)")
    with writing(any_store) as connection:
        connection.execute(text("UPDATE audit SET seq = 106 - seq WHERE seq > 100"))
    assert verify(any_store).broken_seq == 2


def test_many_writers_make_one_chain(any_store: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: _fill(any_store, number % 3 + 1), range(40)))
    expected = sum(number % 3 + 1 for number in range(40))
    assert (verify(any_store).sound_count, verify(any_store).broken_seq) == (expected, None)


def test_row_stays_away_when_its_change_does(any_store: Engine) -> None:
    def change_that_fails() -> None:
        with writing(any_store) as connection:
            record(connection, at=NOW, actor="ming", action="tried")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_that_fails()
    assert list_audit(any_store) == []


def test_transaction_that_only_reads_is_refused(store: Engine) -> None:
    with pytest.raises(AuditError, match="writing"), store.begin() as connection:
        record(connection, at=NOW, actor="ming", action="tried")


@pytest.mark.parametrize("action", ["", "Tried", "x; DROP TABLE audit", "a" * 60])
def test_action_is_a_word(store: Engine, action: str) -> None:
    with pytest.raises(AuditError, match="is no word"):
        note(store, at=NOW, actor="ming", action=action)


def test_text_no_database_can_keep_is_kept_without_what_it_cannot(any_store: Engine) -> None:
    note(
        any_store,
        at=NOW,
        actor="m\x00ing",
        action="tried",
        object_id="x" * 500,
        purpose="half \ud83d",
        detail={"a": "\ud83d\x00"},
    )
    assert verify(any_store).broken_seq is None
    (row,) = list_audit(any_store)
    assert (row.actor, len(row.object_id)) == ("ming", 256)


def _newest(store: Engine) -> AuditRow:
    return list_audit(store, limit=1)[0]


def test_sign_in_and_out_are_recorded_with_address_and_session(store: Engine) -> None:
    secret = sign_in(store, "li", "a long enough password", address="192.0.2.1", now=NOW).secret
    signed_in = _newest(store)
    assert (signed_in.actor, signed_in.action, signed_in.address) == ("li", "signed_in", "192.0.2.1")
    end_session(store, secret, NOW)
    signed_out = _newest(store)
    assert (signed_out.actor, signed_out.action, signed_out.session) == ("li", "signed_out", signed_in.session)
    assert secret not in str([signed_in, signed_out])


def test_cookie_of_nobody_signs_nobody_out(store: Engine) -> None:
    before = len(list_audit(store))
    end_session(store, "unknown", NOW)
    assert len(list_audit(store)) == before


def test_failed_sign_in_is_recorded(store: Engine) -> None:
    sign_in(store, "li", "wrong", address="192.0.2.1", now=NOW)
    row = _newest(store)
    assert (row.actor, row.action, row.address, row.result) == ("li", "sign_in_failed", "192.0.2.1", "wrong")


def test_password_typed_as_a_name_is_not_kept(store: Engine) -> None:
    sign_in(store, "my secret password", "", address="192.0.2.1", now=NOW)
    assert _newest(store).action == "sign_in_failed"
    assert "secret" not in str(list_audit(store))


def test_attempts_at_a_shut_door_are_recorded_once_a_minute(store: Engine) -> None:
    for second in range(70):
        sign_in(store, "li", "wrong", address="192.0.2.1", now=NOW + timedelta(seconds=second))
    assert len(list_audit(store, AuditFilter(results=("wait",)))) == 2


def test_changes_of_a_user_are_recorded_with_what_was_before(store: Engine) -> None:
    set_access(store, "li", role="lead", regions=["CN-SOUTH"], now=NOW, by=Actor(name="ming", address="192.0.2.9"))
    row = _newest(store)
    assert (row.actor, row.address, row.action, row.object_id) == ("ming", "192.0.2.9", "access_changed", "li")
    assert row.detail == {"role": ["lead", "lead"], "regions": [["CN-EAST"], ["CN-SOUTH"]]}
    for is_disabled in (True, False):
        set_disabled(store, "li", is_disabled=is_disabled, now=NOW, by=LOCAL)
    set_password(store, "li", password_hash="x", now=NOW, by=LOCAL)
    end_user_sessions(store, "li", NOW, by=LOCAL)
    done = ["sessions_ended", "password_changed", "user_enabled", "user_disabled"]
    assert [row.action for row in list_audit(store, limit=4)] == done


def test_added_user_is_recorded_without_the_password(store: Engine, password_hash: str) -> None:
    add_user(store, User(name="wang", display_name="", role="admin"), password_hash=password_hash, now=NOW, by=LOCAL)
    assert _newest(store).action == "user_added"
    assert password_hash not in str(list_audit(store))


def test_filters_narrow(store: Engine) -> None:
    start_session(store, "li", NOW + timedelta(hours=1))
    assert [row.action for row in list_audit(store, AuditFilter(since=NOW + timedelta(minutes=1)))] == ["signed_in"]
    assert list_audit(store, AuditFilter(actors=("li",), until=NOW)) == []
    assert [row.object_id for row in list_audit(store, AuditFilter(actions=("user_added",)))] == ["li", "ming"]


def test_export_carries_every_row_and_a_signature(store: Engine, settings: Settings, tmp_path: Path) -> None:
    _fill(store)
    file, keys = tmp_path / "audit.jsonl", read_keys(settings)
    count = export_audit(store, file, keys=keys, at=NOW)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["seq"] for line in lines[:-2]] == list(range(1, count + 1))
    assert check_export(file, keys=keys) == (count, lines[-3]["hash"])


@pytest.mark.parametrize("spoil", [lambda b: b.replace(b"ming", b"wang", 1), lambda b: b[b.index(b"\n") + 1 :], lambda b: b""])
def test_changed_export_is_refused(store: Engine, settings: Settings, tmp_path: Path, spoil: object) -> None:
    _fill(store)
    file, keys = tmp_path / "audit.jsonl", read_keys(settings)
    export_audit(store, file, keys=keys, at=NOW)
    file.write_bytes(spoil(file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(AuditError, match="was changed"):
        check_export(file, keys=keys)


def _call(settings: Settings, *words: str) -> tuple[list[str], int]:
    parser = ArgumentParser()
    add_audit_arguments(parser)
    return audit(settings, parser.parse_args(words), NOW)


def test_command_verifies_and_names_the_broken_row(store: Engine, settings: Settings) -> None:
    _fill(store)
    assert _call(settings, "verify")[1] == 0
    with closing(sqlite3.connect(settings.home / "store.sqlite")) as outside:
        outside.execute("DROP TRIGGER audit_no_update")
        outside.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 4")
        outside.commit()
    lines, code = _call(settings, "verify")
    assert code == 1
    assert lines[0].startswith("broken at row 4: the row was edited")


def test_chain_written_anew_differs_from_an_earlier_export(store: Engine, settings: Settings, tmp_path: Path) -> None:
    _fill(store)
    file = str(tmp_path / "audit.jsonl")
    _call(settings, "export", file)
    assert (_newest(store).action, _newest(store).detail) == ("audit_exported", {"rows": 7})
    assert _call(settings, "verify", "--against", file)[1] == 0
    _as_owner(store, "DELETE FROM audit")
    with writing(store) as connection:
        connection.execute(text("UPDATE audit_head SET seq = 0, hash = :hash"), {"hash": "0" * 64})
    _fill(store, 9)
    assert _call(settings, "verify")[1] == 0
    lines, code = _call(settings, "verify", "--against", file)
    assert code == 1
    assert "written anew" in lines[0]


def test_listing_keeps_one_row_on_one_line(store: Engine, settings: Settings) -> None:
    note(store, at=NOW, actor="ming", action="tried", object_id="a\nb\x1b[31m", purpose='say "why"')
    (line,) = _call(settings, "list", "--did", "tried")[0]
    assert "\n" not in line
    assert "\x1b" not in line


def test_every_recorded_action_has_a_name_in_every_language() -> None:
    sources = [file for folder in ("access", "alerts", "data", "shell") for file in (ROOT / folder).rglob("*.py")]
    words = {
        word for file in [*sources, ROOT / "cli.py"] for word in re.findall(r'\baction="([a-z_]+)"', file.read_text("utf-8"))
    }
    words -= {"store_true", "append"}
    assert {"signed_in", "sign_in_failed", "page_refused"} <= words
    for language in LANGUAGES:
        assert [word for word in sorted(words) if f"audit.action.{word}" not in catalogue(language)] == []


def test_every_kind_of_object_has_a_name_in_every_language() -> None:
    sources = [file for folder in ("access", "alerts", "data", "shell") for file in (ROOT / folder).rglob("*.py")]
    found = re.compile(r"object_kind(?:=|\": )\"([a-z_]+)\"")
    kinds = {kind for file in [*sources, ROOT / "cli.py"] for kind in found.findall(file.read_text("utf-8"))}
    assert {"user", "order", "export"} <= kinds
    for language in LANGUAGES:
        assert [kind for kind in sorted(kinds) if f"audit.kind.{kind}" not in catalogue(language)] == []


def test_rows_in_the_store_are_counted_alike(store: Engine) -> None:
    with store.connect() as connection:
        assert connection.execute(select(func.count()).select_from(AUDIT)).scalar_one() == verify(store).sound_count
