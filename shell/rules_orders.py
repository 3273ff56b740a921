"""`python cli.py rules backtest` for a rule about single orders: how many would have matched at the end of each day."""

from __future__ import annotations

from access.reading import Reading
from alerts.lint import today_in
from alerts.order_trial import OrderTrial, trial_from
from alerts.rule import Rule, RuleError
from config import Settings
from data.active import targets_in_force
from queries.listing import Moment
from queries.order_match import Asked, build_daily
from queries.run import run
from queries.scope import Scope


def try_orders(reading: Reading, settings: Settings, rule: Rule, scope: Scope, days: int) -> OrderTrial:
    """The trial up to the newest snapshot. Raises RuleError where there is none, QueryError, RunError."""
    ledger, lake = reading.ledger(), reading.lake()
    if ledger.as_of is None or rule.order is None:
        raise RuleError("there is no snapshot: take in a file first")
    moment = Moment(
        scope=scope,
        version=ledger.version,
        as_of=ledger.as_of,
        zone=settings.zone,
        targets=targets_in_force(settings)[0],
        newest=lake.newest_milestone(ledger.version),
    )
    rows = run(lake, build_daily(Asked(pick=rule.order.pick, scope=scope), moment, days=days)).to_dicts()
    return trial_from(rows, until=today_in(settings.zone, ledger.as_of), days=days)


def trial_lines(rule: Rule, trial: OrderTrial) -> list[str]:
    """The trial, a line for each day."""
    head = f"{rule.name}: {trial.now:,} orders match now, {trial.fresh_a_day:.1f} new ones a day"
    return [head, *(f"  {day.on.isoformat()}  {day.matched:>8,}  new {day.fresh:,}" for day in trial.days)]
