"""Why someone does or does not see something: the verdict and the rule that gave it, without telling what lies elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from access.disclosure import ROLE_TIERS, may_see
from access.user import EVERY_REGION, User, scope_of
from data.places import region_of
from i18n import label, translate


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether it may be seen, and which rule says so: a key under `access.rule` with its values."""

    is_allowed: bool
    rule: str
    values: dict[str, str] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """The rule as a sentence, roles, regions and circles by their names."""
        told = {name: _told(language, name, value) for name, value in self.values.items()}
        return translate(language, f"access.rule.{self.rule}", **told)


def _told(language: str, name: str, value: str) -> str:
    joiner = "、" if language == "zh-CN" else ", "
    codes = value.split(", ")
    if name in ("role", "roles"):
        return joiner.join(translate(language, f"access.role_{code}") for code in codes)
    if name in ("region", "regions"):
        return joiner.join(label(language, "region_code", code) for code in codes)
    return translate(language, f"access.tier.{value}") if name == "tier" else value


def explain_page(user: User, roles: tuple[str, ...]) -> Verdict:
    """Whether a user may open a page that is for these roles."""
    if user.is_disabled:
        return Verdict(is_allowed=False, rule="disabled", values={"name": user.name})
    rule = "page_yes" if user.role in roles else "page_no"
    return Verdict(is_allowed=user.role in roles, rule=rule, values={"role": user.role, "roles": ", ".join(roles)})


def explain_region(user: User, region: str | None) -> Verdict:
    """Whether a user sees orders whose destination lies in a region (None: its region is unknown)."""
    if user.is_disabled:
        return Verdict(is_allowed=False, rule="disabled", values={"name": user.name})
    scope = scope_of(user)
    values = {"role": user.role, "region": region or "–", "regions": ", ".join(scope.regions) or "–"}
    if scope.everything:
        return Verdict(
            is_allowed=True, rule="everything_by_grant" if EVERY_REGION in user.regions else "everything", values=values
        )
    if not scope.regions:
        return Verdict(is_allowed=False, rule="no_regions", values=values)
    if region is None:
        return Verdict(is_allowed=False, rule="region_unknown", values=values)
    return Verdict(
        is_allowed=region in scope.regions, rule="region_yes" if region in scope.regions else "region_no", values=values
    )


def explain_province(user: User, province: str) -> Verdict:
    """The same for a province, whose region is known without looking at any order."""
    return explain_region(user, region_of(province))


def explain_field(user: User, name: str) -> Verdict:
    """Whether a user may be told a field of an order inside the scope."""
    tier = ROLE_TIERS[user.role]
    allowed = may_see(tier, name) and not user.is_disabled
    return Verdict(is_allowed=allowed, rule="field_yes" if allowed else "field_no", values={"field": name, "tier": tier})


def explain_order(user: User, region: str | None, *, is_found: bool) -> Verdict:
    """For an administrator's eyes only: why a user does or does not see one order, by where it goes.

    To the user the answer for an order elsewhere and for one that does not exist is the same: not found.
    """
    if not is_found:
        return Verdict(is_allowed=False, rule="order_unknown")
    return explain_region(user, region)
