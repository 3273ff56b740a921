"""An instance as plain JSON and back: what is kept between two evaluations is all that `step` needs."""

from __future__ import annotations

import math
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from alerts.state import FRESH, Instance
from data.zone import epoch_ms, from_epoch_ms

INSTANTS: Final = ("since", "episode_at", "warning_at", "critical_at", "keep_since")
DEFAULTS: Final = tuple((field.name, field.default) for field in fields(Instance))


def freeze(instance: Instance) -> dict[str, Any]:
    """The instance as JSON; instants are milliseconds since 1970, defaults are left out."""
    values = vars(instance)
    return {name: _plain(values[name]) for name, default in DEFAULTS if values[name] != default}


def thaw(frozen: dict[str, Any]) -> Instance:
    """The instance in the JSON."""
    values = dict(frozen)
    for name in INSTANTS:
        if values.get(name) is not None:
            values[name] = from_epoch_ms(values[name])
    values["recent"] = tuple(from_epoch_ms(moment) for moment in values.get("recent", ()))
    values["points"] = tuple((bool(warning), bool(critical)) for warning, critical in values.get("points", ()))
    return FRESH.but(**values)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return epoch_ms(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
