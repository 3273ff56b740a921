"""One order's whole life as plain JSON values, asked through the same door as the page."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from access.order_history import history
from access.order_twin import Passage, Twin, Usual, read_twin
from access.reading import EmptyLake, Reading
from config import Settings
from data.active import targets_in_force
from queries.listing import Moment
from queries.present import plain
from queries.request import parse_instant
from queries.run import run
from queries.scope import Scope
from queries.twin import OrderKey, build_sightings


def order_as_json(
    settings: Settings, *, channel: str, order_id: str, scope: Scope, as_of: str | None, snapshot: int | None
) -> dict[str, Any] | None:
    """The order inside the scope; None when there is none. Raises QueryError for the instant, LakeError for the snapshot."""
    until = parse_instant(as_of, settings.zone) if as_of else None
    reading = Reading(settings)
    try:
        ledger = reading.ledger(until=until, snapshot=snapshot)
        if ledger.as_of is None:
            raise EmptyLake("there is no snapshot that early: leave --as-of out, or take in a file")
        lake = reading.lake()
        moment = Moment(
            scope=scope,
            version=ledger.version,
            as_of=until or ledger.as_of,
            zone=settings.zone,
            targets=targets_in_force(settings)[0],
            newest=lake.newest_milestone(ledger.version),
        )
        key = OrderKey(channel=channel, order_id=order_id)
        twin = read_twin(key, moment, lambda statements: [run(lake, statement) for statement in statements])
        if twin is None:
            return None
        sightings = run(lake, build_sightings(twin.key, moment)).to_dicts()
        sources = reading.snapshot_sources(ledger.version, (row["snapshot_id"] for row in sightings))
        return _twin(twin) | {"history": [_plain(vars(change) | {"kind": change.kind}) for change in history(sightings, sources)]}
    finally:
        reading.close()


def _twin(twin: Twin) -> dict[str, Any]:
    rows = {"events": twin.events, "returns": twin.returns, "complaints": twin.complaints}
    return {
        "order": _plain(twin.order),
        "stages": [_passage(passage) for passage in twin.passages],
        **{name: [_plain(row) for row in found] for name, found in rows.items()},
    }


def _passage(passage: Passage) -> dict[str, Any]:
    told = {field.name: getattr(passage, field.name) for field in fields(passage) if field.name != "usual"}
    usual: Usual | None = passage.usual
    return _plain(told) | {"usual": None if usual is None else dict(vars(usual)), "excess_seconds": passage.excess_seconds}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, list) else plain(value) for name, value in row.items()}
