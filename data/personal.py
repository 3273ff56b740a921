"""Personal data at intake: what a contract calls personal is masked before anything else looks at a row.

The originals go, encrypted, into `order_contacts` and nowhere else: not into the orders, the rows as they came, the
quarantine or a message. A masked value masks to itself, so a masked copy of a file can be taken in again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from data.contract import Contract
from data.keys import Keys, KeysError
from data.mapping import filled_text
from data.sources import TextRows
from data.sql_text import identifier

SEALED_SUFFIX: Final = ".sealed"
JSON_ROW, TEXT_ROW = "json:", "text:"
"""What a sealed row of the quarantine begins with: a row that can be taken in again, or a line that could not be read."""

IS_SEALED: Final = f"(starts_with(raw, '{JSON_ROW}') OR starts_with(raw, '{TEXT_ROW}'))"
"""SQL over the quarantine: the row is kept encrypted."""

NONCE_BYTES: Final = 12
BATCH: Final = 20_000
FRAME_BYTES: Final = 16 * 1024 * 1024
KEY_ID_BYTES: Final = 16
MASKED_ROWS: Final = "masked_rows"
SEALED_ROWS: Final = "sealed_contacts"

_PLACE: Final = "[^0-9０-９号弄巷]?[^0-9０-９路街道号弄巷村镇小社]"
"""Within a name of a province, city or district: what a street, a house or an estate (…小区) is named by ends it."""

_DISTRICT: Final = (
    f"^({_PLACE}{{1,6}}?(?:省|自治区|特别行政区))?({_PLACE}{{1,8}}?(?:市|自治州|地区|盟))?({_PLACE}{{0,8}}?(?:区|县|旗|市))?"
)
_CITY_FIRST: Final = f"^{_PLACE}{{1,8}}?(?:省|自治区|特别行政区|市|自治州|地区|盟|区|县|旗)"
_MOBILE: Final = r"(?:(?:\+|00)?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}[ -]?\d{4}|\.\d{4}\.\d{4})"
_ABROAD: Final = r"\+\d(?:[ ()-]{0,2}\d){8,14}"
PHONE: Final = re.compile(rf"(?<![A-Za-z0-9.])(?:{_MOBILE}|{_ABROAD})(?!\d)")
"""A mobile number of China, or a number written with its country's code; digits within a longer number are neither."""
EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+")
HIDDEN_EMAIL: Final = "***@***"
_FULL_WIDTH: Final = str.maketrans("０１２３４５６７８９＋－．＠", "0123456789+-.@")
_MASKED_PHONE: Final = "[0-9]{0,3}[*]{4,}[0-9]{0,4}"


def mask_sql(field: str, value: str) -> str:
    """SQL of a value's masked form: 张*, 138****1234, an address down to its district; null stays null.

    A masked form masks to itself; a star somewhere in a value does not make it one.
    """
    text = f"trim({value})"
    if field == "name":
        masked = f"left({text}, 1) || '*'"
    elif field == "phone":
        digits = f"regexp_replace({text}, '[^0-9]', '', 'g')"
        own = f"CASE WHEN length({digits}) > 11 THEN right({digits}, 11) ELSE {digits} END"
        cut = f"CASE WHEN length({own}) >= 9 THEN left({own}, 3) || '****' || right({own}, 4) ELSE '****' END"
        masked = f"CASE WHEN regexp_full_match({text}, '{_MASKED_PHONE}') THEN {text} ELSE {cut} END"
    else:
        masked = (
            f"CASE WHEN regexp_matches({text}, '{_CITY_FIRST}') THEN regexp_extract({text}, '{_DISTRICT}') || '*' ELSE '*' END"
        )
    return f"CASE WHEN {text} = '' OR {value} IS NULL THEN {value} ELSE {masked} END"


def search_hash(keys: Keys, phone: str) -> str:
    """What a phone number is found by: a keyed hash of its digits, without the country's 86."""
    return hmac.new(keys.search, plain_phone(phone).encode(), hashlib.sha256).hexdigest()


def plain_phone(phone: str) -> str:
    """The digits that say whose phone it is, however it was written."""
    digits = re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", phone))
    return re.sub(r"^(0086|86)(?=1\d{10}$)", "", digits)


def without_contacts(text: str) -> str:
    """A text with every phone number and e-mail address in it masked: for what is kept in the open and no erasure reaches."""
    plain, pieces, done = text.translate(_FULL_WIDTH), [], 0
    found = [(match.span(), masked_phone(match[0])) for match in PHONE.finditer(plain)]
    found += [(match.span(), HIDDEN_EMAIL) for match in EMAIL.finditer(plain)] if "@" in plain else []
    for (start, end), masked in sorted(found):
        if start >= done:
            pieces += [text[done:start], masked]
            done = end
    return "".join((*pieces, text[done:]))


def masked_phone(phone: str) -> str:
    """A phone number's masked form: 138****1234."""
    digits = plain_phone(phone)
    return f"{digits[:3]}****{digits[-4:]}"


LOOSE_CONTACT: Final = rf"@|＠|{_MOBILE}|{_ABROAD}|[０-９]{{3}}"
"""What may be a phone number or an e-mail address, for an engine to find quickly; `without_contacts` decides."""


def contact_sql(value: str) -> str:
    """SQL for whether a value is a phone number or an e-mail address and nothing else."""
    mobile = f"strlen({value}) BETWEEN 11 AND 19 AND regexp_full_match({value}, '(?:{_MOBILE}|{_ABROAD})')"
    return f"(({mobile}) OR (contains({value}, '@') AND regexp_full_match({value}, '{EMAIL.pattern}')))"


def hide_contacts(connection: duckdb.DuckDBPyConnection, table: str, columns: Iterable[str]) -> int:
    """Mask phone numbers and e-mail addresses in text columns of a table; how many different values were masked."""
    count = 0
    for name in map(identifier, columns):
        doubtful = connection.execute(
            f"SELECT DISTINCT {name} FROM {table} WHERE (length({name}) >= 10 OR contains({name}, '@')) "
            f"AND regexp_matches({name}, '{LOOSE_CONTACT}')"
        ).fetchall()
        masked = [(masked, value) for (value,) in doubtful if (masked := without_contacts(value)) != value]
        if masked:
            connection.executemany(f"UPDATE {table} SET {name} = ? WHERE {name} = ?", masked)
        count += len(masked)
    return count


def plain_note(text: str) -> str:
    """What somebody wrote, as it is kept for good: lines stay, nothing hides or turns it, phone numbers and e-mail addresses are masked."""
    shown = "".join(sign for sign in text if sign.isprintable() or sign.isspace())
    return without_contacts(re.sub(r"[^\S\n]+", " ", shown).strip())


def seal(keys: Keys, value: str, *, channel: str, order_id: str, field: str) -> tuple[str, str]:
    """The key's id and the value encrypted (AES-256-GCM) for this order and field only."""
    key_id, key = keys.contacts[-1]
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, value.encode(), _bound_to(channel, order_id, field))
    return key_id, base64.b64encode(nonce + sealed).decode()


def unseal(keys: Keys, key_id: str, sealed: str, *, channel: str, order_id: str, field: str) -> str:
    """The original. Raises KeysError when its key is gone or it was moved here from another order."""
    key = dict(keys.contacts).get(key_id)
    if key is None:
        raise KeysError(f"the key {key_id} of this value is not in the home: restore it from the backup")
    raw = base64.b64decode(sealed)
    try:
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound_to(channel, order_id, field)).decode()
    except InvalidTag:
        raise KeysError("this value does not open: it was changed or belongs to another order") from None


def set_apart(connection: duckdb.DuckDBPyConnection, contract: Contract, rows: TextRows, keys: Keys) -> TextRows:
    """The rows with every personal column masked; the originals lie sealed in the temporary table `sealed_contacts`."""
    masks = ", ".join(f"{mask_sql(f, identifier(column))} AS {identifier(column)}" for f, column in contract.personal.items())
    _seal_all(connection, contract, rows.relation, keys)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {MASKED_ROWS} AS SELECT * REPLACE ({masks}) FROM {rows.relation}")
    return replace(rows, relation=MASKED_ROWS)


def keep_contacts(connection: duckdb.DuckDBPyConnection, *, snapshot_id: int, as_of: datetime) -> None:
    """Put what was set apart into the lake, within the caller's transaction."""
    connection.execute(
        f"INSERT INTO lake.order_contacts SELECT *, ? AS snapshot_id, ?::TIMESTAMPTZ AS as_of FROM {SEALED_ROWS}",
        [snapshot_id, as_of],
    )
    connection.execute(f"DROP TABLE {SEALED_ROWS}")
    connection.execute(f"DROP TABLE {MASKED_ROWS}")


SEALED_SCHEMA: Final = {name: pl.String for name in ("channel", "order_id", "field", "masked", "key_id", "sealed", "search")}


def _seal_all(connection: duckdb.DuckDBPyConnection, contract: Contract, relation: str, keys: Keys) -> None:
    columns = ", ".join(f"{name} VARCHAR" for name in SEALED_SCHEMA)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {SEALED_ROWS} ({columns})")
    for batch in _batches(connection, contract, relation):
        sealed = [_sealed_row(keys, *row) for row in batch]
        connection.register("sealed_batch", pl.DataFrame(sealed, schema=SEALED_SCHEMA, orient="row").to_arrow())
        connection.execute(f"INSERT INTO {SEALED_ROWS} FROM sealed_batch")
        connection.unregister("sealed_batch")


def _batches(connection: duckdb.DuckDBPyConnection, contract: Contract, relation: str) -> Iterator[list[tuple[str, ...]]]:
    """(channel, order_id, field, value, masked) of every value there is; what came masked has no original."""
    key = [filled_text(contract, contract.columns[name]) for name in ("channel", "order_id")]
    for field, column in contract.personal.items():
        value = identifier(column)
        found = connection.execute(
            f"SELECT DISTINCT {key[0]} AS channel, {key[1]} AS order_id, '{field}' AS field, trim({value}), {mask_sql(field, value)} "
            f"FROM {relation} WHERE trim({value}) <> '' AND trim({value}) <> {mask_sql(field, value)} "
            f"AND NOT contains({key[0]}, chr(0)) AND NOT contains({key[1]}, chr(0))"
        ).fetchall()
        for start in range(0, len(found), BATCH):
            yield found[start : start + BATCH]


def _sealed_row(keys: Keys, channel: str, order_id: str, field: str, value: str, masked: str) -> tuple[str, ...]:
    key_id, sealed = seal(keys, value, channel=channel, order_id=order_id, field=field)
    return (channel, order_id, field, masked, key_id, sealed, search_hash(keys, value) if field == "phone" else "")


def _bound_to(channel: str, order_id: str, field: str) -> bytes:
    return "\x1f".join((channel, order_id, field)).encode()


def seal_row(keys: Keys, raw: str, source: str) -> str:
    """A refused row as the quarantine keeps it: encrypted for its source."""
    if not raw:
        return ""
    key_id, sealed = seal(keys, raw, channel=source, order_id="", field="quarantine")
    return f"{JSON_ROW if _is_object(raw) else TEXT_ROW}{key_id}:{sealed}"


def _is_object(raw: str) -> bool:
    """Whether a row can be taken in again: a line of JSON that broke off begins as one does, too."""
    try:
        return raw.startswith("{") and isinstance(json.loads(raw), dict)
    except ValueError:
        return False


def unseal_row(keys: Keys, kept: str, source: str) -> str:
    """The refused row; one that was kept before rows were sealed as it is. Raises KeysError."""
    if not kept.startswith((JSON_ROW, TEXT_ROW)):
        return kept
    _, key_id, sealed = kept.split(":", 2)
    return unseal(keys, key_id, sealed, channel=source, order_id="", field="quarantine")


def seal_file(keys: Keys, path: Path, target: Path) -> None:
    """Write a file encrypted, frame by frame, so that its size does not matter; the time of its last change stays."""
    with path.open("rb") as source:
        write_sealed(keys, iter(lambda: source.read(FRAME_BYTES), b""), target)
    os.utime(target, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))


def unseal_file(keys: Keys, path: Path, target: Path) -> None:
    """The file that was sealed, with the time of its last change. Raises KeysError when its key is gone or one byte of it was changed."""
    with target.open("wb") as out:
        for frame in sealed_frames(keys, path):
            out.write(frame)
    os.utime(target, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))


def write_sealed(keys: Keys, frames: Iterable[bytes], target: Path) -> None:
    """Write frames of plain bytes as a sealed file: whole, or what was there before stays."""
    key_id, key = keys.contacts[-1]
    part = target.with_name(f".{target.name}.part")
    with part.open("wb") as out:
        out.write(key_id.encode().ljust(KEY_ID_BYTES))
        for number, frame in enumerate(frames):
            nonce = secrets.token_bytes(NONCE_BYTES)
            sealed = AESGCM(key).encrypt(nonce, frame, number.to_bytes(8, "big"))
            out.write(len(sealed).to_bytes(4, "big") + nonce + sealed)
    part.chmod(0o600)
    part.replace(target)


def key_of_file(path: Path) -> str:
    """The id of the key that opens a sealed file."""
    with path.open("rb") as source:
        return source.read(KEY_ID_BYTES).decode("ascii", "replace").strip()


def sealed_frames(keys: Keys, path: Path) -> Iterator[bytes]:
    """The plain frames of a sealed file, one after the other. Raises KeysError when its key is gone or one byte of it was changed."""
    with path.open("rb") as source:
        key = dict(keys.contacts).get(key_of_file(path))
        if key is None:
            raise KeysError(f"the key of {path} is not in the home: restore it from the backup")
        source.seek(KEY_ID_BYTES)
        number = 0
        while head := source.read(4):
            nonce, sealed = source.read(NONCE_BYTES), source.read(int.from_bytes(head, "big"))
            try:
                yield AESGCM(key).decrypt(nonce, sealed, number.to_bytes(8, "big"))
            except (InvalidTag, ValueError):
                raise KeysError(f"{path} does not open: it was changed") from None
            number += 1
