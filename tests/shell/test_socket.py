"""An open websocket does not outlive its session, and a download belongs to the session it was sent to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnected
from streamlit.proto.BackMsg_pb2 import BackMsg

import shell.socket
from shell.guard import SessionGuard
from shell.socket import SentMedia, WatchedSocket

NAME = "0" * 55 + "a"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks and grace in hundredths of a second."""
    monkeypatch.setattr(shell.socket, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(shell.socket, "GRACE_SECONDS", 0.05)


def _run(playing: Coroutine[Any, Any, None]) -> None:
    """Play it on a loop of its own: a browser of the same test process keeps one running in this thread."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, playing).result()


class _Peer:
    """A browser's side: what comes in is put into `incoming`, what went out lies in `sent`."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        self.is_open = True
        self.noted: list[bytes] = []
        self.socket = WatchedSocket(self.incoming.get, self._send, is_open=self._ask, note=self.noted.append)

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    async def _ask(self) -> bool:
        return self.is_open


def test_messages_pass_while_the_session_is_valid() -> None:
    async def play() -> None:
        peer = _Peer()
        for number in range(3):
            await asyncio.sleep(0.03)
            for unused in (BackMsg(clear_cache=True), BackMsg(load_git_info=True), BackMsg(debug_shutdown_runtime=True)):
                peer.incoming.put_nowait({"type": "websocket.receive", "bytes": unused.SerializeToString()})
            peer.incoming.put_nowait({"type": "websocket.receive", "bytes": bytes([number])})
            assert (await peer.socket.receive())["bytes"] == bytes([number])
        await peer.socket.send({"type": "websocket.send", "bytes": b"x"})
        assert peer.sent == [{"type": "websocket.send", "bytes": b"x"}]
        peer.socket.stop()

    _run(play())


@pytest.mark.parametrize("is_busy", [True, False])
def test_websocket_of_an_ended_session_is_closed_busy_or_silent(is_busy: bool) -> None:
    async def play() -> None:
        peer = _Peer()
        peer.is_open = False
        async with asyncio.timeout(5):
            while True:
                if is_busy:
                    peer.incoming.put_nowait({"type": "websocket.receive", "bytes": b"x"})
                if (await peer.socket.receive())["type"] == "websocket.disconnect":
                    break
                await asyncio.sleep(0.005)
        assert peer.sent[-1]["type"] == "websocket.close"
        await peer.socket.send({"type": "websocket.send", "bytes": b"late"})
        assert peer.sent[-1]["type"] == "websocket.close"
        peer.socket.stop()

    _run(play())


def test_session_that_only_seemed_to_end_goes_on() -> None:
    async def play() -> None:
        peer = _Peer()
        peer.is_open = False
        waiting = asyncio.ensure_future(peer.socket.receive())
        await asyncio.sleep(0.03)
        peer.is_open = True
        await asyncio.sleep(0.15)
        assert not waiting.done()
        peer.incoming.put_nowait({"type": "websocket.receive", "bytes": b"x"})
        assert (await waiting)["bytes"] == b"x"
        peer.socket.stop()

    _run(play())


def test_file_belongs_to_the_session_it_was_sent_to() -> None:
    sent = SentMedia()
    sent.note("mine", b"\x12\x40/media/" + NAME.encode() + b".csv\x18\x01")
    assert sent.may_fetch("mine", f"/media/{NAME}.csv")
    assert not sent.may_fetch("theirs", f"/media/{NAME}.csv")
    assert not sent.may_fetch("mine", "/media/" + "1" * 56 + ".csv")
    assert not sent.may_fetch("mine", f"/media/../media/{NAME}.csv")


def test_memory_of_sent_files_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell.socket, "MOST_MEDIA", 3)
    sent = SentMedia()
    for number in range(5):
        sent.note("mine", f"/media/{number:056x}.csv".encode())
    assert [sent.may_fetch("mine", f"/media/{number:056x}.csv") for number in range(5)] == [False, False, True, True, True]


def test_download_of_another_session_is_refused_at_the_door() -> None:
    """The guard as it stands before Streamlit: what one session was sent over its websocket, no other fetches."""
    passed: list[str] = []

    async def streamlit(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope["path"])
        if scope["type"] == "websocket":
            await send({"type": "websocket.send", "bytes": b"\x12\x40/media/" + NAME.encode() + b".csv"})

    guard = SessionGuard(streamlit, is_signed_in=lambda secret: secret in ("mine", "theirs"))

    async def ask(secret: str, path: str, kind: str = "http") -> int:
        sent: list[Message] = []
        headers = [(b"host", b"here"), (b"origin", b"https://here"), (b"cookie", f"control_room_session={secret}".encode())]
        scope: Scope = {"type": kind, "scheme": "ws" if kind == "websocket" else "http", "path": path, "headers": headers}
        scope.update({"method": "GET", "query_string": b"", "server": ("here", 80)})

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)

        await guard(scope, receive, send)
        return int(sent[0].get("status", 200)) if sent else 200

    async def play() -> None:
        await ask("mine", "/_stcore/stream", "websocket")
        path = f"/media/{NAME}.csv"
        assert [await ask(secret, path) for secret in ("mine", "theirs", "nobody")] == [200, 401, 401]
        assert passed == ["/_stcore/stream", path]

    _run(play())


def test_the_door_closes_an_open_websocket_once_its_session_has_ended() -> None:
    """The guard as it stands before Streamlit, which waits for a message that never comes."""
    valid, got, sent = ["mine"], list[Message](), list[Message]()

    async def streamlit(_scope: Scope, receive: Receive, _send: Send) -> None:
        got.append(await receive())

    async def receive() -> Message:
        valid.clear()
        return await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"here"), (b"origin", b"https://here"), (b"cookie", b"control_room_session=mine")]
    scope: Scope = {"type": "websocket", "scheme": "ws", "path": "/_stcore/stream", "headers": headers, "server": ("here", 80)}

    async def play() -> None:
        async with asyncio.timeout(5):
            await SessionGuard(streamlit, is_signed_in=lambda secret: secret in valid)(scope, receive, send)

    _run(play())
    assert [message["type"] for message in got] == ["websocket.disconnect"]
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_a_tab_that_goes_away_while_it_is_written_to_is_no_fault() -> None:
    """As Streamlit ends then: it writes to a websocket that is gone, and starlette says so."""

    async def streamlit(_scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(_scope, receive, send)
        await socket.accept()
        await socket.close()
        await socket.send_bytes(b"more")

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(_message: Message) -> None:
        return None

    headers = [(b"host", b"here"), (b"origin", b"https://here"), (b"cookie", b"control_room_session=mine")]
    scope: Scope = {"type": "websocket", "scheme": "ws", "path": "/_stcore/stream", "headers": headers, "server": ("here", 80)}
    with pytest.raises(WebSocketDisconnected):
        _run(streamlit(scope, receive, send))
    _run(SessionGuard(streamlit, is_signed_in=lambda secret: secret == "mine")(scope, receive, send))
