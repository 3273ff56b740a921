"""Reading YAML that people write: one way in, one line for what is wrong."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Final

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

MOST_NODES: Final = 200_000
"""More values than this, with every alias written out, are no file that somebody wrote."""


class YamlFault(ValueError):
    """A text is no YAML; the message starts with the place, so that it follows a file's name: `, line 3: not valid YAML: …`."""


class _Reader(yaml.SafeLoader):
    """Plain values only; a key that stands twice in a mapping and a day that is none are faults with their line."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:  # noqa: ANN401 - the reader's own
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise ComposerError(None, None, f"{key.value!r} stands twice", key.start_mark)
                seen.add(key.value)
        return node

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> date:
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError as error:
            problem = f"{node.value!r} is no day ({error})"
            raise ConstructorError(None, None, problem, node.start_mark) from None

    yaml_constructors: ClassVar[dict[str | None, Any]] = yaml.SafeLoader.yaml_constructors | {
        "tag:yaml.org,2002:timestamp": construct_yaml_timestamp
    }


def load_yaml(text: str) -> object:
    """The text's plain values. Raises YamlFault."""
    try:
        reader = _Reader(text)
        node = reader.get_single_node()
        if node is None:
            return None
        if _weight(node, {}) > MOST_NODES:
            raise ComposerError(None, None, "its aliases are too many values written out", node.start_mark)
        return reader.construct_document(node)
    except RecursionError:
        raise YamlFault(": not valid YAML: it is nested too deeply, or in itself: correct the file") from None
    except (yaml.YAMLError, ValueError) as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise YamlFault(f"{place}: not valid YAML: {' '.join(str(problem or error).split())}: correct the file") from None


def _weight(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node is with every alias written out."""
    if id(node) not in known:
        parts: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            parts = node.value
        elif isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_weight(part, known) for part in parts)
    return known[id(node)]
