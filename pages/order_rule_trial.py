"""What a rule about single orders means: how many orders match now, and how many would have on the last days."""

from __future__ import annotations

from collections.abc import Sequence

from access.view import View
from alerts.lifecycle import Entry
from alerts.lint import today_in
from alerts.order_trial import OrderTrial, trial_from
from alerts.rule import Rule
from components.alerts import Fact, Stretch
from components.format import count
from components.rules import Lane, TrialView
from i18n import translate
from pages.links import link
from queries.listing import Listing
from queries.order_fields import write_pick
from queries.order_match import Asked, build_daily
from queries.query import Filter
from queries.scope import Scope


def read_preview(view: View, rule: Rule, entry: Entry | None) -> tuple[str, str]:
    """How many open orders match now within the reader's regions and the rule's, and where they are listed."""
    assert rule.order is not None
    scope = entry.scope if entry else Scope.ALL
    regions = () if scope.everything else (Filter("region", scope.regions),)
    number = view.count_orders(Listing(population="open", matching=rule.order.pick, where=regions))
    filters: dict[str, Sequence[str | None] | None] = {filter_.dimension: None for filter_ in view.address.filters}
    filters |= {"region": scope.regions} if regions else {}
    where = link(view, "/orders", **filters, window="all", population="open", match=write_pick(rule.order.pick))
    return translate(view.language, "order_rule.now", n=count(view.language, number)), where


def try_order_rule(view: View, rule: Rule, entry: Entry | None, days: int) -> OrderTrial:
    """How many orders would have matched on each of the last days. Raises QueryError."""
    assert rule.order is not None
    asked = Asked(pick=rule.order.pick, scope=entry.scope if entry else Scope.ALL)
    rows = view.ask(build_daily(asked, view.moment(), days=days)).to_dicts()
    return trial_from(rows, until=today_in(view.zone, view.as_of), days=days)


def read_order_trial(view: View, trial: OrderTrial) -> TrialView:
    """A trial as it is shown: a bar for each day."""
    language = view.language
    most = max((day.matched for day in trial.days), default=0)
    lanes = tuple(
        Lane(
            name=f"{day.on:%m-%d}",
            figure=count(language, day.matched),
            stretches=(
                Stretch(
                    start=0.0,
                    end=day.matched / most,
                    tone="warning",
                    tip=translate(
                        language, "order_rule.trial.day", n=count(language, day.matched), fresh=count(language, day.fresh)
                    ),
                ),
            )
            if day.matched
            else (),
        )
        for day in reversed(trial.days)
    )
    facts = (("now", count(language, trial.now)), ("most", count(language, most)), ("fresh", f"{trial.fresh_a_day:.1f}"))
    return TrialView(
        title=translate(language, "rules.trial.title", days=len(trial.days)),
        note=translate(language, "rules.trial.hindsight"),
        facts=tuple(Fact(name=translate(language, f"order_rule.trial.{name}"), text=text) for name, text in facts),
        lanes=lanes,
        lanes_title=translate(language, "order_rule.trial.lanes"),
        axis=("0", count(language, most)),
        empty="" if most else translate(language, "order_rule.trial.none"),
    )
