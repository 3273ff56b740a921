"""A table of a real MySQL (MariaDB) server, started for this test where its binaries are installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from config import Settings
from data.contract import parse_contract
from data.ingest import find_units, ingest
from data.lake import Lake
from tests.data.intake import NOW

CONTRACT = """
source: shop
owner: shop@example.com
reader: {format: mysql, connection: SHOP_DATABASE, table: sales.orders}
time_zone: Asia/Shanghai
as_of: {from: newest}
columns: {order_id: order_no, channel: "'shop'", created_at: created_at, amount: amount, city: city}
"""
TABLE = """
CREATE DATABASE sales CHARACTER SET utf8mb4;
CREATE TABLE sales.orders (order_no varchar(20), amount decimal(12,2), created_at datetime, city varchar(40)) CHARACTER SET utf8mb4;
INSERT INTO sales.orders VALUES ('000123', 12.50, '2026-01-05 10:00:00', '上海'), ('000124', 8, '2026-01-05 10:05:00', NULL);
CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'hidden-word';
GRANT SELECT ON sales.* TO reader@'127.0.0.1';
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A fresh server's connection string, on loopback."""
    if not shutil.which("mariadbd") or not shutil.which("mariadb-install-db"):
        pytest.skip("no MariaDB binaries: apt-get install mariadb-server")
    folder = Path(tempfile.mkdtemp(prefix="order-control-room-mysql-"))
    user = ["--user=mysql"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "mysql", "mysql")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start_file = folder / "start.sql"
    start_file.write_text(TABLE, encoding="utf-8")
    start_file.chmod(0o644)
    place = [f"--datadir={folder}/data", *user]
    install = ["mariadb-install-db", "--no-defaults", *place, "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True)
    names = [f"--socket={folder}/socket", f"--pid-file={folder}/pid", f"--port={port}", "--bind-address=127.0.0.1"]
    options = [*names, f"--init-file={start_file}", "--skip-name-resolve", "--character-set-server=utf8mb4"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["mariadbd", "--no-defaults", *place, *options], stdout=log, stderr=log)
        try:
            _wait(port)
            yield f"host=127.0.0.1 port={port} user=reader password=hidden-word database=sales"
        finally:
            process.terminate()
            process.wait(timeout=30)
            shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int) -> None:
    for _ in range(300):
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server did not start")


def test_a_mysql_table_comes_in_once(server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE", server)
    contract = parse_contract(CONTRACT)
    with Lake.open_writer(settings) as lake:
        reports = [ingest(lake, contract, unit, now=NOW) for unit in find_units(contract, []) * 2]
        rows = (
            lake.cursor()
            .execute("SELECT order_id, amount::VARCHAR, created_at::VARCHAR, city FROM lake.orders ORDER BY 1")
            .fetchall()
        )
    assert [report.state for report in reports] == ["accepted", "duplicate"], reports[0].reason
    assert rows == [
        ("000123", "12.5000", "2026-01-05 02:00:00+00", "上海"),
        ("000124", "8.0000", "2026-01-05 02:05:00+00", None),
    ]


def test_a_wrong_password_is_not_shown(server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE", server.replace("hidden-word", "other-hidden-word"))
    contract = parse_contract(CONTRACT)
    with Lake.open_writer(settings) as lake:
        report = ingest(lake, contract, find_units(contract, [])[0], now=NOW)
    assert (report.state, "hidden-word" in report.reason) == ("refused", False)
