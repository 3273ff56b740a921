"""The statement's text from the shape of a question: parts by anchor, joined on the groups, formulas on top."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlglot import exp

from queries.base import Ctes, Period, Request, Setting
from queries.cells import PASSED_COUNT, cells, cells_for
from queries.clock import DAY_MS, HOUR_MS, PART_MS, STEP_MS
from queries.compare import compared
from queries.dimensions import DIMENSIONS, Dimension
from queries.fragment import DIALECT, bucket_sql, column_names, is_pushable, local_ms, named, parse, qualified, select, utc_ms
from queries.metric import HOURS, OPEN, ROW_COUNT, Anchor, Measure, Metric
from queries.metrics import ASKABLE
from queries.normal import STORED
from queries.open_cells import are_counted, counted_spans
from queries.order_cells import order_cells, order_cells_for
from queries.passages import AT_EDGES
from queries.quantiles import taken_together
from queries.rows import source
from queries.shape import Shape, WhereShape, exists_for, stages_of
from queries.spans import are_spanned, spans
from queries.taken import taken, taken_figures


@dataclass(frozen=True, kw_only=True)
class Composed:
    """The text, the result's columns in order, and the parameters it names."""

    sql: str
    columns: tuple[str, ...]
    parameters: frozenset[str]


def written(answer: exp.Query, columns: tuple[str, ...] = ()) -> Composed:
    """The statement as text; its tree is spent, as a copy to write from would be most of the work."""
    return Composed(
        columns=columns or tuple(answer.named_selects),
        parameters=frozenset(str(node.name) for node in answer.find_all(exp.Placeholder, exp.Parameter)),
        sql=answer.sql(DIALECT, copy=False, pretty=True),
    )


@dataclass(frozen=True, kw_only=True)
class _Part:
    anchor: Anchor
    period: Period
    measures: tuple[Measure, ...]
    bucket_shift: int

    @property
    def name(self) -> str:
        return f"{self.anchor.name}_figures{self.period.suffix}"


@lru_cache(maxsize=2048)
def compose(shape: Shape) -> Composed:
    """The statement of a shape; the same shape gives the same text."""
    parts = _parts(shape)
    ctes = _instants(shape, parts)
    for part in parts:
        ctes += _part_ctes(part, shape)
    ctes += _broadcast(parts, shape)
    answer = _answer(parts, shape)
    if shape.comparands or shape.compares_target:
        ctes.append(("answers", answer))
        answer = compared(shape)
    answer = _ordered(answer, shape)
    for name, query in ctes:
        materialized = is_materialized(name, shape.setting)
        answer = answer.with_(name, as_=query, copy=False, materialized=materialized)
    return written(answer)


def is_materialized(name: str, setting: Setting) -> bool | None:
    """The rows that stages are read from: stored where files are read for a window, else read anew for each stage."""
    if name in STORED or name.startswith(AT_EDGES):
        return True
    if name.startswith("measured_"):
        return False
    return setting.has_start and not setting.is_recent if name.startswith("orders_passed") else None


def _metrics(shape: Shape) -> list[Metric]:
    return [ASKABLE[name] for name in shape.metrics]


def _parts(shape: Shape) -> list[_Part]:
    measures: dict[Anchor, list[Measure]] = {}
    for metric in _metrics(shape):
        for measure in metric.measures:
            measures.setdefault(measure.anchor, []).append(measure)
    periods = [(shape.period, 0), *((comparand.period, comparand.bucket_shift) for comparand in shape.comparands)]
    return [
        _Part(anchor=anchor, period=period, measures=tuple(of_anchor), bucket_shift=shift)
        for period, shift in periods
        for anchor, of_anchor in measures.items()
    ]


def _uses_instants(part: _Part) -> bool:
    return part.anchor.is_stock or part.anchor.extra == "waiting"


def _instants(shape: Shape, parts: list[_Part]) -> Ctes:
    """The buckets' numbers and the instants at which open orders are counted in each."""
    if shape.setting.grain is None:
        return []
    periods: dict[Period, list[str]] = {}
    for part in parts:
        if _uses_instants(part):
            lists = periods.setdefault(part.period, ["bucket", "as_of"])
            lists += ["risk_start", "risk_end"] if part.anchor.extra == "risk" else []
    return [
        (
            f"instants{period.suffix}",
            select(*(f"UNNEST(CAST({period.name(f'each_{name}')} AS {_list_type(name)})) AS {name}" for name in lists)),
        )
        for period, lists in periods.items()
    ]


def _list_type(name: str) -> str:
    """A window that begins after as-of has no instants: an empty list needs its type said."""
    return "BIGINT[]" if name == "bucket" else "TIMESTAMPTZ[]"


def dimension_sql(dimension: Dimension, anchor: Anchor, setting: Setting) -> str:
    """SQL of a dimension over the rows of an anchor."""
    if dimension.name == "stage" and anchor.rows == "passages":
        return "passage_stage"
    at = "at" if anchor.rows == "passages" else anchor.at or "created_at"
    return dimension.expression.replace("{local}", local_ms(at, setting.offsets))


def _filter_sql(index: int, where: WhereShape, expression: str) -> str:
    names = ", ".join(f"$where_{index}_{i}" for i in range(where.count))
    conditions = [f"{expression} IN ({names})"] if where.count else []
    if where.has_null:
        conditions.append(f"{expression} IS NULL")
    return f"({' OR '.join(conditions)})" if conditions else "FALSE"


def filter_conditions(anchor: Anchor, filters: tuple[WhereShape, ...], setting: Setting) -> tuple[list[str], list[str]]:
    """Conditions for the scan, and those for the rows that come out of it."""
    scan, rows = [], []
    for index, where in enumerate(filters):
        dimension = DIMENSIONS[where.dimension]
        if not exists_for(where.dimension, anchor):
            continue
        expression = dimension_sql(dimension, anchor, setting)
        if is_pushable(expression):
            scan.append(_filter_sql(index, where, qualified(f"({expression})" if " " in expression else expression)))
        else:
            rows.append(_filter_sql(index, where, f"({expression})"))
    return scan, rows


def filtered_columns(scan: Iterable[str]) -> frozenset[str]:
    """The order's columns that conditions for the scan name."""
    return frozenset(column.name for text in scan for column in parse(text).find_all(exp.Column))


def _part_ctes(part: _Part, shape: Shape) -> Ctes:
    setting, anchor = replace(shape.setting, has_visits=part.period.has_visits), part.anchor
    dimensions = {name: dimension_sql(DIMENSIONS[name], anchor, setting) for name in shape.by if exists_for(name, anchor)}
    scan, rows = filter_conditions(anchor, shape.where, setting)
    if setting.grain and anchor == OPEN and are_spanned(part.measures, dimensions.values(), rows):
        return _span_ctes(part, shape, dimensions, scan)
    figures = {measure.name: measure.expression for measure in part.measures}
    keys_of = [*dimensions.values(), *rows]
    table = _cells_table(part, setting, keys_of, scan)
    counted = PASSED_COUNT if anchor.rows == "passages" else ROW_COUNT
    if table:
        figures = {measure.name: measure.counted for measure in part.measures}
    named_besides = filtered_columns(scan).union(*(column_names(sql) for sql in keys_of))
    narrow = None if table else taken_figures(setting, anchor, figures, named_besides)
    figures = narrow or figures
    columns = frozenset[str]().union(*(column_names(sql) for sql in [*keys_of, *figures.values()]))
    columns |= {counted} if table else frozenset()
    stages = stages_of(shape.where)
    request = Request(anchor=anchor, columns=columns, filters=tuple(scan), setting=setting, period=part.period, stages=stages)
    if table:
        ctes, name = cells(request, table) if anchor.rows == "passages" else order_cells(request, table)
    else:
        ctes, name = taken(request) if narrow else source(request)
    keys = dimensions | ({"bucket": _bucket(part, setting)} if setting.grain else {})
    chosen = keys | taken_together(figures)
    answer = select(*(named(sql, alias) for alias, sql in chosen.items())).from_(name, copy=False)
    answer = answer.where(*(parse(condition) for condition in rows), copy=False) if rows else answer
    if keys:
        answer = answer.group_by(*(exp.Literal.number(i + 1) for i in range(len(keys))), copy=False)
        # What came and went again leaves cells that cancel each other out.
        answer = answer.having(parse(f"SUM({counted}) > 0"), copy=False) if table else answer
    return [*ctes, (_own_name(part, shape), answer)]


def _span_ctes(part: _Part, shape: Shape, dimensions: dict[str, str], scan: list[str]) -> Ctes:
    """A part over open orders by the bucket, each order counted through all its buckets at once."""
    request = Request(anchor=part.anchor, columns=frozenset(), filters=tuple(scan), setting=shape.setting, period=part.period)
    columns = filtered_columns(scan).union(*(column_names(sql) for sql in dimensions.values()))
    is_counted = part.period.is_settled and are_counted(part.measures, columns, shape.setting)
    ctes, name = (counted_spans if is_counted else spans)(request, part.measures, dimensions)
    chosen = [*(exp.column(key) for key in dimensions), named(_bucket(part, shape.setting), "bucket")]
    answer = select(*chosen, *(exp.column(measure.name) for measure in part.measures)).from_(name, copy=False)
    return [*ctes, (_own_name(part, shape), answer)]


def _cells_table(part: _Part, setting: Setting, keys: list[str], scan: list[str]) -> str | None:
    """The counted passages or orders that answer a part; None where they tell too little."""
    if not setting.has_start or setting.grain in PART_MS or not all(measure.counted for measure in part.measures):
        return None
    columns = filtered_columns(scan).union(*(column_names(sql) for sql in keys))
    if part.anchor.rows != "passages":
        return order_cells_for(setting, part.anchor, part.measures, columns)
    if not setting.has_waits:
        # Where what waits at the end is kept, so is what ended in the last hour.
        return None
    figures = frozenset[str]().union(*(column_names(measure.counted) for measure in part.measures))
    return cells_for(setting, columns, figures)


def _bucket(part: _Part, setting: Setting) -> str:
    anchor = part.anchor
    own = "bucket" if anchor.is_stock or anchor.rows == "passages" else bucket_sql(str(anchor.at), setting.grain, setting.offsets)
    return f"{own} + {part.bucket_shift}" if part.bucket_shift else own


def _missing(part: _Part, shape: Shape) -> list[str]:
    return [name for name in shape.by if not exists_for(name, part.anchor)]


def _own_name(part: _Part, shape: Shape) -> str:
    return f"{part.name}_of_all" if _missing(part, shape) else part.name


def _broadcast(parts: list[_Part], shape: Shape) -> Ctes:
    """A part that does not know a dimension (orders have no complaint kind) counts for each of its codes alike."""
    ctes: Ctes = []
    for part in parts:
        for name in _missing(part, shape):
            knowing = [other for other in parts if not _missing(other, shape)]
            codes: exp.Query = select(name).from_(knowing[0].name)
            for other in knowing[1:]:
                codes = exp.union(codes, select(name).from_(other.name), distinct=True)
            distinct = exp.select(name).distinct().from_(codes.subquery("known"))
            joined = select("codes.*", "f.*").from_(exp.alias_(exp.to_table(_own_name(part, shape)), "f", table=True))
            ctes.append((part.name, joined.join(distinct.subquery("codes"), join_type="cross")))
    return ctes


def _keys(shape: Shape) -> tuple[str, ...]:
    return (*shape.by, "bucket") if shape.setting.grain else shape.by


def _answer(parts: list[_Part], shape: Shape) -> exp.Select:
    """One row per group with every metric's value; parts that lack a group count 0 there."""
    keys, joined = _keys(shape), len(parts) > 1
    groups = "groups" if joined and keys else parts[0].name
    chosen = [_key(name, groups, shape) for name in keys]
    for metric in _metrics(shape):
        chosen += _values(metric, shape, groups, counts_missing=joined and bool(keys))
    answer = select(*chosen)
    if not joined:
        return answer.from_(parts[0].name, copy=False)
    if not keys:
        answer = answer.from_(parts[0].name, copy=False)
        for part in parts[1:]:
            answer = answer.join(part.name, join_type="cross", copy=False)
        return answer
    found = exp.union(*(select(*keys).from_(part.name) for part in parts), distinct=True, copy=False)
    answer = answer.from_(found.subquery("groups", copy=False), copy=False)
    for part in parts:
        on = " AND ".join(f"{part.name}.{key} IS NOT DISTINCT FROM groups.{key}" for key in keys)
        answer = answer.join(part.name, on=on, join_type="left", dialect=DIALECT, copy=False)
    return answer


def _key(name: str, groups: str, shape: Shape) -> exp.Expr:
    if name != "bucket":
        return exp.column(name, table=groups)
    sql = f"{groups}.bucket" if shape.setting.grain in STEP_MS else utc_ms(f"{groups}.bucket", shape.setting.offsets)
    return named(f"TO_TIMESTAMP({sql} / 1000.0)", "bucket_at")


def _values(metric: Metric, shape: Shape, groups: str, *, counts_missing: bool) -> list[exp.Expr]:
    found = []
    compared = bool(shape.comparands)
    for period, label, shift in [(shape.period, "", 0), *((c.period, f"_{c.name}", c.bucket_shift) for c in shape.comparands)]:
        references = {m.name: _reference(m, period, counts_missing=counts_missing) for m in metric.measures}
        if metric.needs_hours:
            references[HOURS] = _hours(shape.setting, period, f"{groups}.bucket" + (f" - {shift}" if shift else ""))
        found.append(named(_substitute(metric.formula, references), f"{metric.name}{label}"))
        if metric.n:
            found.append(named(references[metric.n], f"{metric.name}_n{label}"))
        if compared and metric.kind == "ratio" and metric.part:
            whole = metric.measures[1].name
            found.append(named(references[metric.part], f"{metric.name}{label}_share_part"))
            found.append(named(references[whole], f"{metric.name}{label}_share_whole"))
    return found


def _substitute(formula: str, references: dict[str, str]) -> str:
    tree = parse(formula).copy()

    def replaced(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and node.name in references:
            return parse(references[node.name]).copy()
        return node

    return tree.transform(replaced).sql(DIALECT)


def _reference(measure: Measure, period: Period, *, counts_missing: bool) -> str:
    column = f"{measure.anchor.name}_figures{period.suffix}.{measure.name}"
    return f"COALESCE({column}, 0)" if counts_missing and measure.is_count else column


def _hours(setting: Setting, period: Period, bucket: str) -> str:
    end, start = f"EPOCH_MS({period.name('end')})", f"EPOCH_MS({period.name('start')})"
    if setting.grain is None:
        return f"NULLIF(GREATEST(({end} - {start}) / {HOUR_MS}.0, 0), 0)"
    if setting.grain in STEP_MS:
        begin, following = f"({bucket})", f"({bucket} + {STEP_MS[setting.grain]})"
    else:
        begin, following = utc_ms(f"({bucket})", setting.offsets), utc_ms(_following(bucket, setting), setting.offsets)
    begin = f"GREATEST({begin}, {start})" if setting.has_start else begin
    return f"((LEAST({following}, {end}) - {begin}) / {HOUR_MS}.0)"


def _following(bucket: str, setting: Setting) -> str:
    if setting.grain == "month":
        return f"EPOCH_MS(MAKE_TIMESTAMP(({bucket}) * 1000) + INTERVAL 1 MONTH)"
    return f"({bucket} + {DAY_MS * (7 if setting.grain == 'week' else 1)})"


def _ordered(answer: exp.Select, shape: Shape) -> exp.Select:
    keys = [*(["bucket_at"] if shape.setting.grain else []), *shape.by]
    order = [f"{key} NULLS LAST" for key in keys]
    if shape.order_by:
        descending = shape.order_by.startswith("-")
        order.insert(0, f"{shape.order_by.removeprefix('-')} {'DESC' if descending else 'ASC'} NULLS LAST")
    if order:
        answer = answer.order_by(*order, dialect=DIALECT, copy=False)
    return answer.limit(shape.limit, copy=False) if shape.limit is not None else answer
