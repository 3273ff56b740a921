"""Unpacking and transcoding, with limits: what the readers see is plain UTF-8 or a plain binary file."""

from __future__ import annotations

import gzip
import stat
import time
import zipfile
import zlib
from codecs import getincrementaldecoder
from pathlib import Path, PurePosixPath
from typing import IO, Final

from data.contract import Reader
from data.sources.rows import SourceError

MAX_RATIO: Final = 100
MAX_ENTRIES: Final = 1000
MAX_SECONDS: Final = 60
SMALL_BYTES: Final = 10_000
CHUNK: Final = 1 << 20


def check_link(path: Path) -> None:
    """Raise SourceError for a symbolic link that leads out of its own folder."""
    if path.is_symlink() and path.resolve().parent != path.parent.resolve():
        raise SourceError(f"{path.name}: is a symbolic link out of its folder: put the file itself there")


def unpack(path: Path, reader: Reader, staging: Path) -> Path:
    """`path` itself, or a copy in `staging` unpacked from .gz or .zip.

    Raises SourceError for a bomb (ratio over 100, more than `max_unpacked_bytes`, or over a minute), an archive with
    anything but one plain file, or a broken archive.
    """
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path, "rb") as packed:
                return _copy(packed, path, path.stem, reader, staging)
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                entry = _only_entry(archive, path, reader)
                with archive.open(entry) as packed:
                    return _copy(packed, path, PurePosixPath(entry.filename).name, reader, staging)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise SourceError(f"{path.name}: the archive is broken or locked ({error}): send it again") from error
    return path


def check_archive(archive: zipfile.ZipFile, path: Path, reader: Reader) -> None:
    """Raise SourceError when an archive has too many entries, unpacks to too much, or names places outside itself."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise SourceError(f"{path.name}: {len(entries)} entries, over the limit of {MAX_ENTRIES}: send one file an archive")
    for entry in entries:
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
            raise SourceError(f"{path.name}: the entry {entry.filename!r} points outside the archive: pack it again")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise SourceError(f"{path.name}: the entry {entry.filename!r} is a symbolic link: pack the file itself")
    size = sum(entry.file_size for entry in entries)
    if size > _limit(path, reader):
        raise _too_large(path, reader)


def _only_entry(archive: zipfile.ZipFile, path: Path, reader: Reader) -> zipfile.ZipInfo:
    check_archive(archive, path, reader)
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")]
    if len(entries) != 1:
        named = f" ({', '.join(entry.filename for entry in entries[:3])}{' …' if len(entries) > 3 else ''})" if entries else ""
        remedy = "send one file an archive, or unpack them and give `ingest` their folder"
        raise SourceError(f"{path.name}: {len(entries)} files in the archive{named}, one is expected: {remedy}")
    return entries[0]


def _limit(path: Path, reader: Reader) -> int:
    return min(reader.max_unpacked_bytes, max(path.stat().st_size, SMALL_BYTES) * MAX_RATIO)


def _too_large(path: Path, reader: Reader) -> SourceError:
    return SourceError(
        f"{path.name}: unpacks to more than {_limit(path, reader):,} bytes (ratio {MAX_RATIO}, max_unpacked_bytes "
        f"{reader.max_unpacked_bytes:,}): send it unpacked, or raise max_unpacked_bytes in the contract if it is to be trusted"
    )


def _copy(packed: IO[bytes] | gzip.GzipFile, path: Path, name: str, reader: Reader, staging: Path) -> Path:
    limit, size, started = _limit(path, reader), 0, time.monotonic()
    target = staging / f"unpacked-{name}"
    with target.open("wb") as copy:
        while chunk := packed.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise _too_large(path, reader)
            if time.monotonic() - started > MAX_SECONDS:
                raise SourceError(f"{path.name}: takes over {MAX_SECONDS} s to unpack: send it unpacked")
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
        except UnicodeError as error:
            where = position + (error.start if isinstance(error, UnicodeDecodeError) else 0)
            raise SourceError(f"{path.name}: byte {where} is not {encoding}: correct `encoding` or send one encoding") from error
    return target
