"""Settings: one frozen dataclass, read once from the environment and an optional TOML file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX: Final = "CONTROL_ROOM_"
DEFAULT_ZONE: Final = "Asia/Shanghai"
ROOT: Final = Path(__file__).resolve().parent


class SettingsError(ValueError):
    """A setting cannot be used; the message names the setting, the reason and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a process needs to know about where it runs; read once, then passed on.

    `home` holds the lake, the operational store, the inbox and the archive. `catalogue` and `data_path` are
    empty for the defaults under `home`; `catalogue` may be a PostgreSQL URL. `demo` allows the demo
    country in an empty home (`is_demo`). `live_pace` is demo minutes per real minute. `keys` is empty where they lie
    in the home (`data/keys.py`). `sign_on` names the file of the company's sign-on (`access/provider.py`), empty where there
    is none. `keep_contacts` are the days for which originals of personal data are kept (`data/retention.py`). The `flag_`
    settings say from how many on within `flag_hours` something is unusual (0: never), `lock_on` which of these lock
    (`access/flag.py`). What may hold a secret is never part of the text of this object.
    """

    home: Path = ROOT / "var"
    host: str = "127.0.0.1"
    port: int = 8600
    time_zone: str = ""
    language: str = "en"
    catalogue: str = field(default="", repr=False)
    data_path: str = ""
    store_url: str = field(default="", repr=False)
    keys: str = field(default="", repr=False)
    sign_on: str = ""
    sign_on_secret: str = field(default="", repr=False)
    demo: bool = True
    demo_orders: int = 300_000
    demo_seed: int = 7
    live_pace: float = 1.0
    memory_limit: str = "4GB"
    threads: int = 0
    alert_hosts: str = ""
    alert_private_hosts: str = ""
    keep_contacts: str = ""
    flag_hours: int = 24
    flag_failures: int = 10
    flag_exports: int = 20
    flag_export_rows: int = 200_000
    flag_reveals: int = 20
    lock_on: str = ""
    cache_bytes: int = 256 * 1024 * 1024

    @property
    def zone(self) -> ZoneInfo:
        """The business zone: calendar days, cut-offs, naive instants on the command line; Shanghai when none is set."""
        return ZoneInfo(self.time_zone or DEFAULT_ZONE)

    @property
    def lake_folder(self) -> Path:
        """Where the catalogue file and, by default, the data files lie."""
        return self.home / "lake"

    @property
    def is_demo(self) -> bool:
        """Whether this home shows the demo country: asked for, and founded here or still without any lake."""
        founded = (self.home / "demo.json").exists()
        return self.demo and (founded or not (self.lake_folder / "catalogue.sqlite").exists())

    @property
    def inbox(self) -> Path:
        """Files put here are taken in by `watch`."""
        return self.home / "inbox"

    @property
    def archive(self) -> Path:
        """Files taken in, by source, as they came."""
        return self.home / "archive"

    @property
    def refused(self) -> Path:
        """Files refused whole, each with its reasons beside it."""
        return self.home / "refused"


def read_settings(environment: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Settings from, in rising precedence: defaults, the TOML named by CONTROL_ROOM_CONFIG, environment, overrides.

    Raises SettingsError for an unknown key, a value of the wrong type or a time zone that does not exist.
    """
    variables = os.environ if environment is None else environment
    values: dict[str, object] = {}
    if path := variables.get(f"{PREFIX}CONFIG"):
        values |= _from_toml(Path(path))
    types = {field.name: field.type for field in fields(Settings)}
    for name in types:
        if (text := variables.get(PREFIX + name.upper())) not in (None, ""):
            values[name] = text
    values |= {name: value for name, value in overrides.items() if value is not None}
    settings = Settings(**{name: _convert(name, value) for name, value in values.items()})  # type: ignore[arg-type]
    try:
        _ = settings.zone
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"time_zone {settings.time_zone!r} does not exist: use an IANA name such as Asia/Shanghai") from error
    return settings


def _from_toml(path: Path) -> dict[str, object]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"{PREFIX}CONFIG names {path}, which does not exist: correct the path or unset it") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    known = {field.name for field in fields(Settings)}
    if unknown := sorted(set(values) - known):
        raise SettingsError(f"{path}: unknown setting {unknown[0]!r}: use one of {', '.join(sorted(known))}")
    return values


def _convert(name: str, value: object) -> object:
    default = getattr(Settings, name)
    try:
        if isinstance(default, bool):
            return value if isinstance(value, bool) else _to_bool(str(value))
        if isinstance(default, Path):
            return Path(str(value)).expanduser().resolve()
        return type(default)(value)
    except ValueError as error:
        raise SettingsError(
            f"{name} is {value!r}, which is not {type(default).__name__}: correct {PREFIX}{name.upper()}"
        ) from error


def _to_bool(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError(text)
