"""`python -m benchmarks`: run what is asked, print one JSON object on standard output, tell progress on standard error."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from benchmarks.compare import compare, keep_last, last_file, read_result
from benchmarks.figure import OUT, Figure, Trial
from benchmarks.machine import describe_machine, find_commit

BENCHMARKS: Final = (
    "bulk",
    "merge",
    "semantic",
    "wall_server",
    "heat_server",
    "flow_server",
    "orders_server",
    "rules",
    "page",
    "heat_page",
    "map_page",
    "start",
    "sessions",
    "incidents",
)
"""Each is a module with `measure(trial)`, imported when it is run."""

FORM: Final = 1
"""Raised when the JSON's shape changes."""


def main(words: Sequence[str] | None = None) -> int:
    """Exit 0 when every budget is met, 1 when one is not or a benchmark failed."""
    arguments = _parser().parse_args(words)
    lakes = arguments.lakes.resolve()
    trial = Trial(orders=arguments.orders, days=arguments.days, out=lakes, rounds=arguments.rounds, say=say)
    earlier = read_result(arguments.compare or last_file(trial))
    result = run_all(trial, arguments.only or BENCHMARKS, keep=lambda told: _write(arguments.out, told))
    keep_last(trial, result)
    if earlier is not None:
        result["compared"] = compare(result, earlier)
        _write(arguments.out, result)
    print(json.dumps(result, indent=2))
    return 0 if result["met"] else 1


def say(text: str) -> None:
    """Tell progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def run_all(trial: Trial, names: Sequence[str], *, keep: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """The result of the named benchmarks; `keep` gets what there is after each one."""
    result: dict[str, Any] = {
        "form": FORM,
        "commit": find_commit(),
        "orders": trial.orders,
        "days": trial.days,
        "machine": describe_machine(),
        "benchmarks": [],
        "met": True,
    }
    for name in names:
        trial.say(f"{name}: begins")
        told = run_one(trial, name)
        result["benchmarks"].append(told)
        result["met"] = result["met"] and told["met"]
        keep(result)
    return result


def run_one(trial: Trial, name: str) -> dict[str, Any]:
    """One benchmark's figures; a failure is told in its place, so that hours of the others are not lost."""
    started = time.perf_counter()
    told: dict[str, Any] = {"name": name, "figures": [], "met": False}
    try:
        figures: list[Figure] = import_module(f"benchmarks.{name}").measure(trial)
    except Exception as error:
        trial.say(traceback.format_exc())
        told["error"] = f"{type(error).__name__}: {error}"
    else:
        for figure in figures:
            trial.say(f"{name}: {_line(figure)}")
        told |= {"figures": [figure.as_json() for figure in figures], "met": all(figure.met is not False for figure in figures)}
    return told | {"duration_seconds": round(time.perf_counter() - started, 1)}


def _line(figure: Figure) -> str:
    budget = "" if figure.met is None else f"  budget {figure.budget:,}: {'met' if figure.met else 'MISSED'}"
    return f"{figure.name} {figure.value:,.4g} {figure.unit}{budget}"


def _write(path: Path | None, result: dict[str, Any]) -> None:
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what the house promises about speed.")
    parser.add_argument("--orders", type=int, default=100_000, help="orders in the lake (default 100000)")
    parser.add_argument("--days", type=int, default=90, help="days they were created in")
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is timed")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the JSON here, after every benchmark")
    parser.add_argument(
        "--compare", type=Path, metavar="FILE", help="an earlier JSON to compare with (default: the last run of this size)"
    )
    parser.add_argument("--lakes", type=Path, default=OUT, metavar="FOLDER", help="where generated lakes are kept")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
