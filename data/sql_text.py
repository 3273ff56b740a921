"""Literals and identifiers for the few places of DuckDB that take no parameters; everything else uses parameters."""

from __future__ import annotations


def literal(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'
