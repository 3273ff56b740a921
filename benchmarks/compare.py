"""Two results side by side: every figure's ratio to the earlier one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def compare(result: dict[str, Any], earlier: dict[str, Any]) -> dict[str, Any]:
    """Value, earlier value and ratio of each figure both have, by `benchmark.figure`; whether size and machine are the same."""
    before = dict(_values(earlier))
    figures = {
        name: {"value": value, "earlier": before[name], "ratio": round(value / before[name], 3)}
        for name, value in _values(result)
        if before.get(name)
    }
    same = {key: result[key] == earlier.get(key) for key in ("orders", "days")}
    cores = result["machine"]["cores"] == earlier.get("machine", {}).get("cores")
    return {"commit": earlier.get("commit", ""), "same": same | {"cores": cores}, "figures": figures}


def _values(result: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for benchmark in result["benchmarks"]:
        for figure in benchmark["figures"]:
            yield f"{benchmark['name']}.{figure['name']}", figure["value"]
