"""`python cli.py run`: starts both processes, ends both, and says in one line why it cannot start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import read_settings
from shell.supervise import StartError, address, check_start
from tests.serving import ROOT, free_port


def test_taken_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=rf"^port {port} on 127\.0\.0\.1 is not available .*PORT=$"):
            check_start(read_settings({}, home=tmp_path, port=port))


def test_port_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="port 99999"):
        check_start(read_settings({}, home=tmp_path, port=99999))


def test_full_disk_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"MB are free .* are needed: free some space"):
        check_start(read_settings({}, home=tmp_path, port=free_port()), least_free_bytes=2**62)


def test_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(StartError, match="cannot be written"):
        check_start(read_settings({}, home=blocked / "home", port=free_port()))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "http://localhost:8600"), ("0.0.0.0", "http://localhost:8600"), ("10.1.2.3", "http://10.1.2.3:8600")],
)
def test_printed_address_is_one_a_browser_can_open(tmp_path: Path, host: str, expected: str) -> None:
    assert address(read_settings({}, home=tmp_path, host=host)) == expected


@contextmanager
def _run(home: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    environment = dict(os.environ) | {
        "CONTROL_ROOM_HOME": str(home),
        "CONTROL_ROOM_PORT": str(port),
        "CONTROL_ROOM_DEMO_ORDERS": "3000",
    }
    command = (sys.executable, "cli.py", "run")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if words in line:
            return text
    raise AssertionError(f"{words!r} never came, but this: {text}")


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(word) for word in text.split()]


def _is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


@on_linux
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
def test_run_prints_the_address_and_sign_ins_and_ends_without_a_trace(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    with _run(tmp_path, port) as process:
        text = _read_until(process, "Ctrl-C ends it.")
        children = _children(process.pid)
        process.send_signal(number)
        rest, _ = process.communicate(timeout=20)
    assert f"http://localhost:{port}" in text
    assert "demo-east" in text
    assert process.returncode == 0
    assert "Traceback" not in text + rest
    assert len(children) == 2
    assert not any(_is_alive(child) for child in children)


@on_linux
def test_killed_parent_leaves_no_orphans(tmp_path: Path) -> None:
    with _run(tmp_path, free_port()) as process:
        _read_until(process, "Ctrl-C ends it.")
        children = _children(process.pid)
        process.kill()
        deadline = time.monotonic() + 15
        while any(_is_alive(child) for child in children) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert not any(_is_alive(child) for child in children)


@on_linux
def test_process_that_dies_is_named_and_started_again(tmp_path: Path) -> None:
    with _run(tmp_path, free_port()) as process:
        _read_until(process, "Ctrl-C ends it.")
        for child in _children(process.pid):
            if b"worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)
        assert "The worker ended (exit -9): starting it again." in _read_until(process, "worker ended")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0
