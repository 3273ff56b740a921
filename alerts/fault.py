"""Why a rule cannot be used."""

from __future__ import annotations


class RuleError(ValueError):
    """A rule cannot be used; the message names the part, the reason and the remedy."""
