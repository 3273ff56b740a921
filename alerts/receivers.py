"""Receivers as an administrator keeps them: by which channel, where, for which regions; secrets are named, never kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, select, update

from access.audit import Actor, record
from access.store import writing
from alerts.channels import CHANNELS
from alerts.rule import RuleError
from alerts.secret import is_reference
from alerts.tables import RECEIVERS
from alerts.values import read_name
from data.places import region_codes
from i18n import LANGUAGES
from queries.check import suggest

MOST_AN_HOUR: Final = 1_000
LONGEST: Final = 500
SECURITY: Final = ("starttls", "tls", "none")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A receiver as it is to be: settings as plain texts, `regions` empty for everything, `per_hour` 0 for no limit."""

    name: str
    channel: str
    settings: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    language: str = "en"
    per_hour: int = 0


def field_names(channel: str) -> dict[str, bool]:
    """The settings of a channel, each with whether it must be given."""
    return {name.rstrip("?"): not name.endswith("?") for name in CHANNELS[channel].fields}


def keep_receiver(store: Engine, wanted: Wanted, actor: Actor, *, now: datetime) -> None:
    """Add a receiver or change the one of its name, and take it into use. Raises RuleError."""
    name = read_name(wanted.name, is_test=False)
    settings = _settings(wanted)
    for region in wanted.regions:
        if region not in region_codes():
            raise RuleError(f"there is no region {region!r}: {suggest(region, region_codes())}")
    if wanted.language not in LANGUAGES:
        raise RuleError(f"there is no language {wanted.language!r}: use one of {', '.join(LANGUAGES)}")
    if not 0 <= wanted.per_hour <= MOST_AN_HOUR:
        raise RuleError(f"per_hour {wanted.per_hour} is not possible: give a whole number from 0 to {MOST_AN_HOUR}")
    values: dict[str, Any] = {
        "channel": wanted.channel,
        "settings": settings,
        "regions": sorted(set(wanted.regions)) or None,
        "user_name": "",
        "language": wanted.language,
        "per_hour": wanted.per_hour,
        "is_disabled": False,
        "changed_at": now,
    }
    with writing(store) as connection:
        known = connection.execute(select(RECEIVERS.c.name).where(RECEIVERS.c.name == name).with_for_update()).one_or_none()
        if known is None:
            connection.execute(RECEIVERS.insert().values(name=name, **values))
        else:
            connection.execute(update(RECEIVERS).where(RECEIVERS.c.name == name).values(**values))
        detail = {"channel": wanted.channel, "regions": values["regions"] or ["*"], "settings": sorted(settings)}
        record(
            connection, at=now, actor=actor, action="receiver_changed", object_kind="receiver", object_id=name, detail=detail
        )  # fmt: skip


def stop_receiver(store: Engine, name: str, actor: Actor, *, now: datetime) -> None:
    """Take a receiver out of use: what still waits for it is withheld; kept again it is as before. Raises RuleError."""
    with writing(store) as connection:
        own = (RECEIVERS.c.name == name) & RECEIVERS.c.is_disabled.is_(False)
        if connection.execute(update(RECEIVERS).where(own).values(is_disabled=True, changed_at=now)).rowcount == 0:
            raise RuleError(f"there is no receiver {name!r}: choose one of the list")
        detail = {"disabled": True}
        record(
            connection, at=now, actor=actor, action="receiver_changed", object_kind="receiver", object_id=name, detail=detail
        )  # fmt: skip


def _settings(wanted: Wanted) -> dict[str, Any]:
    if wanted.channel not in CHANNELS:
        raise RuleError(f"there is no channel {wanted.channel!r}: {suggest(wanted.channel, CHANNELS)}")
    known, found = field_names(wanted.channel), dict[str, Any]()
    for name, is_needed in known.items():
        text = str(wanted.settings.get(name) or "").strip()
        if len(text) > LONGEST or not text.isprintable():
            raise RuleError(f"{name} is a text of at most {LONGEST} characters")
        if not text and is_needed:
            raise RuleError(f"the channel needs {name!r}: fill it in")
        if text and name in CHANNELS[wanted.channel].secrets and not is_reference(text):
            raise RuleError(f"{name} is a secret: name it as env:NAME or file:/path, the store never holds it")
        if text:
            found[name] = _typed(name, text)
    return found


def _typed(name: str, text: str) -> Any:  # noqa: ANN401 - plain JSON
    if name == "to":
        return [part.strip() for part in text.split(",") if part.strip()]
    if name == "port":
        if not text.isdecimal() or not 1 <= int(text) <= 65_535:
            raise RuleError(f"port {text!r} is not possible: give a whole number from 1 to 65535")
        return int(text)
    if name == "security" and text not in SECURITY:
        raise RuleError(f"security is never {text!r}: use one of {', '.join(SECURITY)}")
    return text
