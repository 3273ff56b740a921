"""Accounts whose passwords are quick to check: bcrypt is slow on purpose, and how slow stands in the hash."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import bcrypt

from access.audit import SYSTEM
from access.sign_in import DEMO_USERS, offers_demo
from access.user import add_user, find_user
from config import read_settings
from tests.stores import new_store


def quick_hash(password: str) -> str:
    """A hash that `access.password` accepts as its own, a hundred times quicker to make and to check."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=4)).decode()


def add_demo_accounts(home: Path) -> None:
    """The accounts that an interface over this home would make of itself when it starts, quick to check."""
    settings = read_settings({}, home=home)
    if not offers_demo(settings):
        return
    store = new_store(home)
    for demo in DEMO_USERS:
        if find_user(store, demo.user.name) is None:
            add_user(store, demo.user, password_hash=quick_hash(demo.password), now=datetime.now(UTC), by=SYSTEM)
    store.dispose()
