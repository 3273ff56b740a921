"""JSON objects within a sample's columns, taken apart: one column for each of their values."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from data.sample import Sample
from data.sql_text import identifier, literal

_NEARLY_ALL: Final = 0.95
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_]\w*")


def unnested(sample: Sample) -> Sample:
    """The sample with `order.id` as its column `order_id`, and with the SELECT that makes it so; itself where nothing is nested."""
    paths = [path for header in sample.columns for path in _paths(header, sample.texts(header))]
    if all(len(path) == 1 for path in paths):
        return sample
    names = [re.sub(r"\W+", "_", "_".join(path)) for path in paths]
    names = [name if names.count(name) == 1 else f"{name}_{place}" for place, name in enumerate(names, start=1)]
    loaded = [dict(zip(sample.columns, row, strict=True)) for row in sample.rows]
    rows = [tuple(_value_at(row, path) for path in paths) for row in loaded]
    listed = ",\n       ".join(
        identifier(name) if path == (name,) else f"{_path_sql(path)} AS {identifier(name)}"
        for path, name in zip(paths, names, strict=True)
    )
    return replace(sample, columns=tuple(names), rows=rows, reshaped=f"SELECT {listed}\nFROM file")


def _paths(header: str, texts: Sequence[str]) -> list[tuple[str, ...]]:
    """The ways to the values of a column: the column itself, or the keys of the objects it holds, and of those within."""
    objects = [found for text in texts if text.startswith("{") and isinstance(found := _json(text), dict)]
    if not texts or len(objects) < _NEARLY_ALL * len(texts):
        return [(header,)]
    keys = dict.fromkeys(key for found in objects for key in found)
    below = {key: [_text(value) for found in objects if (value := found.get(key)) is not None] for key in keys}
    return [(header, *path) for key, values in below.items() for path in _paths(key, [text for text in values if text])]


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _value_at(row: dict[str, str | None], path: tuple[str, ...]) -> str | None:
    found: object = row[path[0]]
    for key in path[1:]:
        found = _json(found) if isinstance(found, str) else found
        found = found.get(key) if isinstance(found, dict) else None
    return None if found is None else _text(found)


def _path_sql(path: tuple[str, ...]) -> str:
    """SQL for the value at the end of a path, as text."""
    column = identifier(path[0])
    if len(path) == 1:
        return column
    keys = "".join("." + (key if _PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)) for key in path[1:])
    return f"{column} ->> {literal('$' + keys)}"
