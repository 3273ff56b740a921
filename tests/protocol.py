"""A tab without a browser: speaks Streamlit's own websocket protocol, so that tests see every byte a page sends."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.serving import Served


@dataclass
class Tab:
    """One open websocket; `received` holds everything the last run sent."""

    connection: ClientConnection
    received: list[ForwardMsg] = field(default_factory=list)
    sent_bytes: bytes = b""

    def open(self, page: str = "", query: str = "", *, seconds: float = 60.0) -> str:
        """Run a page as its deep link does, and give all it sent as text (`text_of`)."""
        return self._run(BackMsg(rerun_script=ClientState(page_name=page, query_string=query)), seconds)

    def rerun_fragment(self, fragment: str, *, seconds: float = 60.0) -> str:
        """Run one fragment of the page, as its timer does."""
        return self._run(BackMsg(rerun_script=ClientState(fragment_id=fragment, is_auto_rerun=True)), seconds)

    def fragments(self) -> list[str]:
        """The fragments whose timers run in this tab."""
        return [message.auto_rerun.fragment_id for message in self.received if message.HasField("auto_rerun")]

    def _run(self, message: BackMsg, seconds: float) -> str:
        self.connection.send(message.SerializeToString())
        return self.follow(seconds=seconds)

    def follow(self, *, seconds: float = 60.0) -> str:
        """What the run that comes next sends, such as the one a fragment asked for."""
        self.received, self.sent_bytes = [], b""
        deadline = time.monotonic() + seconds
        while True:
            data = self.connection.recv(timeout=max(0.1, deadline - time.monotonic()))
            assert isinstance(data, bytes)
            self.sent_bytes += data
            answer = ForwardMsg.FromString(data)
            self.received.append(answer)
            if answer.HasField("script_finished"):
                return text_of(self.sent_bytes)


def text_of(data: bytes) -> str:
    """Everything readable in the bytes, JSON's own spelling of characters included."""
    text = data.decode("utf-8", "replace")
    return text + re.sub(r"\\u[0-9a-fA-F]{4}", lambda match: json.loads(f'"{match[0]}"'), text) if "\\u" in text else text


@contextmanager
def tab(served: Served, cookie: str) -> Iterator[Tab]:
    """A tab with this session's cookie."""
    with connect(
        f"ws://localhost:{served.port}/_stcore/stream",
        additional_headers={"Cookie": cookie},
        origin=Origin(served.url),
        open_timeout=60,
        max_size=None,
    ) as connection:
        yield Tab(connection=connection)
