"""Single sign-on: begins and ends a sign-in at the company's provider; the session is the same server-side row as any other.

An account belongs to the provider's subject, never to a name: a name that another account has is refused. Role and regions
follow the claims anew at each sign-in.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final, cast

from sqlalchemy import Column, Engine, String, Table, Text, func, select
from sqlalchemy.exc import IntegrityError

from access.audit import Actor, note
from access.open_id import KEPT_FOR, Published, SignOnError, Ticket, check_anew, check_token, fetch_token, read_published, way_out
from access.provider import Provider
from access.session import Session, confirm_session, digest, start_session
from access.store import METADATA, Instant, writing
from access.user import (
    EVERY_REGION,
    NO_PASSWORD,
    Role,
    User,
    UserError,
    add_user,
    check_user,
    end_user_sessions,
    find_user,
    set_access,
)

UNDER_WAY: Final = timedelta(minutes=10)
"""So long someone may take at the provider."""

MOST_UNDER_WAY: Final = 50_000
LONGEST_PATH: Final = 2_000
DOWN_FOR: Final = timedelta(seconds=10)
"""A provider that did not answer is not asked again for so long: nobody else waits for it meanwhile."""
IDENTITIES: Final = Table(
    "identities",
    METADATA,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("user_name", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
)

SIGN_ONS: Final = Table(
    "sign_ons",
    METADATA,
    Column("id_sha256", String(64), primary_key=True),
    Column("next_path", Text, nullable=False),
    Column("started_at", Instant, nullable=False, index=True),
    Column("confirms", String(64), nullable=False, server_default=""),
)
"""Sign-ins under way; `confirms` is the SHA-256 of the session's id whose user signs in anew in place of a password."""


@dataclass(frozen=True, kw_only=True)
class SignedOn:
    """A session's secret for the cookie (empty where a session was only confirmed), whose it is, and where to go."""

    secret: str = field(repr=False)
    name: str
    next_path: str


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A sign-in under way: where it leads, since when, and which session (its id's SHA-256) it is to confirm, if any."""

    next_path: str
    started_at: datetime
    confirms: str


@dataclass
class SignOn:
    """Sign-in at one provider, for one process: what the provider publishes is kept for some minutes."""

    store: Engine
    provider: Provider
    _published: Published | None = field(default=None, repr=False)
    _down_at: datetime | None = None
    _lock: Lock = field(default_factory=Lock, repr=False)

    def start(self, *, next_path: str, language: str, now: datetime, confirms: Session | None = None) -> tuple[str, str]:
        """The secret for the browser's cookie, and the provider's address to send it to. Raises SignOnError.

        `confirms` is the session whose user has to sign in anew there, in place of a password.
        """
        published = self._known(now)
        ticket = Ticket(secret=secrets.token_urlsafe(32))
        with writing(self.store) as connection:
            connection.execute(SIGN_ONS.delete().where(SIGN_ONS.c.started_at < now - UNDER_WAY))
            if connection.execute(select(func.count()).select_from(SIGN_ONS)).scalar_one() >= MOST_UNDER_WAY:
                raise SignOnError("busy", "too many sign-ins are under way")
            row = {
                "id_sha256": digest(ticket.secret),
                "next_path": next_path if len(next_path) <= LONGEST_PATH else "/",
                "started_at": now,
                "confirms": confirms.id_sha256 if confirms else "",
            }
            connection.execute(SIGN_ONS.insert().values(row))
        return ticket.secret, way_out(self.provider, published, ticket, language=language, is_anew=confirms is not None)

    def finish(
        self, secret: str | None, answer: Mapping[str, str], *, address: str, now: datetime, session: Session | None = None
    ) -> SignedOn:
        """The session for what the provider's answer brings back, once. Raises SignOnError; every refusal is on record.

        `session` is the one the browser has; where it was to be confirmed it is, and no other begins.
        """
        try:
            begun, claims = self._claims(secret, answer, now)
            if begun.confirms:
                self._check_confirmed(begun, claims, session, now)
            name = self._account(claims, now)
        except SignOnError as error:
            what = {"object_kind": "provider", "object_id": self.provider.issuer, "detail": {"reason": error.reason}}
            note(self.store, at=now, actor=Actor(name="", address=address), action="sign_on_refused", result="denied", **what)
            raise
        if begun.confirms and session is not None:
            confirm_session(self.store, session.actor, now)
            return SignedOn(secret="", name=name, next_path=begun.next_path)
        return SignedOn(secret=start_session(self.store, name, now, address=address), name=name, next_path=begun.next_path)

    def _check_confirmed(self, begun: Begun, claims: Mapping[str, Any], session: Session | None, now: datetime) -> None:
        """Raise SignOnError unless the browser still has the session, and its very user signed in there since it was asked to."""
        if session is None or session.previewer is not None or not hmac.compare_digest(session.id_sha256, begun.confirms):
            raise SignOnError("state", "the session that was to be confirmed is not this browser's")
        check_anew(claims, since=begun.started_at, now=now)
        if self._name_of(claims["sub"]) != session.user.name:
            raise SignOnError("other", "somebody else signed in at the provider")

    def _claims(self, secret: str | None, answer: Mapping[str, str], now: datetime) -> tuple[Begun, dict[str, Any]]:
        ticket = Ticket(secret=secret or "")
        begun = self._take(ticket, now)
        if begun is None or not hmac.compare_digest(answer.get("state", "").encode(), ticket.state.encode()):
            raise SignOnError("state", "an answer came back that belongs to no sign-in of this browser")
        published = self._known(now)
        if ("iss" in answer or published.is_iss_sent) and answer.get("iss") != self.provider.issuer:
            raise SignOnError("state", "the answer comes from another provider")
        if not answer.get("code"):
            raise SignOnError("refused", "the provider let nobody in")
        token = fetch_token(self.provider, published, ticket, answer["code"])
        try:
            return begun, check_token(self.provider, published, ticket, token, now=now)
        except SignOnError as error:
            if error.reason != "key":
                raise
        return begun, check_token(self.provider, self._known(now, anew=True), ticket, token, now=now)

    def _take(self, ticket: Ticket, now: datetime) -> Begun | None:
        """The sign-in under way, taken away with the question: a second answer to it finds nothing."""
        mine = SIGN_ONS.c.id_sha256 == digest(ticket.secret)
        with writing(self.store) as connection:
            row = connection.execute(select(SIGN_ONS).where(mine).with_for_update()).one_or_none()
            connection.execute(SIGN_ONS.delete().where(mine))
        if row is None or now - row.started_at > UNDER_WAY:
            return None
        return Begun(next_path=row.next_path, started_at=row.started_at, confirms=row.confirms)

    def _account(self, claims: Mapping[str, Any], now: datetime) -> str:
        """The account of the claims' subject, made or changed to what they say now."""
        known = self._name_of(claims["sub"])
        actor = Actor(name=known or "", address="sign-on")
        try:
            wanted = user_of(self.provider, claims, known=known)
        except SignOnError:
            if known is not None:
                end_user_sessions(self.store, known, now, by=actor)
            raise
        try:
            if known is None:
                self._claim_name(check_user(wanted), claims["sub"], now)
            present = find_user(self.store, wanted.name)
            if present is None:
                add_user(self.store, wanted, password_hash=NO_PASSWORD, now=now, by=Actor(name=wanted.name, address="sign-on"))
            elif present.is_disabled:
                raise SignOnError("closed", f"the account {known} is closed")
            elif present.is_locked:
                raise SignOnError("locked", f"the account {known} is locked")
            elif (present.role, present.regions) != (wanted.role, wanted.regions):
                set_access(self.store, wanted.name, role=wanted.role, regions=wanted.regions, now=now, by=actor)
        except UserError as error:
            raise SignOnError("account", str(error)) from None
        return wanted.name

    def _name_of(self, subject: str) -> str | None:
        mine = (IDENTITIES.c.issuer == self.provider.issuer) & (IDENTITIES.c.subject == subject)
        with self.store.connect() as connection:
            return connection.execute(select(IDENTITIES.c.user_name).where(mine)).scalar_one_or_none()

    def _claim_name(self, user: User, subject: str, now: datetime) -> None:
        """Let the name be the subject's from now on; one that an account or another subject has is refused."""
        identity = {"issuer": self.provider.issuer, "subject": subject, "user_name": user.name, "created_at": now}
        try:
            if find_user(self.store, user.name) is not None:
                raise SignOnError("taken", f"the name {user.name} belongs to another account")
            with writing(self.store) as connection:
                connection.execute(IDENTITIES.insert().values(identity))
        except IntegrityError:
            raise SignOnError("taken", f"the name {user.name} was taken at this moment") from None

    def _known(self, now: datetime, *, anew: bool = False) -> Published:
        with self._lock:
            if not anew and self._published is not None and now - self._published.read_at <= KEPT_FOR:
                return self._published
            if self._down_at is not None and abs(now - self._down_at) < DOWN_FOR:
                raise SignOnError("provider", "the provider did not answer a moment ago")
            try:
                self._published = read_published(self.provider, now)
            except SignOnError:
                self._down_at = now
                raise
            self._down_at = None
            return self._published


def user_of(provider: Provider, claims: Mapping[str, Any], *, known: str | None) -> User:
    """The user that the claims describe, named `known` where there is an account already. Raises SignOnError: unknown role …"""
    name = known or str(claims.get(provider.name_claim, "")).strip().lower()
    if not name:
        raise SignOnError("account", f"the claim {provider.name_claim} gives no name")
    theirs = _texts(claims.get(provider.role_claim))
    role = next((ours for word, ours in provider.roles if word in theirs), None)
    if role is None:
        raise SignOnError("role", f"no entry of [roles] fits the claim {provider.role_claim}")
    words = _texts(claims.get(provider.region_claim))
    regions = {ours for word, ours in provider.regions if word in words} if role in ("lead", "analyst") else set()
    if role == "lead":
        regions.discard(EVERY_REGION)
    if role in ("lead", "analyst") and not regions:
        raise SignOnError("region", f"no entry of [regions] fits the claim {provider.region_claim}")
    shown = " ".join(str(claims.get(provider.display_claim) or name).split())[:128]
    return User(name=name, display_name=shown, role=cast(Role, role), regions=tuple(sorted(regions)))


def _texts(claim: object) -> set[str]:
    values = claim if isinstance(claim, list) else [claim]
    return {value for value in values if isinstance(value, str)}
