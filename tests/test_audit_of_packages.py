"""`make audit`: names an advisory and fails; what could not be asked about is said, service by service, and is no good news."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _report(flaws: str = "", skipped: str = "") -> str:
    about = '"skip_reason": "not found"' if skipped else f'"version": "1", "vulns": [{flaws}]'
    return f'{{"dependencies": [{{"name": "x", {about}}}]}}'


FLAWED = _report('{"id": "PYSEC-1", "fix_versions": ["2"]}')
SOUND = _report()
SKIPPED = _report(skipped="x")


def _audit(tmp_path: Path, pypi: str | None, osv: str) -> tuple[int, str]:
    """The script beside a `pip-audit` that writes these reports (None: there is none installed; empty: no answer)."""
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
    if pypi is not None:
        for service, report in (("pypi", pypi), ("osv", osv)):
            (tmp_path / service).write_text(report, encoding="utf-8")
        fake = folder / "pip-audit"
        lines = (
            "#!/bin/bash",
            f"while [ $# -gt 1 ]; do case $1 in --vulnerability-service) said={tmp_path}/$2;; --output) out=$2;; esac; shift; done",
            '[ -s "$said" ] && cp "$said" "$out" || { echo "went wrong: no route" >&2; exit 1; }',
        )
        fake.write_text("\n".join(lines) + "\n", encoding="utf-8")
        fake.chmod(0o755)
    path = str(folder) if pypi is None else f"{folder}:{os.environ['PATH']}"
    done = subprocess.run(["bash", str(script)], env={"PATH": path}, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("pypi", "osv", "code", "words"),
    [
        (FLAWED, "", 1, "x 1: PYSEC-1, mended in 2"),
        (SKIPPED, FLAWED, 1, "x 1: PYSEC-1, mended in 2"),
        (SOUND, "", 0, "1 packages audited, no advisory"),
        (SKIPPED, SOUND, 0, "1 packages audited, no advisory"),
        (SKIPPED, "", 3, "1 of 1 packages not audited: the Python index has no advisories of 1 of 1 packages; https://api.osv.dev did not"),
        ("", "", 3, "the Python index did not answer (no route); https://api.osv.dev did not answer (no route)"),
        (None, "", 3, "not audited: pip-audit is not installed"),
    ],
)  # fmt: skip
def test_advisories_fail_and_silence_is_no_good_news(tmp_path: Path, pypi: str | None, osv: str, code: int, words: str) -> None:
    found = _audit(tmp_path, pypi, osv)
    assert found[0] == code, found
    assert words in found[1]
