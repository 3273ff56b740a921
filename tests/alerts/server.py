"""A real server on this machine that answers as told, and keeps what it was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Script:
    """The answers to give, one a request, the last one for good; and the requests that came."""

    answers: list[tuple[int, bytes, dict[str, str]]]
    delay: float = 0.0
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}/hook"

    def next(self) -> tuple[int, bytes, dict[str, str]]:
        """The answer to the request that came last."""
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@contextmanager
def serve(*answers: tuple[int, bytes] | tuple[int, bytes, dict[str, str]], delay: float = 0.0) -> Iterator[Script]:
    """A server that gives these answers."""
    script = Script(answers=[(answer[0], answer[1], answer[2] if len(answer) > 2 else {}) for answer in answers], delay=delay)

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(script.delay)
            status, content, headers = script.next()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            with suppress(OSError):
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    script.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
