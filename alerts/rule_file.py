"""Reading the YAML files of rules and of their tests."""

from __future__ import annotations

from pathlib import Path

from alerts.fault import RuleError
from data.yaml_text import YamlFault, load_yaml


def read_yaml(file: Path) -> object:
    """The file's plain values. Raises RuleError where it cannot be read or is no YAML."""
    try:
        return load_yaml(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RuleError(f"{file} cannot be read ({error.strerror}): name a YAML file") from None
    except UnicodeDecodeError:
        raise RuleError(f"{file} is no UTF-8 text: save it as UTF-8") from None
    except YamlFault as error:
        raise RuleError(f"{file}{error}") from None
