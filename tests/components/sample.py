"""A full wall with invented figures, for tests that look at the page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from components.board import Area, Bar, Bars, Board, City, CountryMap, Lane, Tile, Trouble, Worst
from components.heat import Cell, Choice, HeatGrid, Legend
from components.shapes import load_shapes
from components.topbar import AsOf, FilterGroup, Filters, Live, Mark, Option, PageLink, Source, Tally, Topbar, UserBadge

WORDS = ("sources", "tallies", "menu", "filters", "theme", "full_screen", "account", "sign_out", "clear", "pages")


def tile(name: str = "Backlog", value: str = "41,870") -> Tile:
    return Tile(
        name=name,
        value=value,
        change="+18.2%",
        note="target ≤ 38,000",
        tip=f"{name}\ntip",
        info=f"{name}\ndefinition",
        state="warning",
        state_word="warning",
        tone="warning",
        spark=(1.0, None, 3.0, 2.0),
        spoken=name,
    )


def heat_grid(rows: int = 7, columns: int = 9, text: str = "3%", title: str = "Orders beyond the limit") -> HeatGrid:
    def cell(row: int, column: int) -> Cell:
        return Cell(
            key=f"{row}/{column}", text=text, tip=f"row {row} · column {column}\n{text}", step=(row * columns + column) % 32
        )

    return HeatGrid(
        title=title,
        scope="region × stage",
        columns=tuple(f"stage {index}" for index in range(columns)),
        rows=tuple(f"Region {index}" for index in range(rows)),
        cells=tuple(tuple(cell(row, column) for column in range(columns)) for row in range(rows)),
        legend=Legend(range="0 → 30%", spoken="0 → 30%", few="too few", gap="no data"),
        metrics=(Choice(code="over_limit_rate", name="share"), Choice(code="backlog_count", name="waiting")),
        metric="over_limit_rate",
        switch_name="figure",
    )


def bars(kind: str, rows: int) -> Bars:
    row = Bar(
        name="Shanghai", share=0.4, tone="critical", figure="900 / 5,200", end="won't finish", end_tone="critical", tip="Shanghai"
    )
    return Bars(kind=kind, title="Progress", scope="shipped / due", empty="nothing", rows=(row,) * rows)


def board(**changes: object) -> dict[str, Any]:
    """The board's data; keyword arguments replace its parts."""
    shapes = load_shapes("CN")
    assert shapes is not None
    trouble = Trouble(
        state="critical", state_word="critical", title="East · acceptance", sure="±8%", since="since 07:00",
        href="?region=CN-EAST",
        text="4,120 orders beyond the limit of 2 h: 31%, a week ago 4%. 11,800 h lost, 38% of all delay. Mostly Shanghai (62%).",
    )  # fmt: skip
    parts: dict[str, Any] = {
        "language": "en",
        "tiles": (tile(),) * 8,
        "heat": heat_grid(),
        "map": CountryMap(
            title="Where it is stuck", scope="late", spoken="map", no_shapes="none", credit="Schematic",
            legend=Legend(range="0 → 30% late", spoken="late"),
            areas=tuple(Area(code=code, kind="value", step=5, tip=code) for code in shapes["paths"]),
            lanes=(Lane(start=(100, 100), end=(500, 400), tone="critical", width=3, tip="lane"),),
            cities=(City(name="Shanghai", x=875, y=514, is_big=True),),
        ),
        "worst": Worst(title="Worst right now", scope="by hours", empty="none", items=(trouble,) * 5),
        "warehouses": bars("warehouses", 8),
        "returns": bars("returns", 4),
        "complaints": heat_grid(6, 5, "0.3‰", "Complaint hotspots"),
    }  # fmt: skip
    return asdict(Board(**(parts | changes)))


def topbar(**changes: object) -> dict[str, Any]:
    """The top bar's data; keyword arguments replace its parts."""
    regions = tuple(Option(code=code, name=code) for code in ("CN-EAST", "CN-SOUTH"))
    parts: dict[str, Any] = {
        "language": "en",
        "title": "Order Control Room",
        "scope": "Nationwide · last 24 h",
        "live": Live(state="live", text="Live · data as of 14:35:10", tip="live"),
        "filters": Filters(
            window_name="Window",
            windows=(Option(code="24h", name="last 24 h", is_on=True), Option(code="7d", name="last 7 d")),
            as_of=AsOf(name="As of", live="Live"),
            groups=(FilterGroup(code="region", name="Region", options=regions),),
        ),
        "user": UserBadge(name="manager", initial="M", role="Manager"),
        "other_language": Option(code="zh-CN", name="中文"),
        "words": {word: word for word in WORDS},
        "sources": tuple(Source(name=name, age="2 min", state="fresh", tip=name) for name in ("OMS", "WMS", "TMS", "CRM")),
        "counts": (
            Tally(state="critical", number=2, word="critical", tip="two"),
            Tally(state="warning", number=5, word="warning", tip="five"),
        ),
        "marks": (Mark(text="cut-off 16:00", tip="until 16:00"),),
        "pages": (PageLink(name="Wall", href="/", is_here=True),),
        "can_go_full": True,
    }
    return asdict(Topbar(**(parts | changes)))
