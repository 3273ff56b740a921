"""Interfaces forked from a process that has imported all of them and done nothing: what follows is their own, but no import.

`python -m tests.nursery` is that process. A line of JSON on its standard input asks for one thing, a line answers it:
`{"start": [argument, …], "variables": {…}}` gives a process id, `{"ended": id}` whether it has ended by itself,
`{"end": id}` ends it and gives its exit status.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent


class Nursery:
    """The client's side, safe for many threads."""

    def __init__(self) -> None:
        """The process starts importing."""
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.nursery"), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lock = threading.Lock()

    def start(self, arguments: Sequence[str], variables: Mapping[str, str]) -> int:
        """Begin `uvicorn` with these arguments and these variables only; its process id."""
        return int(self._ask({"start": list(arguments), "variables": dict(variables)}))

    def has_ended(self, child: int) -> bool:
        """Whether it ended of itself."""
        return bool(self._ask({"ended": child}))

    def end(self, child: int) -> int:
        """Ask it to end and wait until it has."""
        return int(self._ask({"end": child}))

    def close(self) -> None:
        """End the process; what it started and nobody ended goes on."""
        with self._lock:
            self._process.communicate(timeout=20)

    def _ask(self, wish: Mapping[str, Any]) -> Any:
        with self._lock:
            pipe, answers = self._process.stdin, self._process.stdout
            assert pipe is not None
            assert answers is not None
            print(json.dumps(wish), file=pipe, flush=True)
            return json.loads(answers.readline())


@cache
def nursery() -> Nursery:
    """The one of this test process."""
    return Nursery()


def main() -> None:
    """Import everything, then do what is asked until nothing comes any more."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for name in ("uvicorn.main", *import_module("app").WARMED, *(page.module for page in import_module("pages").PAGES)):
        import_module(name)
    gc.collect()
    gc.freeze()
    ended: dict[int, int] = {}
    for line in sys.stdin:
        wish = json.loads(line)
        if "start" in wish:
            child = os.fork()
            if not child:
                answers.close()
                _become(wish["start"], wish["variables"])
            answer: object = child
        elif "ended" in wish:
            answer = _look(wish["ended"], ended)
        else:
            child = wish["end"]
            if not _look(child, ended):
                os.kill(child, signal.SIGTERM)
                ended[child] = os.waitpid(child, 0)[1]
            answer = os.waitstatus_to_exitcode(ended[child])
        print(json.dumps(answer), file=answers)


def _look(child: int, ended: dict[int, int]) -> bool:
    if child not in ended:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            ended[child] = status
    return child in ended


def _become(arguments: Sequence[str], variables: Mapping[str, str]) -> NoReturn:
    os.environ.clear()
    os.environ.update(variables)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    status = 1
    try:
        import_module("uvicorn.main").main(args=list(arguments), prog_name="uvicorn", standalone_mode=False)
        status = 0
    except SystemExit as stop:
        status = int(stop.code or 0)
    except BaseException:
        traceback.print_exc()
    os._exit(status)


if __name__ == "__main__":
    main()
