"""The contracts and targets in force in a home. A faulty file is named with its reason, and stops nothing but itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from config import Settings
from data.contract import KIND_COLUMNS, SHIPPED_CONTRACTS, Contract, ContractError, load_contracts, read_contract
from data.targets import Targets, TargetsError, no_targets, read_targets

KEY_LINE: Final = re.compile(r"^(source|kind|owner|time_zone):[ \t]*[\"']?([^\"'#\n]*[^\"'#\s])", re.MULTILINE)
KEY_ANYWHERE: Final = re.compile(r"(?:^[ \t]+|[{,][ \t]*)([a-z_]+)[ \t]*:", re.MULTILINE)
"""What a text that is no contract still says: a faulty file is whose it is, and its figures grey, all the same."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A file of a home that cannot be used: `source` is the one that is not taken in, empty for the targets.

    `reason` names the file without its folder, the line and the remedy. Owner, zone and the columns it feeds
    (`kind.column`) are what the text says of them.
    """

    file: Path
    source: str
    reason: str
    owner: str = ""
    time_zone: str = ""
    feeds: frozenset[str] = frozenset()

    @property
    def sentence(self) -> str:
        """What is wrong, what it stops, and what to do: for terminals and logs."""
        stops = f"{self.source} is not taken in" if self.source else "no target and no limit is in force"
        return f"{self.reason}\n  {stops} until {self.file} is mended; it is read again by itself"


@dataclass(frozen=True, kw_only=True)
class ActiveContracts:
    """The sound contracts by source, and the faults of the others."""

    contracts: Mapping[str, Contract] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def active_contracts(settings: Settings, *, demo: bool) -> ActiveContracts:
    """The contracts of a home (`<home>/contracts`), and in the demo the demo country's; of two for one source the first."""
    contracts: dict[str, Contract] = {}
    if demo:
        contracts |= {name: c for name, c in load_contracts(SHIPPED_CONTRACTS, "demo_*.yaml").items() if name != "bulk"}
    own: dict[str, Contract] = {}
    faults = []
    for path in contract_files(settings):
        try:
            contract = read_contract(path)
            if contract.source in own:
                raise ContractError(f"{path}: source {contract.source!r} has another contract in {path.parent}: rename one")
            own[contract.source] = contract
        except ContractError as error:
            faults.append(_fault_of(path, error))
    return ActiveContracts(contracts=contracts | own, faults=tuple(faults))


def contract_files(settings: Settings) -> list[Path]:
    """The contract files of a home, in name order."""
    return sorted((settings.home / "contracts").glob("*.yaml"))


def file_of_source(settings: Settings, source: str) -> Path | None:
    """The home's contract file for a source, sound or not; None where there is none."""
    return next((path for path in contract_files(settings) if _source_of(path) == source), None)


def targets_in_force(settings: Settings) -> tuple[Targets, Fault | None]:
    """The home's targets; where its file is faulty none at all, so that nothing is judged by what nobody set, and the fault."""
    try:
        return read_targets(settings), None
    except TargetsError as error:
        file = settings.home / "targets.yaml"
        return no_targets(), Fault(file=file, source="", reason=_short(file, error))


def with_business_zone(settings: Settings) -> Settings:
    """The settings, their time zone taken from the home's contracts where none is set and all of these agree."""
    if settings.time_zone or (settings.home / "demo.json").exists():
        return settings
    active = active_contracts(settings, demo=False)
    zones = {contract.time_zone for contract in active.contracts.values()} | {fault.time_zone for fault in active.faults}
    return replace(settings, time_zone=zones.pop()) if len(zones) == 1 else settings


def _fault_of(path: Path, error: ContractError) -> Fault:
    """A faulty file still says in most cases whose it is, and which zone it means: figures do not move to another day."""
    text, said = _text_of(path), _said(path)
    kind = said.get("kind", "orders")
    known = {column.name for column in KIND_COLUMNS.get(kind, ())}
    return Fault(
        file=path,
        source=_source_of(path),
        reason=_short(path, error),
        owner=said.get("owner", ""),
        time_zone=said.get("time_zone", Contract.model_fields["time_zone"].default),
        feeds=frozenset(f"{kind}.{name}" for name in known.intersection(KEY_ANYWHERE.findall(text))),
    )


def _source_of(path: Path) -> str:
    return _said(path).get("source", path.stem)


def _said(path: Path) -> dict[str, str]:
    return dict(KEY_LINE.findall(_text_of(path)))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _short(path: Path, error: Exception) -> str:
    return str(error).replace(f"{path.parent}/", "")
