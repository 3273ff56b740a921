"""Reading YAML that people write: one way in, one line for what is wrong."""

from __future__ import annotations

import yaml


class YamlFault(ValueError):
    """A text is no YAML; the message starts with the place, so that it follows a file's name: `, line 3: not valid YAML: …`."""


def load_yaml(text: str) -> object:
    """The text's plain values. Raises YamlFault."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise YamlFault(f"{place}: not valid YAML: {' '.join(str(problem or error).split())}: correct the file") from None
