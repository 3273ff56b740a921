"""What a password must be: long, not one of the common ones however dressed up, not made of the account's name.

`common_passwords.txt` holds ten thousand of the passwords found most often in leaks (from Royce Williams' list, as Django
ships it under its BSD licence), and a few of this trade; one a line, lower case.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final, Literal

from access.password import LONGEST_BYTES, SHORTEST, PasswordError, hash_password

Fault = Literal["short", "long", "common", "name", "plain"]

FEWEST_DIFFERENT: Final = 6
"""So many different characters a password has at least."""

SHORTEST_NAME: Final = 4
"""A shorter account name may well be part of a longer word."""

REASONS: Final[dict[Fault, str]] = {
    "short": f"use at least {SHORTEST} characters",
    "long": f"use at most {LONGEST_BYTES} bytes",
    "common": "it is one of the passwords tried first: use several words that do not belong together",
    "name": "it contains the account's name: use something that has nothing to do with it",
    "plain": f"it repeats a few characters or runs along the keyboard: use at least {FEWEST_DIFFERENT} different ones",
}

RUNS: Final = ("abcdefghijklmnopqrstuvwxyz", "1234567890", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm")
DRESS: Final = str.maketrans("@4$5013!7", "aassoleit")
"""What people write for a letter."""


def password_fault(password: str, name: str) -> Fault | None:
    """What is wrong with a password for the account, None when it may be used."""
    if len(password) < SHORTEST:
        return "short"
    if len(password.encode()) > LONGEST_BYTES:
        return "long"
    plain = password.lower()
    if len(set(plain)) < FEWEST_DIFFERENT or _is_run(plain):
        return "plain"
    if any(len(part) >= SHORTEST_NAME and part in plain for part in re.split(r"[._@-]", name.lower())):
        return "name"
    return "common" if _is_common(plain) else None


def hash_chosen(password: str, name: str) -> str:
    """The hash of a password someone chose for the account; raises PasswordError with the reason and the remedy."""
    fault = password_fault(password, name)
    if fault is not None:
        raise PasswordError(f"this password cannot be used: {REASONS[fault]}")
    return hash_password(password)


def _is_common(plain: str) -> bool:
    """Whether it is a common word, also with figures and signs around it, letters exchanged, or said twice."""
    letters = plain.translate(DRESS)
    forms = {plain, letters, re.sub(r"[^a-z]+$|^[^a-z]+", "", plain), re.sub(r"[^a-z]+$|^[^a-z]+", "", letters)}
    forms |= {re.sub(r"^[\W_]+|[\W_]+$", "", plain)}
    forms |= {form[: len(form) // 2] for form in forms if form[: len(form) // 2] * 2 == form}
    return any(form in _common() for form in forms)


def _is_run(plain: str) -> bool:
    doubled = [run * 2 for run in RUNS]
    return any(plain in run or plain[::-1] in run for run in doubled)


@cache
def _common() -> frozenset[str]:
    return frozenset(Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").split())
