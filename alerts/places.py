"""Whom an alert concerns: the regions its figure is made of. An alert outside a user's regions does not exist for them."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.rule import Rule
from data.places import region_of
from queries.scope import Scope


def regions_of(rule: Rule, scope: Scope, labels: Mapping[str, str | None]) -> frozenset[str] | None:
    """The regions that the figure of one group is made of; None when it may be made of any."""
    if labels.get("region"):
        return frozenset({str(labels["region"])})
    if labels.get("province"):
        return _of_provinces([labels["province"]])
    for item in rule.filters:
        if item.dimension == "region" and None not in item.values:
            return frozenset(str(value) for value in item.values)
        if item.dimension == "province" and None not in item.values:
            return _of_provinces(item.values)
    if (named := _of_order_rule(rule)) is not None:
        return named
    return None if scope.everything else frozenset(scope.regions)


def _of_order_rule(rule: Rule) -> frozenset[str] | None:
    """The regions that a rule about single orders names, where every order it means lies in them."""
    if rule.order is None or rule.order.pick.join != "all":
        return None
    for test in rule.order.pick.tests:
        if test.op == "in" and test.field == "region":
            return frozenset(test.values)
        if test.op == "in" and test.field == "province":
            return _of_provinces(test.values)
    return None


def _of_provinces(codes: object) -> frozenset[str] | None:
    found = [region_of(code) for code in codes]  # type: ignore[attr-defined]
    return None if None in found else frozenset(str(region) for region in found)


def is_visible(regions: frozenset[str] | None, scope: Scope) -> bool:
    """Whether somebody with this scope may know of a figure made of these regions."""
    return scope.everything or (regions is not None and bool(regions) and regions <= set(scope.regions))
