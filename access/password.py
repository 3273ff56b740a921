"""Passwords: bcrypt through streamlit-authenticator's `Hasher`, with its two traps closed.

bcrypt refuses more than 72 bytes, so a longer password is refused with a reason; an unknown user costs the same
time as a known one, because a hash is always checked.
"""

from __future__ import annotations

import secrets
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final

SHORTEST: Final = 12
LONGEST_BYTES: Final = 72


class PasswordError(ValueError):
    """A password cannot be used; the message says why."""


def hash_password(password: str, *, shortest: int = SHORTEST) -> str:
    """The bcrypt hash to keep; raises PasswordError when the password is too short or too long."""
    if len(password) < shortest:
        raise PasswordError(f"the password has {len(password)} characters: use at least {shortest}")
    if len(password.encode()) > LONGEST_BYTES:
        raise PasswordError(f"the password has {len(password.encode())} bytes: use at most {LONGEST_BYTES}")
    return str(_hasher().hash(password))


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether the password belongs to the hash; with no hash (unknown user) false, after the same time."""
    raw = password.encode("utf-8", "replace")
    usable = password if len(raw) <= LONGEST_BYTES and raw.decode() == password else ""
    matches = bool(_hasher().check_pw(usable, password_hash or _nobody()))
    return matches and password_hash is not None and usable == password


def random_password() -> str:
    """A password to hand over once: 128 bits, letters and digits."""
    return secrets.token_urlsafe(16)


@cache
def _nobody() -> str:
    return str(_hasher().hash(secrets.token_urlsafe(16)))


@cache
def _hasher() -> Any:  # noqa: ANN401 - the package carries no types
    """The package's Hasher, loaded as a file: importing the package would start Streamlit and its components."""
    package = find_spec("streamlit_authenticator")
    if package is None or package.origin is None:
        raise PasswordError("streamlit-authenticator is not installed: make install does")
    spec = spec_from_file_location("hasher", Path(package.origin).parent / "utilities" / "hasher.py")
    if spec is None or spec.loader is None:
        raise PasswordError("streamlit-authenticator has no hasher: use the version in requirements.txt")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Hasher
