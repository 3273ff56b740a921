"""A real PostgreSQL server for tests, from the system's binaries, on loopback, with a password."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from tests.serving import free_port

PASSWORD = "pass word'with=signs"


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """How to reach the server: as a connection string of its own kind, and as SQLAlchemy's URL."""

    port: int

    @property
    def text(self) -> str:
        """`host=… port=… password='…'`."""
        escaped = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
        return f"host=127.0.0.1 port={self.port} dbname=postgres user=owner password='{escaped}'"

    @property
    def url(self) -> str:
        """`postgresql+psycopg://…`."""
        return self._url("postgres")

    def _url(self, database: str) -> str:
        url = URL.create("postgresql+psycopg", "owner", PASSWORD, "127.0.0.1", self.port, database)
        return url.render_as_string(hide_password=False)

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The URL of a database with all that is in the first one now, which nobody may be connected to; it goes afterwards."""
        elsewhere = self.text.replace("dbname=postgres", "dbname=template1")
        with psycopg.connect(elsewhere, autocommit=True) as connection:
            connection.execute("CREATE DATABASE copy TEMPLATE postgres")
        yield self._url("copy")
        with psycopg.connect(elsewhere, autocommit=True) as connection:
            connection.execute("DROP DATABASE copy WITH (FORCE)")


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Start a fresh server and end it afterwards; skips, saying so, where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)
    if not found:
        pytest.skip("no PostgreSQL binaries in /usr/lib/postgresql: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="order-control-room-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    server = Postgres(port=free_port())
    password = folder / "password"
    password.write_text(PASSWORD, encoding="utf-8")
    password.chmod(0o644)
    data = str(folder / "data")
    options = f"-p {server.port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    _run(found[0].parent / "initdb", "-D", data, "-U", "owner", "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8")
    _run(found[0].parent / "pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield server
    finally:
        _run(found[0].parent / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: Path, *arguments: str) -> None:
    # PostgreSQL refuses to run as root: the system's own user `postgres` runs it then.
    as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*as_owner, str(program), *arguments], check=True, capture_output=True, cwd="/")
