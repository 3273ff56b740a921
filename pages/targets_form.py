"""The form of the targets: what can be set, for whom, and its value as people write it (97 %, 36 h, 18,000)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from access.targets_draft import BUSINESS_TYPE, Draft, Figure, Kind, figures_of, may_set, write_seconds
from access.view import View
from components.register import Branch, Choice, Field, Form
from i18n import translate
from pages.figures import figure as figure_text
from pages.figures import metric_name
from pages.wording import codes_in_order, name_of
from queries.dimensions import DIMENSIONS
from queries.metrics import GROUPS, METRICS
from queries.query import Filter, Query, QueryError, Window

GROUPED_BY: Final = ("region", "province", BUSINESS_TYPE, "channel", "warehouse", "carrier", "category")
"""The dimensions a target or limit of its own may be set for here; the file knows all of them."""
LATELY: Final = timedelta(days=14)
UNITS: Final = {
    "d": 86_400, "天": 86_400, "日": 86_400,
    "h": 3_600, "小时": 3_600, "时": 3_600,
    "min": 60, "m": 60, "分钟": 60, "分": 60,
    "s": 1, "秒": 1,
}  # fmt: skip
LENGTH: Final = re.compile(rf"([0-9]+(?:\.[0-9]+)?)\s*({'|'.join(sorted(UNITS, key=len, reverse=True))})")
FIRST: Final = Figure(kind="target", name="on_time_rate")
MOST_SECONDS: Final = 366 * 86_400.0


class ValueRefused(ValueError):
    """What was written cannot be a value; the message is in the reader's language."""


def known_groups(view: View) -> dict[str, list[str]]:
    """The values with orders in the last two weeks, within the user's scope, by dimension."""
    lately = Window.last(LATELY, view.as_of)
    asked = [Query(metrics=("order_count",), by=(name,), window=lately) for name in GROUPED_BY]
    found = {}
    for name, rows in zip(GROUPED_BY, view.run_all(asked), strict=True):
        found[name] = codes_in_order(name, [row[name] for row in rows.to_dicts() if row["order_count"]])
    return found


def code_of(figure: Figure) -> str:
    """A figure as one word that the browser sends back."""
    return "/".join((figure.kind, figure.name, figure.dimension or "", figure.code or ""))


def figure_of(code: str) -> Figure | None:
    """The figure of a word; None where there is no such metric, stage or dimension."""
    kind, name, dimension, value = [*code.split("/", 3), "", "", ""][:4]
    if bool(dimension) != bool(value):
        return None
    if kind == "target" and name in METRICS:
        fits = not dimension or (dimension in DIMENSIONS and METRICS[name].anchor.rows in DIMENSIONS[dimension].rows)
    else:
        fits = kind == "limit" and name in stages() and dimension in ("", BUSINESS_TYPE)
    kinds: dict[str, Kind] = {"target": "target", "limit": "limit"}
    return Figure(kind=kinds[kind], name=name, dimension=dimension or None, code=value or None) if fits else None


def is_known(figure: Figure) -> bool:
    """Whether the registries have what the file names: a target of anything else is never used."""
    return figure_of(code_of(figure)) is not None


def stages() -> tuple[str, ...]:
    """Every stage in order."""
    return tuple(str(code) for code in DIMENSIONS["stage"].codes)


def title_of(language: str, figure: Figure) -> str:
    """What a figure is called."""
    if figure.kind == "target":
        return metric_name(language, figure.name)
    return translate(language, "targets.limit_of", stage=name_of(language, "stage", figure.name))


def place_of(language: str, figure: Figure) -> str:
    """For whom it holds."""
    if figure.dimension is None:
        return translate(language, "targets.everywhere")
    return name_of(language, figure.dimension, figure.code)


def value_text(language: str, figure: Figure, value: float | None) -> str:
    """A value in the figure's unit; a word where there is none."""
    if value is None:
        return translate(language, "targets.none")
    return figure_text(language, figure.name if figure.kind == "target" else "dwell_seconds_p50", value)


def unit_of(figure: Figure) -> str:
    """The figure's unit."""
    return METRICS[figure.name].unit if figure.kind == "target" else "seconds"


def written(figure: Figure, value: float | None) -> str:
    """A value as the form shows it to be changed."""
    if value is None:
        return ""
    unit = unit_of(figure)
    if unit == "rate":
        return f"{value * 100:.6g}%"
    return write_seconds(value) if unit == "seconds" else f"{value:.12g}"


def read_value(language: str, figure: Figure, text: str) -> float | str:
    """The value as the file spells it. Raises ValueRefused."""
    plain, unit = text.strip().replace(",", "").replace("，", "").replace("％", "%"), unit_of(figure)
    if unit == "seconds":
        return _length(language, plain)
    number = _number(language, plain.removesuffix("%").strip())
    if unit != "rate":
        if plain.endswith("%") or number < 0:
            raise ValueRefused(translate(language, "targets.refused.count", text=text[:40]))
        return int(number) if number.is_integer() else number
    if not plain.endswith("%") and 0 < number <= 1:
        raise ValueRefused(translate(language, "targets.refused.percent", text=text[:40], share=f"{number * 100:.6g}"))
    if not 0 <= number <= 100:
        raise ValueRefused(translate(language, "targets.refused.rate", text=text[:40]))
    return float(f"{number / 100:.12g}")


def _number(language: str, text: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", text):
        raise ValueRefused(translate(language, "targets.refused.number", text=text[:40]))
    return float(text)


def _length(language: str, text: str) -> str:
    parts = LENGTH.findall(text)
    seconds = seconds_of(text)
    if not parts or LENGTH.sub("", text).strip():
        raise ValueRefused(translate(language, "targets.refused.length", text=text[:40]))
    if not 0 < seconds <= MOST_SECONDS:
        raise ValueRefused(translate(language, "targets.refused.long", text=text[:40]))
    return write_seconds(seconds)


def seconds_of(text: str) -> float:
    """The seconds of a length of time as the file spells it."""
    return sum(float(number) * UNITS[unit] for number, unit in LENGTH.findall(text))


def set_form(view: View, draft: Draft | None, seen: str, chosen: Figure | None, value: float | None) -> Form:
    """The form that puts one change into the draft; `seen` is the mark of the file it was drawn from."""
    language, known = view.language, known_groups(view)
    day = draft.valid_from if draft else view.now.astimezone(view.zone).date()
    plain = Figure(kind=chosen.kind, name=chosen.name) if chosen else FIRST
    return Form(
        action="set",
        key=f"{seen}/{len(draft.changes) if draft else 0}/{code_of(chosen) if chosen else ''}",
        title=translate(language, "targets.form.title"),
        submit=translate(language, "targets.form.submit"),
        note=translate(language, "targets.form.note"),
        fields=(
            Field(code="what", name=translate(language, "targets.form.what"), kind="choice", branches=_what(language, plain)),
            Field(
                code="where",
                name=translate(language, "targets.form.where"),
                kind="choice",
                choices=_everywhere(view),
                branches=_where(view, known, chosen),
                hint=translate(language, "targets.form.where_hint"),
            ),
            Field(
                code="value",
                name=translate(language, "targets.form.value"),
                value=written(chosen, value) if chosen else "",
                hint=translate(language, "targets.form.value_hint"),
                is_needed=True,
            ),
            Field(
                code="valid_from",
                name=translate(language, "targets.form.valid_from"),
                kind="date",
                value=day.isoformat(),
                hint=translate(language, "targets.form.valid_from_hint"),
                is_needed=True,
            ),
        ),
    )


def _what(language: str, chosen: Figure | None) -> tuple[Branch, ...]:
    limits = tuple(Figure(kind="limit", name=stage) for stage in stages())
    groups = {
        translate(language, f"metrics.group.{group}"): tuple(
            Figure(kind="target", name=metric.name) for metric in metrics if metric.better != "neutral"
        )
        for group, metrics in GROUPS.items()
    }
    return tuple(
        Branch(
            name=name,
            choices=tuple(Choice(code=code_of(one), name=title_of(language, one), is_on=one == chosen) for one in figures),
        )
        for name, figures in (groups | {translate(language, "targets.limits"): limits}).items()
        if figures
    )


def _everywhere(view: View) -> tuple[Choice, ...]:
    return (Choice(code="/", name=translate(view.language, "targets.everywhere")),) if view.scope.everything else ()


def _where(view: View, known: Mapping[str, list[str]], chosen: Figure | None) -> tuple[Branch, ...]:
    language = view.language
    own = (chosen.dimension, chosen.code) if chosen else ("", "")
    found = []
    for dimension, lately in known.items():
        codes = [*lately, *([own[1]] if own[0] == dimension and own[1] not in lately else [])]
        figures = [Figure(kind="target", name="on_time_rate", dimension=dimension, code=code) for code in codes]
        choices = tuple(
            Choice(
                code=f"{dimension}/{one.code}",
                name=name_of(language, dimension, one.code),
                is_on=(dimension, one.code) == own,
            )
            for one in figures
            if may_set(view.user, view.scope, one)
        )
        if choices:
            found.append(Branch(name=translate(language, f"dimensions.{dimension}.name"), choices=choices))
    return tuple(found)


def asked_figure(view: View, values: Mapping[str, object]) -> Figure:
    """The figure that the form's values name. Raises ValueRefused where there is none for this user."""
    what, where = str(values.get("what", "")), str(values.get("where", "/"))
    dimension, _, code = where.partition("/")
    found = figure_of(f"{what.rstrip('/')}/{dimension}/{code}")
    if found is None:
        key = "limit_by" if what.startswith("limit/") else "no_dimension"
        name = translate(view.language, f"dimensions.{dimension}.name") if dimension in DIMENSIONS else where
        raise ValueRefused(translate(view.language, f"targets.refused.{key}", dimension=name))
    if not may_set(view.user, view.scope, found):
        raise ValueRefused(translate(view.language, "targets.refused.others"))
    if found.dimension is not None and not _is_there(view, found):
        raise ValueRefused(translate(view.language, "targets.refused.no_group", group=code[:40]))
    return found


def _is_there(view: View, figure: Figure) -> bool:
    """Whether the group has orders lately, or the file names it already."""
    if figure.code in known_groups(view).get(str(figure.dimension), ()):
        return True
    named = {(one.dimension, one.code) for edition in view.targets.editions for one in figures_of(edition)}
    return (figure.dimension, figure.code) in named


def figures_now(view: View, names: list[str]) -> dict[str, float | None]:
    """Today's figures of these metrics over everything in sight."""
    window = view.window
    asked = tuple(name for name in names if window.start is not None or not METRICS[name].needs_hours)
    if not asked:
        return {}
    try:
        rows = view.run(Query(metrics=asked, window=window)).to_dicts()
    except QueryError:
        return {}
    return {name: rows[0][name] for name in asked} if rows else {}


def over_limit_now(view: View) -> dict[str, float | None]:
    """Today's share of the orders beyond the limit by stage."""
    asked = Query(metrics=("over_limit_rate",), by=("stage",), where=(Filter("stage", stages()),), window=view.window)
    return {row["stage"]: row["over_limit_rate"] for row in view.run(asked).to_dicts()}
