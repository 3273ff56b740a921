"""What an erasure looks for: a phone number however it is written, or a text; in rows, in text files, in packed ones."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

import polars as pl

from data.personal import masked_phone, plain_phone

PACKED: Final = (b"PK\x03\x04", b"\x1f\x8b", b"PAR1", b"\xff\xfe", b"\xfe\xff")
"""How files begin that are no plain text of single bytes: zip and xlsx, gzip, Parquet, UTF-16."""
MOST_UNPACKED: Final = 1024**3
LONGEST: Final = 256
"""Bytes, of what is looked for."""
PIECE_BYTES: Final = 4 * 1024 * 1024
HIDDEN: Final = b"***"


@dataclass(frozen=True)
class Wanted:
    """Finds it in bytes of UTF-8 or any encoding that keeps ASCII, and masks it there."""

    pattern: re.Pattern[bytes]
    masked: bytes

    def is_in(self, text: str) -> bool:
        """Whether a text holds it."""
        return self.pattern.search(text.encode()) is not None

    def without(self, raw: bytes) -> bytes:
        """The bytes with every place masked."""
        return self.pattern.sub(self.masked, raw)

    def is_in_packed(self, file: Path) -> bool:
        """Whether a packed file holds it; one that cannot be read counts as if it did, so that nothing stays unseen."""
        try:
            return any(self.pattern.search(part.replace(b"\0", b"")) for part in _parts(file))
        except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, pl.exceptions.PolarsError):
            return True


def wanted_phone(phone: str) -> Wanted:
    """A phone number, with the separators that people write between its digits. Raises ValueError for what is too short to be one."""
    digits = plain_phone(phone)
    if len(digits) < 7:
        raise ValueError(f"{phone!r} is no whole phone number: give all its digits")
    between = rb"[ ().-]{0,2}"
    body = between.join(bytes([ord(digit)]) for digit in digits)
    return Wanted(re.compile(rb"(?<![0-9])(?:(?:\+|00)?86[ -]?)?" + body + rb"(?![0-9])"), masked_phone(phone).encode())


def wanted_text(text: str) -> Wanted:
    """A text as it stands, in any case: an e-mail address, a name. Raises ValueError for one that is too short."""
    if len(text.strip()) < 3:
        raise ValueError("a text to erase has three characters at least: shorter ones stand everywhere")
    forms = {text.strip().encode(encoding) for encoding in ("utf-8", "gb18030")}
    return Wanted(re.compile(b"|".join(re.escape(form) for form in sorted(forms)), re.IGNORECASE), HIDDEN)


def wanted_of(text: str) -> Wanted:
    """A phone number where the text can be one, else the text as it stands. Raises ValueError for what is too short."""
    is_number = set(text) <= set("0123456789 +-()") and len(plain_phone(text)) >= 7
    return wanted_phone(text) if is_number else wanted_text(text)


def whole_lines(frames: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes cut at ends of lines, so that nothing that is looked for lies across a cut."""
    rest = b""
    for frame in frames:
        head, end, tail = (rest + frame).rpartition(b"\n")
        if end:
            yield head + end
        rest = tail
    if rest:
        yield rest


def is_packed(head: bytes) -> bool:
    """Whether a file that begins so has to be opened before its text can be seen."""
    return head.startswith(PACKED)


def _parts(file: Path) -> Iterator[bytes]:
    head = file.open("rb").read(4)
    if head.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    yield from _pieces(member)
    elif head.startswith(b"\x1f\x8b"):
        with cast(IO[bytes], gzip.open(file)) as unpacked:
            yield from _pieces(unpacked)
    elif head.startswith(b"PAR1"):
        for column in pl.read_parquet(file).iter_columns():
            yield "\n".join(column.cast(pl.String, strict=False).drop_nulls().to_list()).encode()
    else:
        yield file.read_bytes()


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    total, tail = 0, b""
    while piece := file.read(PIECE_BYTES):
        total += len(piece)
        if total > MOST_UNPACKED:
            raise ValueError("unpacks to more than any intake takes")
        yield tail + piece
        tail = piece[-LONGEST:]
