"""What a rule may ask of a single open order: fields by name, tests on them, and their SQL.

To add a field, add an entry and its names in i18n (`order_rule.field.*`) where it is no dimension.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args
from urllib.parse import quote, unquote

from queries.columns import WAITING_SINCE
from queries.dimensions import DIMENSIONS
from queries.metric import seconds
from queries.metrics import LATE_BY, UNDISPATCHED
from queries.query import QueryError

FieldKind = Literal["number", "seconds", "code"]
TestOp = Literal[">", ">=", "<", "<=", "in", "not_in"]
PickJoin = Literal["all", "any"]

NUMBER_OPS: Final[tuple[TestOp, ...]] = (">", ">=", "<", "<=")
CODE_OPS: Final[tuple[TestOp, ...]] = ("in", "not_in")
PICK_JOINS: Final[tuple[PickJoin, ...]] = get_args(PickJoin)
MOST_TESTS: Final = 8
MOST_VALUES: Final = 100
LONGEST_TEXT: Final = 4_000


@dataclass(frozen=True, kw_only=True)
class OrderField:
    """One thing known of an order: its SQL over a row of open orders, its kind, and the closed list of its codes."""

    name: str
    kind: FieldKind
    expression: str
    codes: tuple[str, ...] = ()

    @property
    def ops(self) -> tuple[TestOp, ...]:
        """How it can be compared."""
        return CODE_OPS if self.kind == "code" else NUMBER_OPS


def _number(name: str) -> OrderField:
    return OrderField(name=name, kind="number", expression=f"CAST({name} AS DOUBLE)")


def _length(name: str, expression: str) -> OrderField:
    return OrderField(name=name, kind="seconds", expression=expression)


def _code(name: str) -> OrderField:
    dimension = DIMENSIONS[name]
    return OrderField(name=name, kind="code", expression=dimension.expression, codes=tuple(str(code) for code in dimension.codes))


_ENTRIES: Final = (
    _number("amount"),
    _length("late_by", LATE_BY),
    _length("undispatched_for", f"CASE WHEN {UNDISPATCHED} THEN {seconds('as_of', 'created_at')} END"),
    _length("waiting_for", seconds("as_of", f"({WAITING_SINCE})")),
    _length("age", seconds("as_of", "created_at")),
    _length("due_in", f"CASE WHEN promised_at >= as_of THEN {seconds('promised_at', 'as_of')} END"),
    *(_code(name) for name in ("region", "province", "city", "channel", "business_type", "category", "customer_tier")),
    *(_code(name) for name in ("priority", "carrier", "warehouse", "stage", "status", "exception", "currency")),
    OrderField(
        name="has_exception",
        kind="code",
        expression="CASE WHEN exception_code IS NULL THEN 'no' ELSE 'yes' END",
        codes=("yes", "no"),
    ),
    _number("failed_attempt_count"),
    _number("quantity"),
    _number("line_count"),
    _number("freight_cost"),
)

ORDER_FIELDS: Final[dict[str, OrderField]] = {entry.name: entry for entry in _ENTRIES}


@dataclass(frozen=True, kw_only=True)
class OrderTest:
    """One simple condition: a number or seconds against `value`, or a code in (or not in) `values`; unknown is never met.

    An unknown code is not in any list: `not_in` holds for it.
    """

    field: str
    op: TestOp
    value: float = 0.0
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Pick:
    """Which open orders are meant: those that meet all, or any, of the tests."""

    tests: tuple[OrderTest, ...] = field(default=())
    join: PickJoin = "all"


def pick_sql(pick: Pick, prefix: str) -> str:
    """The pick as a condition over a row of open orders; its values are parameters that begin with the prefix."""
    joiner = " AND " if pick.join == "all" else " OR "
    return joiner.join(f"({_test_sql(test, f'{prefix}_{place}')})" for place, test in enumerate(pick.tests)) or "FALSE"


def _test_sql(test: OrderTest, name: str) -> str:
    sql = f"({ORDER_FIELDS[test.field].expression})"
    if test.op in NUMBER_OPS:
        return f"{sql} {test.op} ${name}_0"
    names = ", ".join(f"${name}_{place}" for place in range(len(test.values)))
    if test.op == "in":
        return f"{sql} IN ({names})" if names else "FALSE"
    return f"{sql} IS NULL OR {sql} NOT IN ({names})" if names else "TRUE"


def pick_values(pick: Pick, prefix: str) -> dict[str, object]:
    """The parameters that `pick_sql` names."""
    found: dict[str, object] = {}
    for place, test in enumerate(pick.tests):
        given: tuple[object, ...] = (test.value,) if test.op in NUMBER_OPS else test.values
        found |= {f"{prefix}_{place}_{index}": value for index, value in enumerate(given)}
    return found


def write_pick(pick: Pick) -> str:
    """The pick as plain text for an address: `all;amount>5000;province=CN-XJ,CN-XZ`."""
    return ";".join((pick.join, *(_test_text(test) for test in pick.tests)))


def _test_text(test: OrderTest) -> str:
    if test.op in NUMBER_OPS:
        return f"{test.field}{test.op}{test.value:.12g}"
    mark = "=" if test.op == "in" else "!="
    return f"{test.field}{mark}{','.join(quote(value, safe='') for value in test.values)}"


def read_pick(text: str) -> Pick:
    """The pick in the text of an address. Raises QueryError for a text that is none."""
    join, *parts = text[: LONGEST_TEXT + 1].split(";")
    known = next((one for one in PICK_JOINS if one == join), None)
    if known is None or not 1 <= len(parts) <= MOST_TESTS or len(text) > LONGEST_TEXT:
        raise QueryError("the orders meant cannot be read from the address: open the rule and follow its link again")
    return Pick(join=known, tests=tuple(_read_test(part) for part in parts))


def _read_test(part: str) -> OrderTest:
    for mark, op in (("!=", "not_in"), (">=", ">="), ("<=", "<="), (">", ">"), ("<", "<"), ("=", "in")):
        name, found, rest = part.partition(mark)
        entry = ORDER_FIELDS.get(name)
        chosen = next((one for one in entry.ops if one == op), None) if entry and found else None
        if chosen is None:
            continue
        if chosen in CODE_OPS:
            values = tuple(unquote(value) for value in rest.split(",") if value)
            return OrderTest(field=name, op=chosen, values=values[:MOST_VALUES])
        try:
            return OrderTest(field=name, op=chosen, value=float(rest))
        except ValueError:
            break
    raise QueryError(f"{part[:40]!r} is no condition on an order: open the rule and follow its link again")
