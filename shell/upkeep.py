"""The worker's upkeep, once an hour: personal data whose time is over, and what was taken away long enough ago; each on record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from access.audit import SYSTEM, note
from access.removal import purge
from config import Settings
from data.archive import seal_what_lies_open
from data.lake import Lake
from data.retention import erase_expired, kept_days

EVERY: Final = timedelta(hours=1)


@dataclass
class Upkeep:
    """Called by the worker at every turn; does its work when an hour has passed."""

    settings: Settings
    store: Engine
    say: Callable[[str], None]
    _done_at: datetime | None = None

    def __call__(self, lake: Lake, now: datetime) -> None:
        """Do what is due. Raises LakeError; a store that does not answer is told, and asked again in an hour."""
        if self._done_at is not None and now - self._done_at < EVERY:
            return
        self._done_at = now
        if count := seal_what_lies_open(self.settings):
            self.say(f"upkeep: {count:,} kept files that lay open are encrypted")
        try:
            purge(self.store, now)
            for erased in erase_expired(lake, kept_days(self.settings), now):
                detail = {"values": erased.value_count, "left": erased.left_count, "fields": [erased.field], "days": erased.days}
                detail |= {"before": erased.before.isoformat(timespec="seconds")}
                note(self.store, at=now, actor=SYSTEM, action="contacts_expired", object_kind="personal", detail=detail)
                self.say(
                    f"retention: {erased.value_count:,} originals of {erased.field} older than {erased.before:%Y-%m-%d} erased"
                )
        except SQLAlchemyError as error:
            self.say(f"upkeep: the store does not answer ({type(error).__name__}): tried again in an hour")
