"""Spans: open orders counted over the buckets through which they are open, instead of one by one in each.

At the end of a bucket an order counts for a measure when that instant lies in the measure's own span: from an instant
on, before another. So orders are counted by their first and last bucket, and only these counts meet the buckets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlglot import exp

from queries.base import Ctes, Request, base
from queries.columns import Sight
from queries.fragment import DIALECT, bucket_of_ms, column_names, is_pushable, named, select
from queries.metric import WHILE_OPEN, Measure, Span

OPEN_MS: Final = {"created_ms": "EPOCH_MS(o.created_at)", "open_until_ms": "EPOCH_MS(o.open_until_at)"}
NEVER: Final = 1 << 62
"""The bucket after all others."""


def are_spanned(measures: Iterable[Measure], keys: Iterable[str], rows: Iterable[str]) -> bool:
    """Whether measures over open orders can be counted so: each is a span, and no group or filter depends on the instant."""
    return all(measure.during for measure in measures) and all(map(is_pushable, keys)) and not list(rows)


def spans(request: Request, measures: tuple[Measure, ...], keys: dict[str, str]) -> tuple[Ctes, str]:
    """For every bucket and group in which an order is open each measure's count, under the measure's name."""
    setting, period = request.setting, request.period
    told = [
        sql for m in measures if m.during for sql in (m.during.after, m.during.when, f"LEAST({m.during.until or 'NULL'})") if sql
    ]
    wanted = frozenset[str]().union(*map(column_names, (*told, *keys.values())))
    conditions = [f"o.created_at <= {period.name('until')}", f"o.open_until_at > {period.name('start')}", *request.filters]
    raw = base(wanted, setting, sight=Sight(as_of="", is_settled=True), conditions=conditions)
    raw = raw.select(*(named(sql, name) for name, sql in OPEN_MS.items()), copy=False)
    rows, counts, answer = f"orders_spanned{period.suffix}", f"spans{period.suffix}", f"open_spans{period.suffix}"
    lasting = list(dict.fromkeys([WHILE_OPEN, *(m.during for m in measures if m.during)]))
    each = [_counted(index, during, rows, keys, request) for index, during in enumerate(lasting)]
    figures = (
        f"CAST(COALESCE(SUM(s.n) FILTER (WHERE s.span = {lasting.index(m.during)}), 0) AS BIGINT) AS {m.name}"
        for m in measures
        if m.during
    )
    joined = select(*(f"s.{key}" for key in keys), "i.bucket", *figures).from_(exp.to_table(counts, alias="s"), copy=False)
    inside = "i.bucket >= s.first_bucket AND i.bucket < s.next_bucket"
    joined = joined.join(f"instants{period.suffix} AS i", on=inside, dialect=DIALECT, copy=False)
    joined = joined.group_by(*(exp.Literal.number(i + 1) for i in range(len(keys) + 1)), copy=False)
    counted = exp.union(*each, distinct=False, copy=False) if len(each) > 1 else each[0]
    return [(rows, raw), (counts, counted), (answer, joined)], answer


def _counted(index: int, during: Span, rows: str, keys: dict[str, str], request: Request) -> exp.Select:
    """How many orders count from the same bucket to the same bucket."""
    setting, until = request.setting, f"EPOCH_MS({request.period.name('until')})"
    first, following, conditions = "created_ms", "open_until_ms", [during.when]
    if during.after:
        first = f"GREATEST(created_ms, EPOCH_MS({during.after}) + 1)"
        conditions += [f"{during.after} IS NOT NULL", f"EPOCH_MS({during.after}) < {until}"]
    if during.until:
        following = f"LEAST(open_until_ms, EPOCH_MS(LEAST({during.until})))"
    after = f"CASE WHEN {following} <= {until} THEN {bucket_of_ms(following, setting.grain, setting.offsets)} ELSE {NEVER} END"
    found = [named(sql, key) for key, sql in keys.items()]
    found += [named(str(index), "span"), named(bucket_of_ms(first, setting.grain, setting.offsets), "first_bucket")]
    found += [named(after, "next_bucket"), named("COUNT(*)", "n")]
    answer = select(*found).from_(rows, copy=False).where(*conditions, dialect=DIALECT, copy=False)
    return answer.group_by(*(exp.Literal.number(i + 1) for i in range(len(keys) + 3)), copy=False)
