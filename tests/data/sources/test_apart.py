"""Files that are unpacked are read in a child first: it has the limits, dies alone, and its refusal is the reader's own."""

from __future__ import annotations

import gzip
import resource
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from data.contract import Reader
from data.lake import Lake
from data.sources import SourceError
from data.sources.apart import MAX_BYTES, try_apart
from tests.data.intake import contract_of, home, take_in

ROWS = b"id,created\nA1,2026-03-01T08:00:00Z\n"


def _gz(path: Path, content: bytes = ROWS) -> Path:
    path.write_bytes(gzip.compress(content))
    return path


def test_sound_file_passes_and_plain_text_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try_apart(_gz(tmp_path / "orders.csv.gz"), Reader())
    monkeypatch.setattr("subprocess.run", None)
    plain = tmp_path / "orders.csv"
    plain.write_bytes(ROWS)
    try_apart(plain, Reader())


def test_refusal_of_the_child_is_the_readers_own(tmp_path: Path) -> None:
    path = tmp_path / "orders.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../orders.csv", ROWS)
    with pytest.raises(SourceError, match="points outside the archive"):
        try_apart(path, Reader())


def test_file_that_kills_its_reader_is_refused_and_kills_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With as little memory as a bomb would leave, the child dies where the worker would have."""
    monkeypatch.setattr("data.sources.apart.MAX_BYTES", 64 * 1024**2)
    settings = home(tmp_path)
    with Lake.open_writer(settings) as lake:
        contract = contract_of(columns={"order_id": "id", "channel": "'web'", "created_at": "created"})
        report = take_in(lake, contract, _gz(tmp_path / "orders_20260301T090000.csv.gz"))
        assert (report.state, "needs more memory" in report.reason) == ("refused", True)
        monkeypatch.undo()
        assert take_in(lake, contract, _gz(tmp_path / "orders_20260301T100000.csv.gz")).state == "accepted"


def test_file_that_takes_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.sources.apart.MAX_SECONDS", 0.01)
    monkeypatch.setattr("data.sources.apart._limit", lambda unpacked_bytes: None)
    with pytest.raises(SourceError, match="takes over"):
        try_apart(_gz(tmp_path / "orders.csv.gz"), Reader())


def test_child_has_limits_and_sees_no_secret_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    limits: dict[int, tuple[int, int]] = {}

    def noted(command: object, **more: Any) -> subprocess.CompletedProcess[bytes]:
        seen.append(more["env"])
        more["preexec_fn"]()
        return subprocess.CompletedProcess([], 0)

    monkeypatch.setattr("subprocess.run", noted)
    monkeypatch.setattr("resource.setrlimit", limits.__setitem__)
    try_apart(_gz(tmp_path / "orders.csv.gz"), Reader(max_unpacked_bytes=1000))
    assert seen == [{"PATH": "", "LANG": "C.UTF-8"}]
    wanted = {resource.RLIMIT_AS: MAX_BYTES, resource.RLIMIT_CPU: 120, resource.RLIMIT_FSIZE: 2000, resource.RLIMIT_CORE: 0}
    assert limits == {kind: (most, most) for kind, most in wanted.items()}
