"""A real interface on a free port with a home of its own, for tests that ask over HTTP or look with a browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from urllib.parse import urlencode

from tests.accounts import add_demo_accounts
from tests.nursery import nursery

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running interface."""

    port: int
    home: Path

    @property
    def url(self) -> str:
        """Its address for a browser."""
        return f"http://localhost:{self.port}"

    def ask(self, method: str, path: str, *, form: dict[str, str] | None = None, **headers: str) -> Answer:
        """One request without following anything; header names with `_` for `-`. Posts carry this site's Origin."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "POST":
            names = {"Origin": self.url, "Content-Type": "application/x-www-form-urlencoded"} | names
        connection = HTTPConnection("localhost", self.port, timeout=20)
        connection.request(method, path, body=urlencode(form) if form else None, headers=names)
        response = connection.getresponse()
        answer = Answer(status=response.status, headers=response.headers, body=response.read())
        connection.close()
        return answer

    def sign_in(self, name: str, password: str = "") -> str:
        """The session cookie (`name=value`) of a demo account or of the given password."""
        answer = self.ask("POST", "/auth/sign-in", form={"name": name, "password": password or f"demo-{name}"})
        assert answer.status == 303, answer.body
        return str(answer.headers["set-cookie"]).split(";")[0]


def wait_until_settled(served: Served, *, seconds: float) -> None:
    """Return once the last days' orders are in memory and the long questions are asked; AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while b"settled" not in served.ask("GET", "/readyz").body:
        assert time.monotonic() < deadline, f"the interface was not settled within {seconds:.0f} s"
        time.sleep(0.5)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(home: Path, **variables: str) -> Iterator[Served]:
    """Have an interface over the home until the end; where it makes the demo's accounts they are quick to sign in.

    Forked from a process that has imported what every interface imports; nothing else has happened in it.
    """
    if "CONTROL_ROOM_DEMO" not in variables:
        add_demo_accounts(home)
    served = Served(port=free_port(), home=home)
    child = nursery().start(_arguments(served), _environment(served, variables))
    try:
        _wait(served, lambda: nursery().has_ended(child))
        yield served
    finally:
        nursery().end(child)


@contextmanager
def serve_from_scratch(home: Path, **variables: str) -> Iterator[Served]:
    """The same on a home left as it is, started as a user starts it: `uvicorn app:app`."""
    served = Served(port=free_port(), home=home)
    command = (sys.executable, "-m", "uvicorn", *_arguments(served))
    process = subprocess.Popen(command, cwd=ROOT, env=_environment(served, variables))
    try:
        _wait(served, lambda: process.poll() is not None)
        yield served
    finally:
        process.terminate()
        process.wait(timeout=20)


def _arguments(served: Served) -> tuple[str, ...]:
    return ("app:app", "--port", str(served.port), "--log-level", "warning", "--no-access-log")


def _environment(served: Served, variables: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONTROL_ROOM_")}
    return inherited | {"CONTROL_ROOM_HOME": str(served.home), "CONTROL_ROOM_PORT": str(served.port)} | dict(variables)


def _wait(served: Served, has_ended: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert not has_ended(), "the interface ended while starting"
        try:
            if served.ask("GET", "/healthz").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the interface did not answer within 120 s")
