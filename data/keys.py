"""The home's own keys: in `<home>/keys.json`, readable by its owner only, or handed in whole by CONTROL_ROOM_KEYS.

`signing` signs audit exports, `search` makes the keyed hashes personal data is found by, `contacts` encrypt the originals:
the last of them is used for new values, the others still open old ones until a rotation has written those anew.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from dataclasses import dataclass, field
from typing import Final

from config import Settings

FILE: Final = "keys.json"
KEY_BYTES: Final = 32


class KeysError(PermissionError):
    """The keys cannot be used; the message says why and what to do, and never shows a key."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Every key of this home, never printed: 32 bytes each; `contacts` as (id, key), the one in use last."""

    signing: bytes = field(repr=False)
    search: bytes = field(repr=False)
    contacts: tuple[tuple[str, bytes], ...] = field(repr=False)


def read_keys(settings: Settings) -> Keys:
    """The keys of this home, made at the first call. Raises KeysError for a file others can read or that is no key file."""
    if settings.keys:
        return _parse(settings.keys, "CONTROL_ROOM_KEYS")
    file = settings.home / FILE
    if not file.exists():
        write_keys(settings, Keys(signing=_new(), search=_new(), contacts=((new_key_id(), _new()),)), is_first=True)
    if file.stat().st_mode & 0o077:
        raise KeysError(f"{file} can be read by others than its owner: chmod 600 {file}, and rotate the keys if anyone did")
    return _parse(file.read_text(encoding="utf-8"), str(file))


def write_keys(settings: Settings, keys: Keys, *, is_first: bool = False) -> None:
    """Put the keys into the home, whole or not at all; with `is_first` a file that is there already stays."""
    if settings.keys:
        raise KeysError("the keys come from CONTROL_ROOM_KEYS: change them where that is kept")
    settings.home.mkdir(parents=True, exist_ok=True)
    beside = settings.home / f".{FILE}-{secrets.token_hex(8)}"
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(as_text(keys))
        out.flush()
        os.fsync(out.fileno())
    try:
        if is_first:
            os.link(beside, settings.home / FILE)
        else:
            os.replace(beside, settings.home / FILE)
    except FileExistsError:
        pass  # another process was first: its keys are the home's
    finally:
        beside.unlink(missing_ok=True)


def as_text(keys: Keys) -> str:
    """The keys as the file holds them (and CONTROL_ROOM_KEYS may)."""
    contacts = [{"id": name, "key": _encode(key)} for name, key in keys.contacts]
    return json.dumps({"signing": _encode(keys.signing), "search": _encode(keys.search), "contacts": contacts}, indent=1)


def new_contact_key(keys: Keys) -> Keys:
    """The same keys with a fresh one for contacts, in use from now on."""
    return Keys(signing=keys.signing, search=keys.search, contacts=(*keys.contacts, (new_key_id(), _new())))


def new_key_id() -> str:
    """A key's name: random, so that two homes never share one."""
    return secrets.token_hex(4)


def _parse(text: str, where: str) -> Keys:
    try:
        found = json.loads(text)
        contacts = tuple((str(entry["id"]), _decode(entry["key"])) for entry in found["contacts"])
        keys = Keys(signing=_decode(found["signing"]), search=_decode(found["search"]), contacts=contacts)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise KeysError(f"{where} is not a key file: restore it from the backup of the home") from None
    if not keys.contacts or len({name for name, _ in keys.contacts}) < len(keys.contacts):
        raise KeysError(f"{where} has no usable key for contacts: restore it from the backup of the home")
    return keys


def _new() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def _encode(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _decode(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("a key has 32 bytes")
    return key
