"""The contract of a figure: what it means, what it counts and leaves out, where it comes from, and the SQL that gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from access.view import View
from components.format import age, count, full_instant
from components.panel import Contract, Fact
from i18n import translate
from pages.figures import figure, plain
from queries.metrics import METRICS, population_of
from queries.needs import needed_columns
from queries.query import Query


def contract_query(query: Query) -> Query:
    """The query that also asks for the population the figure's n is counted from, so that one scan answers both."""
    populations = (population_of(metric) for metric in query.metrics)
    return Query(**{**vars(query), "metrics": (*query.metrics, *dict.fromkeys(name for name in populations if name))})


def read_contract(view: View, metric: str, query: Query, row: Mapping[str, Any] | None) -> Contract:
    """The contract of the figure in `row`, an answer to `contract_query(query)`; None where there is no row."""
    language = view.language
    facts = [
        *(_fact(view, name, translate(language, f"metrics.{metric}.{name}")) for name in ("description", "population")),
        _fact(view, "anchor", _anchor(view, metric)),
        _fact(view, "exclusions", _exclusions(view, metric, row)),
        _fact(view, "target", _target(view, metric, row)),
        _fact(view, "sources", _sources(view, metric)),
        _fact(view, "snapshot", _snapshot(view)),
    ]
    return Contract(
        title=translate(language, "contract.title"),
        facts=tuple(fact for fact in facts if fact.text),
        sql_name=translate(language, "contract.sql"),
        sql="\n\n".join((formula(metric), view.sql(replace(query, compare=())))),
    )


def formula(metric: str) -> str:
    """The metric's measures and formula as the registry has them, as a comment of SQL."""
    entry = METRICS[metric]
    lines = [f"-- {measure.name} = {measure.expression}" for measure in entry.measures]
    return "\n".join(lines if entry.formula == metric else [*lines, f"-- {metric} = {entry.formula}"])


def excluded_count(metric: str, row: Mapping[str, Any] | None) -> int | None:
    """How many rows of the population the figure does not stand on; None where it has no population of its own."""
    population = population_of(metric)
    n = row.get(f"{metric}_n") if row else None
    return None if row is None or population is None or n is None else int(row[population]) - int(n)


def _fact(view: View, name: str, text: str) -> Fact:
    return Fact(name=translate(view.language, f"contract.{name}"), text=text)


def _anchor(view: View, metric: str) -> str:
    anchor = METRICS[metric].anchor
    name = translate(view.language, f"metrics.anchor.{anchor.name}")
    return translate(view.language, "contract.stock" if anchor.is_stock else "contract.flow", name=name)


def _exclusions(view: View, metric: str, row: Mapping[str, Any] | None) -> str:
    language, text = view.language, translate(view.language, f"metrics.{metric}.exclusions")
    excluded = excluded_count(metric, row)
    if excluded is None or row is None:
        return text
    of = count(language, row[str(population_of(metric))])
    return "\n".join((text, translate(language, "contract.excluded", n=count(language, excluded), of=of)))


def _target(view: View, metric: str, row: Mapping[str, Any] | None) -> str:
    own = plain(row.get(f"{metric}_target")) if row else None
    target = own if own is not None else view.targets.at(view.as_of, view.zone).target_of(metric)
    if target is None:
        return translate(view.language, "contract.no_target")
    is_whole = own is None and METRICS[metric].kind == "sum"
    text = figure(view.language, metric, target)
    return translate(view.language, "contract.target_of_whole", target=text) if is_whole else text


def _sources(view: View, metric: str) -> str:
    """One line for each source that delivers something the figure needs."""
    language, needed = view.language, needed_columns(metric)
    lines = [
        translate(
            language,
            "contract.source",
            source=source.source,
            age=age(language, source.age_seconds),
            state=translate(language, f"wall.source_state.{source.state}"),
            owner=source.owner or "–",
        )
        for source in view.sources
        if source.feeds & needed or not source.feeds
    ]
    return "\n".join(lines)


def _snapshot(view: View) -> str:
    return translate(view.language, "contract.snapshot_text", snapshot=view.snapshot, at=full_instant(view.as_of, view.zone))
