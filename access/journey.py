"""Links for customers: one order's journey, signed with the home's key, good until they expire; nothing is kept."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from data.zone import epoch_ms, from_epoch_ms

VALID_FOR: Final = timedelta(days=14)
LONGEST: Final = 1_000
PURPOSE: Final = b"order journey v1\n"
"""Signed along, so that no other signature of the same key is ever taken for one of these."""


@dataclass(frozen=True, kw_only=True)
class Journey:
    """Which order a link shows, and until when."""

    channel: str
    order_id: str
    expires_at: datetime


def make_token(journey: Journey, key: bytes) -> str:
    """The journey as text for a path, signed."""
    content = json.dumps([journey.channel, journey.order_id, epoch_ms(journey.expires_at)], ensure_ascii=False).encode()
    return f"{_text(content)}.{_text(_signature(content, key))}"


def read_token(token: str, key: bytes, now: datetime) -> Journey | None:
    """The journey of a token; None when it was not signed with this key, is malformed or has expired."""
    try:
        content, signature = (_bytes(part) for part in token[:LONGEST].split("."))
        if not hmac.compare_digest(_signature(content, key), signature):
            return None
        channel, order_id, expires = json.loads(content)
        journey = Journey(channel=str(channel), order_id=str(order_id), expires_at=from_epoch_ms(int(expires)))
    except (ValueError, TypeError, binascii.Error):
        return None
    return journey if now < journey.expires_at else None


def _signature(content: bytes, key: bytes) -> bytes:
    return hmac.new(key, PURPOSE + content, hashlib.sha256).digest()


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
