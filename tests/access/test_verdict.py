"""Every verdict has its rule; the table of disclosure covers every field there is."""

from __future__ import annotations

import itertools

import pytest

from access.disclosure import FIELD_TIERS, NATIONAL, ROLE_TIERS, SMALLEST_GROUP, TIERS, fields_for, may_see
from access.user import EVERY_REGION, ROLES, User
from access.verdict import explain_field, explain_order, explain_page, explain_province, explain_region
from data.lake import lake_tables
from data.order import COMPLAINT_COLUMNS, EVENT_COLUMNS, ORDER_COLUMNS, RETURN_COLUMNS
from i18n import LANGUAGES
from queries.listing_columns import LISTING_COLUMNS
from shell.journey import SHOWN

MANAGER = User(name="m", display_name="M", role="manager")
EAST = User(name="e", display_name="E", role="lead", regions=("CN-EAST",))
PART = User(name="p", display_name="P", role="analyst", regions=("CN-EAST",))
WHOLE = User(name="w", display_name="W", role="analyst", regions=(EVERY_REGION,))
NOBODY = User(name="n", display_name="N", role="analyst")
GONE = User(name="g", display_name="G", role="admin", is_disabled=True)


@pytest.mark.parametrize(
    ("user", "region", "is_allowed", "rule"),
    [
        (MANAGER, "CN-SOUTH", True, "everything"),
        (MANAGER, None, True, "everything"),
        (WHOLE, "CN-SOUTH", True, "everything_by_grant"),
        (EAST, "CN-EAST", True, "region_yes"),
        (EAST, "CN-SOUTH", False, "region_no"),
        (EAST, None, False, "region_unknown"),
        (PART, "CN-SOUTH", False, "region_no"),
        (NOBODY, "CN-EAST", False, "no_regions"),
        (GONE, "CN-EAST", False, "disabled"),
    ],
)
def test_region_is_decided_by_one_rule(user: User, region: str | None, is_allowed: bool, rule: str) -> None:
    verdict = explain_region(user, region)
    assert (verdict.is_allowed, verdict.rule) == (is_allowed, rule)
    for language in LANGUAGES:
        assert "{" not in verdict.text(language)
        assert not verdict.text(language).startswith("access.rule")


def test_province_is_decided_by_its_region() -> None:
    assert explain_province(EAST, "CN-SH").is_allowed
    assert explain_province(EAST, "CN-GD").rule == "region_no"


def test_page_is_decided_by_the_role() -> None:
    assert explain_page(EAST, ("admin",)).rule == "page_no"
    assert explain_page(EAST, ("admin", "lead")).is_allowed
    assert explain_page(GONE, ("admin",)).rule == "disabled"


def test_order_is_decided_by_where_it_goes() -> None:
    assert explain_order(EAST, "CN-EAST", is_found=True).is_allowed
    assert explain_order(EAST, "CN-SOUTH", is_found=True).rule == "region_no"
    assert explain_order(EAST, None, is_found=False).rule == "order_unknown"


def test_every_field_of_every_table_of_orders_has_a_circle() -> None:
    tables = [columns for table, columns in lake_tables().items() if table.startswith("order")]
    columns = {name for table in tables for name in table}
    columns |= {column.name for kind in (ORDER_COLUMNS, RETURN_COLUMNS, COMPLAINT_COLUMNS, EVENT_COLUMNS) for column in kind}
    assert columns == set(FIELD_TIERS)


def test_circles_lie_inside_each_other() -> None:
    seen = [fields_for(tier) for tier in TIERS]
    assert all(inner < outer for inner, outer in itertools.pairwise(seen))
    assert seen[-1] == set(FIELD_TIERS)


@pytest.mark.parametrize("field", ["amount", "freight_cost", "actor", "latitude", "masked", "sealed", "warehouse_id"])
def test_customer_is_not_told_of_money_people_or_places_of_work(field: str) -> None:
    assert not may_see("customer", field)


def test_what_is_shown_keeps_to_its_circle() -> None:
    """A customer's page and a lead's lists name fields of their own circle only."""
    assert [name for name in SHOWN if not may_see("customer", f"{name}_at")] == []
    columns = set(LISTING_COLUMNS) & set(FIELD_TIERS)
    assert len(columns) > 10
    assert [name for name in sorted(columns) if not may_see("region", name)] == []


@pytest.mark.parametrize("field", ["sealed", "key_id", "search"])
def test_what_opens_an_original_is_not_a_leads(field: str) -> None:
    assert not explain_field(EAST, field).is_allowed
    assert explain_field(EAST, "amount").is_allowed


def test_field_nobody_listed_is_nobodys() -> None:
    assert not may_see("headquarters", "new_column")


def test_every_role_has_a_circle_and_leads_see_no_national_figure() -> None:
    assert set(ROLE_TIERS) == set(ROLES)
    assert NATIONAL == ()
    assert SMALLEST_GROUP == 5
