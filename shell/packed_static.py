"""Streamlit's bundles, packed once: it serves them as they are, which is three times as much over the wire."""

from __future__ import annotations

import gzip
import mimetypes
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class PackedStatic:
    """Serves `/static/` gzip-packed, each file packed once per process; the files are immutable by name."""

    SUFFIXES: Final = (".js", ".css", ".svg", ".json", ".wasm", ".ttf")

    def __init__(self, app: ASGIApp, *, folder: Path) -> None:
        """Wrap the next application; `folder` is what `/static/` stands for."""
        self.app = app
        self.folder = folder.resolve()
        self.packed: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a GET of a packable bundle from memory; pass everything else on."""
        response = None
        if scope["type"] == "http" and scope["method"] == "GET" and "gzip" in Headers(scope=scope).get("accept-encoding", ""):
            response = await self._response(scope["path"])
        await (response or self.app)(scope, receive, send)

    def file_of(self, path: str) -> Path | None:
        """The file of a request path that can be packed; None outside the folder and for anything else."""
        if not path.startswith("/static/") or not path.endswith(self.SUFFIXES):
            return None
        file = (self.folder / path.removeprefix("/static/")).resolve()
        return file if file.is_relative_to(self.folder) and file.is_file() else None

    async def _response(self, path: str) -> Response | None:
        if path not in self.packed:
            file = self.file_of(path)
            if file is None:
                return None
            self.packed[path] = await run_in_threadpool(lambda: gzip.compress(file.read_bytes(), 6, mtime=0))
        headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding", "Cache-Control": "public, max-age=31536000, immutable"}
        return Response(
            self.packed[path], headers=headers, media_type=mimetypes.guess_type(path)[0] or "application/octet-stream"
        )
