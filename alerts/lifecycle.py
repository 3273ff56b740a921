"""From draft to live and back: versions are only ever added, every step is an event with who, when and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Engine, RowMapping, delete, func, select, update

from access.audit import Actor, record
from access.freshness import SourceFreshness
from access.store import writing
from alerts.book import LiveRule, Told, read_state, scope_from, write_state, write_transitions
from alerts.bounds import check_bounds
from alerts.needs import check_rhythm
from alerts.outbox import put_out
from alerts.parse import parse_rule
from alerts.places import regions_of
from alerts.proposals import is_proposed_by_another
from alerts.review import close_reviews
from alerts.rule import TEXT_FIELDS, Rule, RuleError
from alerts.state import Reason, RuleState, close
from alerts.tables import EVENTS, RULES, STATES, TRIALS, VERSIONS
from alerts.values import kept_note
from alerts.write import write_rule
from queries.scope import Scope

Status = Literal["draft", "live", "paused", "retired"]
SYSTEM: Final = "system"


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who acts on rules: name, role, scope, and as what the audit knows them."""

    name: str
    role: str
    scope: Scope
    actor: Actor

    @property
    def may_share(self) -> bool:
        """Whether they publish rules for others: analysts do, and the control room itself."""
        return self.role in ("analyst", "system")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A rule as it stands: status, live version, newest version, whose it is, in whose scope it is asked."""

    name: str
    status: Status
    live_version: int | None
    newest_version: int
    is_personal: bool
    is_mandatory: bool
    owner: str
    scope: Scope
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version: its rule (None where it no longer parses), who wrote it, when, why, and of which it is a copy."""

    number: int
    body: Mapping[str, Any]
    author: str
    created_at: datetime
    reason: str
    origin: int | None
    rule: Rule | None


def list_rules(store: Engine) -> list[Entry]:
    """Every rule by name."""
    newest = select(VERSIONS.c.rule, func.max(VERSIONS.c.version).label("newest")).group_by(VERSIONS.c.rule).subquery()
    query = select(RULES, newest.c.newest).join(newest, newest.c.rule == RULES.c.name).order_by(RULES.c.name)
    with store.connect() as connection:
        return [_entry(dict(row)) for row in connection.execute(query).mappings()]


def find_rule(store: Engine, name: str) -> Entry:
    """The rule of this name; raises RuleError."""
    with store.connect() as connection:
        return entry_of(connection, name)


def list_versions(store: Engine, name: str) -> list[Version]:
    """Every version of a rule, newest first."""
    with store.connect() as connection:
        query = select(VERSIONS).where(VERSIONS.c.rule == name).order_by(VERSIONS.c.version.desc())
        return [_version(dict(row)) for row in connection.execute(query).mappings()]


def list_events(store: Engine, name: str) -> list[Mapping[str, Any]]:
    """What happened to a rule, newest first: version, at, actor, action, reason."""
    with store.connect() as connection:
        query = select(EVENTS).where(EVENTS.c.rule == name).order_by(EVENTS.c.id.desc())
        return [dict(row) for row in connection.execute(query).mappings()]


def save_draft(
    store: Engine,
    rule: Rule,
    author: Author,
    *,
    sources: Sequence[SourceFreshness],
    now: datetime,
    reason: str = "",
    is_personal: bool = False,
    origin: int | None = None,
) -> int:
    """Add a version; its number. Raises RuleError where the author may not, or the rule is none with these sources."""
    own: dict[str, Any] = {"reason": reason, "is_personal": is_personal, "origin": origin}
    return save_drafts(store, [rule], author, sources=sources, now=now, **own)[0]


def save_drafts(
    store: Engine,
    rules: Sequence[Rule],
    author: Author,
    *,
    sources: Sequence[SourceFreshness],
    now: datetime,
    reason: str = "",
    is_personal: bool = False,
    origin: int | None = None,
) -> list[int]:
    """Add a version of each rule, of all or of none; their numbers. Raises RuleError as `save_draft` does."""
    read = [parse_rule(write_rule(rule)) for rule in rules]
    for rule in read:
        _check_rhythm(rule, sources, author)
    with writing(store) as connection:
        return [_add(connection, rule, author, now, reason=reason, is_personal=is_personal, origin=origin) for rule in read]


def _add(
    connection: Connection, rule: Rule, author: Author, now: datetime, *, reason: str, is_personal: bool, origin: int | None
) -> int:
    known = _row(connection, rule.name)
    if known is None:
        _found(connection, rule, author, now, is_personal=is_personal)
    else:
        check_may_change(_entry_from(connection, known), author)
    check_bounds(connection, rule, author.role)
    number = 1 + (connection.execute(select(func.max(VERSIONS.c.version)).where(VERSIONS.c.rule == rule.name)).scalar() or 0)
    values = {
        "body": write_rule(rule),
        "author": author.name,
        "created_at": now,
        "origin": origin,
        "reason": kept_note(reason),
    }
    connection.execute(VERSIONS.insert().values(rule=rule.name, version=number, **values))
    keep_event(connection, rule.name, number, author, "drafted", reason, now)
    return number


def keep_trial(
    store: Engine, name: str, version: int, report: Mapping[str, Any], author: Author, *, days: int, now: datetime
) -> None:
    """Keep the report of a backtest of one version: without one it cannot be published. Raises RuleError as a change does."""
    with writing(store) as connection:
        check_may_change(entry_of(connection, name), author)
        values = {"rule": name, "version": version, "at": now, "actor": author.name, "days": days, "report": dict(report)}
        connection.execute(TRIALS.insert().values(**values))
        keep_event(connection, name, version, author, "tried", f"{days} days", now)


def last_trial(store: Engine, name: str, version: int) -> Mapping[str, Any] | None:
    """The newest backtest of a version."""
    with store.connect() as connection:
        query = select(TRIALS).where(TRIALS.c.rule == name, TRIALS.c.version == version).order_by(TRIALS.c.id.desc()).limit(1)
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def publish(
    store: Engine, name: str, version: int, author: Author, *, sources: Sequence[SourceFreshness], reason: str, now: datetime
) -> Status | Literal["waiting"]:
    """Make a version live; `waiting` where a critical rule still needs a second person. Raises RuleError.

    A shared rule needs a backtest of this very version; a personal one is its owner's alone. The second person is another
    analyst, or an administrator, who approves what an analyst has proposed and publishes nothing else.
    """
    with writing(store) as connection:
        entry = entry_of(connection, name)
        is_second = not entry.is_personal and is_proposed_by_another(connection, name, version, author.name)
        is_approving = is_second and author.role == "admin" and author.scope.everything
        if not is_approving:
            check_may_change(entry, author)
        rule = _rule(connection, name, version)
        _check_rhythm(rule, sources, author)
        check_bounds(connection, rule, "analyst" if is_approving else author.role)
        if not entry.is_personal and author.role != SYSTEM:
            if not reason.strip():
                raise RuleError("say why: the reason is kept with the version")
            if _trial_count(connection, name, version) == 0:
                raise RuleError(f"version {version} of {name} was never tried on history: run its backtest first")
            if "critical" in rule.levels and not is_second:
                keep_event(connection, name, version, author, "proposed", reason, now)
                return "waiting"
        _make_live(connection, entry, rule, version, author, reason, now)
        return "live"


def restore(store: Engine, name: str, version: int, author: Author, *, sources: Sequence[SourceFreshness], now: datetime) -> int:
    """Add a copy of an old version as the newest draft; its number. Raises RuleError."""
    with store.connect() as connection:
        rule = _rule(connection, name, version)
    return save_draft(store, rule, author, sources=sources, now=now, reason=f"copy of version {version}", origin=version)


def set_status(store: Engine, name: str, status: Status, author: Author, *, reason: str, now: datetime) -> None:
    """Pause, resume or retire a rule; its open alerts close with that reason. Raises RuleError."""
    words: Mapping[Status, tuple[str, Reason]] = {
        "paused": ("paused", "rule_paused"),
        "retired": ("retired", "rule_deleted"),
        "live": ("resumed", "manual"),
    }
    if status not in words:
        raise RuleError(f"a rule is never set to {status!r}: use live, paused or retired")
    with writing(store) as connection:
        entry = entry_of(connection, name)
        check_may_change(entry, author)
        if entry.is_mandatory and status != "live":
            raise RuleError(f"{name} is mandatory: headquarters keeps it live")
        if entry.live_version is None:
            raise RuleError(f"{name} was never published: publish a version first")
        action, why = words[status]
        if status == "live":
            # It begins afresh: what happened while it was paused was nobody's alert.
            connection.execute(delete(STATES).where(STATES.c.rule == name))
        else:
            end_episodes(connection, entry, why, now)
        connection.execute(update(RULES).where(RULES.c.name == name).values(status=status, changed_at=now))
        keep_event(connection, name, entry.live_version, author, action, reason, now)


def _make_live(
    connection: Connection, entry: Entry, rule: Rule, version: int, author: Author, reason: str, now: datetime
) -> None:
    if entry.live_version is not None and entry.live_version != version:
        if _is_text_only(connection, entry, rule):
            connection.execute(update(STATES).where(STATES.c.rule == entry.name).values(version=version))
        else:
            end_episodes(connection, entry, "rule_updated", now)
    values = {"status": "live", "live_version": version, "changed_at": now}
    connection.execute(update(RULES).where(RULES.c.name == entry.name).values(**values))
    keep_event(connection, entry.name, version, author, "published", reason, now)


def _is_text_only(connection: Connection, entry: Entry, rule: Rule) -> bool:
    """Whether the new version differs from the live one in its words and receivers alone."""
    try:
        live = _rule(connection, entry.name, entry.live_version or 0)
    except RuleError:
        return False
    same: dict[str, Any] = {field: getattr(rule, field) for field in TEXT_FIELDS}
    return entry.status == "live" and replace(live, **same) == rule


def end_episodes(connection: Connection, entry: Entry, reason: Reason, now: datetime) -> None:
    """End the open episodes of the live version; those who were told of them hear that the rule changed."""
    if entry.live_version is None:
        return
    try:
        rule = _rule(connection, entry.name, entry.live_version)
    except RuleError:
        rule = Rule(name=entry.name, conditions=())
    close_reviews(connection, entry.name, reason, at=now)
    live = LiveRule(rule=rule, version=entry.live_version, scope=entry.scope, owner=entry.owner, is_personal=entry.is_personal)
    state, snapshot = read_state(connection, entry.name, entry.live_version)
    closed = close(state, reason, state.at or now)
    ids = write_transitions(connection, live, closed.transitions, snapshot=snapshot, now=now)
    told = [
        Told(
            transition_id=number,
            transition=transition,
            message=transition.message,
            regions=regions_of(rule, entry.scope, dict(zip(rule.group_by, transition.group, strict=False))),
        )
        for number, transition in zip(ids, closed.transitions, strict=True)
        if transition.message
    ]
    write_state(connection, live, RuleState(at=state.at), before=state, snapshot=snapshot)
    put_out(connection, live, told, now=now)


def _found(connection: Connection, rule: Rule, author: Author, now: datetime, *, is_personal: bool) -> None:
    if not is_personal and not author.may_share:
        raise RuleError("rules for others are the analysts': make it a personal one")
    connection.execute(
        RULES.insert().values(
            name=rule.name,
            status="draft",
            live_version=None,
            is_personal=is_personal,
            is_mandatory=False,
            regions=None if author.scope.everything else list(author.scope.regions),
            owner=author.name,
            created_at=now,
            changed_at=now,
        )
    )


def check_may_change(entry: Entry, author: Author) -> None:
    """The actor's own scope counts again at every step; what they may not see does not exist for them."""
    if author.role == SYSTEM:
        return
    is_inside = author.scope.everything or (not entry.scope.everything and set(entry.scope.regions) <= set(author.scope.regions))
    if not is_inside or (entry.is_personal and entry.owner != author.name):
        raise _unknown(entry.name)
    if not entry.is_personal and not author.may_share:
        raise RuleError(f"{entry.name} is for others: an analyst changes it")


def _check_rhythm(rule: Rule, sources: Sequence[SourceFreshness], author: Author) -> None:
    """The starter pack is kept whatever the sources here are like: who publishes a copy of it is told."""
    if author.role != SYSTEM:
        check_rhythm(rule, sources)


def _trial_count(connection: Connection, name: str, version: int) -> int:
    query = select(func.count()).where(TRIALS.c.rule == name, TRIALS.c.version == version)
    return int(connection.execute(query).scalar_one())


def keep_event(
    connection: Connection, name: str, version: int | None, author: Author, action: str, reason: str, now: datetime
) -> None:
    """Put what happened to a rule on its own record and into the audit, within the caller's transaction."""
    reason = kept_note(reason)
    values = {"rule": name, "version": version, "at": now, "actor": author.name, "action": action, "reason": reason}
    connection.execute(EVENTS.insert().values(**values))
    record(
        connection,
        at=now,
        actor=author.actor,
        action=f"rule_{action}",
        object_kind="rule",
        object_id=name,
        detail={"version": version, "reason": reason},
    )


def _row(connection: Connection, name: str) -> RowMapping | None:
    return connection.execute(select(RULES).where(RULES.c.name == name).with_for_update()).mappings().one_or_none()


def entry_of(connection: Connection, name: str) -> Entry:
    """The rule of a name, held against other writers. Raises RuleError."""
    row = _row(connection, name)
    if row is None:
        raise _unknown(name)
    return _entry_from(connection, row)


def _unknown(name: str) -> RuleError:
    return RuleError(f"there is no rule {name!r}: `python cli.py rules list` names them")


def _entry_from(connection: Connection, row: RowMapping) -> Entry:
    newest = connection.execute(select(func.max(VERSIONS.c.version)).where(VERSIONS.c.rule == row["name"])).scalar()
    return _entry(dict(row) | {"newest": newest or 0})


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(
        name=row["name"],
        status=row["status"],
        live_version=row["live_version"],
        newest_version=row["newest"],
        is_personal=row["is_personal"],
        is_mandatory=row["is_mandatory"],
        owner=row["owner"],
        scope=scope_from(row["regions"]),
        changed_at=row["changed_at"],
    )


def _version(row: Mapping[str, Any]) -> Version:
    try:
        rule = parse_rule(row["body"])
    except RuleError:
        rule = None
    return Version(
        number=row["version"],
        body=row["body"],
        author=row["author"],
        created_at=row["created_at"],
        reason=row["reason"],
        origin=row["origin"],
        rule=rule,
    )


def _rule(connection: Connection, name: str, version: int) -> Rule:
    body = connection.execute(
        select(VERSIONS.c.body).where(VERSIONS.c.rule == name, VERSIONS.c.version == version)
    ).scalar_one_or_none()
    if body is None:
        raise RuleError(f"{name} has no version {version}: `python cli.py rules show {name}` lists them")
    return parse_rule(body)
