"""The review queue on the work list: which orders wait, as rows of the list, and what the panel says of each review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from access.view import View
from access.work_item import Key, WorkItem, items_at
from access.worklist import COLUMNS, WorkRow, is_looking_back, look_up
from alerts.order_live import live_order_rules
from alerts.review import Review, read_queue, read_reviews
from alerts.rule import Rule
from components.format import when
from components.worklist import Job, ReviewLine, Tone
from i18n import translate
from pages.alert_rows import reader_of
from pages.worklist_job import Names
from queries.listing import MOST_AMONG, Listing

REVIEW = "review"
TONES: dict[str | None, Tone] = {"critical": "critical", "warning": "warning", None: "neutral"}


def read_review_rows(view: View) -> list[WorkRow]:
    """The orders of the queues that the lake shows inside the view's scope and filters: waiting ones first, the oldest first."""
    if view.store is None or is_looking_back(view):
        return []
    queue = sorted(read_queue(view.store, reader_of(view)), key=lambda review: review.state == "confirmed")
    keys = list(dict.fromkeys(review.key for review in queue))[:MOST_AMONG]
    if not keys:
        return []
    listing = Listing(population="open", where=view.filters, columns=COLUMNS, limit=len(keys), among=tuple(keys))
    rows = {(row["channel"], row["order_id"]): row for row in view.list_orders(listing).to_dicts()}
    at_risk = look_up(view, keys, "at_risk")
    items = items_at(view.store, [key for key in keys if key in rows], None)
    found = []
    for key in (key for key in keys if key in rows):
        trouble = "late" if rows[key]["late_by_seconds"] is not None else "at_risk" if key in at_risk else None
        item = items.get(key) or WorkItem(channel=key[0], order_id=key[1])
        found.append(WorkRow(row=rows[key], trouble=trouble, item=item))  # type: ignore[arg-type]
    return found


def count_waiting(view: View, rows: Sequence[WorkRow]) -> int:
    """How many of these orders wait for somebody's confirmation."""
    return sum(any(review.state == "waiting" for review in one) for one in reviews_of(view, [row.key for row in rows]).values())


def reviews_of(view: View, keys: Sequence[Key]) -> dict[Key, list[Review]]:
    """The reviews of these orders that the user may know of."""
    if view.store is None or is_looking_back(view):
        return {}
    return read_reviews(view.store, reader_of(view), list(keys))


def rules_by_name(view: View) -> dict[str, Rule]:
    """The live rules about single orders that the user may know of."""
    return {one.rule.name: one.rule for one in live_order_rules(view.store, reader_of(view))} if view.store is not None else {}


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the words of a review are made of: the people, and the live rules by name."""

    names: Names
    rules: Mapping[str, Rule]


def with_reviews(view: View, job: Job, reviews: Sequence[Review], known: Known, *, is_tab: bool) -> Job:
    """The job with its reviews in the panel; in the queue's own tab its row says how far they are."""
    lines = tuple(_line(view, review, known.rules.get(review.rule), known.names) for review in reviews)
    job = replace(job, reviews=lines)
    if not is_tab or not lines:
        return job
    waiting = next((line for line in lines if line.is_open), lines[0])
    worst = min(
        (line.tone for line in lines if line.is_open), key=("critical", "warning", "neutral", "good").index, default=job.tone
    )
    text = f"{waiting.state} · {waiting.title}"
    if job.tone != "good":
        return replace(job, remark=text)
    return replace(
        job, remark=text, tone=worst, trouble=waiting.title, lateness=translate(view.language, "review.calm"), is_calm=True
    )


def _line(view: View, review: Review, rule: Rule | None, names: Names) -> ReviewLine:
    language, who = view.language, review.confirmed_by
    at = when(language, review.entered_at if review.is_open else review.left_at, view.now, view.zone)
    since = translate(language, "review.waits_since" if review.is_open else "review.left", at=at)
    by = translate(language, "review.by", names=translate(language, "rule_words.comma").join(names.of(one) for one in who))
    can_act = not view.is_preview and review.is_open
    return ReviewLine(
        rule=review.rule,
        title=rule.title_in(language) if rule else review.rule,
        advice=dict(rule.text).get(language, "") if rule else "",
        tone=TONES[rule.order.severity if rule and rule.order else None],
        state=translate(language, "review.confirmed")
        if review.state == "confirmed"
        else translate(language, "review.state", n=len(who), needed=review.needed),
        about=" · ".join([since, *([by] if who else [])]),
        is_open=review.is_open,
        can_confirm=can_act and review.state == "waiting" and view.user.name not in who,
        can_withdraw=can_act and view.user.name in who,
    )
