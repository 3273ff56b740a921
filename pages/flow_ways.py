"""Where orders went: from milestone to milestone, out of the chain, through an exception or a stage again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from access.bottlenecks import read_ways
from access.view import View
from components.chain import Loop, Node, Ribbon, Sankey, WayKind
from components.format import count, percent
from components.plane import Card
from i18n import translate
from pages.flow_question import length_of, window_of
from pages.links import link
from pages.wording import stage_name
from queries.query import Window
from queries.transitions import Ways

LEAST: Final = timedelta(days=7)
"""Orders of a shorter window have not had the time to go all the way."""
TOP, WHOLE, GAP = 0.17, 0.5, 0.065
"""Of the plot's height: where the chain begins, what all orders take, and what stands between what leaves it."""
FIRST: Final = "created"
EXITS: Final[tuple[WayKind, ...]] = ("waiting", "cancelled", "ended", "back")


def read_sankey(view: View) -> Card:
    """Orders created in the window, at least a week of it, by the way they went so far."""
    language = view.language
    is_short = length_of(view) < LEAST
    window = Window.last(LEAST, view.as_of) if is_short else window_of(view)
    where = tuple(filter_ for filter_ in view.filters_for("order_count") if filter_.dimension != "stage")
    ways, repeats = read_ways(view, where, window)
    days = round((view.as_of - (window.start or view.as_of)) / timedelta(days=1))
    span = translate(language, "format.day_long", n=str(days))
    title, scope = translate(language, "flow.ways.title"), translate(language, "flow.ways.scope", span=span)
    if not ways.total:
        return Card(title=title, scope=scope, text=translate(language, "flow.ways.empty"), size="wide")
    return Card(title=title, scope=scope, chart=chart_of(view, ways, repeats), size="wide")


def chart_of(view: View, ways: Ways, repeats: dict[str, int]) -> Sankey:
    """The drawing, and the same as a table."""
    language = view.language
    again = dict(repeats) | ({"delivered": max(ways.retried, repeats.get("delivered", 0))} if ways.retried else {})
    nodes, ribbons, values = _lay_out(view, ways)
    heads = [_name(language, name) for name in ways.chain]
    notes = [count(language, ways.reached.get(name, 0)) for name in ways.chain]
    if any(_exits(ways, ways.chain[-1]).values()):
        heads.append(translate(language, "flow.ways.after"))
        notes.append("")
    kinds = [kind for kind in EXITS if any(node.kind == kind for node in nodes)]
    loops = _loops(view, ways, again)
    kinds_met = list(dict.fromkeys(loop.kind for loop in loops))
    return Sankey(
        lead=_lead(view, ways, again),
        heads=tuple(heads),
        notes=tuple(notes),
        nodes=nodes,
        ribbons=ribbons,
        loops=loops,
        keys=tuple((kind, translate(language, f"flow.ways.key.{kind}")) for kind in ("through", *kinds, *kinds_met)),
        table_heads=tuple(translate(language, f"flow.ways.head.{name}") for name in ("stage", "through", "share", *EXITS[:2], "exception", "repeat")),
        table=tuple(_row(view, ways, again, index) for index in range(1, len(values))),
        hrefs=tuple(
            link(view, "/drill", metric="lost_rate", figure="lost_rate", stage=(ways.chain[index],)) if index < len(ways.chain) else ""
            for index in range(1, len(values))
        ),
        spoken=translate(language, "flow.ways.spoken"),
    )  # fmt: skip


def _name(language: str, milestone: str) -> str:
    return translate(language, "flow.ways.ordered") if milestone == FIRST else stage_name(language, milestone)


def _exits(ways: Ways, milestone: str) -> dict[WayKind, int]:
    """How many left the chain after a milestone, by how."""
    return {
        "waiting": ways.waiting_from.get(milestone, 0),
        "cancelled": ways.cancelled.get(milestone, 0),
        "ended": ways.ended.get(milestone, 0),
        "back": ways.back if milestone == "delivered" else 0,
    }


def _lay_out(view: View, ways: Ways) -> tuple[tuple[Node, ...], tuple[Ribbon, ...], list[str]]:
    """Nodes column by column, each with what it hands on, top to bottom: to the next, past it, out of the chain."""
    chain = ways.chain
    columns = [*chain, *([""] if any(_exits(ways, chain[-1]).values()) else [])]
    nodes, ribbons = list[Node](), list[Ribbon]()
    leaving, arriving = dict.fromkeys(range(len(columns)), TOP), dict.fromkeys(range(len(columns)), TOP)
    below = {index: TOP + _high(ways, ways.reached.get(name, 0)) for index, name in enumerate(columns)}
    for index, name in enumerate(chain):
        n = ways.reached.get(name, 0)
        tip = _told(view, _name(view.language, name), n, ways.total, "of_all")
        nodes.append(Node(column=index, top=TOP, height=_high(ways, n), kind="through", value=count(view.language, n), tip=tip))
    for index, name in enumerate(chain):
        for target in chain[index + 1 :]:
            n = ways.moves.get((name, target), 0)
            if n:
                ribbons += _way(view, ways, (index, chain.index(target)), n, (leaving, arriving, below))
        for kind, n in _exits(ways, name).items():
            if n:
                node, ribbon = _exit(view, ways, index, kind, n, (leaving, below))
                nodes.append(node)
                ribbons.append(ribbon)
    return tuple(nodes), tuple(ribbons), columns


Levels = dict[int, float]


def _way(view: View, ways: Ways, ends: tuple[int, int], n: int, levels: tuple[Levels, Levels, Levels]) -> list[Ribbon]:
    """The orders of one transition; past other columns they run below them."""
    leaving, arriving, below = levels
    start, end = ends
    names = tuple(_name(view.language, ways.chain[index]) for index in ends)
    title = translate(view.language, "flow.ways.move", start=names[0], end=names[1])
    tip = _told(view, title, n, ways.reached.get(ways.chain[start], 0), "of_those")
    high, top = _high(ways, n), leaving[start]
    leaving[start] += high
    found = []
    for index in range(start + 1, end + 1):
        at = arriving[index] if index == end else below[index] + GAP / 2
        (arriving if index == end else below)[index] = at + high
        kind: WayKind = "through" if end == start + 1 else "skip"
        found.append(Ribbon(start=index - 1, end=index, start_top=top, end_top=at, height=high, kind=kind, tip=tip))
        top = at
    return found


def _exit(view: View, ways: Ways, index: int, kind: WayKind, n: int, levels: tuple[Levels, Levels]) -> tuple[Node, Ribbon]:
    leaving, below = levels
    high, at = _high(ways, n), below[index + 1] + GAP
    below[index + 1] = at + max(high, 0.02)
    stage = _name(view.language, ways.chain[index + 1]) if index + 1 < len(ways.chain) else ""
    before = _name(view.language, ways.chain[index])
    title = translate(
        view.language, f"flow.ways.{kind}" if stage or kind == "back" else f"flow.ways.{kind}_last", stage=stage, before=before
    )
    tip = _told(view, title, n, ways.reached.get(ways.chain[index], 0), "of_those")
    ribbon = Ribbon(start=index, end=index + 1, start_top=leaving[index], end_top=at, height=high, kind=kind, tip=tip)
    leaving[index] += high
    return Node(column=index + 1, top=at, height=high, kind=kind, value=count(view.language, n), tip=tip), ribbon  # fmt: skip


def _high(ways: Ways, n: int) -> float:
    return WHOLE * n / ways.total


def _told(view: View, title: str, n: int, whole: int, form: str) -> str:
    language = view.language
    share = percent(language, n / whole if whole else None)
    return f"{title}\n{translate(language, f'flow.ways.{form}', n=count(language, n), share=share)}"


def _loops(view: View, ways: Ways, again: dict[str, int]) -> tuple[Loop, ...]:
    """Exceptions by the stage they were met in, and stages gone through again."""
    language = view.language
    found = []
    for index, name in enumerate(ways.chain):
        for kind, counts in (("exception", ways.exceptions), ("repeat", again)):
            n = counts.get(name, 0)
            if not n:
                continue
            is_retried = kind == "repeat" and name == "delivered" and ways.retried >= n
            form = "retried" if is_retried else kind
            title = translate(
                language, f"flow.ways.met_{form}", stage=_name(language, name), attempts=count(language, ways.attempts)
            )
            passed = ways.reached.get(name, 0) + ways.waiting.get(name, 0)
            found.append(
                Loop(
                    column=index,
                    kind=kind,  # type: ignore[arg-type]
                    value=count(language, n),
                    weight=min(1.0, n / passed * 5) if passed else 1.0,
                    tip=_told(view, title, n, passed, "of_stage"),
                )
            )
    return tuple(found)


def _row(view: View, ways: Ways, again: dict[str, int], index: int) -> tuple[str, ...]:
    """A stage as a row: orders through and their share of all, waiting in it, cancelled in it, exceptions, gone through again."""
    language, before = view.language, ways.chain[index - 1]
    name = ways.chain[index] if index < len(ways.chain) else ""
    exits = _exits(ways, before)
    through = ways.reached.get(name, 0) if name else exits["back"] + exits["ended"]
    is_back = exits["back"] == sum(exits.values())
    title = _name(language, name) if name else translate(language, f"flow.ways.{'back' if is_back else 'after'}")
    figures = (exits["waiting"], exits["cancelled"], ways.exceptions.get(name, 0), again.get(name, 0))
    told = (count(language, n) if n else "–" for n in figures)
    return (title, count(language, through), percent(language, through / ways.total), *told)


def _lead(view: View, ways: Ways, again: dict[str, int]) -> str:
    language = view.language
    under_way = sum(ways.waiting.values())
    figures = {
        "n": ways.total,
        "delivered": ways.reached.get("delivered", 0),
        "waiting": under_way,
        "cancelled": sum(ways.cancelled.values()),
        "exceptions": sum(ways.exceptions.values()),
        "again": sum(again.values()),
        "back": ways.back,
    }
    texts = {name: count(language, n) for name, n in figures.items()}
    shares = {
        f"{name}_share": percent(language, n / ways.total) for name, n in figures.items() if name in ("delivered", "cancelled")
    }
    return translate(language, "flow.ways.lead", **texts, **shares)
