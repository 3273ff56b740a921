"""Starts the worker and the interface, watches both, and ends both: what `python cli.py run` does."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from types import FrameType
from typing import Final

from access.flag import limits_of
from access.provider import read_provider
from access.sign_in import DEMO_USERS, offers_demo
from config import ROOT, Settings
from data.retention import kept_days

LEAST_FREE_BYTES: Final = 500 * 1024 * 1024
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 0.2
RESTARTS: Final = 5
"""How often a worker that dies is started again within `RESTART_SECONDS` before the whole house stops."""
RESTART_SECONDS: Final = 300.0
WORKER_NICENESS: Final = 5
"""Whoever looks at a page goes before the intake of older history."""


class StartError(RuntimeError):
    """The control room cannot start; the message is one line with the reason and the remedy."""


@dataclass
class Process:
    """A child by its name, with the instants (monotonic seconds) at which it was started again."""

    name: str
    command: tuple[str, ...]
    child: subprocess.Popen[bytes]
    restarts: tuple[float, ...] = ()


def supervise(settings: Settings, *, environment: Mapping[str, str], say: Callable[[str], None]) -> int:
    """Run worker and interface until Ctrl-C or SIGTERM (0), or until one cannot be kept alive (1).

    Raises StartError, and SettingsError for a faulty sign-on, lock or retention.
    """
    check_start(settings)
    read_provider(settings)
    limits_of(settings)
    kept_days(settings)
    variables = dict(environment) | {"CONTROL_ROOM_HOME": str(settings.home), "CONTROL_ROOM_PORT": str(settings.port)}
    commands = {"worker": (sys.executable, "cli.py", "worker"), "interface": interface_command(settings)}
    asked_to_stop: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        asked_to_stop.append(number)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    processes = [Process(name, command, _start(name, command, variables)) for name, command in commands.items()]
    try:
        if not _wait_until_open(settings, processes, asked_to_stop):
            return 0 if asked_to_stop else _report_death(processes, say)
        announce(settings, say)
        return _watch(processes, variables, asked_to_stop, say)
    finally:
        _stop(processes)
        for number, handle in previous.items():
            signal.signal(number, handle)


def check_start(settings: Settings, *, least_free_bytes: int = LEAST_FREE_BYTES) -> None:
    """Raise StartError for a taken port, a home that cannot be written or a full disk; creates the home."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe = settings.home / f".write-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"the home {settings.home} cannot be written ({error.strerror}): choose another with HOME_DIR="
        ) from None
    free = shutil.disk_usage(settings.home).free
    if free < least_free_bytes:
        text = f"{free // 2**20} MB are free on the disk of {settings.home}, {least_free_bytes // 2**20} MB are needed"
        raise StartError(f"{text}: free some space or choose another home with HOME_DIR=")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe_socket:
        probe_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe_socket.bind((settings.host, settings.port))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            text = f"port {settings.port} on {settings.host} is not available ({reason})"
            raise StartError(f"{text}: stop what uses it or choose another with PORT=") from None


def interface_command(settings: Settings) -> tuple[str, ...]:
    """How the interface is started: one uvicorn process (its sessions and caches are shared by all)."""
    options = ("--host", settings.host, "--port", str(settings.port), "--log-level", "warning", "--no-access-log")
    return (sys.executable, "-m", "uvicorn", "app:app", *options, "--no-server-header", "--timeout-graceful-shutdown", "2")


def announce(settings: Settings, say: Callable[[str], None]) -> None:
    """Print the address and, in the demo, the sign-ins."""
    say(f"Order Control Room · 订单作战室   {address(settings)}")
    if offers_demo(settings):
        say("Demo sign-ins (this machine only):")
        for demo in DEMO_USERS:
            say(f"  {demo.user.name:<8} {demo.password:<14} {demo.user.display_name}")
    say("Ctrl-C ends it.")


def address(settings: Settings) -> str:
    """Where a browser on this machine finds the interface."""
    host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else settings.host
    return f"http://{host}:{settings.port}"


def _start(name: str, command: tuple[str, ...], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches only this process, which then ends its children in order.
    child = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, preexec_fn=_end_with_parent)
    if name == "worker":
        os.setpriority(os.PRIO_PROCESS, child.pid, WORKER_NICENESS)
    return child


def _end_with_parent() -> None:
    """On Linux, let the kernel send SIGTERM to the child when this process is killed: no orphan."""
    if sys.platform == "linux":
        parent_death_signal = 1
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGTERM)


def _wait_until_open(settings: Settings, processes: list[Process], asked_to_stop: list[int]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not asked_to_stop:
        if any(process.child.poll() is not None for process in processes):
            return False
        if _is_open(settings):
            return True
        time.sleep(LOOK_SECONDS)
    return False


def _is_open(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    connection = HTTPConnection(host, settings.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _report_death(processes: list[Process], say: Callable[[str], None]) -> int:
    for process in processes:
        if (code := process.child.poll()) is not None:
            say(f"The {process.name} ended while starting (exit {code}); its last lines above say why.")
            return 1
    say(f"The interface did not answer within {START_SECONDS:.0f} s; nothing was left running.")
    return 1


def _watch(processes: list[Process], environment: Mapping[str, str], asked_to_stop: list[int], say: Callable[[str], None]) -> int:
    while not asked_to_stop:
        for process in processes:
            code = process.child.poll()
            if code is None:
                continue
            now = time.monotonic()
            recent = tuple(instant for instant in process.restarts if now - instant < RESTART_SECONDS)
            if len(recent) >= RESTARTS:
                say(f"The {process.name} ended {RESTARTS + 1} times in {RESTART_SECONDS / 60:.0f} min (exit {code}): stopping.")
                return 1
            say(f"The {process.name} ended (exit {code}): starting it again.")
            process.restarts = (*recent, now)
            process.child = _start(process.name, process.command, environment)
        time.sleep(LOOK_SECONDS)
    return 0


def _stop(processes: list[Process]) -> None:
    for process in processes:
        if process.child.poll() is None:
            process.child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.child.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.child.kill()
            process.child.wait()
