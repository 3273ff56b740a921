"""The frame of every page: the kit, the top bar, and the watch that redraws when there is a new snapshot."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

import streamlit as st

from access.address import GLOBAL_FILTERS, UNKNOWN
from access.freshness import SourceFreshness
from access.session import SessionEnded
from access.view import View
from components.board import State
from components.format import age, clock, full_instant, when
from components.kit import mount_kit
from components.topbar import (
    AsOf,
    Chip,
    FilterGroup,
    Filters,
    Live,
    Mark,
    Option,
    PageLink,
    Source,
    Tally,
    Topbar,
    UserBadge,
    draw_topbar,
)
from i18n import LANGUAGES, translate
from pages import PAGES
from pages.address import WINDOWS, take_choice
from pages.alert_strip import alert_strip
from pages.links import link
from pages.looks import is_turn, look_every, note_look
from pages.lost import lost_sentences
from pages.saved_views import keep_saved_act, lost_view, read_saved_menu
from pages.time_marks import shift_name
from pages.wording import codes_in_order, name_of, names_of, source_name, window_name
from queries.query import Filter, Query, Window

WATCH_SECONDS: Final = 3
WIDE: Final = ("pages.alerts", "pages.rules", "pages.worklist", "pages.handover")
"""The pages that need the wide kit."""
MOST_PROBLEMS: Final = 4
LOOKS: Final = "frame.looks"
LOOKS_WHILE_FILLING: Final = 5
"""While history fills a snapshot comes every moment: the page is drawn anew at every fifth look only."""
BEHIND: Final = timedelta(minutes=30)
"""Older data than this is not the present: while history fills the page follows it at every look."""
LANGUAGE_NAMES: Final = {"en": "EN", "zh-CN": "中文"}


def draw_frame(
    view: View,
    page: str,
    *,
    country: str | None,
    states: Sequence[tuple[str, State]],
    can_go_full: bool = False,
    applied: Sequence[Filter] | None = None,
    unknown: Sequence[str] = (),
    names: Sequence[str] = (),
) -> None:
    """Draw the kit and the top bar; `states` are the page's figures by name with their states, for the counts.

    `applied` are the filters the page's figures take (None: `view.filters`), `unknown` the page's own choices that it does
    not know (`name=word`); the bar says which of the address was left out. `names` are dimensions by which the address names
    what the page is about: no filters here, and not carried along.
    """
    mount_kit(country, is_wide=page in WIDE)
    saved = read_saved_menu(view, page)
    view = _without(view, names)
    bar = replace(
        _topbar(view, page, states, can_go_full), problems=(*lost_view(view), *_problems(view, applied, unknown)), saved=saved
    )
    filters = replace(bar.filters, groups=tuple(group for group in bar.filters.groups if group.code not in names))
    draw_topbar(replace(bar, filters=filters), key="frame.topbar", on_choice=partial(_take, "frame.topbar", names))
    alert_strip(view)


def _take(component: str, kept: Sequence[str]) -> None:
    take_choice(component, kept=kept)
    keep_saved_act(component)


def _without(view: View, names: Sequence[str]) -> View:
    """The view without filters of these dimensions."""
    address = replace(view.address, filters=tuple(one for one in view.address.filters if one.dimension not in names))
    return replace(view, address=address, filters=tuple(one for one in view.filters if one.dimension not in names))


def watch(view: View) -> None:
    """Ask every few seconds whether there is a new snapshot, and redraw only then; an ended session leaves at once."""
    look_every(WATCH_SECONDS, _look, view)


def _look(view: View) -> None:
    note_look()
    looks = st.session_state.get(LOOKS, 0) + 1
    try:
        is_due = is_due_at(view, looks)
    except SessionEnded:
        is_due = True
    st.session_state[LOOKS] = 0 if is_due else looks
    if is_due:
        st.rerun()


def is_due_at(view: View, looks: int) -> bool:
    """Whether the page is to be drawn anew at its so-manieth look; raises SessionEnded when the session has ended."""
    is_calm = view.is_filling and view.now - view.as_of < BEHIND
    return view.has_news() and is_turn(WATCH_SECONDS, view.reading.ready_at) and (not is_calm or looks >= LOOKS_WHILE_FILLING)


def _topbar(view: View, page: str, states: Sequence[tuple[str, State]], can_go_full: bool) -> Topbar:
    language = view.language
    here = next((entry for entry in PAGES if entry.module == page), PAGES[0])
    names = ("sources", "tallies", "menu", "filters", "theme", "full_screen", "account", "sign_out", "clear")
    other = next(code for code in LANGUAGES if code != language)
    return Topbar(
        language=language,
        title=translate(language, here.title),
        scope=_scope(view),
        live=read_live(view),
        filters=read_filters(view),
        user=_badge(view),
        other_language=Option(code=other, name=LANGUAGE_NAMES[other]),
        words={"pages": translate(language, "frame.pages")} | {name: translate(language, f"wall.{name}") for name in names},
        sources=_sources(view),
        counts=read_tallies(view, states),
        marks=_marks(view),
        chips=tuple(_chip(view, filter_) for filter_ in view.address.filters if filter_.dimension not in GLOBAL_FILTERS),
        pages=tuple(
            _page_link(view, entry.title, entry.url_path, entry.module == page)
            for entry in PAGES
            if view.user.role in entry.roles
        ),
        paths=("/", *(f"/{entry.url_path}" for entry in PAGES)),
        theme=view.address.theme,
        can_go_full=can_go_full,
    )


def _page_link(view: View, title: str, path: str, is_here: bool) -> PageLink:
    href = link(view, "/" if path == PAGES[0].url_path else f"/{path}")
    return PageLink(name=translate(view.language, title), href=href, is_here=is_here)


def _chip(view: View, filter_: Filter) -> Chip:
    text = _filter_text(view, filter_)
    return Chip(code=filter_.dimension, text=text, remove=translate(view.language, "frame.chip_remove", text=text))


def _filter_text(view: View, filter_: Filter) -> str:
    name = translate(view.language, f"dimensions.{filter_.dimension}.name")
    names = names_of(view.language, filter_.dimension, filter_.values)
    return translate(view.language, "frame.chip", dimension=name, names=names)


def _problems(view: View, applied: Sequence[Filter] | None, unknown: Sequence[str]) -> tuple[str, ...]:
    """What of the address the page left out: not understood, of no order in sight, or nothing its figures know."""
    language, taken = view.language, view.filters if applied is None else applied
    return (
        *_not_understood(view, (*view.address.notes, *unknown)),
        *lost_sentences(view),
        *(
            translate(language, "frame.not_applied", text=_filter_text(view, filter_))
            for filter_ in view.address.filters
            if filter_ not in taken
        ),
    )


def _not_understood(view: View, parts: Sequence[str]) -> tuple[str, ...]:
    """One sentence with the first parts of the address that nobody understood, and how many more there are."""
    if not parts:
        return ()
    said = translate(view.language, "marks.joiner").join(parts[:MOST_PROBLEMS])
    more = len(parts) - MOST_PROBLEMS
    if more > 0:
        said = translate(view.language, "wall.problems_more", parts=said, n=more)
    return (translate(view.language, "wall.problem", part=said),)


def _badge(view: View) -> UserBadge:
    name = view.user.display_name or view.user.name
    role = translate(view.language, f"access.role_{view.user.role}")
    regions = names_of(view.language, "region", view.scope.regions, most=7)
    return UserBadge(name=name, initial=name[:1].upper(), role=f"{role} · {regions}" if regions else role)


def _scope(view: View) -> str:
    """Where and when: the regions in sight, other filters, the window."""
    language, chosen = view.language, {filter_.dimension: filter_.values for filter_ in view.filters}
    regions = chosen.get("region") or view.scope.regions
    parts = [names_of(language, "region", regions) if regions else translate(language, "wall.nationwide")]
    parts += [names_of(language, dimension, chosen[dimension]) for dimension in GLOBAL_FILTERS[1:] if dimension in chosen]
    return " · ".join([*parts, window_name(language, view.address.window, view.zone)])


def read_live(view: View) -> Live:
    """How live the page is, in the reader's words: looking back, without a source, with silent ones, or live; and the data's instant."""
    language, full = view.language, full_instant(view.as_of, view.zone)
    if view.address.as_of is not None or view.address.snapshot is not None:
        text = translate(language, "wall.past", at=full[:16])
        return Live(state="past", text=text, tip=translate(language, "wall.past_tip", at=full))
    if not view.is_live:
        text = translate(language, "wall.historic", at=full[:16])
        return Live(state="stale", text=text, tip=translate(language, "wall.historic_tip", at=full))
    if _is_silent(view):
        text = translate(language, "wall.silent", at=when(language, view.as_of, view.now, view.zone))
        return Live(state="stale", text=text, tip=translate(language, "wall.silent_tip", at=full))
    text = translate(language, "wall.live", at=clock(view.as_of, view.zone, seconds=True))
    return Live(state="live", text=text, tip=translate(language, "wall.live_tip", at=full))


def _is_silent(view: View) -> bool:
    """Whether no source that should deliver has done so within its contract's limit."""
    return all(source.state in ("stale", "once") for source in view.freshness())


def _sources(view: View) -> tuple[Source, ...]:
    """One entry a system: of the sources that share a first word (`crm_returns`, `crm_complaints`) the oldest speaks for all."""
    systems: dict[str, list[SourceFreshness]] = {}
    for source in view.freshness():
        systems.setdefault(source_name(source.source).split(" ")[0], []).append(source)
    return tuple(_system(view, name, sources) for name, sources in systems.items())


def _system(view: View, name: str, sources: list[SourceFreshness]) -> Source:
    entries = [_source(view, source) for source in sources]
    if len(entries) == 1:
        return entries[0]
    ages = [source.age_seconds for source in sources]
    oldest = entries[ages.index(max(ages))]
    return replace(oldest, name=name, tip="\n".join(entry.tip for entry in entries))


def _source(view: View, source: SourceFreshness) -> Source:
    language, name, old = view.language, source_name(source.source), age(view.language, source.age_seconds)
    keys = {"stale": "wall.source_stale", "once": "wall.source_once"}
    shown = translate(language, keys[source.state], age=old) if source.state in keys else old
    state = translate(language, f"wall.source_state.{source.state}")
    at = full_instant(source.as_of, view.zone)
    tip = translate(language, "wall.source_tip", source=name, at=at, age=old, state=state, owner=source.owner or "–")
    fault = [translate(language, "faults.source_tip", reason=source.fault)] if source.fault else []
    return Source(name=name, age=shown, state=source.state, tip="\n".join((tip, *fault)))


def read_tallies(view: View, states: Sequence[tuple[str, State]]) -> tuple[Tally, ...]:
    """How many of the page's figures are beyond their limits; nothing where a page has none. Alerts have their own strip."""
    if not states:
        return ()
    return tuple(
        _tally(view.language, state, [name for name, found in states if found == state]) for state in ("critical", "warning")
    )


def _tally(language: str, state: str, names: list[str]) -> Tally:
    word = translate(language, f"wall.{state}")
    listed = "\n".join(names) or translate(language, "wall.tally_none")
    tip = translate(language, "wall.tally_tip", state=word, names=listed)
    return Tally(state="critical" if state == "critical" else "warning", number=len(names), word=word, tip=tip)


def _marks(view: View) -> tuple[Mark, ...]:
    """Today's promotion or holiday, the shift at as-of, and the cut-off."""
    language, calendar = view.language, view.targets.at(view.as_of, view.zone).calendar
    local = view.as_of.astimezone(view.zone)
    marks = [
        Mark(text=day.name, tip=translate(language, "wall.promotion_tip", name=day.name))
        for day in calendar.promotions
        if day.start <= local.date() <= day.end
    ]
    if local.date() in calendar.holidays:
        return (*marks, Mark(text=translate(language, "wall.holiday"), tip=translate(language, "wall.holiday_tip")))
    tips = [
        _shift_tip(language, shift.name, f"{shift.start:%H:%M}", f"{shift.end:%H:%M}" if shift.end else "24:00")
        for shift in calendar.shifts
    ]
    cut_off = f"{calendar.cut_off:%H:%M}"
    tip = "\n".join((translate(language, "wall.cut_off_tip", at=cut_off), *tips))
    return (*marks, Mark(text=translate(language, "wall.cut_off", at=cut_off), tip=tip))


def _shift_tip(language: str, name: str, start: str, end: str) -> str:
    return translate(language, "wall.shift_tip", name=shift_name(language, name), start=start, end=end)


def read_filters(view: View) -> Filters:
    """The window, the as-of and the global filters as the top bar offers them, with what is chosen."""
    return view.share(_read_filters)


def _read_filters(view: View) -> Filters:
    language, window = view.language, view.address.window
    codes = WINDOWS if window in WINDOWS else (*WINDOWS, window)
    as_of = view.address.as_of
    local = as_of.astimezone(view.zone).strftime("%Y-%m-%dT%H:%M") if as_of else ""
    active = len(view.address.filters) + (window != WINDOWS[0]) + (as_of is not None)
    return Filters(
        window_name=translate(language, "wall.window"),
        windows=tuple(Option(code=code, name=window_name(language, code, view.zone), is_on=code == window) for code in codes),
        as_of=AsOf(name=translate(language, "wall.as_of"), live=translate(language, "wall.as_of_live"), value=local),
        groups=_groups(view),
        active=str(active) if active else "",
    )


def _groups(view: View) -> tuple[FilterGroup, ...]:
    """What can be chosen: the values with orders in the last two weeks, within the user's scope, and those already chosen."""
    lately = Window.last(timedelta(days=14), view.as_of)
    rows = view.run(Query(metrics=("order_count",), by=GLOBAL_FILTERS, window=lately)).to_dicts()
    return tuple(_group(view, dimension, {row[dimension] for row in rows if row["order_count"]}) for dimension in GLOBAL_FILTERS)


def _group(view: View, dimension: str, codes_known: Set[str | None]) -> FilterGroup:
    chosen = next((filter_.values for filter_ in view.filters if filter_.dimension == dimension), ())
    found = codes_known | set(chosen)
    codes = [*codes_in_order(dimension, list(found)), *([None] if None in found else [])]
    options = tuple(
        Option(code=UNKNOWN if code is None else code, name=name_of(view.language, dimension, code), is_on=code in chosen)
        for code in codes
    )
    return FilterGroup(code=dimension, name=translate(view.language, f"wall.group.{dimension}"), options=options)
