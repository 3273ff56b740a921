"""Secrets by reference: `env:NAME` or `file:PATH`; the store and the logs hold the reference only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from alerts.destination import DestinationError


def reveal(reference: str, environment: Mapping[str, str]) -> str:
    """The secret behind a reference; a plain text stands for itself. Raises DestinationError when it is not there."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        found = environment.get(name, "")
    elif kind == "file":
        try:
            found = Path(name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise DestinationError(f"the secret file {name} cannot be read: create it, readable for the worker only") from None
    else:
        return reference
    if not found:
        raise DestinationError(f"the secret {reference} is empty: set it where the worker is started")
    return found


def is_reference(text: str) -> bool:
    """Whether a text names a secret instead of being one."""
    return re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/.+", text) is not None
