"""The home's keys: made once, for the owner's eyes only, never shown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import Settings, read_settings
from data.keys import KeysError, as_text, read_keys


def test_keys_are_made_once(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: read_keys(settings), range(16)))
    assert all(keys == found[0] for keys in found)
    assert [file.name for file in settings.home.iterdir()] == ["keys.json"]


def test_only_the_owner_can_read_them(settings: Settings) -> None:
    read_keys(settings)
    file = settings.home / "keys.json"
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    with pytest.raises(KeysError, match="chmod 600"):
        read_keys(settings)


def test_environment_may_hold_them(settings: Settings, tmp_path: Path) -> None:
    keys = read_keys(settings)
    elsewhere = read_settings({"CONTROL_ROOM_KEYS": as_text(keys)}, home=tmp_path / "other")
    assert read_keys(elsewhere) == keys
    assert not (tmp_path / "other").exists()


def test_they_are_never_part_of_a_text(settings: Settings, tmp_path: Path) -> None:
    keys = read_keys(settings)
    elsewhere = read_settings({"CONTROL_ROOM_KEYS": as_text(keys)}, home=tmp_path, store_url="postgresql://x:secret@y/z")
    assert repr(keys) == "Keys()"
    assert "signing" not in repr(elsewhere)
    assert "secret" not in repr(elsewhere)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"signing": "AA==", "search": "AA==", "contacts": []}', "not json"])
def test_broken_key_file_is_refused_with_the_remedy(settings: Settings, text: str) -> None:
    read_keys(settings)
    (settings.home / "keys.json").write_text(text, encoding="utf-8")
    with pytest.raises(KeysError, match="restore it"):
        read_keys(settings)
