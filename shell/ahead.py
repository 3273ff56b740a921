"""Answers ahead of the question: what pages showed lately is asked again for each new snapshot, before their tabs look.

A tab that finds a new snapshot then redraws from the cache; the first visit after a start finds everything imported. Then,
while nothing newer is there, the pages of long questions are made ready as they open, for everyone's scope and the visitors'.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Final

from access.freshness import filling_share
from access.reading import EmptyLake, Reading
from access.user import User, scope_of
from access.view import open_view
from data.lake import LakeError
from data.targets import TargetsError
from pages import PAGES, Page
from queries.query import QueryError
from queries.run import RunError

LOOK_SECONDS: Final = 0.5
REMEMBERED_SECONDS: Final = 600.0
"""Longer than the time between two snapshots: an open tab runs its page only when there is a new one."""
MOST: Final = 6
"""So many different sights are kept ready; the latest win."""

USUAL: Final = tuple(page for page in PAGES if page.url_path in ("flow", "map"))
"""Pages of long questions."""
MOST_SCOPES: Final = 3
REST: Final = 4
"""So many times as long as they took the usual sights are left alone: they take at most a fifth of the time."""

_LOG = logging.getLogger(__name__)


EVERYTHING: Final = User(name="", display_name="", role="manager")


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What someone looked at: a page, whose scope, and the address's choice."""

    page: Page
    user: User
    parameters: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass
class Ahead:
    """The sights of the last minutes, and the thread that keeps their answers ready."""

    sights: dict[Sight, float] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    ready: object = None
    """What the usual sights were last made ready for."""

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

    def usual(self) -> list[Sight]:
        """The pages of long questions as they open: for who sees everything, then in the latest visitors' other scopes."""
        users = {scope_of(user): user for user in (EVERYTHING, *(sight.user for sight in self.recent()))}
        return [Sight(page=page, user=user, parameters=()) for user in list(users.values())[:MOST_SCOPES] for page in USUAL]

    def run(self, reading: Reading, clock: Callable[[], datetime]) -> None:
        """Until stopped: on each new version of the lake, ask what the recent sights will ask, then what the usual ones will."""
        first = Sight(page=PAGES[0], user=EVERYTHING, parameters=())
        last: object = None
        rested_at = 0.0
        is_warm = False
        while not self.stopping.wait(LOOK_SECONDS):
            self._keep_up(reading)
            newest = self._newest(reading)
            if newest is None:
                continue
            if newest == last:
                if newest != self.ready and time.monotonic() >= rested_at and filling_share(reading.settings) is None:
                    began = time.monotonic()
                    self.ready = newest if self._prepare_usual(reading, clock, newest) else self.ready
                    rested_at = time.monotonic() + REST * (time.monotonic() - began)
                continue
            try:
                is_ready = self._prepare(reading, clock, self.recent() if is_warm else [first])
            except Exception:
                # The tab's own run meets the same fault and tells it; this thread only goes on with the next snapshot.
                _LOG.exception("could not prepare the open pages")
                is_ready = True
            if is_ready:
                last, is_warm = newest, True

    def _prepare_usual(self, reading: Reading, clock: Callable[[], datetime], newest: object) -> bool:
        """Whether the usual sights are ready, as far as they can be; what is newer meanwhile comes first."""
        for sight in self.usual():
            if self._newest(reading) != newest:
                return False
            try:
                self._prepare(reading, clock, [sight])
            except Exception:
                _LOG.exception("could not prepare %s", sight.page.url_path)
        return not self.stopping.is_set()

    def _keep_up(self, reading: Reading) -> None:
        """Bring the recent orders in memory up to the newest version; a fault leaves the pages reading the lake."""
        try:
            reading.keep_up()
        except EmptyLake:
            pass
        except (LakeError, TargetsError):
            _LOG.exception("the recent orders could not be brought up to date")

    def _newest(self, reading: Reading) -> object:
        """What open pages will redraw for (`View.has_news`): a new snapshot, while history fills only a newer instant."""
        try:
            ledger = reading.ledger()
        except LakeError:
            return None
        return ledger.as_of if filling_share(reading.settings) is not None else ledger.snapshot

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
