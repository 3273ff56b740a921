"""A file that has to be unpacked is first read in a process of its own, with limits: what bloats, hangs or breaks a reader ends there.

`python -m data.sources.apart FILE` is that process; the contract's reader comes in as JSON, the reason why not goes out.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import duckdb

from config import ROOT
from data.contract import Reader
from data.sources import SourceError, open_rows

UNPACKED: Final = (".gz", ".zip", ".xlsx", ".parquet")
"""Formats whose size says nothing of what comes out, or that are parsed as binary; plain text cannot do either."""

MAX_SECONDS: Final = 120
MAX_BYTES: Final = 4 * 1024**3
"""Of address space: the engine's own memory limit lies far below."""

ENGINE_MEMORY: Final = "1GB"
REFUSED: Final = 3
LONGEST_REASON: Final = 500


def try_apart(path: Path, reader: Reader) -> None:
    """Read the whole file in a child with limits on memory, time, processor and written bytes; nothing of it is kept.

    Raises SourceError where the child refuses the file, dies of it or takes too long.
    """
    if path.suffix.lower() not in UNPACKED:
        return
    command = (sys.executable, "-m", "data.sources.apart", str(path.absolute()))
    try:
        done = subprocess.run(
            command,
            input=reader.model_dump_json().encode(),
            capture_output=True,
            cwd=ROOT,
            env={"PATH": "", "LANG": "C.UTF-8"},
            timeout=MAX_SECONDS,
            preexec_fn=lambda: _limit(reader.max_unpacked_bytes),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SourceError(f"{path.name}: takes over {MAX_SECONDS} s to read: send it unpacked, or in parts") from None
    if done.returncode == REFUSED:
        raise SourceError(done.stdout.decode("utf-8", "replace")[:LONGEST_REASON])
    if done.returncode != 0:
        raise SourceError(f"{path.name}: broke the reader or needs more memory than it may: send it again, unpacked, or in parts")


def _limit(unpacked_bytes: int) -> None:
    """In the child, before it begins: so much memory, processor, and bytes in one file; no core."""
    limits = {
        resource.RLIMIT_AS: MAX_BYTES,
        resource.RLIMIT_CPU: MAX_SECONDS,
        resource.RLIMIT_FSIZE: 2 * unpacked_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))


def _read(path: Path, reader: Reader) -> None:
    """Open the file as intake does and touch every value. Raises SourceError."""
    connection = duckdb.connect(":memory:", config={"memory_limit": ENGINE_MEMORY, "threads": 1})
    with tempfile.TemporaryDirectory() as staging:
        rows = open_rows(connection, path, reader, Path(staging))
        try:
            connection.execute(f"SELECT bit_xor(hash(COLUMNS(*))) FROM {rows.relation}").fetchall()
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            # A line that cannot be split is intake's to tell, row by row; what is no whole file has been refused above.
            if path.suffix.lower() == ".parquet":
                raise SourceError(f"{path.name}: is no whole Parquet file ({type(error).__name__}): send it again") from error


def main() -> int:
    """Read the file that the command line names; 3 with the reason on standard output where it is refused."""
    try:
        _read(Path(sys.argv[1]), Reader.model_validate_json(sys.stdin.buffer.read()))
    except SourceError as error:
        sys.stdout.buffer.write(str(error).encode())
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
