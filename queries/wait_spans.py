"""Wait spans: waits counted over the buckets at whose ends they last, instead of one by one at each.

A wait is found at the end of each bucket from the one in which it begins to the one before that in which it ends, and there
beyond its limit from the bucket in which that is over. So waits are counted by these buckets, and only the counts meet the
instants. The counts are those of `passages.kept_waits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlglot import exp

from queries.base import Ctes, Request, base
from queries.fragment import DIALECT, bucket_of_ms, named, select
from queries.limits import passage_limit_sql
from queries.spans import NEVER

IS_TIMED: Final = "i.bucket < s.timed_until"

COUNTS: Final[Mapping[str, str]] = {
    "passed_count": "s.n",
    "limited_count": "CASE WHEN s.is_limited THEN s.n ELSE 0 END",
    "timed_count": f"CASE WHEN {IS_TIMED} THEN s.n ELSE 0 END",
    "beyond_count": f"CASE WHEN {IS_TIMED} AND i.bucket >= s.beyond_from THEN s.n ELSE 0 END",
}
"""What so many waits count for at the end of a bucket: themselves, with a limit, timed and with a limit, beyond it."""


def are_spanned(request: Request, figures: Iterable[str]) -> bool:
    """Whether these figures of the waits in memory can be counted so: by the bucket, and not in milliseconds."""
    by_bucket = request.anchor.extra == "waiting" and request.setting.grain is not None and "at" not in request.columns
    return by_bucket and set(figures) <= COUNTS.keys()


def spanned_waits(request: Request, passthrough: frozenset[str], figures: Iterable[str]) -> tuple[Ctes, exp.Select]:
    """For every bucket and group of waits that last at its end the figures; the columns are passed through with the stage."""
    setting, period = request.setting, request.period
    until = period.name("until")
    begun = [f"o.from_at <= {until}", f"o.until_at > {period.name('start')}", "o.passage_stage IS NOT NULL"]
    sight, conditions = period.sight("created"), [*begun, *request.filters]
    waits = base(passthrough | {"business_type"}, setting, sight=sight, conditions=conditions, table="waits")
    raw = {name: f"o.{name}" for name in ("passage_stage", "from_at", "until_at", "waiting_since", "sound_until")}
    raw["limit_seconds"] = passage_limit_sql(setting.limits)
    waits = waits.select(*(named(sql, name) for name, sql in raw.items()), copy=False)

    def bucket(ms: str) -> str:
        return bucket_of_ms(ms, setting.grain, setting.offsets)

    def reached(ms: str) -> str:
        return f"CASE WHEN {ms} <= EPOCH_MS({until}) THEN {bucket(ms)} ELSE {NEVER} END"

    keys = [exp.column(name) for name in sorted(passthrough | {"passage_stage"})]
    ended, spoilt = reached("EPOCH_MS(until_at)"), reached("EPOCH_MS(sound_until)")
    spans = {
        "first_bucket": bucket(f"GREATEST(EPOCH_MS(from_at), EPOCH_MS({period.name('start')}))"),
        "next_bucket": ended,
        "timed_until": f"CASE WHEN limit_seconds IS NULL OR waiting_since IS NULL THEN -{NEVER} ELSE LEAST({ended}, {spoilt}) END",
        # The first whole millisecond beyond the limit.
        "beyond_from": reached("(EPOCH_MS(waiting_since) + CAST(FLOOR(limit_seconds * 1000 + 0.0001) AS BIGINT) + 1)"),
        "is_limited": "limit_seconds IS NOT NULL",
    }
    counted = select(*keys, *(named(sql, name) for name, sql in spans.items()), named("COUNT(*)", "n"))
    counted = counted.from_(waits.subquery("w", copy=False), copy=False)
    counted = counted.group_by(*(exp.Literal.number(index + 1) for index in range(len(keys) + len(spans))), copy=False)
    name = f"{request.anchor.name}_wait_spans{period.suffix}"
    chosen = [exp.column(key.name, table="s") for key in keys]
    each = select(*chosen, "i.bucket", *(named(COUNTS[figure], figure) for figure in figures))
    inside = "i.bucket >= s.first_bucket AND i.bucket < s.next_bucket"
    each = each.from_(exp.to_table(name, alias="s"), copy=False)
    return [(name, counted)], each.join(f"instants{period.suffix} AS i", on=inside, dialect=DIALECT, copy=False)
