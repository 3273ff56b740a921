"""What is there to do in my area, who does it, and what was said about it? The work list (待办)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Literal

import streamlit as st

from access.view import View
from access.work_change import LONGEST_NOTE
from access.worklist import METRIC_OF, TABS, Tab, Worklist, WorkRow, is_looking_back, read_row, read_worklist
from components.format import count
from components.worklist import Job, Said, WorkBoard, draw_worklist
from components.worklist import Tab as TabButton
from i18n import translate
from pages.address import take_choice
from pages.frame import draw_frame, watch
from pages.links import link
from pages.lost import LONGEST, unknown_words
from pages.panel import figure_link
from pages.review_rows import REVIEW, Known, count_waiting, read_review_rows, reviews_of, rules_by_name, with_reviews
from pages.worklist_act import asked_key, hear, keep_act
from pages.worklist_choices import follow_up_choices, people_of, place_choices, state_choices
from pages.worklist_job import Names, read_job

BOARD: Final = "worklist.board"
PAGE_SIZE: Final = 60
MOST: Final = 600
WORDS: Final = (
    "panel", "choose", "tabs", "handover", "due", "assignee", "nobody", "take", "state", "follow_up", "follow_up_at", "set",
    "clear", "notes", "note", "note_hint", "add_note", "history", "undo", "close",
)  # fmt: skip
COLUMNS: Final = ("order", "place", "lateness", "stage", "assignee", "follow_up")


def render(view: View) -> None:
    """Do what was asked on this page, then draw the list for this view, and watch for the next snapshot."""
    with st.container(key="worklist", gap=None):
        said, key = hear(view, BOARD)
        board = read_board(view, tab_of(st.query_params.get("tab")), shown_of(st.query_params.get("shown")), key, said)
        unknown = unknown_words({"tab": st.query_params.get_all("tab")}, {"tab": (*TABS, REVIEW)})
        if (item := st.query_params.get("item")) and asked_key(item) is None:
            unknown = (*unknown, f"item={item[:LONGEST]}")
        draw_frame(view, "pages.worklist", country=None, states=(), unknown=unknown)
        draw_worklist(board, key=BOARD, on_choice=partial(take, BOARD))
        watch(view)


def prepare(view: View, parameters: Mapping[str, Sequence[str]]) -> None:
    """Ask everything that `render` will ask for this view, so that it finds the answers ready."""
    tab, shown = ((parameters.get(name) or ("",))[-1] for name in ("tab", "shown"))
    read_tab(view, tab_of(tab), shown_of(shown), read_review_rows(view))


def take(component: str) -> None:
    """Put a choice into the address and keep an act for the run that follows."""
    take_choice(component)
    keep_act(component)


def tab_of(asked: str | None) -> Tab | Literal["review"]:
    """The tab as the address asks for it, the first one where it asks for none that there is."""
    return "review" if asked == REVIEW else next((tab for tab in TABS if tab == asked), TABS[0])


def shown_of(asked: str | None) -> int:
    """How many rows to show: those already there, and a page more."""
    there = int(asked) if asked and asked.isdecimal() and len(asked) < 5 else 0
    return min(there, MOST - PAGE_SIZE) + PAGE_SIZE


def read_tab(view: View, tab: Tab | Literal["review"], shown: int, reviewed: Sequence[WorkRow]) -> Worklist:
    """What a tab shows; `reviewed` are the orders in the review queue."""
    if tab != "review":
        return read_worklist(view, tab, shown=shown)
    found = read_worklist(view, "all", shown=0)
    return replace(found, rows=tuple(reviewed[:shown]), has_more=len(reviewed) > shown)


def read_board(view: View, tab: Tab | Literal["review"], shown: int, key: tuple[str, str] | None, said: Said | None) -> WorkBoard:
    """Everything the page shows; `key` is the order in the panel."""
    language, reviewed = view.language, read_review_rows(view)
    found, is_review = read_tab(view, tab, shown, reviewed), tab == REVIEW
    chosen = _chosen(view, found, key)
    names = Names(view)
    rows = [*found.rows, *([chosen] if chosen else [])]
    reviews = reviews_of(view, [row.key for row in rows])
    known = Known(names=names, rules=rules_by_name(view) if reviews else {})

    def job_of(row: WorkRow) -> Job:
        return with_reviews(view, read_job(view, row, names), reviews.get(row.key, ()), known, is_tab=is_review)

    tabs = [_tab(view, code, found.counts[code], is_on=code == tab) for code in TABS]
    waiting, words = count_waiting(view, reviewed), {"review": translate(language, "review.panel")}
    tabs.insert(
        3, TabButton(code=REVIEW, name=translate(language, "review.tab"), count=count(language, waiting), is_on=is_review)
    )
    words |= {name: translate(language, f"review.word.{name}") for name in ("confirm", "withdraw")}
    total = len(reviewed) if tab == "review" else found.counts[tab]
    return WorkBoard(
        language=language,
        title=translate(language, "review.list" if is_review else "worklist.list"),
        scope=translate(language, "review.sorted" if is_review else "worklist.sorted"),
        tabs=tuple(tabs),
        choices=place_choices(view, found.places),
        jobs=tuple(job_of(row) for row in found.rows),
        people=people_of(view, {row.row["region"] for row in rows}),
        states=state_choices(view),
        follow_ups=follow_up_choices(view),
        words={name: translate(language, f"worklist.word.{name}") for name in WORDS} | words | {"me": view.user.name},
        handover=link(view, "/handover"),
        definition=_definition(view, tab),
        longest_note=LONGEST_NOTE,
        can_act=not is_looking_back(view) and not view.is_preview,
        chosen=job_of(chosen) if chosen else None,
        said=said,
        empty=_empty(view, tab),
        more=translate(language, "worklist.more", n=count(language, total - shown)) if found.has_more else "",
        cannot=_why_not(view),
        columns=tuple(translate(language, f"worklist.column.{name}") for name in COLUMNS),
    )


def _definition(view: View, tab: str) -> tuple[str, str] | None:
    """What the number on the tab means, where it is a figure's."""
    return (translate(view.language, "contract.title"), figure_link(view, METRIC_OF[tab])) if tab in METRIC_OF else None


def _empty(view: View, tab: str) -> str:
    if tab != REVIEW:
        key = "filtered" if view.address.filters else tab
        return translate(view.language, f"worklist.empty.{key}")
    return translate(view.language, "review.past" if is_looking_back(view) else "review.empty")


def _why_not(view: View) -> str:
    """Why nothing can be changed here; empty where it can."""
    reason = "preview" if view.is_preview else "past_view" if is_looking_back(view) else ""
    return translate(view.language, f"worklist.error.{reason}") if reason else ""


def _chosen(view: View, found: Worklist, key: tuple[str, str] | None) -> WorkRow | None:
    if key is None:
        return None
    return next((row for row in found.rows if row.key == key), None) or read_row(view, key)


def _tab(view: View, code: Tab, number: int, *, is_on: bool) -> TabButton:
    is_urgent = number > 0 and code in ("due", "left")
    name = translate(view.language, f"worklist.tab.{code}")
    return TabButton(code=code, name=name, count=count(view.language, number), is_on=is_on, is_urgent=is_urgent)
