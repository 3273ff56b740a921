"""Single sign-on against a real provider on this machine: in with what the claims say, and nobody else in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from sqlalchemy import Engine, func, select

from access.audit import LOCAL
from access.audit_rows import list_audit
from access.open_id import SignOnError
from access.password import is_password
from access.provider import Provider, read_provider
from access.session import CONFIRMED_FOR, Session, is_confirmed, read_session
from access.sign_in import sign_in
from access.sign_on import SIGN_ONS, SignedOn, SignOn
from access.user import UserError, end_user_sessions, find_user, read_password_hash, set_disabled, set_password
from config import SettingsError, read_settings
from tests.access.conftest import NOW
from tests.open_id_provider import CLIENT, SECRET, OpenIdProvider, new_key, open_id_provider, settings_text

REDIRECT = "http://localhost:8600/auth/oidc/callback"
WANG: dict[str, Any] = {
    "sub": "u-17",
    "preferred_username": "Wang",
    "name": "王 Wang",
    "groups": ["acme-leads"],
    "regions": ["east"],
}


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    """The provider's key."""
    return new_key()


@pytest.fixture
def idp(key: RSAPrivateKey) -> Iterator[OpenIdProvider]:
    """A provider at which Wang is about to sign in."""
    with open_id_provider(key) as provider:
        provider.clock = lambda: NOW
        provider.claims = dict(WANG)
        yield provider


@pytest.fixture
def provider(idp: OpenIdProvider, tmp_path: Path) -> Provider:
    """What the settings file says of it."""
    file = tmp_path / "sign_on.toml"
    file.write_text(settings_text(idp, REDIRECT), encoding="utf-8")
    found = read_provider(read_settings({}, sign_on=str(file), sign_on_secret=SECRET))
    assert found is not None
    return found


@pytest.fixture
def sign_on(store: Engine, provider: Provider) -> SignOn:
    """The sign-on of a store with ming and li."""
    return SignOn(store, provider)


def _go(sign_on: SignOn, idp: OpenIdProvider, **bent: str) -> SignedOn:
    secret, address = sign_on.start(next_path="/orders", language="en", now=NOW)
    return sign_on.finish(secret, idp.sign_in(address) | bent, address="192.0.2.9", now=NOW)


def _refused(sign_on: SignOn, idp: OpenIdProvider, **bent: str) -> str:
    with pytest.raises(SignOnError) as refused:
        _go(sign_on, idp, **bent)
    rows = list_audit(sign_on.store)
    assert (rows[0].action, rows[0].result, rows[0].detail) == ("sign_on_refused", "denied", {"reason": refused.value.reason})
    assert not [row for row in rows if row.action == "signed_in"]
    return refused.value.reason


def test_who_signs_in_at_the_provider_has_a_session_with_the_claims_role_and_regions(
    sign_on: SignOn, idp: OpenIdProvider
) -> None:
    done = _go(sign_on, idp)
    session = read_session(sign_on.store, done.secret, NOW)
    assert session is not None
    assert (session.user.name, session.user.display_name, session.user.role) == ("wang", "王 Wang", "lead")
    assert (session.user.regions, done.next_path, session.address) == (("CN-EAST",), "/orders", "192.0.2.9")
    assert [row.action for row in list_audit(sign_on.store)][:2] == ["signed_in", "user_added"]


def test_account_of_the_provider_has_no_password_here(sign_on: SignOn, idp: OpenIdProvider) -> None:
    _go(sign_on, idp)
    assert not is_password("-", read_password_hash(sign_on.store, "wang"))
    assert sign_in(sign_on.store, "wang", "-", address="192.0.2.9", now=NOW).reason == "wrong"
    with pytest.raises(UserError, match="provider"):
        set_password(sign_on.store, "wang", password_hash="x", now=NOW, by=LOCAL)


def test_changed_region_counts_from_the_next_sign_in_and_ends_the_sessions_before(sign_on: SignOn, idp: OpenIdProvider) -> None:
    before = _go(sign_on, idp)
    idp.claims |= {"regions": ["south", "somewhere else"], "preferred_username": "renamed"}
    after = _go(sign_on, idp)
    assert read_session(sign_on.store, before.secret, NOW) is None
    session = read_session(sign_on.store, after.secret, NOW)
    assert session is not None
    assert (session.user.name, session.user.regions) == ("wang", ("CN-SOUTH",))


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"groups": ["acme-cleaners", "acme-leads-of-none"]}, "role"),
        ({"groups": None}, "role"),
        ({"groups": "acme-leads "}, "role"),
        ({"regions": []}, "region"),
        ({"regions": ["CN-EAST"]}, "region"),
        ({"regions": ["all"]}, "region"),
        ({"preferred_username": "Li"}, "taken"),
        ({"preferred_username": ""}, "account"),
        ({"preferred_username": "<img src=x>"}, "account"),
    ],
)
def test_claims_that_give_no_account_are_refused(
    sign_on: SignOn, idp: OpenIdProvider, claims: dict[str, Any], reason: str
) -> None:
    idp.claims |= claims
    assert _refused(sign_on, idp) == reason
    assert find_user(sign_on.store, "wang") is None


def test_lost_role_ends_the_sessions_there_are(sign_on: SignOn, idp: OpenIdProvider) -> None:
    done = _go(sign_on, idp)
    idp.claims |= {"groups": ["acme-cleaners"]}
    with pytest.raises(SignOnError):
        _go(sign_on, idp)
    assert read_session(sign_on.store, done.secret, NOW) is None


def test_closed_account_stays_out(sign_on: SignOn, idp: OpenIdProvider) -> None:
    _go(sign_on, idp)
    set_disabled(sign_on.store, "wang", is_disabled=True, now=NOW, by=LOCAL)
    with pytest.raises(SignOnError, match="closed"):
        _go(sign_on, idp)


def _confirm(sign_on: SignOn, idp: OpenIdProvider, mine: Session | None, *, later: timedelta = timedelta()) -> SignedOn:
    secret, address = sign_on.start(next_path="/order?order_id=1", language="en", now=NOW, confirms=mine)
    return sign_on.finish(secret, idp.sign_in(address), address="192.0.2.9", now=NOW + later, session=mine)


def _session(sign_on: SignOn, done: SignedOn) -> Session:
    session = read_session(sign_on.store, done.secret, NOW)
    assert session is not None
    return session


def test_signing_in_anew_confirms_the_session_for_some_minutes(sign_on: SignOn, idp: OpenIdProvider) -> None:
    mine = _session(sign_on, _go(sign_on, idp))
    assert not is_confirmed(sign_on.store, mine.id_sha256, NOW), "an ordinary sign-in may have been somebody's days ago"
    done = _confirm(sign_on, idp, mine)
    assert (done.secret, done.name, done.next_path) == ("", "wang", "/order?order_id=1")
    limits = (timedelta(), CONFIRMED_FOR - timedelta(seconds=1), CONFIRMED_FOR)
    assert [is_confirmed(sign_on.store, mine.id_sha256, NOW + later) for later in limits] == [True, True, False]
    row = list_audit(sign_on.store)[0]
    assert (row.actor, row.action, row.session) == ("wang", "identity_confirmed", mine.id_sha256)
    end_user_sessions(sign_on.store, "wang", NOW, by=LOCAL)
    assert not is_confirmed(sign_on.store, mine.id_sha256, NOW)


@pytest.mark.parametrize(
    "auth_time", [None, "now", True, 0, 1e30, int(NOW.timestamp()) - 60, int(NOW.timestamp()) + 3_600], ids=str
)
def test_provider_that_does_not_say_fresh_confirms_nothing(sign_on: SignOn, idp: OpenIdProvider, auth_time: object) -> None:
    mine = _session(sign_on, _go(sign_on, idp))
    idp.bend = lambda claims: {name: value for name, value in (claims | {"auth_time": auth_time}).items() if value is not None}
    with pytest.raises(SignOnError) as refused:
        _confirm(sign_on, idp, mine)
    assert refused.value.reason == "stale"
    assert not is_confirmed(sign_on.store, mine.id_sha256, NOW)


def test_somebody_else_at_the_provider_confirms_nothing_and_gets_no_account(sign_on: SignOn, idp: OpenIdProvider) -> None:
    mine = _session(sign_on, _go(sign_on, idp))
    idp.claims |= {"sub": "u-99", "preferred_username": "mallory"}
    with pytest.raises(SignOnError) as refused:
        _confirm(sign_on, idp, mine)
    assert refused.value.reason == "other"
    assert find_user(sign_on.store, "mallory") is None
    assert not is_confirmed(sign_on.store, mine.id_sha256, NOW)


@pytest.mark.parametrize(
    "claims", [{"regions": ["south"]}, {"groups": ["acme-cleaners"]}], ids=["other regions", "no role any more"]
)
def test_confirming_with_changed_claims_ends_the_session_it_was_for(
    sign_on: SignOn, idp: OpenIdProvider, claims: dict[str, Any]
) -> None:
    before = _go(sign_on, idp)
    mine = _session(sign_on, before)
    idp.claims |= claims
    with suppress(SignOnError):
        assert _confirm(sign_on, idp, mine).secret == ""
    assert read_session(sign_on.store, before.secret, NOW) is None
    assert not is_confirmed(sign_on.store, mine.id_sha256, NOW)
    account = find_user(sign_on.store, "wang")
    assert account is not None
    assert account.regions == (("CN-SOUTH",) if "regions" in claims else ("CN-EAST",))


def test_another_browsers_session_is_not_confirmed_by_the_answer(sign_on: SignOn, idp: OpenIdProvider) -> None:
    mine, other = (_session(sign_on, _go(sign_on, idp)) for _ in range(2))
    for wrong in (None, other, replace(mine, previewer=mine.user)):
        secret, address = sign_on.start(next_path="/", language="en", now=NOW, confirms=mine)
        with pytest.raises(SignOnError) as refused:
            sign_on.finish(secret, idp.sign_in(address), address="192.0.2.9", now=NOW, session=wrong)
        assert refused.value.reason == "state"
    assert not is_confirmed(sign_on.store, mine.id_sha256, NOW)


AT = int(NOW.timestamp())


@pytest.mark.parametrize(
    "bent",
    [
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"iss": "https://elsewhere.example"},
        {"nonce": "of another sign-in"},
        {"exp": AT - 60},
        {"iat": AT - 3_600},
        {"iat": AT + 3_600},
        {"nbf": AT + 3_600},
        {"sub": ""},
        {"exp": None},
        {"nonce": None},
        {"aud": None},
    ],
    ids=str,
)
def test_token_that_is_not_for_this_sign_in_now_is_refused(sign_on: SignOn, idp: OpenIdProvider, bent: dict[str, Any]) -> None:
    idp.bend = lambda claims: {name: value for name, value in (claims | bent).items() if value is not None}
    assert _refused(sign_on, idp) == "token"


def test_token_signed_by_another_key_is_refused(sign_on: SignOn, idp: OpenIdProvider) -> None:
    sign_on.start(next_path="/", language="en", now=NOW)
    idp.key = new_key()
    assert _refused(sign_on, idp) == "token"


def test_new_key_of_the_provider_is_fetched_when_it_is_first_used(sign_on: SignOn, idp: OpenIdProvider) -> None:
    sign_on.start(next_path="/", language="en", now=NOW)
    idp.key, idp.kid = new_key(), "second"
    assert _go(sign_on, idp).name == "wang"


@pytest.mark.parametrize("bent", [{"state": "guessed"}, {"state": ""}, {"iss": "https://elsewhere.example"}], ids=str)
def test_answer_of_another_sign_in_is_refused_before_the_provider_is_asked(
    sign_on: SignOn, idp: OpenIdProvider, bent: dict[str, str]
) -> None:
    assert _refused(sign_on, idp, **bent) == "state"
    assert idp.used == []


@pytest.mark.parametrize("code", ["", "guessed"])
def test_code_the_provider_did_not_give_is_refused(sign_on: SignOn, idp: OpenIdProvider, code: str) -> None:
    assert _refused(sign_on, idp, code=code) == "refused"


def test_answer_replayed_or_brought_by_another_browser_is_refused(sign_on: SignOn, idp: OpenIdProvider) -> None:
    secret, address = sign_on.start(next_path="/", language="en", now=NOW)
    answer = idp.sign_in(address)
    other, _ = sign_on.start(next_path="/", language="en", now=NOW)
    for stolen in (other, "", None):
        with pytest.raises(SignOnError):
            sign_on.finish(stolen, answer, address="192.0.2.9", now=NOW)
    assert sign_on.finish(secret, answer, address="192.0.2.9", now=NOW).secret
    with pytest.raises(SignOnError) as replayed:
        sign_on.finish(secret, answer, address="192.0.2.9", now=NOW)
    assert replayed.value.reason == "state"
    assert len(idp.used) == 1


def test_code_is_worth_nothing_in_another_sign_in(sign_on: SignOn, idp: OpenIdProvider) -> None:
    _, address = sign_on.start(next_path="/", language="en", now=NOW)
    stolen = idp.sign_in(address)["code"]
    assert _refused(sign_on, idp, code=stolen) == "refused"


def test_sign_in_that_takes_too_long_is_forgotten(sign_on: SignOn, idp: OpenIdProvider) -> None:
    secret, address = sign_on.start(next_path="/", language="en", now=NOW)
    later = NOW + timedelta(minutes=11)
    with pytest.raises(SignOnError) as refused:
        sign_on.finish(secret, idp.sign_in(address), address="192.0.2.9", now=later)
    assert refused.value.reason == "state"
    sign_on.start(next_path="/", language="en", now=later)
    with sign_on.store.connect() as connection:
        assert connection.execute(select(func.count()).select_from(SIGN_ONS)).scalar_one() == 1


def test_provider_that_is_down_is_named(sign_on: SignOn, idp: OpenIdProvider, store: Engine) -> None:
    gone = SignOn(store, Provider(issuer="http://127.0.0.1:9", client_id="x", redirect_uri=REDIRECT, roles=()))
    with pytest.raises(SignOnError) as refused:
        gone.start(next_path="/", language="en", now=NOW)
    assert refused.value.reason == "provider"
    gone.provider = sign_on.provider
    for later, is_asked in ((5, False), (11, True)):
        try:
            gone.start(next_path="/", language="en", now=NOW + timedelta(seconds=later))
            assert is_asked
        except SignOnError:
            assert not is_asked


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('issuer = "http://id.example.com"', "issuer is no https address"),
        ('issuer = "https://user:pass@id.example.com"', "issuer is no https address"),
        ('redirect_uri = "https://here.example.com/elsewhere"', "/auth/oidc/callback"),
        ('client_id = ""', "client_id is missing"),
        ('client_secret = "in the file"', "unknown entry 'client_secret'"),
        ("button = 3", "button is no text"),
        ('scopes = ["profile"]', "openid"),
        ('client_secret_file = "nowhere"', "cannot be read"),
        ('roles = {"x" = "king"}', "'king' does not exist"),
        ('regions = {"x" = "CN-NOWHERE"}', "'CN-NOWHERE' does not exist"),
    ],
)
def test_faulty_settings_are_refused_with_the_entry_and_the_remedy(tmp_path: Path, line: str, words: str) -> None:
    sound = {
        "issuer": '"https://id.example.com"',
        "client_id": '"x"',
        "redirect_uri": '"https://here.example.com/auth/oidc/callback"',
        "roles": '{"x" = "manager"}',
    }
    name, _, value = line.partition(" = ")
    file = tmp_path / "sign_on.toml"
    file.write_text("\n".join(f"{entry} = {text}" for entry, text in (sound | {name: value}).items()), encoding="utf-8")
    with pytest.raises(SettingsError, match=words):
        read_provider(read_settings({}, sign_on=str(file)))


def test_secret_is_read_from_its_own_file_and_never_printed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of-the-file\n", encoding="utf-8")
    file = tmp_path / "sign_on.toml"
    file.write_text(
        'issuer = "https://id.example.com"\nclient_id = "x"\nredirect_uri = "https://h.example.com/auth/oidc/callback"\n'
        'client_secret_file = "secret"\n[roles]\nx = "manager"\n',
        encoding="utf-8",
    )
    found = read_provider(read_settings({}, sign_on=str(file)))
    assert found is not None
    assert found.client_secret == "of-the-file"
    assert "of-the-file" not in repr(found)


def test_sign_on_is_off_by_default() -> None:
    assert read_provider(read_settings({})) is None
