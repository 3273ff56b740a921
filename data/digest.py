"""The hash by which files are known again, worked out beside what else is done with them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LARGE_BYTES: Final = 64 * 1024 * 1024
"""Smaller files are hashed in less time than it takes to ask whether they might be known."""


def is_large(unit: Sequence[Path]) -> bool:
    """Whether hashing the files takes long enough to be worth doing beside reading them."""
    return sum(path.stat().st_size for path in unit) >= LARGE_BYTES


@contextmanager
def hashing(unit: Sequence[Path]) -> Iterator[Callable[[], str]]:
    """Begin to hash the files; the call waits for the SHA-256 (hex) of their content, or raises OSError."""
    with ThreadPoolExecutor(1, thread_name_prefix="hash") as threads:
        running = threads.submit(sha256_of, tuple(unit))
        yield running.result


def sha256_of(unit: tuple[Path, ...]) -> str:
    """The SHA-256 (hex) of a file's content; of several the SHA-256 of their digests in order."""
    digest = hashlib.sha256()
    for path in unit:
        with path.open("rb") as file:
            if len(unit) == 1:
                return hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
