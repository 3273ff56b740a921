"""What changed between two versions of a rule, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alerts.rule import Rule
from alerts.write import write_rule


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One part (a key of the rule's YAML, dotted where it lies deeper), before and after; empty where it was not there."""

    part: str
    before: str
    after: str


def differences(before: Rule | None, after: Rule) -> tuple[Difference, ...]:
    """Every part that differs, in the order of the newer version; all parts where there was none before."""
    old, new = (_flat(write_rule(rule)) if rule else {} for rule in (before, after))
    return tuple(
        Difference(part=part, before=old.get(part, ""), after=new.get(part, ""))
        for part in dict.fromkeys((*new, *old))
        if old.get(part, "") != new.get(part, "") and part != "name"
    )


def _flat(found: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in found.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for place, entry in enumerate(value, 1):
                flat |= _flat(entry, f"{name}.{place}.")
        else:
            flat[name] = ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)
    return flat
