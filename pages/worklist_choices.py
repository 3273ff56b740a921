"""What can be chosen on the work list: places with their counts, people for an order, states, and times to look again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final

from access.shift import shift_after, shift_at
from access.user import list_users
from access.view import View
from access.work_change import covers
from access.work_item import STATES
from access.worklist import PLACES
from components.format import count
from components.topbar import Option
from components.worklist import Choice
from i18n import translate
from pages.wording import codes_in_order, name_of

STEP: Final = timedelta(minutes=5)
MORNING: Final = time(9)


def place_choices(view: View, numbers: Sequence[dict[str, Any]]) -> tuple[Choice, ...]:
    """Region, province and warehouse, each with the orders of its values; a region only where there is more than one."""
    chosen = {filter_.dimension: filter_.values for filter_ in view.filters}
    return tuple(
        choice
        for place in PLACES
        if len((choice := _choice(view, place, numbers, chosen.get(place, ()))).options) > (1 if place == "region" else 0)
    )


def people_of(view: View, regions: Iterable[str | None]) -> dict[str, tuple[Option, ...]]:
    """Who an order of each region can be given to, by name."""
    if view.store is None:
        return {}
    users = list_users(view.store)
    return {
        str(region or ""): tuple(
            Option(code=user.name, name=user.display_name or user.name) for user in users if covers(user, region)
        )
        for region in regions
    }


def state_choices(view: View) -> tuple[Option, ...]:
    """The states of work."""
    return tuple(Option(code=state, name=translate(view.language, f"worklist.state.{state}")) for state in STATES)


def follow_up_choices(view: View) -> tuple[Option, ...]:
    """The usual times to look again, from now: soon, in two hours, at the shift's end, in the next one, tomorrow morning."""
    calendar = view.targets.at(view.now, view.zone).calendar
    shift = shift_at(calendar, view.now, view.zone)
    tomorrow = datetime.combine(view.now.astimezone(view.zone).date() + timedelta(days=1), MORNING, tzinfo=view.zone)
    times = (
        ("half_hour", _rounded(view.now + timedelta(minutes=30))),
        ("two_hours", _rounded(view.now + timedelta(hours=2))),
        ("shift_end", shift.end - timedelta(minutes=15)),
        ("next_shift", shift_after(calendar, shift, view.zone).start),
        ("tomorrow", tomorrow),
    )
    return tuple(
        Option(code=f"{at.astimezone(view.zone):%Y-%m-%dT%H:%M}", name=translate(view.language, f"worklist.follow.{name}"))
        for name, at in times
        if at > view.now
    )


def _choice(view: View, place: str, numbers: Sequence[dict[str, Any]], chosen: Sequence[str | None]) -> Choice:
    totals: dict[str, int] = {str(code): 0 for code in chosen if code is not None}
    for row in numbers:
        if row[place] is not None:
            totals[row[place]] = totals.get(row[place], 0) + row["count"]
    options = tuple(
        Option(
            code=code,
            name=f"{name_of(view.language, place, code)} ({count(view.language, totals[code])})",
            is_on=code in chosen,
        )
        for code in codes_in_order(place, list(totals))
    )
    name = translate(view.language, f"dimensions.{place}.name")
    return Choice(code=place, name=name, everything=translate(view.language, "worklist.everywhere"), options=options)


def _rounded(at: datetime) -> datetime:
    """The next whole five minutes."""
    rest = timedelta(minutes=at.minute % 5, seconds=at.second, microseconds=at.microsecond)
    return at - rest + STEP if rest else at
