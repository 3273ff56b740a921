"""Archives: unpacked within limits, never outside (F20)."""

from __future__ import annotations

import gzip
import stat
import zipfile
from pathlib import Path

import pytest

from data.sources import SourceError
from tests.data.sources.conftest import ReadFile

BODY = "id,city\n1,x\n"


def zip_of(path: Path, **entries: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_gzip_and_zip_read_like_the_plain_file(read_file: ReadFile, tmp_path: Path) -> None:
    packed = tmp_path / "orders.csv.gz"
    packed.write_bytes(gzip.compress(BODY.encode()))
    zipped = zip_of(tmp_path / "orders.ZIP", **{"2026/orders.csv": BODY, "__MACOSX/._orders.csv": "x"})
    assert read_file(packed).rows == read_file(zipped).rows == [("1", "x")]


def test_an_archive_of_several_files_is_refused_with_their_names(read_file: ReadFile, tmp_path: Path) -> None:
    said = r"2 files in the archive \(a.csv, b.csv\), one is expected: .* unpack them and give `ingest` their folder"
    with pytest.raises(SourceError, match=said):
        read_file(zip_of(tmp_path / "orders.zip", **{"a.csv": BODY, "b.csv": BODY}))


def test_a_bomb_is_refused_by_its_ratio(read_file: ReadFile, tmp_path: Path) -> None:
    body = b"id,city\n" + b"1,x\n" * 5_000_000
    packed = tmp_path / "orders.csv.gz"
    packed.write_bytes(gzip.compress(body, 9))
    with pytest.raises(SourceError, match="ratio 100"):
        read_file(packed)
    with pytest.raises(SourceError, match="ratio 100"):
        read_file(zip_of(tmp_path / "orders.zip", **{"orders.csv": body}))
    assert sum(file.stat().st_size for file in (tmp_path / "staging").iterdir()) < 3_000_000


def test_the_contract_limits_the_unpacked_bytes(read_file: ReadFile, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "orders.zip", **{"orders.csv": BODY * 500})
    with pytest.raises(SourceError, match="max_unpacked_bytes 1,000"):
        read_file(path, max_unpacked_bytes=1000)
    assert list((tmp_path / "staging").iterdir()) == [], "nothing of it was unpacked"


def test_an_archive_that_takes_too_long_to_unpack_is_refused(
    read_file: ReadFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.sources.unpack.MAX_SECONDS", -1)
    with pytest.raises(SourceError, match="to unpack: send it unpacked"):
        read_file(zip_of(tmp_path / "orders.zip", **{"orders.csv": BODY}))


@pytest.mark.parametrize("name", ["../orders.csv", "/etc/orders.csv", "a/../../orders.csv", "..\\orders.csv", "C:\\orders.csv"])
def test_an_entry_that_points_outside_is_refused(read_file: ReadFile, tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="outside"):
        read_file(zip_of(tmp_path / "orders.zip", **{name: BODY}))


def test_a_link_inside_an_archive_is_refused(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "orders.zip"
    link = zipfile.ZipInfo("orders.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(SourceError, match="symbolic link"):
        read_file(path)


def test_a_link_out_of_the_folder_is_refused(read_file: ReadFile, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (tmp_path / "secret.csv").write_text(BODY, encoding="utf-8")
    (inbox / "orders.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(SourceError, match="symbolic link"):
        read_file(inbox / "orders.csv")


@pytest.mark.parametrize(("count", "reason"), [(0, "0 files"), (2, "2 files"), (1001, "1001 entries, over the limit of 1000")])
def test_an_archive_holds_exactly_one_file(read_file: ReadFile, tmp_path: Path, count: int, reason: str) -> None:
    path = zip_of(tmp_path / "orders.zip", **{f"{n}.csv": BODY for n in range(count)})
    with pytest.raises(SourceError, match=f"{reason}.*one file an archive"):
        read_file(path)


@pytest.mark.parametrize("name", ["orders.csv.gz", "orders.zip", "orders.xlsx"])
def test_what_is_no_archive_is_refused(read_file: ReadFile, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"this is no archive at all")
    with pytest.raises(SourceError, match="again"):
        read_file(path, format="xlsx" if name.endswith("xlsx") else "csv")
