"""Two results side by side: every figure's ratio to the earlier one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figure import Trial


def compare(result: dict[str, Any], earlier: dict[str, Any]) -> dict[str, Any]:
    """Value, earlier value and ratio of each figure both have, by `benchmark.figure`; whether size and machine are the same."""
    before = dict(_values(earlier))
    figures = {
        name: {"value": value, "earlier": before[name], "ratio": round(value / before[name], 3)}
        for name, value in _values(result)
        if before.get(name)
    }
    same = {key: result.get(key) == earlier.get(key) for key in ("orders", "days")}
    cores = result["machine"]["cores"] == earlier.get("machine", {}).get("cores")
    return {"commit": earlier.get("commit", ""), "same": same | {"cores": cores}, "figures": figures}


def last_file(trial: Trial) -> Path:
    """Where the newest result of a lake of this size is kept."""
    return trial.out / f"last-{trial.orders}-{trial.days}.json"


def read_result(path: Path) -> dict[str, Any] | None:
    """A result written before; None where there is none."""
    if not path.exists():
        return None
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def keep_last(trial: Trial, result: dict[str, Any]) -> None:
    """Keep the result as the newest of its size, with the earlier figures of benchmarks that it did not run."""
    path = last_file(trial)
    ran = {told["name"] for told in result["benchmarks"]}
    earlier = read_result(path) or {"benchmarks": []}
    others = [told for told in earlier["benchmarks"] if told["name"] not in ran]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result | {"benchmarks": [*others, *result["benchmarks"]]}, indent=2) + "\n", encoding="utf-8")


def _values(result: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for benchmark in result["benchmarks"]:
        for figure in benchmark["figures"]:
            yield f"{benchmark['name']}.{figure['name']}", figure["value"]
