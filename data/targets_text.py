"""The text of a targets file with changes made in it: comments, order and spelling of everything else stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

import yaml

from data.targets_change import Change, Item, changed, place_of
from data.yaml_text import YamlFault, load_yaml

Path = tuple[str | int, ...]
GONE: Final = object()
WIDE: Final = 10**6


class _Plain(yaml.SafeDumper):
    """A dumper without anchors: every value is written where it counts."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401 - PyYAML's own signature
        return True


def apply_changes(text: str, changes: Iterable[Change], *, valid_from: date) -> str:
    """The text with the changes in force from that day on: in that day's edition, or in a new one copied from the one before.

    The text must be one the loader takes. What it says is exactly the content with the changes; where a change cannot be
    put into the text as it stands, the text is written anew below its opening comment.
    """
    before = load_yaml(text)
    assert isinstance(before, list)
    after = changed(before, changes, valid_from)
    try:
        found = _edited(text, before, after, valid_from)
        is_exact = load_yaml(found) == after
    except (yaml.YAMLError, YamlFault):
        # A value that others refer to was taken away, or the like.
        is_exact = False
    return found if is_exact else _anew(text, after)


def _edited(text: str, before: list[Item], after: list[Item], valid_from: date) -> str:
    place = place_of(after, valid_from)
    if place is not None and place_of(before, valid_from) is None:
        return _with_edition(text, place, after[place])
    for path, value in _edits(before, after, ()):
        text = put(text, path, value)
    return text


def _anew(text: str, content: Sequence[object]) -> str:
    lines = text.splitlines(keepends=True)
    head = next((place for place, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    return "".join(lines[:head]) + _block(list(content))


def _block(content: object) -> str:
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=WIDE)


def _edits(before: Any, after: Any, path: Path) -> list[tuple[Path, object]]:  # noqa: ANN401 - plain YAML of any shape
    """Where two contents differ, each with the value it gets; GONE for what is left out."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = [edit for key in before for edit in _edits(before[key], after.get(key, GONE), (*path, key))]
        return found + [((*path, key), after[key]) for key in after if key not in before]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [edit for place, pair in enumerate(zip(before, after, strict=True)) for edit in _edits(*pair, (*path, place))]
    return [] if before == after else [(path, after)]


def put(text: str, path: Path, value: object) -> str:
    """The text with the value at the path; what lies on the way is made where it is missing. GONE takes it away."""
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, key in enumerate(path):
        child = _child(node, key)
        if child is None:
            return text if value is GONE else _insert(text, node, str(key), _nested(path[depth + 1 :], value))
        if depth == len(path) - 1:
            return _remove(text, node, str(key)) if value is GONE else _replace(text, child, value)
        node = child
    return text


def _child(node: yaml.Node | None, key: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        return node.value[key] if key < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == str(key)), None)
    return None


def _nested(path: Path, value: object) -> object:
    for key in reversed(path):
        value = {key: value}
    return value


def _written(value: object) -> str:
    """A value on one line."""
    listed = yaml.dump([value], Dumper=_Plain, default_flow_style=True, allow_unicode=True, width=WIDE, sort_keys=False)
    return listed.strip()[1:-1]


def _end(node: yaml.Node) -> int:
    """Where the last sign of a node stands; a block's own mark lies beyond the comments after it."""
    is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value
    if not is_block:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _replace(text: str, node: yaml.Node, value: object) -> str:
    return text[: node.start_mark.index] + _written(value) + text[_end(node) :]


def _insert(text: str, node: yaml.Node | None, key: str, value: object) -> str:
    if not isinstance(node, yaml.MappingNode):
        return text
    entry = f"{_written(key)}: {_written(value)}"
    if node.flow_style or not node.value:
        end = node.end_mark.index - 1
        return text[:end].rstrip(" ") + (", " if node.value else "") + entry + text[end:]
    line_end = text.find("\n", _end(node))
    line_end = len(text) if line_end < 0 else line_end
    return text[:line_end] + "\n" + " " * node.start_mark.column + entry + text[line_end:]


def _remove(text: str, node: yaml.Node | None, key: str) -> str:
    if not isinstance(node, yaml.MappingNode):
        return text
    if len(node.value) == 1:
        return text[: node.start_mark.index] + "{}" + text[_end(node) :]
    place = next(place for place, (name, _) in enumerate(node.value) if name.value == key)
    name, value = node.value[place]
    if node.flow_style and place + 1 < len(node.value):
        return text[: name.start_mark.index] + text[node.value[place + 1][0].start_mark.index :]
    if node.flow_style:
        return text[: _end(node.value[place - 1][1])] + text[_end(value) :]
    start, line_end = text.rfind("\n", 0, name.start_mark.index) + 1, text.find("\n", _end(value))
    return text[:start] + ("" if line_end < 0 else text[line_end + 1 :])


def _with_edition(text: str, place: int, edition: object) -> str:
    """The text with one more edition, before the one that stands at its place."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.SequenceNode) or root.flow_style:
        return text
    indent = " " * root.start_mark.column
    block = "".join(f"{indent}{line}\n" if line else "\n" for line in _block([edition]).splitlines())
    if place >= len(root.value):
        return text.rstrip("\n") + "\n" + block
    start = text.rfind("\n", 0, root.value[place].start_mark.index) + 1
    return text[:start] + block + text[start:]
