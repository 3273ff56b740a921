"""OpenID Connect with a provider: what it publishes, the address to go to, a code for claims that are checked one by one.

Authorization code with PKCE, nothing else. Signatures by PyJWT: only asymmetric ones, with the provider's published keys.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import jwt
import requests

from access.provider import Provider, is_safe_address

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
DISCOVERY: Final = "/.well-known/openid-configuration"
KEPT_FOR: Final = timedelta(minutes=10)
LEEWAY: Final = timedelta(seconds=30)
OLDEST_TOKEN: Final = timedelta(minutes=10)
TIMEOUT_SECONDS: Final = 10.0
MOST_BYTES: Final = 1_000_000
NEEDED: Final = ("iss", "sub", "aud", "exp", "iat", "nonce")


class SignOnError(PermissionError):
    """Nobody is signed in; `reason` is a key under `access.sign_on`, the message says more for the log and holds no token."""

    def __init__(self, reason: str, message: str = "") -> None:
        """The reason, and what to write into the log."""
        super().__init__(message or reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """What one sign-in under way is known by; all of it follows from the secret in the browser's cookie."""

    secret: str = field(repr=False)

    @property
    def state(self) -> str:
        """Comes back with the answer: only the browser that went may come back."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """Stands in the token: a token made for another sign-in is refused."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """Proves to the provider that who sends the code is who began (PKCE)."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """The verifier's SHA-256, as the provider is told it in advance."""
        return _base64url(hashlib.sha256(self.verifier.encode()).digest())

    def _derived(self, purpose: str) -> str:
        return _base64url(hmac.new(self.secret.encode(), purpose.encode(), hashlib.sha256).digest())


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a provider publishes of itself, and when it was read."""

    authorization: str
    token: str
    keys: tuple[jwt.PyJWK, ...] = field(repr=False)
    is_iss_sent: bool
    read_at: datetime


def read_published(provider: Provider, now: datetime) -> Published:
    """Ask the provider for its addresses and keys. Raises SignOnError when it does not answer, or for another issuer."""
    about = _get(provider.issuer.rstrip("/") + DISCOVERY)
    if about.get("issuer") != provider.issuer:
        raise SignOnError("provider", "the provider says it is another issuer than the settings name")
    addresses = {name: str(about.get(name, "")) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    if unsafe := [name for name, address in addresses.items() if not is_safe_address(address)]:
        raise SignOnError("provider", f"the provider's {unsafe[0]} is no https address")
    return Published(
        authorization=addresses["authorization_endpoint"],
        token=addresses["token_endpoint"],
        keys=_keys(_get(addresses["jwks_uri"])),
        is_iss_sent=about.get("authorization_response_iss_parameter_supported") is True,
        read_at=now,
    )


def way_out(provider: Provider, published: Published, ticket: Ticket, *, language: str, is_anew: bool = False) -> str:
    """The provider's address to which the browser goes to sign in; `is_anew` asks for it even of who is signed in there."""
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "scope": " ".join(provider.scopes),
        "state": ticket.state,
        "nonce": ticket.nonce,
        "code_challenge": ticket.challenge,
        "code_challenge_method": "S256",
        "ui_locales": language,
    } | ({"prompt": "login", "max_age": "0"} if is_anew else {})
    return f"{published.authorization}{'&' if '?' in published.authorization else '?'}{urlencode(asked)}"


def fetch_token(provider: Provider, published: Published, ticket: Ticket, code: str) -> str:
    """The identity token for a code. Raises SignOnError when the provider refuses, as it does a code used twice."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": provider.redirect_uri,
        "client_id": provider.client_id,
        "code_verifier": ticket.verifier,
    }
    if provider.client_secret:
        form["client_secret"] = provider.client_secret
    answer = _ask("POST", published.token, form)
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise SignOnError("refused", "the provider gave no identity token")
    return token


def check_token(provider: Provider, published: Published, ticket: Ticket, token: str, *, now: datetime) -> dict[str, Any]:
    """The claims of a token that is this provider's, for us, for this sign-in, and valid now. Raises SignOnError."""
    try:
        key = _key_for(published, jwt.get_unverified_header(token))
        # Instants are checked below, against the clock that is handed in.
        options: Any = {"require": list(NEEDED), "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=list(ALGORITHMS), audience=provider.client_id, issuer=provider.issuer, options=options
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise SignOnError("token", f"the identity token is not accepted: {type(error).__name__}") from None
    if len(_several(claims["aud"])) > 1 and claims.get("azp") != provider.client_id:
        raise SignOnError("token", "the identity token is for several clients and was not made for this one")
    if not hmac.compare_digest(str(claims["nonce"]).encode(), ticket.nonce.encode()):
        raise SignOnError("token", "the identity token was made for another sign-in")
    _check_times(claims, now)
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise SignOnError("token", "the identity token names nobody")
    return claims


def check_anew(claims: Mapping[str, Any], *, since: datetime, now: datetime) -> None:
    """Raise SignOnError unless the claims say that the person signed in at the provider itself between the two instants."""
    at = claims.get("auth_time")
    if isinstance(at, bool) or not isinstance(at, int | float) or not since - LEEWAY <= _instant(at) <= now + LEEWAY:
        raise SignOnError("stale", "the provider does not say that the person signed in anew")


def _instant(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _check_times(claims: dict[str, Any], now: datetime) -> None:
    try:
        ends, made, begins = (float(claims.get(name, 0)) for name in ("exp", "iat", "nbf"))
    except (TypeError, ValueError):
        raise SignOnError("token", "an instant of the identity token is no number") from None
    at, leeway = now.timestamp(), LEEWAY.total_seconds()
    if not ends + leeway > at:
        raise SignOnError("token", "the identity token has expired")
    if made - leeway > at or begins - leeway > at or at - made > OLDEST_TOKEN.total_seconds():
        raise SignOnError("token", "the identity token is not of now: compare this machine's clock with the provider's")


def _key_for(published: Published, header: dict[str, Any]) -> jwt.PyJWK:
    if header.get("alg") not in ALGORITHMS:
        raise SignOnError("token", "the identity token is signed in a way that is not accepted")
    fitting = [key for key in published.keys if header.get("kid") in (None, key.key_id)]
    if len(fitting) != 1:
        raise SignOnError("key", "the identity token is signed with a key that the provider does not publish")
    return fitting[0]


def _keys(published: dict[str, Any]) -> tuple[jwt.PyJWK, ...]:
    found = []
    for key in published.get("keys", []):
        try:
            if key.get("use", "sig") == "sig" and key.get("kty") in ("RSA", "EC"):
                found.append(jwt.PyJWK.from_dict(key))
        except jwt.PyJWTError:
            continue
    return tuple(found)


def _several(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _get(address: str) -> dict[str, Any]:
    return _ask("GET", address, None)


def _ask(method: str, address: str, form: dict[str, str] | None) -> dict[str, Any]:
    try:
        with (
            requests.Session() as session,
            session.request(method, address, data=form, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True) as answer,
        ):
            body = answer.raw.read(MOST_BYTES + 1, decode_content=True)
            status = answer.status_code
    except (requests.RequestException, OSError) as error:
        raise SignOnError("provider", f"the provider does not answer: {type(error).__name__}") from None
    if status != 200 or len(body) > MOST_BYTES:
        raise SignOnError("refused" if method == "POST" else "provider", f"the provider answered {status}")
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise SignOnError("provider", "the provider's answer is not understood")
    return told


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
