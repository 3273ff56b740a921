"""A conversation with a mail server that ends in time, however slowly the server speaks."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from alerts.destination import MOST_WAITS


class _Mail(smtplib.SMTP):
    """A mail client whose connection another thread can cut, from the first byte on, TLS or not."""

    def __init__(self, host: str, timeout: float, tls: ssl.SSLContext | None) -> None:
        super().__init__(timeout=timeout)
        # What smtplib itself asks certificates for when it takes up TLS later.
        self._host = host
        self._tls = tls
        self._plain: socket.socket | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        self._plain = socket.create_connection((host, port), timeout)
        return self._tls.wrap_socket(self._plain, server_hostname=host) if self._tls else self._plain

    def cut(self) -> None:
        """End the conversation: whoever reads or writes finds its end."""
        for found in (self.sock, self._plain):
            if found is not None:
                with suppress(OSError):
                    socket.socket.shutdown(found, socket.SHUT_RDWR)


@contextmanager
def mail_connection(host: str, port: int, *, timeout: float, is_tls: bool) -> Iterator[smtplib.SMTP]:
    """An open conversation, cut after `MOST_WAITS` timeouts in all. Raises OSError and smtplib.SMTPException.

    A server that takes a message and then ends the conversation rudely has taken it all the same.
    """
    client = _Mail(host, timeout, ssl.create_default_context() if is_tls else None)
    deadline = threading.Timer(MOST_WAITS * timeout, client.cut)
    deadline.daemon = True
    deadline.start()
    try:
        client.connect(host, port)
        yield client
        with suppress(OSError, smtplib.SMTPException):
            client.quit()
    finally:
        deadline.cancel()
        client.close()
