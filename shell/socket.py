"""A session's websocket, watched: it is closed soon after the session ended, and what it was sent is noted."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from google.protobuf.message import DecodeError
from starlette.types import Message, Receive, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

LOOK_SECONDS: Final = 3.0
"""How often an open websocket's session is asked for again, busy or silent."""

GRACE_SECONDS: Final = 6.0
"""After its session ended a page may still say so and lead to the sign-in page; it shows nothing else (`Visitor.session`)."""

UNUSED: Final = frozenset(
    (
        "clear_cache",
        "load_git_info",
        "set_run_on_save",
        "file_urls_request",
        "debug_disconnect_websocket",
        "debug_shutdown_runtime",
    )
)
"""What Streamlit's own front end may ask and no page of ours does: emptying what all sessions share, the state of the checkout."""

MEDIA: Final = re.compile(rb"/media/([0-9a-f]{16,128})")
MOST_MEDIA: Final = 20_000


class SentMedia:
    """Which downloads and pictures were announced to which session: nobody else may fetch them."""

    def __init__(self) -> None:
        """Nothing was sent yet."""
        self._receivers: OrderedDict[str, set[str]] = OrderedDict()

    def note(self, session: str, payload: bytes) -> None:
        """Remember the media files named in a message to the session."""
        for name in MEDIA.findall(payload):
            self._receivers.setdefault(name.decode(), set()).add(session)
            self._receivers.move_to_end(name.decode())
        while len(self._receivers) > MOST_MEDIA:
            self._receivers.popitem(last=False)

    def may_fetch(self, session: str, path: str) -> bool:
        """Whether the file at a `/media/` path was announced to the session."""
        found = MEDIA.match(path.encode())
        return found is not None and session in self._receivers.get(found[1].decode(), ())


class WatchedSocket:
    """Stands between the server and Streamlit for one websocket."""

    def __init__(
        self, receive: Receive, send: Send, *, is_open: Callable[[], Awaitable[bool]], note: Callable[[bytes], None]
    ) -> None:
        """`is_open` asks whether the session is still valid, `note` sees every message sent."""
        self._receive, self._send, self._is_open, self._note = receive, send, is_open, note
        self._coming: asyncio.Future[Message] | None = None
        self._looked_at = time.monotonic()
        self._ended_at: float | None = None
        self._is_closed = False

    async def receive(self) -> Message:
        """The next message; a disconnect once the session has been over for the grace time."""
        while True:
            if self._coming is None:
                self._coming = asyncio.ensure_future(self._receive())
            await asyncio.wait({self._coming}, timeout=LOOK_SECONDS)
            if await self._is_over():
                await self._close()
                return {"type": "websocket.disconnect", "code": 1008}
            if self._coming.done():
                message, self._coming = self._coming.result(), None
                if not _is_unused(message):
                    return message

    async def send(self, message: Message) -> None:
        """Pass a message on, unless the websocket was closed here."""
        if self._is_closed:
            return
        if payload := message.get("bytes"):
            self._note(payload)
        await self._send(message)

    def stop(self) -> None:
        """Wait for nothing any more."""
        if self._coming is not None:
            self._coming.cancel()

    async def _is_over(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            if await self._is_open():
                self._ended_at = None
            elif self._ended_at is None:
                self._ended_at = now
        return self._ended_at is not None and now - self._ended_at >= GRACE_SECONDS

    async def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            await self._send({"type": "websocket.close", "code": 1008, "reason": "the session has ended"})


def _is_unused(message: Message) -> bool:
    """Whether it asks for what no page uses; one that cannot be read is Streamlit's to refuse."""
    try:
        return BackMsg.FromString(message.get("bytes") or b"").WhichOneof("type") in UNUSED
    except DecodeError:
        return False
