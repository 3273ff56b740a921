"""What is done below the rules: a test message, bounds of headquarters, mandatory rules; what came of it, in a sentence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from access.targets_draft import Figure
from access.view import View
from alerts.bounds import rules_outside, set_bound, set_mandatory
from alerts.delivery import Delivery
from alerts.receiver_trial import line_of, try_receiver
from alerts.rule import RuleError
from components.register import Outcome
from i18n import translate
from pages.delivery_words import answer_words
from pages.figures import metric_name
from pages.register_act import act_on_register, done
from pages.rule_receivers import ACTIONS, act_on_receiver
from pages.rule_refusal import explain
from pages.rule_sight import my_entries, newest_rule
from pages.targets_form import ValueRefused, read_value, seconds_of
from queries.metrics import METRICS

REGISTER: Final = "rules.house"
OUTCOME: Final = "rules.house.outcome"


def act(view: View) -> None:
    """Do what was asked; runs before the page does, and leaves what became of it for the page to show."""
    act_on_register(view, REGISTER, OUTCOME, _do, {RuleError: explain})


def _do(view: View, action: str, key: str, values: Mapping[str, Any]) -> Outcome | None:
    if view.store is None:
        return None
    if action == "test":
        return _test(view, key)
    if view.user.role != "admin":
        raise RuleError("bounds are the administrator's: ask one")
    if action in ACTIONS:
        return done(act_on_receiver(view, action, key, values))
    if action == "lift":
        set_bound(view.store, key, None, view.by().audited, now=view.now)
        return Outcome(text=translate(view.language, "rules.house.did.lifted", metric=metric_name(view.language, key)))
    if action == "bound":
        return Outcome(text=_bound(view, values))
    return Outcome(text=_mandatory(view, values)) if action == "mandatory" else None


def _test(view: View, name: str) -> Outcome | None:
    if view.store is None:
        return None
    line = line_of(view.reading.settings, os.environ, view.now)
    delivery = try_receiver(view.store, name, view.by().audited, view.user.role, line)
    return told(view.language, name, delivery)


def told(language: str, name: str, delivery: Delivery) -> Outcome:
    """What a receiver answered to a test, in a sentence."""
    key = f"rules.house.test.{delivery.outcome}"
    text = translate(language, key, name=name, answer=answer_words(language, delivery.detail))
    return Outcome(text=text, state="good" if delivery.outcome == "sent" else "critical")


def _bound(view: View, values: Mapping[str, Any]) -> str:
    metric, store = str(values.get("metric", "")), view.store
    if store is None or metric not in METRICS:
        raise RuleError(f"there is no metric {metric!r}")
    least, most = (_limit(view.language, metric, str(values.get(name, ""))) for name in ("least", "most"))
    if least is None and most is None:
        raise ValueRefused(translate(view.language, "rules.house.no_bound"))
    set_bound(store, metric, (least, most), view.by().audited, now=view.now)
    outside = rules_outside(store, metric, (least, most))
    text = translate(view.language, "rules.house.did.bound", metric=metric_name(view.language, metric))
    if not outside:
        return text
    joiner = translate(view.language, "marks.joiner")
    names = joiner.join(rule.title_in(view.language) for rule in outside)
    return f"{text} {translate(view.language, 'rules.house.did.outside', n=len(outside), names=names)}"


def _limit(language: str, metric: str, text: str) -> float | None:
    """A bound in the metric's unit, written as targets are."""
    if not text.strip():
        return None
    value = read_value(language, Figure(kind="target", name=metric), text)
    return seconds_of(value) if isinstance(value, str) else float(value)


def _mandatory(view: View, values: Mapping[str, Any]) -> str:
    name, wanted = str(values.get("rule", "")), str(values.get("state", "")) == "yes"
    reason = str(values.get("reason", ""))
    if view.store is not None:
        set_mandatory(view.store, name, view.by().audited, is_mandatory=wanted, reason=reason, now=view.now)
    return translate(view.language, f"rules.house.did.{'mandatory' if wanted else 'voluntary'}", name=title_of_rule(view, name))


def title_of_rule(view: View, name: str) -> str:
    """The title of a rule that the user knows of; its name where they do not."""
    entry = next((one for one in my_entries(view) if one.name == name), None)
    rule = newest_rule(view, entry) if entry else None
    return rule.title_in(view.language) if rule else name
