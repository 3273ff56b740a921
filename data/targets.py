"""Targets, stage limits and the business calendar: one YAML of dated editions, checked on load, then frozen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from config import Settings
from data.order import STAGES
from data.yaml_text import YamlFault, load_yaml

DEFAULT_FILE: Final = Path(__file__).with_name("targets.yaml")
UNIT_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class TargetsError(ValueError):
    """The targets file cannot be used; the message names the file, the place and the reason."""


@dataclass(frozen=True, kw_only=True)
class MetricTarget:
    """What a metric should reach: everywhere, or (with `dimension` and `code`) in one group."""

    metric: str
    value: float
    dimension: str | None = None
    code: str | None = None


@dataclass(frozen=True, kw_only=True)
class StageLimit:
    """How long a stage may take, in seconds; for one business type or (None) for all others."""

    stage: str
    seconds: float
    business_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Working hours by the clock of the business zone; `end` None is midnight."""

    name: str
    start: time
    end: time | None


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """A named run of days, the last one included."""

    name: str
    start: date
    end: date


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """What decides what is due today: cut-off, holidays (no shipping), shifts and promotion days."""

    cut_off: time
    shifts: tuple[Shift, ...] = ()
    holidays: tuple[date, ...] = ()
    promotions: tuple[Promotion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Edition:
    """Everything that is in force from `valid_from` until the next edition. Durations in seconds."""

    valid_from: date
    metric_targets: tuple[MetricTarget, ...]
    stage_limits: tuple[StageLimit, ...]
    minimum_count: int
    return_handling_seconds: float
    at_risk_history_seconds: float
    at_risk_minimum_count: int
    calendar: Calendar
    delayed_seconds: float = 7200.0
    normal_history_seconds: float = 7 * 86400.0
    normal_minimum_count: int = 50

    def target_of(self, metric: str) -> float | None:
        """The metric's overall target; None where it has none."""
        return next(
            (target.value for target in self.metric_targets if target.metric == metric and target.dimension is None), None
        )

    def limit_of(self, stage: str, business_type: str | None = None) -> float | None:
        """The seconds a stage may take for a business type; None where it has no limit."""
        limits = {limit.business_type: limit.seconds for limit in self.stage_limits if limit.stage == stage}
        return limits.get(business_type, limits.get(None))


@dataclass(frozen=True)
class Targets:
    """All editions, oldest first."""

    editions: tuple[Edition, ...]

    def at(self, instant: datetime, zone: ZoneInfo | None = None) -> Edition:
        """The edition in force on the instant's calendar day; before the first one, the first."""
        return self.on(instant.astimezone(zone or UTC).date())

    def on(self, day: date) -> Edition:
        """The edition in force on a calendar day; before the first one, the first."""
        return next((edition for edition in reversed(self.editions) if edition.valid_from <= day), self.editions[0])


def no_targets() -> Targets:
    """One edition without any target or limit, with the calendar a file has that says nothing of it."""
    return Targets((_EditionFile(valid_from=date.min).to_edition(),))


def read_targets(settings: Settings) -> Targets:
    """The targets of this home: `<home>/targets.yaml` where it exists, else the shipped ones. Raises TargetsError."""
    return read_targets_file(file_in_force(settings))


def own_file(settings: Settings) -> Path:
    """Where a home's own targets are, or would be."""
    return settings.home / "targets.yaml"


def file_in_force(settings: Settings) -> Path:
    """The home's own file where it exists, else the shipped one."""
    own = own_file(settings)
    return own if own.exists() else DEFAULT_FILE


def read_targets_file(path: Path) -> Targets:
    """The editions of one file; raises TargetsError naming file, place and reason."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TargetsError(f"{path} cannot be read ({error}): make it a readable UTF-8 text") from error
    return parse_targets(text, path)


@lru_cache(maxsize=8)
def parse_targets(text: str, path: Path) -> Targets:
    """The editions in the text of a file called `path`, worked out once; raises TargetsError as for the file."""
    try:
        content = load_yaml(text)
    except YamlFault as error:
        raise TargetsError(f"{path}{error}") from None
    if not isinstance(content, list) or not content:
        raise TargetsError(f"{path} must be a list of editions, each with a valid_from")
    return Targets(tuple(sorted((_edition(item, path) for item in content), key=lambda edition: edition.valid_from)))


def _edition(item: object, path: Path) -> Edition:
    try:
        return _EditionFile.model_validate(item).to_edition()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise TargetsError(f"{path}: {place}: {first['msg']}") from error


def _to_seconds(value: object) -> object:
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", value.strip())):
        return float(match[1]) * UNIT_SECONDS[match[2]]
    return value


def _to_clock(value: object) -> object:
    if value == "24:00":
        return None
    return value


Seconds = Annotated[float, BeforeValidator(_to_seconds), Field(ge=0, allow_inf_nan=False)]
Figure = Annotated[float, BeforeValidator(_to_seconds), Field(allow_inf_nan=False)]
ClockEnd = Annotated[time | None, BeforeValidator(_to_clock)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class _TargetFile(_Part):
    target: Figure | None = None
    by: dict[str, dict[str, Figure]] = {}


class _ShiftFile(_Part):
    name: str
    start: time = Field(alias="from")
    end: ClockEnd = Field(alias="to")


class _PromotionFile(_Part):
    name: str
    start: date = Field(alias="from")
    end: date = Field(alias="to")


class _CalendarFile(_Part):
    cut_off: time = time(16)
    shifts: list[_ShiftFile] = []
    holidays: list[date] = []
    promotions: list[_PromotionFile] = []


class _RiskFile(_Part):
    history: Seconds = 7 * 86400.0
    minimum_count: int = Field(default=20, ge=1)


class _NormalFile(_Part):
    history: Seconds = 7 * 86400.0
    minimum_count: int = Field(default=50, ge=1)


class _EditionFile(_Part):
    valid_from: date
    metrics: dict[str, Figure | _TargetFile] = {}
    stage_limits: dict[str, Seconds] = {}
    stage_limits_by_business_type: dict[str, dict[str, Seconds]] = {}
    minimum_count: int = Field(default=30, ge=0)
    return_handling: Seconds = 86400.0
    at_risk: _RiskFile = _RiskFile()
    normal: _NormalFile = _NormalFile()
    calendar: _CalendarFile = _CalendarFile()
    delayed_after: Seconds = 7200.0

    @field_validator("stage_limits", "stage_limits_by_business_type")
    @classmethod
    def _known_stages(cls, value: dict[str, Any]) -> dict[str, Any]:
        named = (
            {stage for item in value.values() for stage in item}
            if any(isinstance(v, dict) for v in value.values())
            else set(value)
        )
        if unknown := sorted(named - set(STAGES)):
            raise ValueError(f"unknown stage {unknown[0]!r}: use one of {', '.join(STAGES)}")
        return value

    def to_edition(self) -> Edition:
        return Edition(
            valid_from=self.valid_from,
            metric_targets=tuple(target for name, value in self.metrics.items() for target in _metric_targets(name, value)),
            stage_limits=_stage_limits(self),
            minimum_count=self.minimum_count,
            return_handling_seconds=self.return_handling,
            at_risk_history_seconds=self.at_risk.history,
            at_risk_minimum_count=self.at_risk.minimum_count,
            calendar=_calendar(self.calendar),
            delayed_seconds=self.delayed_after,
            normal_history_seconds=self.normal.history,
            normal_minimum_count=self.normal.minimum_count,
        )


def _metric_targets(metric: str, value: float | _TargetFile) -> list[MetricTarget]:
    if not isinstance(value, _TargetFile):
        return [MetricTarget(metric=metric, value=value)]
    overall = [] if value.target is None else [MetricTarget(metric=metric, value=value.target)]
    return overall + [
        MetricTarget(metric=metric, value=figure, dimension=dimension, code=code)
        for dimension, codes in value.by.items()
        for code, figure in codes.items()
    ]


def _stage_limits(file: _EditionFile) -> tuple[StageLimit, ...]:
    general = [StageLimit(stage=stage, seconds=seconds) for stage, seconds in file.stage_limits.items()]
    own = [
        StageLimit(stage=stage, seconds=seconds, business_type=business_type)
        for business_type, limits in file.stage_limits_by_business_type.items()
        for stage, seconds in limits.items()
    ]
    return tuple(general + own)


def _calendar(file: _CalendarFile) -> Calendar:
    return Calendar(
        cut_off=file.cut_off,
        shifts=tuple(Shift(name=shift.name, start=shift.start, end=shift.end) for shift in file.shifts),
        holidays=tuple(sorted(file.holidays)),
        promotions=tuple(Promotion(name=day.name, start=day.start, end=day.end) for day in file.promotions),
    )
