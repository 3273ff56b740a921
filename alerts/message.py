"""What a message says: the rule's title, each place with its figure against the limit and since when, in the receiver's language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from alerts.conditions import Constant, Level, PeriodBefore
from alerts.delivery import Post
from alerts.rule import Rule
from i18n import translate
from queries.metrics import METRICS
from queries.value_name import value_name

PLACEHOLDER: Final = re.compile(r"\{(place|value|limit|since|level|rule)\}")
MOST_LINES: Final = 20
MOST_ORDERS: Final = 10


class Words(Protocol):
    """How figures and instants read; given by whoever composes the parts."""

    def figure(self, language: str, unit: str, value: float | None) -> str:
        """A figure in its unit."""

    def instant(self, language: str, at: datetime | None) -> str:
        """An instant in the business zone."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing to be told: a row of the outbox with its transition."""

    message: str
    labels: Mapping[str, str | None]
    level: Level | None
    value: float | None
    episode_at: datetime | None
    at: datetime
    is_restated: bool = False
    transition_id: int = 0
    orders: tuple[tuple[str, str], ...] = ()


def place_of(labels: Mapping[str, str | None], language: str) -> str:
    """The names of a group's values; empty for the one instance of a rule without groups."""
    return " · ".join(value_name(language, name, value) for name, value in labels.items())


def limit_text(rule: Rule, labels: Mapping[str, str | None], level: Level | None, language: str, words: Words) -> str:
    """The limit that counts, with its operator: `> 8.0%`; several conditions are joined by their word."""
    group = "/".join("?" if value is None else value for value in labels.values())
    joiner = translate(language, f"alerts.join_{rule.join}")
    parts = []
    for condition in rule.conditions:
        threshold = condition.threshold_of(group)
        value = threshold.start(level or "warning")
        value = value if value is not None else threshold.start("critical")
        value = value if value is not None else threshold.warning
        if isinstance(condition.compare, Constant):
            text = words.figure(language, METRICS[condition.metric].unit, value) if condition.metric in METRICS else f"{value:g}"
            parts.append(f"{condition.op} {text}")
        else:
            unit = "%" if isinstance(condition.compare, PeriodBefore) and condition.compare.by == "percent" else ""
            text = translate(language, f"alerts.against_{condition.compare.name}", value=f"{value:+g}{unit}".replace("-", "−"))
            parts.append(f"{condition.op} {text}")
    return joiner.join(parts)


def line_of(rule: Rule, item: Item, language: str, words: Words) -> str:
    """One line of a message."""
    values = {
        "place": place_of(item.labels, language) or translate(language, "alerts.everywhere"),
        "value": words.figure(language, _unit(rule), item.value),
        "limit": limit_text(rule, item.labels, item.level, language, words),
        "since": words.instant(language, item.episode_at or item.at),
        "level": translate(language, f"alerts.level_{item.level}") if item.level else "",
        "rule": rule.title_in(language),
    }
    text = translate(language, f"alerts.message_{item.message}", **values)
    own = dict(rule.text).get(language)
    if item.orders:
        text += " " + _orders_text(item.orders, language)
    if own and item.message in ("firing", "escalate", "matched"):
        text += " " + PLACEHOLDER.sub(lambda match: values[match[1]], own)
    return text + (f" ({translate(language, 'alerts.restated')})" if item.is_restated else "")


def _orders_text(orders: Sequence[tuple[str, str]], language: str) -> str:
    names = ", ".join(order_id for _, order_id in orders[:MOST_ORDERS])
    rest = len(orders) - MOST_ORDERS
    return names + (" " + translate(language, "alerts.more_orders", n=rest) if rest > 0 else "")


def _unit(rule: Rule) -> str:
    if rule.order is not None:
        return "count"
    metric = rule.conditions[0].metric if rule.conditions else ""
    return METRICS[metric].unit if metric in METRICS else "ratio"


def compose_post(rule: Rule, items: Sequence[Item], post_id: str, language: str, words: Words) -> Post:
    """One message for everything of one rule that a receiver is to hear now."""
    worst = (
        "critical"
        if any(item.level == "critical" for item in items)
        else next((item.level for item in items if item.level), None)
    )
    mark = translate(language, f"alerts.level_{worst}") if worst else translate(language, f"alerts.title_{items[-1].message}")
    lines = [line_of(rule, item, language, words) for item in items[:MOST_LINES]]
    if len(items) > MOST_LINES:
        lines.append(translate(language, "alerts.more", n=len(items) - MOST_LINES))
    if rule.runbook:
        lines.append(translate(language, "alerts.runbook", link=rule.runbook))
    title = f"[{mark}] {rule.title_in(language)}"
    return Post(id=post_id, title=title, lines=tuple(lines), payload=_payload(rule, items))


def _payload(rule: Rule, items: Sequence[Item]) -> dict[str, Any]:
    """What a machine reads: names and numbers, nothing formatted."""
    alerts = [
        {
            "message": item.message,
            "labels": dict(item.labels),
            "level": item.level,
            "value": item.value,
            "since": None if item.episode_at is None else item.episode_at.isoformat(),
            "at": item.at.isoformat(),
            "restated": item.is_restated,
            "transition": item.transition_id,
        }
        | ({"orders": [{"channel": channel, "order_id": name} for channel, name in item.orders]} if item.orders else {})
        for item in items
    ]
    return {"type": "alerts", "rule": rule.name, "alerts": alerts}
