"""What the map loads besides its figures: pydeck's drawing library and the packaged boundaries; behind the session, packed once."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from components.deck import LIBRARY
from data.places import GEO_FOLDER, MAP_FILES

CACHED: Final = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
"""Addresses carry a version, so that what has been fetched once is good for ever."""


async def send_library(request: Request) -> Response:
    """pydeck's own deck.gl, as its package brings it."""
    return await _send(request, LIBRARY, "text/javascript")


async def send_boundaries(request: Request) -> Response:
    """A country's boundaries as GeoJSON; 404 for a country that has none."""
    name = MAP_FILES.get(request.path_params["country"].upper())
    if name is None:
        return PlainTextResponse("There are no boundaries of this country", status_code=404)
    return await _send(request, GEO_FOLDER / name, "application/geo+json")


async def _send(request: Request, file: Path, media_type: str) -> Response:
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(await run_in_threadpool(file.read_bytes), headers=CACHED, media_type=media_type)
    packed = await run_in_threadpool(_packed, file)
    return Response(packed, headers=CACHED | {"Content-Encoding": "gzip"}, media_type=media_type)


@cache
def _packed(file: Path) -> bytes:
    return gzip.compress(file.read_bytes(), 6, mtime=0)


GEO_ROUTES: Final = (
    Route("/geo/deck.js", send_library, methods=["GET"]),
    Route("/geo/{country:str}.json", send_boundaries, methods=["GET"]),
)
