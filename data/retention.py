"""How long originals of personal data are kept: days by field from the settings, erased in time, with the proof of each erasure.

Erasing gives up older versions of the lake (`data.erase`), so it is done at most about once a week: some days ahead of the
limit everything that will reach it meanwhile goes too, and nothing is ever kept longer than the settings say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from config import PREFIX, Settings, SettingsError
from data.erase import drop_old_contacts
from data.lake import Lake
from data.zone import from_epoch_ms

FIELDS: Final = ("name", "phone", "address")
MOST_AHEAD: Final = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What one erasure removed of a field; `left_count` is what a count found of it afterwards: the proof, 0."""

    field: str
    days: int
    before: datetime
    value_count: int
    left_count: int


def kept_days(settings: Settings) -> dict[str, int]:
    """Days by field: of `keep_contacts`, `365` for all or `name=365,phone=180`; a field not named is kept. Raises SettingsError."""
    text = settings.keep_contacts.strip()
    if not text:
        return {}
    pairs = dict.fromkeys(FIELDS, text) if text.isdecimal() else dict(_pair(part) for part in text.split(","))
    if wrong := [
        name for name, days in pairs.items() if name not in FIELDS or not days.isdecimal() or not 0 < int(days) < 36_500
    ]:
        raise SettingsError(
            f"keep_contacts: {wrong[0]!r}: use days, or {', '.join(FIELDS)} each with days, in {PREFIX}KEEP_CONTACTS"
        )
    return {name: int(days) for name, days in pairs.items()}


def erase_expired(lake: Lake, days: Mapping[str, int], now: datetime) -> list[Erased]:
    """Erase every field of which something has reached its limit; empty where nothing has."""
    found = []
    for field, limit in days.items():
        oldest = oldest_contact(lake, field)
        if oldest is None or oldest >= now - timedelta(days=limit):
            continue
        before = now - timedelta(days=limit) + min(MOST_AHEAD, timedelta(days=limit) / 4)
        count = drop_old_contacts(lake, before, field)
        left = lake.cursor().execute("SELECT count(*) FROM lake.order_contacts WHERE field = ? AND as_of < ?", [field, before])
        row = left.fetchone()
        found.append(Erased(field=field, days=limit, before=before, value_count=count, left_count=int(row[0]) if row else 0))
    return found


def oldest_contact(lake: Lake, field: str) -> datetime | None:
    """The instant of the oldest original of a field; None where there is none."""
    row = lake.cursor().execute("SELECT epoch_ms(min(as_of)) FROM lake.order_contacts WHERE field = ?", [field]).fetchone()
    return from_epoch_ms(row[0]) if row and row[0] is not None else None


def _pair(part: str) -> tuple[str, str]:
    name, _, days = part.partition("=")
    return name.strip(), days.strip()
