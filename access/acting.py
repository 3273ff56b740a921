"""Who acts: the user behind a change, for the records and for the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from access import audit
from access.user import User


@dataclass(frozen=True, kw_only=True)
class By:
    """Who acts, when, from which session; `seen_version` is what was on the screen of whatever is changed."""

    user: User
    at: datetime
    seen_version: int = 0
    actor: audit.Actor | None = None

    @property
    def audited(self) -> audit.Actor:
        """The actor for the audit."""
        return self.actor or audit.Actor(name=self.user.name)
