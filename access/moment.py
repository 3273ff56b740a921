"""The same sight at another instant: what a figure was made of when it was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from access.view import View
from data.lake import LakeError
from queries.query import Filter
from queries.request import parse_window


def view_at(view: View, as_of: datetime, snapshot: int, *, window: str, filters: Sequence[Filter] = ()) -> View | None:
    """The user's view of `as_of` knowing `snapshot`, with an address that says so; None where that snapshot is not kept."""
    try:
        version = view.reading.lake().version_of(snapshot)
    except LakeError:
        return None
    address = replace(view.address, as_of=as_of, snapshot=snapshot, window=window, filters=tuple(filters), notes=())
    return replace(
        view,
        snapshot=snapshot,
        version=version,
        as_of=as_of,
        is_live=False,
        window=parse_window(window, as_of=as_of, zone=view.zone),
        filters=(),
        address=address,
        filling_share=None,
    )
