"""Unpacking and transcoding, with limits: what the readers see is plain UTF-8 or a plain binary file."""

from __future__ import annotations

import gzip
import zipfile
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from data.contract import Reader
from data.sources.rows import SourceError

MAX_RATIO: Final = 100
MAX_ENTRIES: Final = 1000
CHUNK: Final = 1 << 20


def unpack(path: Path, reader: Reader, staging: Path) -> Path:
    """`path` itself, or a copy in `staging` unpacked from .gz or .zip.

    Raises SourceError for a bomb (ratio over 100, or more than `max_unpacked_bytes`), an archive with anything
    but one file, or a broken archive.
    """
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rb") as packed:
                return _copy(packed, path, path.stem, reader, staging)
        if path.suffix == ".zip":
            with _only_entry(path) as (packed, name):
                return _copy(packed, path, name, reader, staging)
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise SourceError(f"{path.name}: the archive is broken ({error}): send it again") from error
    return path


@contextmanager
def _only_entry(path: Path) -> Iterator[tuple[BinaryIO, str]]:
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > MAX_ENTRIES:
            raise SourceError(f"{path.name}: {len(entries)} entries, over the limit of {MAX_ENTRIES}: send one file an archive")
        if len(entries) != 1:
            raise SourceError(f"{path.name}: {len(entries)} files in the archive, one is expected: send one file an archive")
        with archive.open(entries[0]) as packed:
            yield packed, Path(entries[0].filename).name  # type: ignore[misc]


def _copy(packed: BinaryIO | gzip.GzipFile, path: Path, name: str, reader: Reader, staging: Path) -> Path:
    limit = min(reader.max_unpacked_bytes, max(path.stat().st_size, 10_000) * MAX_RATIO)
    target = staging / f"unpacked-{name}"
    size = 0
    with target.open("wb") as copy:
        while chunk := packed.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise SourceError(
                    f"{path.name}: unpacks to more than {limit:,} bytes (ratio {MAX_RATIO}, max_unpacked_bytes "
                    f"{reader.max_unpacked_bytes:,}): raise max_unpacked_bytes in the contract if the file is to be trusted"
                )
            copy.write(chunk)
    return target


def to_utf8(path: Path, encoding: str, staging: Path) -> Path:
    """`path` itself when it is UTF-8, else a transcoded copy in `staging`.

    Raises SourceError at the first byte that is not of the encoding: a file of mixed encodings is refused.
    """
    if encoding.lower().replace("_", "-") in {"utf-8", "utf8", "utf-8-sig", "ascii"}:
        return path
    target = staging / f"utf8-{path.name}"
    decoder = getincrementaldecoder(encoding)(errors="strict")
    position = 0
    with path.open("rb") as source, target.open("w", encoding="utf-8", newline="") as copy:
        try:
            while chunk := source.read(CHUNK):
                copy.write(decoder.decode(chunk).removeprefix("\ufeff") if position == 0 else decoder.decode(chunk))
                position += len(chunk)
            copy.write(decoder.decode(b"", final=True))
        except UnicodeDecodeError as error:
            where = position + error.start
            raise SourceError(f"{path.name}: byte {where} is not {encoding}: correct `encoding` or send one encoding") from error
    return target
