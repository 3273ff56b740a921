"""Words in every language: one catalogue per language, one YAML file per domain, keys flat and dotted.

A key missing in a language falls back to English, then to the key itself. Values are put in as plain text:
nothing in them is interpreted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import yaml

LANGUAGES: Final = ("en", "zh-CN")
"""Every language there is a catalogue for (BCP 47); the first is the fallback."""

FALLBACK: Final = LANGUAGES[0]
FOLDER: Final = Path(__file__).resolve().parent
PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")


class CatalogueError(ValueError):
    """A catalogue file cannot be used; the message names the file, the line and the key."""


def translate(language: str, key: str, **values: object) -> str:
    """The text of `key` in `language`, its `{placeholders}` replaced; English, then the key, where it is missing."""
    text = catalogue(language).get(key) or catalogue(FALLBACK).get(key, key)
    if not values:
        return text
    return PLACEHOLDER.sub(lambda match: str(values.get(match[1], match[0])), text)


def label(language: str, dimension: str, code: str | None) -> str:
    """The name of a dimension's value; the code itself when it has no name, a word for unknown when it is None."""
    if code is None:
        return translate(language, "format.unknown")
    key = f"label.{dimension}.{code}"
    text = translate(language, key)
    return code if text == key else text


def closest_language(wanted: str | None) -> str:
    """The language we have that is nearest to a BCP 47 tag such as a browser's `zh-TW` or `en-GB`."""
    primary = (wanted or "").lower().replace("_", "-").split("-")[0]
    return next((language for language in LANGUAGES if language.lower().split("-")[0] == primary), FALLBACK)


@cache
def catalogue(language: str) -> dict[str, str]:
    """Every key of a language with its text; empty for a language we do not have. Raises CatalogueError."""
    texts: dict[str, str] = {}
    for file in sorted((FOLDER / language).glob("*.yaml")) if language in LANGUAGES else ():
        for key, text, line in read_entries(file):
            if key in texts:
                raise CatalogueError(f"{file.name}, line {line}: {key} is there twice: keep one")
            texts[key] = text
    return texts


def read_entries(file: Path) -> Iterator[tuple[str, str, int]]:
    """Flat (key, text, line) of one catalogue file; nested mappings are joined with dots, every value is text."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CBaseLoader)
    except yaml.YAMLError as error:
        raise CatalogueError(f"{file.name} is not valid YAML: {error}") from error
    if node is not None:
        yield from _flatten(node, "", file)


def _flatten(node: yaml.Node, prefix: str, file: Path) -> Iterator[tuple[str, str, int]]:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        yield prefix, str(node.value).rstrip("\n"), line
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _flatten(value, f"{prefix}.{key.value}" if prefix else str(key.value), file)
    else:
        raise CatalogueError(f"{file.name}, line {line}: {prefix} is a list: a text or a mapping is wanted")
