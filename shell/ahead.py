"""Answers ahead of the question: what pages showed lately is asked again for each new snapshot, before their tabs look.

A tab that finds a new snapshot then redraws from the cache; the first visit after a start finds everything imported. Then,
while nothing newer is there, the pages of long questions are made ready as they open, in the scope of everyone signed in, and
what is asked over a week.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Final, Literal

from sqlalchemy.exc import SQLAlchemyError

from access.freshness import filling_share
from access.reading import BEHIND_SECONDS, EmptyLake, Reading
from access.user import User, scope_of
from access.view import open_view
from data.lake import LakeError
from pages import PAGES, Page
from queries.query import QueryError
from queries.run import RunError
from queries.scope import Scope

LOOK_SECONDS: Final = 0.5
REMEMBERED_SECONDS: Final = 600.0
"""Longer than the time between two snapshots: an open tab runs its page only when there is a new one."""
MOST: Final = 6
"""So many different sights are kept ready; the latest win."""

Choice = tuple[tuple[str, tuple[str, ...]], ...]

LONG: Final = {page.url_path: page for page in PAGES if page.url_path in ("flow", "map")}
"""Pages of long questions."""
USUAL: Final[tuple[tuple[tuple[Page, Choice], ...], ...]] = (
    tuple((page, ()) for page in LONG.values()),
    tuple((page, (("window", ("7d",)),)) for page in (PAGES[0], LONG["flow"])),
)
"""What is mostly looked at: these as they open, and when that is ready in every scope, the wall and the flow over a week."""
MOST_SCOPES: Final = 12
"""So many different scopes find them ready: a country's regions and everything, and a few leads of several regions."""
SESSIONS_SECONDS: Final = 5.0
"""Who is signed in is asked no more often."""
SHARE: Final = 0.25
"""The usual sights take at most this share of the time."""
RESTED_SECONDS: Final = 30.0
"""While history fills every snapshot changes much of it: the recent orders are brought up to date no more often."""
FOLLOWING_SECONDS: Final = 5.0
"""Meanwhile pages follow the lake after so long: it is small yet."""
SAVED_SECONDS: Final = 30.0
"""So much of their share they may save up, to be ready soon after a snapshot that comes after a quiet while."""

_LOG = logging.getLogger(__name__)


EVERYTHING: Final = User(name="", display_name="", role="manager")


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What someone looked at: a page, whose scope, and the address's choice."""

    page: Page
    user: User
    parameters: Choice


@dataclass
class Allowance:
    """Seconds that may be spent: a share of those that pass, saved up to a limit."""

    seconds: float = SAVED_SECONDS
    told_at: float = field(default_factory=time.monotonic)

    def has_any(self) -> bool:
        """Whether something is left, by now."""
        now = time.monotonic()
        self.seconds = min(SAVED_SECONDS, self.seconds + SHARE * (now - self.told_at))
        self.told_at = now
        return self.seconds > 0

    def spend(self, seconds: float) -> None:
        """Take what was used; what is under way is brought to its end, and paid back by waiting."""
        self.seconds -= seconds


Ready = tuple[str, Choice, Scope]
State = Literal["starting", "ready", "settled"]


def ready_key(sight: Sight) -> Ready:
    """What a usual sight is one of: its page, what is chosen there, and the scope."""
    return sight.page.url_path, sight.parameters, scope_of(sight.user)


@dataclass
class Ahead:
    """The sights of the last minutes, and the thread that keeps their answers ready."""

    sights: dict[Sight, float] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    ready: dict[Ready, object] = field(default_factory=dict)
    """Which usual sights are ready, and for what."""
    allowance: Allowance = field(default_factory=Allowance)
    kept_up_at: float | None = None
    """When the recent orders were brought up to date, or a filling history was first seen (monotonic)."""
    is_warm: bool = False
    """Whether the first page has been prepared: from then on the recent sights are."""
    state: State = "starting"
    """`ready` once pages open as fast as they will, `settled` while every usual sight is ready for what is newest."""

    def note(self, page: Page, user: User, parameters: Mapping[str, Sequence[str]]) -> None:
        """Remember that this sight is being looked at."""
        choice = tuple(sorted((name, tuple(values)) for name, values in parameters.items()))
        self.sights[Sight(page=page, user=user, parameters=choice)] = time.monotonic()

    def recent(self) -> list[Sight]:
        """The sights of the last minutes, the latest first; older ones are forgotten."""
        since = time.monotonic() - REMEMBERED_SECONDS
        known = dict(self.sights)
        for sight in [sight for sight, at in known.items() if at < since]:
            self.sights.pop(sight, None)
        return sorted((sight for sight, at in known.items() if at >= since), key=lambda sight: -known[sight])[:MOST]

    def usual(self, signed_in: Sequence[User] = ()) -> list[Sight]:
        """The pages of long questions: of everything, then in the other scopes of the latest visitors and of who is signed in."""
        users: dict[Scope, User] = {}
        for user in (EVERYTHING, *(sight.user for sight in self.recent()), *signed_in):
            users.setdefault(scope_of(user), user)
        chosen = list(users.values())[:MOST_SCOPES]
        return [Sight(page=page, user=user, parameters=choice) for turn in USUAL for user in chosen for page, choice in turn]

    def run(
        self,
        reading: Reading,
        clock: Callable[[], datetime],
        *,
        signed_in: Callable[[datetime], Sequence[User]] = lambda now: (),
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """Until stopped: on each new version of the lake, ask what the recent sights will ask, then what the usual ones will.

        Open pages see a new version when the recent sights are ready. `signed_in` gives who is, at an instant; while `is_busy`
        says that visitors' pages are being drawn the usual sights wait.
        """
        first = Sight(page=PAGES[0], user=EVERYTHING, parameters=())
        last: object = None
        asked_at = 0.0
        usual = self.usual()
        while not self.stopping.wait(LOOK_SECONDS):
            self._keep_up(reading)
            newest = self._newest(reading)
            if newest is None or newest == last:
                reading.is_preparing = False
            if newest is None:
                self.state = "ready"
                continue
            if newest == last:
                if time.monotonic() >= asked_at:
                    usual, asked_at = self.usual(_ask(signed_in, clock)), time.monotonic() + SESSIONS_SECONDS
                due = [sight for sight in usual if self.ready.get(ready_key(sight)) != newest]
                self.state = "ready" if due else "settled"
                if due and filling_share(reading.settings) is None:
                    self._prepare_usual(reading, clock, newest, due, is_busy)
                continue
            try:
                is_ready = self._prepare(reading, clock, self.recent() if self.is_warm else [first])
            except Exception:
                # The tab's own run meets the same fault and tells it; this thread only goes on with the next snapshot.
                self._tell("could not prepare the open pages")
                is_ready = True
            finally:
                reading.is_preparing, reading.ready_at = False, time.monotonic()
            self.state = "ready"
            if is_ready:
                last, self.is_warm = newest, True

    def _prepare_usual(
        self,
        reading: Reading,
        clock: Callable[[], datetime],
        newest: object,
        due: Sequence[Sight],
        is_busy: Callable[[], bool],
    ) -> None:
        """Make these sights ready, as far as they can be and may be now; visitors, and what is newer meanwhile, come first."""
        for sight in due:
            self._keep_up(reading)
            if self._newest(reading) != newest:
                return
            reading.is_preparing = False
            if is_busy() or self.stopping.is_set() or not self.allowance.has_any():
                return
            began = time.monotonic()
            try:
                self._prepare(reading, clock, [sight])
            except Exception:
                self._tell(f"could not prepare {sight.page.url_path}")
            self.allowance.spend(time.monotonic() - began)
            self.ready[ready_key(sight)] = newest

    def _keep_up(self, reading: Reading) -> None:
        """Bring the recent orders in memory up to the newest version; a fault leaves the pages reading the lake.

        While history fills they are left behind most of the time: the worker needs the processor, and the lake is small yet.
        """
        is_filling = filling_share(reading.settings) is not None
        reading.patience = FOLLOWING_SECONDS if is_filling else BEHIND_SECONDS
        # While history fills there is always something newer: pages follow it as it comes.
        reading.announces = self.is_warm and not is_filling
        if is_filling:
            if self.kept_up_at is None:
                self.kept_up_at = time.monotonic()
            if time.monotonic() - self.kept_up_at < RESTED_SECONDS:
                return
        try:
            reading.keep_up()
            self.kept_up_at = time.monotonic()
        except EmptyLake:
            reading.is_preparing = False
        except Exception:
            reading.is_preparing = False
            self._tell("the recent orders could not be brought up to date")

    def _newest(self, reading: Reading) -> object:
        """What open pages will redraw for (`View.has_news`): a new snapshot, while history fills only a newer instant."""
        try:
            ledger = reading.ledger()
        except LakeError:
            return None
        except Exception:
            self._tell("could not ask for the newest snapshot")
            return None
        return ledger.as_of if filling_share(reading.settings) is not None else ledger.snapshot

    def _tell(self, what: str) -> None:
        """Log the fault at hand; while stopping what was under way is cut off, and that is none."""
        if not self.stopping.is_set():
            _LOG.exception(what)

    def _prepare(self, reading: Reading, clock: Callable[[], datetime], sights: list[Sight]) -> bool:
        """Whether all could be prepared; a fault here is no one's fault page: the tab's own run will tell it."""
        for sight in sights:
            if self.stopping.is_set():
                return False
            try:
                parameters = dict(sight.parameters)
                view = open_view(reading, sight.user, parameters, now=clock(), language="en", stays_valid=lambda: None)
                import_module(sight.page.module).prepare(view, parameters)
            except (LakeError, QueryError, RunError) as error:
                _LOG.debug("not prepared: %s", error)
                return False
        return True


def _ask(signed_in: Callable[[datetime], Sequence[User]], clock: Callable[[], datetime]) -> Sequence[User]:
    """Who is signed in; nobody where the store does not answer: their pages then only open as slowly as without."""
    try:
        return signed_in(clock())
    except SQLAlchemyError:
        _LOG.exception("could not ask who is signed in")
        return ()
