"""One oddity of a rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "contradictory", "subsumed", "shadowed", "expired", "never_fired", "always_firing", "unit", "empty_scope", "direction",
    "no_receiver", "few_orders",
    "impossible", "never_matched", "too_wide",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One oddity: its kind, the other rule's name where there is one, and the value in question."""

    kind: Kind
    other: str = ""
    value: str = ""
