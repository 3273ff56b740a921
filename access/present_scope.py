"""What the person behind a name may see now, for what works on without them: a rule of their own, a message to them."""

from __future__ import annotations

from sqlalchemy import Engine

from access.user import find_user, scope_of
from queries.scope import Scope


def present_scope(store: Engine, name: str) -> Scope | None:
    """The scope of an account; None where it is unknown, disabled, locked or taken away."""
    user = find_user(store, name)
    return None if user is None or user.is_disabled or user.is_locked else scope_of(user)
