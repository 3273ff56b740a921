"""Confirming an order in a review, and taking that back: the order is looked up inside the user's scope first."""

from __future__ import annotations

from typing import Final, Literal

from access.user import PreviewError
from access.view import View
from access.work_change import WorkError, note_denied
from access.work_item import Key
from access.worklist import is_looking_back, read_row
from alerts.review import Review, ReviewError, confirm, withdraw
from components.worklist import Said
from i18n import translate

ReviewVerb = Literal["confirm", "withdraw"]
REVIEW_VERBS: Final[tuple[ReviewVerb, ...]] = ("confirm", "withdraw")


def do_review(view: View, verb: ReviewVerb, key: Key, rule: str, number: int) -> Said:
    """Do it; the sentence to say."""
    try:
        review = _do(view, verb, key, rule)
    except ReviewError as error:
        text = translate(view.language, f"review.error.{error.reason}")
        return Said(text=text, is_refusal=True, key="/".join(key), number=number)
    except WorkError as error:
        return Said(text=error.sentence(view.language), is_refusal=True, number=number)
    done = "confirmed" if verb == "confirm" else "withdrawn"
    counts = {"n": len(review.confirmed_by), "needed": review.needed}
    return Said(text=translate(view.language, f"review.said.{done}", order=key[1], **counts), key="/".join(key), number=number)


def _do(view: View, verb: ReviewVerb, key: Key, rule: str) -> Review:
    if view.store is None or is_looking_back(view):
        raise WorkError("past_view")
    try:
        by = view.by()
    except PreviewError:
        raise WorkError("preview") from None
    if read_row(view, key) is None:
        note_denied(view.store, key, by=by)
        raise WorkError("not_found", order=key[1][:40])
    act = confirm if verb == "confirm" else withdraw
    return act(view.store, rule, key, by.audited, view.scope, now=view.now)
