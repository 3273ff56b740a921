"""Small choices a user keeps: chosen columns, the start page. Each is one short text under a name of the page's own."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import Engine, select

from access.store import PREFERENCES, writing
from access.user import User

LONGEST: Final = 4_000
"""Characters of one preference; whatever is longer is no small choice."""


class PreferenceError(ValueError):
    """A preference cannot be kept; the message says why."""


def read_preference(store: Engine, user: User, name: str) -> str | None:
    """What the user last kept under this name; None when nothing."""
    query = select(PREFERENCES.c.value).where(PREFERENCES.c.user_name == user.name, PREFERENCES.c.name == name)
    with store.connect() as connection:
        return connection.execute(query).scalar_one_or_none()


def write_preference(store: Engine, user: User, name: str, value: str | None) -> None:
    """Keep a value under the name, None forgets it; the last write wins. Raises PreferenceError for a name or text too long."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        raise PreferenceError(f"preference {name[:80]!r}: use up to 64 of a-z, 0-9, '.', '_', '-'")
    if value is not None and len(value) > LONGEST:
        raise PreferenceError(f"preference {name} has {len(value):,} characters: keep at most {LONGEST:,}")
    mine = (PREFERENCES.c.user_name == user.name) & (PREFERENCES.c.name == name)
    with writing(store) as connection:
        connection.execute(PREFERENCES.delete().where(mine))
        if value is not None:
            connection.execute(PREFERENCES.insert().values(user_name=user.name, name=name, value=value))
