"""The worker's second task: while it takes in snapshots, rules are evaluated and messages are sent."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from access.present_scope import present_scope
from access.store import open_store
from alerts.duty import open_duty
from config import Settings
from pages.telling import Telling


@contextmanager
def on_duty(
    settings: Settings, *, now: Callable[[], datetime], say: Callable[[str], None], environment: Mapping[str, str]
) -> Iterator[None]:
    """Evaluate and send in threads of their own for as long as the block runs."""
    store = open_store(settings)
    duty = open_duty(
        settings,
        store,
        Telling(zone=settings.zone),
        clock=now,
        say=say,
        environment=environment,
        holder=f"{socket.gethostname()}-{os.getpid()}",
        chance=random.random,
        sight=partial(present_scope, store),
    )
    duty.start()
    try:
        yield
    finally:
        duty.close()
