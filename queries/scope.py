"""Scope: which regions a question may see. It has no default anywhere; everything is written out by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self


@dataclass(frozen=True)
class Scope:
    """The destination regions (codes, sorted) an answer is made of; `everything` also covers unknown regions."""

    regions: tuple[str, ...]
    everything: bool = False

    ALL: ClassVar[Scope]
    NONE: ClassVar[Scope]

    def __post_init__(self) -> None:
        """Raise ValueError when the regions are not sorted and unique, or are given beside `everything`."""
        if list(self.regions) != sorted(set(self.regions)):
            raise ValueError(f"regions {self.regions} must be sorted and unique: use Scope.of_regions")
        if self.everything and self.regions:
            raise ValueError("a scope is either everything or a list of regions")

    @classmethod
    def of_regions(cls, regions: Iterable[str]) -> Self:
        """The scope of these region codes; no codes, no rows."""
        return cls(regions=tuple(sorted({region for region in regions if region})))


Scope.ALL = Scope(regions=(), everything=True)
Scope.NONE = Scope(regions=())
