"""A company's OpenID provider, as the settings file describes it: where it is, and which claim gives which role and region."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from access.user import EVERY_REGION, ROLES
from config import PREFIX, Settings, SettingsError
from data.places import region_codes

CALLBACK: Final = "/auth/oidc/callback"
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
SECRET: Final = f"{PREFIX}SIGN_ON_SECRET"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One provider. `roles` and `regions` map a claim's values to ours, in the file's order: the first role that fits counts."""

    issuer: str
    client_id: str
    redirect_uri: str
    roles: tuple[tuple[str, str], ...]
    regions: tuple[tuple[str, str], ...] = ()
    button: str = ""
    name_claim: str = "preferred_username"
    display_claim: str = "name"
    role_claim: str = "groups"
    region_claim: str = "regions"
    scopes: tuple[str, ...] = ("openid", "profile")
    client_secret: str = field(default="", repr=False)


def read_provider(settings: Settings) -> Provider | None:
    """The provider that `settings.sign_on` names, a TOML file; None where none is set: sign-on is off.

    The client's secret is in CONTROL_ROOM_SIGN_ON_SECRET or in the file that `client_secret_file` names, never in this one.
    Raises SettingsError with the file, the entry and the remedy.
    """
    if not settings.sign_on:
        return None
    path = Path(settings.sign_on).expanduser()
    values = _read(path)
    secret = settings.sign_on_secret or _secret(path, values.pop("client_secret_file", ""))
    values.pop("client_secret_file", None)
    known = {one.name for one in fields(Provider)} - {"client_secret"}
    if unknown := sorted(set(values) - known):
        raise SettingsError(f"{path}: unknown entry {unknown[0]!r}: use one of {', '.join(sorted(known))}, client_secret_file")
    for name in ("issuer", "client_id", "redirect_uri", "roles"):
        if not values.get(name):
            raise SettingsError(f"{path}: {name} is missing: a sign-on needs it")
    tables = {name: _table(path, name, values.pop(name, {})) for name in ("roles", "regions")}
    scopes = tuple(values.pop("scopes", Provider.scopes))
    if wrong := [name for name, value in values.items() if not isinstance(value, str)]:
        raise SettingsError(f"{path}: {wrong[0]} is no text: put it in quotes")
    provider = Provider(**values, roles=tables["roles"], regions=tables["regions"], scopes=scopes, client_secret=secret)
    return _checked(path, provider)


def is_safe_address(address: str) -> bool:
    """Whether an address may be asked: https, or a server on this very machine; never with a password in it."""
    parts = urlsplit(address)
    is_here = parts.scheme == "http" and parts.hostname in LOOPBACK
    return bool(parts.hostname) and not parts.username and (parts.scheme == "https" or is_here)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{PREFIX}SIGN_ON names {path}, which cannot be read ({error.strerror}): correct it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None


def _secret(path: Path, file: object) -> str:
    if not file:
        return ""
    try:
        return (path.parent / str(file)).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{path}: client_secret_file {file!r} cannot be read: correct it or set {SECRET}") from None


def _table(path: Path, name: str, table: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(table, Mapping) or not all(isinstance(value, str) for value in table.values()):
        raise SettingsError(f'{path}: {name} is no table of texts: write [{name}] and below it "their word" = "ours"')
    return tuple(table.items())


def _checked(path: Path, provider: Provider) -> Provider:
    for _, role in provider.roles:
        if role not in ROLES:
            raise SettingsError(f"{path}: roles: {role!r} does not exist: use one of {', '.join(ROLES)}")
    for _, region in provider.regions:
        if region not in (*region_codes(), EVERY_REGION):
            raise SettingsError(
                f"{path}: regions: {region!r} does not exist: use {EVERY_REGION!r} or {', '.join(region_codes())}"
            )
    for name in ("issuer", "redirect_uri"):
        if not is_safe_address(getattr(provider, name)):
            raise SettingsError(f"{path}: {name} is no https address: write it as the provider has it")
    if urlsplit(provider.redirect_uri).path != CALLBACK:
        raise SettingsError(f"{path}: redirect_uri ends otherwise than with {CALLBACK}: write this site's address and that path")
    if "openid" not in provider.scopes:
        raise SettingsError(f'{path}: scopes has no "openid": add it')
    return provider
