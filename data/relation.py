"""From the staged rows of one file to the rows that are merged: places resolved, milestones inferred, events pivoted."""

from __future__ import annotations

from typing import Final

import duckdb

from data.contract import Contract
from data.lake import DUCKDB_TYPES
from data.merge import COMPLAINTS, EVENTS, ORDERS, RETURNS, Entity
from data.order import MILESTONE_BIT, MILESTONES
from data.places import province_aliases, region_of
from data.sql_text import identifier, literal
from data.validate import STAGED

Relations = tuple[tuple[Entity, str], ...]

_ISO_CODE: Final = "[A-Z]{2}-[A-Z0-9]{1,3}"
_RETURN_MILESTONES: Final = {
    "return_requested_at": "requested_at",
    "returned_at": "received_at",
    "refunded_at": "CASE WHEN kind = 'refund' THEN closed_at END",
}


def accepted_relations(connection: duckdb.DuckDBPyConnection, contract: Contract, as_of_sql: str) -> Relations:
    """The entities that the staged rows change, each with the SELECT of its rows.

    Every SELECT gives the entity's columns, `row_number`, `as_of`, `withdrawn` and for orders `inferred_milestones`.
    """
    if contract.kind == "orders":
        return ((ORDERS, _orders(connection, contract, as_of_sql)),)
    if contract.kind == "events":
        events = _plain(EVENTS, contract, as_of_sql, {"milestone": "status_milestone", "event_id": _event_id(contract)})
        pivot = {f"{name}_at": f"CASE WHEN milestone = {literal(name)} THEN occurred_at END" for name in MILESTONES}
        return ((EVENTS, events), (ORDERS, _partial_orders(_in_time(events), pivot)))
    if contract.kind == "returns":
        returns = _plain(RETURNS, contract, as_of_sql, {})
        return ((RETURNS, returns), (ORDERS, _partial_orders(returns, _RETURN_MILESTONES)))
    return ((COMPLAINTS, _plain(COMPLAINTS, contract, as_of_sql, {})),)


def unresolved_places(connection: duckdb.DuckDBPyConnection, contract: Contract) -> str | None:
    """A notice with the provinces that are in no register and no ISO code, and how many rows have them; None when all are known."""
    if contract.kind != "orders" or "province_code" not in contract.columns:
        return None
    rows = connection.execute(
        f"SELECT staged.province_code, count(*) FROM {STAGED} AS staged {_places_join(contract)} "
        f"WHERE problem IS NULL AND staged.province_code IS NOT NULL AND {_code(contract)} IS NULL GROUP BY ALL ORDER BY 2 DESC, 1"
    ).fetchall()
    if not rows:
        return None
    named = ", ".join(f"{name!r} ({count:,})" for name, count in rows[:5])
    total = sum(count for _, count in rows)
    remedy = (
        "where they are codes, country_code || '-' || the code keeps them as US-PR"
        if "country_code" in contract.columns
        else "or columns.country_code beside a bare code"
    )
    return (
        f"{total:,} rows have a province that is in no register, kept without a place: {named}{' …' if len(rows) > 5 else ''}; "
        f"give columns.province_code ISO 3166-2 codes such as DE-BY; {remedy}"
    )


def _orders(connection: duckdb.DuckDBPyConnection, contract: Contract, as_of_sql: str) -> str:
    located = "province_code" in contract.columns
    if located:
        _load_aliases(connection)
    special = _inferred_instants(contract) | _places(contract, located)
    if {"exception_code", "failed_attempt_count", "exception_at"} & set(contract.columns):
        special["exception_at"] = _exception_at(contract)
    join = _places_join(contract) if located else ""
    inferred = " + ".join(
        f"CASE WHEN {_is_sighted(contract, name)} AND {_source(contract, f'{name}_at')} IS NULL THEN {MILESTONE_BIT[name]} ELSE 0 END"
        for name in _inferable(contract)
    )
    extra = f", ({inferred or '0'})::INTEGER AS inferred_milestones"
    return _select(ORDERS, contract, as_of_sql, special, join=join, extra=extra)


def _inferable(contract: Contract) -> list[str]:
    if not contract.status:
        return []
    reached = {contract.status.milestone(word) for words in contract.status.map.values() for word in words.values()}
    return [name for name in MILESTONES if name in reached]


def _is_sighted(contract: Contract, milestone: str) -> str:
    """SQL for «this row's word shows that the milestone was reached»; whatever its status, an order was created."""
    if milestone == "created" and "created_at" not in contract.columns:
        return "status_milestone IS NOT NULL"
    return f"coalesce(status_milestone = {literal(milestone)}, false)"


def _inferred_instants(contract: Contract) -> dict[str, str]:
    """A milestone the status word has reached but no column dates: first seen at this row's as-of."""
    return {
        f"{name}_at": f"coalesce({_source(contract, f'{name}_at')}, CASE WHEN {_is_sighted(contract, name)} THEN seen_at END)"
        for name in _inferable(contract)
    }


def _source(contract: Contract, name: str) -> str:
    return f"staged.{name}" if name in contract.columns else "NULL::TIMESTAMPTZ"


def _exception_at(contract: Contract) -> str:
    known = [f"staged.{name}" for name in ("exception_code",) if name in contract.columns]
    faults = [f"{name} IS NOT NULL" for name in known]
    if "failed_attempt_count" in contract.columns:
        faults.append("staged.failed_attempt_count > 0")
    sighted = f"CASE WHEN {' OR '.join(faults)} THEN seen_at END" if faults else "NULL"
    return f"coalesce({_source(contract, 'exception_at')}, {sighted})"


def _places(contract: Contract, located: bool) -> dict[str, str]:
    if not located:
        return {}
    code = _code(contract)
    found = "coalesce(bare.region_code, place.region_code)" if "country_code" in contract.columns else "place.region_code"
    region = "staged.region_code" if "region_code" in contract.columns else "NULL"
    country = "staged.country_code" if "country_code" in contract.columns else "NULL"
    return {
        "province_code": code,
        "region_code": f"coalesce({region}, {found})",
        "country_code": f"coalesce({country}, left({code}, 2))",
    }


def _places_join(contract: Contract) -> str:
    """The register of provinces beside the staged rows: `place` by name, and `bare` by a code that means nothing without its country."""
    join = "LEFT JOIN province_alias AS place ON place.alias = lower(staged.province_code)"
    if "country_code" in contract.columns:
        join += " LEFT JOIN province_alias AS bare ON bare.alias = lower(staged.country_code || '-' || staged.province_code)"
    return join


def _code(contract: Contract) -> str:
    """SQL for the ISO code of a staged row's province; null where it is not known."""
    known = "coalesce(bare.province_code, place.province_code)" if "country_code" in contract.columns else "place.province_code"
    # A CASE, as what stands in a coalesce is worked out for every row when it occurs twice.
    written = f"nullif(regexp_extract(upper(staged.province_code), '^{_ISO_CODE}$'), '')"
    return f"CASE WHEN {known} IS NULL THEN {written} ELSE {known} END"


def _load_aliases(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE OR REPLACE TEMP TABLE province_alias (alias VARCHAR, province_code VARCHAR, region_code VARCHAR)")
    rows = [{"alias": alias.lower(), "code": code, "region": region_of(code)} for alias, code in province_aliases().items()]
    connection.execute(
        "INSERT INTO province_alias SELECT place.alias, place.code, place.region FROM (SELECT unnest(?) AS place)", [rows]
    )


def _event_id(contract: Contract) -> str:
    parts = [f"staged.{name}" for name in ("system", "step", "occurred_at") if name in contract.columns]
    derived = f"md5(concat_ws('|', status_milestone, {', '.join(parts)}))"
    return f"coalesce(staged.event_id, {derived})" if "event_id" in contract.columns else derived


def _plain(entity: Entity, contract: Contract, as_of_sql: str, special: dict[str, str]) -> str:
    return _select(entity, contract, as_of_sql, special, join="", extra="")


def _select(entity: Entity, contract: Contract, as_of_sql: str, special: dict[str, str], *, join: str, extra: str) -> str:
    values = []
    for column in entity.columns:
        mapped = f"staged.{column.name}" if column.name in contract.columns else "NULL"
        values.append(f"({special.get(column.name, mapped)})::{DUCKDB_TYPES[column.type]} AS {identifier(column.name)}")
    seen = f"(SELECT *, rowid + 1 AS row_number, coalesce(row_as_of, {as_of_sql}) AS seen_at FROM {STAGED} WHERE problem IS NULL)"
    return f"(SELECT row_number, seen_at AS as_of, withdrawn, {', '.join(values)}{extra} FROM {seen} AS staged {join})"


def _in_time(events: str) -> str:
    """The events numbered as they happened: of a step that repeats the latest counts, wherever it stands in the file."""
    return f"(SELECT * REPLACE (row_number() OVER (ORDER BY occurred_at, row_number) AS row_number) FROM {events})"


def _partial_orders(rows: str, milestones: dict[str, str]) -> str:
    """Order rows that carry only the key and some milestones, derived from events or returns."""
    values = []
    for column in ORDERS.columns:
        value = column.name if column.name in ORDERS.key else milestones.get(column.name, "NULL")
        values.append(f"({value})::{DUCKDB_TYPES[column.type]} AS {identifier(column.name)}")
    return f"(SELECT row_number, as_of, NULL::VARCHAR[] AS withdrawn, {', '.join(values)}, 0 AS inferred_milestones FROM {rows})"
