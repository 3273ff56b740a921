"""A small OpenID provider on a free port of this machine, with real keys and signed tokens; tests bend what it says."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

CLIENT = "control-room"
SECRET = "a-secret-of-the-client-7f3a"


def new_key() -> RSAPrivateKey:
    """A fresh signing key."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def real_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def unbent(claims: dict[str, Any]) -> dict[str, Any]:
    """The claims as they are."""
    return claims


@dataclass
class OpenIdProvider:
    """What the provider knows; `claims` is who signs in next, `bend` changes a token's claims before it is signed."""

    issuer: str
    key: RSAPrivateKey
    kid: str = "first"
    clock: Callable[[], datetime] = real_now
    claims: dict[str, Any] = field(default_factory=dict)
    bend: Callable[[dict[str, Any]], dict[str, Any]] = unbent
    header: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)

    def sign_in(self, address: str) -> dict[str, str]:
        """What the browser brings back from the address it was sent to: the answer's parameters."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def published(self) -> dict[str, Any]:
        """The discovery document."""
        addresses = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        return {"issuer": self.issuer} | {name: self.issuer + path for name, path in addresses.items()}

    def keys(self) -> dict[str, Any]:
        """The published keys."""
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [key | {"kid": self.kid, "use": "sig", "alg": "RS256"}]}

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        """The identity token for a code, once, for who can prove to have begun; else None."""
        asked = self.codes.pop(form.get("code", ""), None)
        self.used.append(form.get("code", ""))
        if asked is None or form.get("client_secret") != SECRET or form.get("redirect_uri") != asked["redirect_uri"]:
            return None
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if challenge != asked["code_challenge"]:
            return None
        at = int(self.clock().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": at, "exp": at + 300, "nonce": asked["nonce"], **self.claims}
        if asked.get("prompt") == "login" and asked.get("max_age") == "0":
            claims = {"auth_time": at} | claims
        header = {"kid": self.kid} | self.header
        return {"id_token": jwt.encode(self.bend(claims), self.key, algorithm="RS256", headers=header), "token_type": "Bearer"}


@contextmanager
def open_id_provider(key: RSAPrivateKey) -> Iterator[OpenIdProvider]:
    """A running provider."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    provider = OpenIdProvider(issuer=f"http://127.0.0.1:{server.server_address[1]}", key=key)

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/.well-known/openid-configuration": provider.published, "/keys": provider.keys}
            self._answer(known[self.path]() if self.path in known else None)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(provider.token({name: values[0] for name, values in parse_qs(body).items()}))

        def _answer(self, told: dict[str, Any] | None) -> None:
            body = json.dumps(told if told is not None else {"error": "invalid_grant"}).encode()
            self.send_response(200 if told is not None else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_texts: object) -> None:
            """Say nothing."""

    server.RequestHandlerClass = Asked
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settings_text(provider: OpenIdProvider, redirect_uri: str) -> str:
    """The file that tells the control room of the provider."""
    return f"""
issuer = "{provider.issuer}"
client_id = "{CLIENT}"
redirect_uri = "{redirect_uri}"
button = "Acme <b>account</b>"

[roles]
"acme-admins" = "admin"
"acme-leads" = "lead"
"acme-managers" = "manager"
"acme-analysts" = "analyst"

[regions]
"east" = "CN-EAST"
"south" = "CN-SOUTH"
"all" = "*"
"""


def callback_path(answer: dict[str, str]) -> str:
    """Where the browser comes back to."""
    return f"/auth/oidc/callback?{urlencode(answer)}"
