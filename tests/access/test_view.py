"""The View: scoped, cached without leaking, consistent with one snapshot, and closed when the session ends."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from access.audit import LOCAL, Actor
from access.reading import EmptyLake, Reading
from access.saved_act import SavedAct, perform_saved
from access.saved_view import SavedViewError
from access.session import CHECKED_SECONDS, SessionEnded
from access.store import METADATA, open_store
from access.user import PreviewError, User, add_user
from access.view import Overtaken, View, open_view
from access.work_act import Act, perform
from config import Settings, read_settings
from data.lake import Lake
from queries.cache import Cache
from queries.listing import Listing
from queries.query import Filter, Query
from tests.data.intake import contract_of, take_in, write_csv

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEADER = ("id", "created", "region")
CONTRACT = contract_of(columns={"order_id": "id", "channel": "'web'", "created_at": "created", "region_code": "region"})

ADMIN = User(name="root", display_name="", role="admin")
EAST = User(name="east", display_name="", role="lead", regions=("CN-EAST",))
SOUTH = User(name="south", display_name="", role="lead", regions=("CN-SOUTH",))
NOBODY = User(name="nobody", display_name="", role="lead")
BY_REGION = Query(metrics=("order_count",), by=("region",))


def _take_in(settings: Settings, folder: Path, stamp: str, *rows: tuple[str, str, str]) -> None:
    path = write_csv(folder / f"orders_{stamp}.csv", rows, HEADER)
    with Lake.open_writer(settings) as lake:
        assert take_in(lake, CONTRACT, path).state == "accepted"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home to be copied for each test."""
    folder = tmp_path_factory.mktemp("view")
    rows = (("1", "CN-EAST"), ("2", "CN-EAST"), ("3", "CN-SOUTH"), ("4", ""))
    orders = [(number, "2026-03-01 07:00:00", region) for number, region in rows]
    _take_in(read_settings({}, home=folder, demo=False), folder, "20260301T080000", *orders)
    return folder


@pytest.fixture
def reading(settings: Settings, filled: Path) -> Iterator[Reading]:
    """Two orders in the east, one in the south, one without a region."""
    shutil.copytree(filled, settings.home, dirs_exist_ok=True)
    opened = Reading(settings, clock=iter(range(10_000)).__next__)
    yield opened
    opened.close()


def _view(reading: Reading, user: User, **parameters: str) -> View:
    asked = {name: [value] for name, value in parameters.items()}
    return open_view(reading, user, asked, now=NOW, language="en", stays_valid=lambda: None)


def _counts(view: View, query: Query = BY_REGION) -> dict[str | None, int]:
    return {row["region"]: row["order_count"] for row in view.run(query).to_dicts()}


EXPECTED: dict[str, dict[str | None, int]] = {
    "root": {"CN-EAST": 2, "CN-SOUTH": 1, None: 1},
    "east": {"CN-EAST": 2},
    "south": {"CN-SOUTH": 1},
    "nobody": {},
}


def _names(users: tuple[User, ...]) -> str:
    return "-".join(user.name for user in users)


@pytest.mark.parametrize(
    "users", [(ADMIN, EAST, SOUTH, NOBODY), (NOBODY, SOUTH, EAST, ADMIN), (EAST, ADMIN, NOBODY, SOUTH)], ids=_names
)
def test_everyone_sees_their_own_regions_whoever_asked_before(reading: Reading, users: tuple[User, ...]) -> None:
    for user in (*users, *users):
        assert _counts(_view(reading, user)) == EXPECTED[user.name]


def test_what_is_asked_together_is_found_ready_and_within_the_scope(reading: Reading) -> None:
    for user in (ADMIN, EAST, NOBODY):
        view = _view(reading, user)
        queries = [replace(BY_REGION, by=by, window=view.window) for by in ((), ("region",), ("city",))]
        listing = Listing(metric="order_count", window=view.window)
        reading.cache = Cache(1_000_000)
        alone = [view.run(query) for query in queries]
        orders = view.list_orders(listing)
        reading.cache = Cache(1_000_000)
        view.ask_together([*queries, listing])
        asked = reading.cache.state().misses
        assert asked == len(queries) + 1
        assert [view.run(query).equals(answer) for query, answer in zip(queries, alone, strict=True)] == [True] * len(queries)
        assert view.list_at_once(listing).equals(orders)
        assert orders.height == sum(EXPECTED[user.name].values())
        view.ask_together([*queries, listing])
        assert reading.cache.state().misses == asked


def test_filter_cannot_widen_the_scope(reading: Reading) -> None:
    query = Query(metrics=("order_count",), by=("region",), where=(Filter("region", ("CN-EAST", "CN-SOUTH", None)),))
    assert _counts(_view(reading, SOUTH), query) == {"CN-SOUTH": 1}


@pytest.mark.parametrize("region", ["CN-NOWHERE", "N' OR '1'='1"])
def test_unknown_region_sees_nothing(reading: Reading, region: str) -> None:
    assert _counts(_view(reading, User(name="x", display_name="", role="lead", regions=(region,)))) == {}


def test_view_keeps_its_snapshot_and_says_when_there_is_a_newer_one(reading: Reading, settings: Settings, tmp_path: Path) -> None:
    view = _view(reading, ADMIN)
    assert not view.has_news()
    _take_in(settings, tmp_path, "20260301T090000", ("5", "2026-03-01 08:30:00", "CN-SOUTH"))
    assert view.has_news()
    assert _counts(view) == EXPECTED["root"]
    assert _counts(_view(reading, ADMIN))["CN-SOUTH"] == 2


def test_chosen_instant_shows_what_was_known_then(reading: Reading, settings: Settings, tmp_path: Path) -> None:
    _take_in(settings, tmp_path, "20260301T090000", ("5", "2026-03-01 06:30:00", "CN-SOUTH"))
    past = _view(reading, ADMIN, as_of="2026-03-01T08:30:00Z")
    assert _counts(past)["CN-SOUTH"] == 1
    assert not past.is_live
    assert not past.has_news()


def test_an_instant_that_is_still_to_come_is_now_and_says_so(reading: Reading) -> None:
    view = _view(reading, ADMIN, as_of="2026-03-02T00:00:00Z")
    assert view.as_of == _view(reading, ADMIN).as_of
    assert view.address.notes == ("as_of=2026-03-02T08:00:00+08:00",)


def test_what_is_done_long_after_a_page_was_opened_has_its_own_instant(reading: Reading) -> None:
    later = NOW + timedelta(hours=2)
    view = open_view(reading, ADMIN, {}, now=NOW, language="en", stays_valid=lambda: None, clock=lambda: later)
    assert (view.by().at, view.at_present().by().at) == (NOW, later)
    assert view.at_present().as_of == view.as_of


def test_ended_session_gets_no_figures(reading: Reading) -> None:
    def ended() -> None:
        raise SessionEnded

    view = open_view(reading, ADMIN, {}, now=NOW, language="en", stays_valid=ended)
    with pytest.raises(SessionEnded):
        view.run(BY_REGION)
    with pytest.raises(SessionEnded):
        view.has_news()


def test_answers_of_a_moment_share_one_look_at_the_session(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, now = list[float](), [100.0]
    monkeypatch.setattr("access.session.time.monotonic", lambda: now[0])
    view = open_view(reading, ADMIN, {}, now=NOW, language="en", stays_valid=lambda: looks.append(now[0]))
    for _ in range(3):
        _counts(view)
    assert looks == [100.0]
    now[0] += CHECKED_SECONDS
    _counts(view)
    assert looks == [100.0, 100.0 + CHECKED_SECONDS]
    view.has_news()
    view.by()
    assert len(looks) == 4, "who looks for news or acts is looked at every time"


def _seen_by(view: View) -> tuple[str, dict[str | None, int]]:
    return view.language, _counts(view)


def test_what_is_shared_is_of_those_only_who_see_the_same(reading: Reading) -> None:
    for user in (ADMIN, EAST, SOUTH, NOBODY, ADMIN, EAST):
        assert _view(reading, user).share(_seen_by) == ("en", EXPECTED[user.name])
    assert _view(reading, ADMIN).share(_seen_by) is _view(reading, ADMIN).share(_seen_by)
    chinese = open_view(reading, ADMIN, {}, now=NOW, language="zh-CN", stays_valid=lambda: None)
    assert chinese.share(_seen_by)[0] == "zh-CN"
    filtered = _view(reading, ADMIN, region="CN-SOUTH", window="all")
    assert filtered.share(_filters_of) == filtered.filters != _view(reading, ADMIN).share(_filters_of)


def _filters_of(view: View) -> tuple[Filter, ...]:
    return view.filters


def test_what_is_shared_tells_the_ages_of_its_sources_to_the_minute(reading: Reading) -> None:
    def age_at(now: datetime) -> float:
        view = open_view(reading, ADMIN, {}, now=now, language="en", stays_valid=lambda: None)
        return view.share(_age_of)

    first = age_at(NOW)
    assert age_at(NOW + timedelta(seconds=59 - first % 60)) == first
    assert age_at(NOW + timedelta(seconds=60)) == first + 60


def _age_of(view: View) -> float:
    return view.sources[0].age_seconds


def test_ended_session_gets_nothing_that_is_shared(reading: Reading) -> None:
    def ended() -> None:
        raise SessionEnded

    _view(reading, ADMIN).share(_seen_by)
    with pytest.raises(SessionEnded):
        open_view(reading, ADMIN, {}, now=NOW, language="en", stays_valid=ended).share(_seen_by)


def test_what_is_being_made_ready_is_no_news_yet(reading: Reading, settings: Settings, tmp_path: Path) -> None:
    view = _view(reading, ADMIN)
    _take_in(settings, tmp_path, "20260301T090000", ("5", "2026-03-01 08:30:00", "CN-SOUTH"))
    reading.is_preparing = True
    late = [NOW + timedelta(hours=1)]
    view = replace(view, clock=lambda: late[-1])
    assert not view.has_news()
    late.append(late[0] + timedelta(seconds=29))
    assert not view.has_news()
    late.append(late[0] + timedelta(seconds=31))
    assert view.has_news(), "it has waited long enough"
    assert not replace(view, held=[]).has_news(), "another view has not"
    reading.is_preparing = False
    assert view.has_news()


def test_a_page_that_is_overtaken_while_it_is_drawn_is_begun_anew(reading: Reading, settings: Settings, tmp_path: Path) -> None:
    reading.keep_up()
    views = [_view(reading, ADMIN), _view(reading, ADMIN, as_of="2026-03-01T08:00:00Z"), _view(reading, ADMIN)]
    for view in views[:2]:
        view.drawing.set()
    _take_in(settings, tmp_path, "20260301T090000", ("5", "2026-03-01 08:30:00", "CN-SOUTH"))
    assert _counts(views[0]) == EXPECTED["root"], "nothing has moved on yet"
    reading.cache = Cache(reading.settings.cache_bytes)
    reading.keep_up()
    with pytest.raises(Overtaken):
        _counts(views[0])
    assert _counts(views[1]) == EXPECTED["root"], "an instant that was chosen stays"
    assert _counts(views[2]) == EXPECTED["root"], "nor is anything begun anew that is not being drawn"
    assert _counts(_view(reading, ADMIN))["CN-SOUTH"] == 2


def test_view_before_the_first_snapshot_is_empty(reading: Reading) -> None:
    with pytest.raises(EmptyLake):
        _view(reading, ADMIN, as_of="2020-01-01")


def test_view_without_a_delivering_source_is_not_live(reading: Reading) -> None:
    view = _view(reading, ADMIN)
    assert not view.is_live
    assert view.as_of == datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_view_says_which_part_of_the_address_it_left_out(reading: Reading) -> None:
    assert _view(reading, ADMIN, window="soon").address.notes == ("window=soon",)


def test_a_figure_takes_the_filters_it_knows(reading: Reading) -> None:
    view = _view(reading, ADMIN, region="CN-EAST", return_kind="refund")
    region, kind = Filter("region", ("CN-EAST",)), Filter("return_kind", ("refund",))
    assert view.filters == (region,)
    assert view.filters_for("return_count") == (region, kind)
    assert view.filters_for("return_count", "order_count") == (region,)


def test_preview_sees_and_changes_nothing(reading: Reading, settings: Settings) -> None:
    store = open_store(settings)
    add_user(store, EAST, password_hash="x", now=NOW, by=LOCAL)
    actor = Actor(name="root", session="0" * 64)
    view = open_view(reading, EAST, {}, now=NOW, language="en", stays_valid=lambda: None, store=store, actor=actor)
    assert view.is_preview
    assert _counts(view) == EXPECTED["east"]
    before = _everything(store)
    with pytest.raises(PreviewError):
        view.by()
    with pytest.raises(SavedViewError):
        perform_saved(view, SavedAct(verb="save", name="mine", page="orders"))
    act = Act(key=("web", "1"), verb="note", value="looked at")
    assert (perform(view, act).change, perform(view, act).error is None) == (None, False)
    view.keep_preference("start_view", "1")
    assert view.make_journey("web", "1") == ""
    view.note_denied("order", "web/3")
    assert _everything(store) == before
    store.dispose()


def _everything(store: Engine) -> dict[str, list[str]]:
    with store.connect() as connection:
        return {table.name: [str(row) for row in connection.execute(select(table))] for table in METADATA.sorted_tables}
