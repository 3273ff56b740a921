"""`make audit`: names an advisory and fails; without pip-audit, or where no service answers, it says so and goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLAWED = '{"dependencies": [{"name": "x", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}]}'
SOUND = '{"dependencies": [{"name": "x", "version": "1", "vulns": []}]}'


def _audit(tmp_path: Path, *, report: str | None) -> tuple[int, str]:
    """The script beside a `pip-audit` that writes the report (None: there is none installed)."""
    (tmp_path / "room").mkdir()
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / "room" / name).write_text("x==1 --hash=sha256:0\n", encoding="utf-8")
    script = tmp_path / "room" / ".ci" / "audit"
    script.parent.mkdir()
    script.write_bytes((ROOT / ".ci" / "audit").read_bytes())
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "dirname"):
        (folder / name).symlink_to(shutil.which(name) or name)
    if report is not None:
        fake = folder / "pip-audit"
        write = (
            f"while [ $# -gt 1 ]; do [ $1 = --output ] && echo '{report}' > $2; shift; done"
            if report
            else "echo no route >&2; exit 1"
        )
        fake.write_text(f"#!/bin/bash\n{write}\n", encoding="utf-8")
        fake.chmod(0o755)
    path = str(folder) if report is None else f"{folder}:{os.environ['PATH']}"
    done = subprocess.run(["bash", str(script)], env={"PATH": path}, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("report", "code", "words"),
    [
        (FLAWED, 1, "x 1: PYSEC-1, mended in 2"),
        (SOUND, 0, "1 packages, no advisory"),
        ("", 0, "not audited: pip-audit gave no report on requirements.txt: no route"),
        (None, 0, "not audited: pip-audit is not installed"),
    ],
)
def test_advisories_fail_and_absence_is_said(tmp_path: Path, report: str | None, code: int, words: str) -> None:
    found = _audit(tmp_path, report=report)
    assert found[0] == code
    assert words in found[1]
