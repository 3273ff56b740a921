"""Where is it stuck? The country by province with what stands on it: warehouses, lanes, late orders, complaints, incidents."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace
from functools import partial
from typing import Any, Final

import streamlit as st

from access import geography
from access.view import View
from components.board import Notice, Tile
from components.deck import LIBRARY_VERSION, describe_deck
from components.format import count
from components.geo_map import Camera, GeoMap, LayerChoice, Player, draw_map
from components.plane import Control, Crumb
from components.topbar import Option
from i18n import translate
from pages.address import take_choice
from pages.drill_path import PLACES, Step, path_of
from pages.drill_tiles import read_level_tiles
from pages.figures import metric_name
from pages.frame import draw_frame, read_filters, watch
from pages.links import Change, link
from pages.lost import lost_values, unknown_words
from pages.map_areas import colour_provinces, read_areas, read_labels, read_player, read_provinces, thinned
from pages.map_cities import read_cities
from pages.map_incidents import read_incidents
from pages.map_list import read_ranking
from pages.map_marks import Placed, hexagon_radius, read_complaints, read_lanes, read_late, read_warehouses
from pages.map_missing import read_missing
from pages.map_question import (
    FIRST,
    LANE_COUNTS,
    LAYERS,
    LOWER,
    RANKS,
    SPANS,
    Box,
    Parameters,
    Question,
    camera_key,
    frame_of,
    offered_metrics,
    read_question,
)
from pages.map_stuck import read_stuck
from pages.panel import figure_link
from pages.side_by_side import read_side_by_side
from pages.wall_map import main_country
from pages.wording import name_of, names_of, window_name
from queries.metrics import METRICS

MAP: Final = "map.page"
PITCH: Final = 25.0
"""Degrees the map leans while columns stand on it."""
FEW_FRAMES: Final = 8
"""Promises fall on few hours of the day: by the hour their figures have hardly a course."""
METRES_PER_DEGREE: Final = 111_000
WORDS: Final = (
    "player", "play", "pause", "back", "forward", "instant", "instant_beside", "versus", "span", "compare", "to_now", "now",
    "player_hint", "now_only", "layers", "zoom_in", "zoom_out", "fit", "keys", "failed", "drill", "orders", "alert",
)  # fmt: skip
SWATCHES: Final = {"late": "hexagon", "lanes": "arc", "warehouses": "column", "complaints": "ring", "incidents": "alarm"}


def render(view: View) -> None:
    """Draw the page for this view and the address's question."""
    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    with st.container(key="map", gap=None):
        page = read_page(view, parameters)
        states = [(tile.name, tile.state) for tile in page.tiles]
        words_known: dict[str, Container[str]] = {"metric": METRICS, "rank": RANKS, "lanes": LANE_COUNTS, "span": SPANS}
        draw_frame(view, "pages.map", country=None, states=states, unknown=unknown_words(parameters, words_known))
        draw_map(page, key=MAP, on_choice=partial(take_choice, MAP))
        watch(view)


def prepare(view: View, parameters: Parameters) -> None:
    """Ask everything that `render` will ask for this view, so that it finds the answers ready."""
    read_page(view, parameters)
    read_filters(view)


def read_page(view: View, parameters: Parameters) -> GeoMap:
    """The whole page; where nothing is in sight only the reason why."""
    language = view.language
    question = read_question(view, parameters)
    words = {name: translate(language, f"map.words.{name}") for name in WORDS}
    empty = GeoMap(language=language, words=words)
    if not geography.has_boundaries(question.country):
        return _say(empty, view, "no_boundaries", country=name_of(language, "country", question.country))
    if main_country(view) is None and not lost_values(view):
        return _say(empty, view, "nothing", window=window_name(language, view.address.window, view.zone))
    return _read_map(view, question, words)


def _tiles(view: View, metric: str) -> tuple[Tile, ...]:
    """The figures of what is in sight, each leading to what it means."""
    return tuple(replace(tile, href=figure_link(view, tile.figure)) for tile in read_level_tiles(view, metric))


def _say(empty: GeoMap, view: View, key: str, **values: str) -> GeoMap:
    title, text = (translate(view.language, f"map.{key}.{part}", **values) for part in ("title", "text"))
    changes: dict[str, Change] = dict.fromkeys(filter_.dimension for filter_ in view.address.filters)
    is_whole = key == "nothing" and not changes
    way = translate(view.language, "map.all_way" if is_whole else "map.everything_way")
    changes |= {"window": "all"} if is_whole else {}
    notice = Notice(state="neutral", title=title, text=text, way=way, href=link(view, "/map", **changes))
    return GeoMap(language=empty.language, words=empty.words, notice=notice)


def _read_map(view: View, question: Question, words: dict[str, str]) -> GeoMap:
    language = view.language
    provinces = read_provinces(view, question)
    coloured = colour_provinces(view, question, provinces)
    cities = read_cities(view, question, coloured)
    city = cities.at.get(question.places[0]) if question.level == "city" else None
    box = frame_of(view, question, city) or (-180.0, -60.0, 180.0, 75.0)
    parts: dict[str, Callable[[], Any]] = {
        "layers": partial(_read_layers, view, question, box),
        "ranking": partial(read_ranking, view, question),
        "player": partial(read_player, view, question),
        "tiles": partial(_tiles, view, question.metric),
        "stuck": partial(read_stuck, view, question),
    }
    shown = read_side_by_side(view, parts)
    placed, worst = shown.pop("layers"), shown.pop("ranking")
    areas = read_areas(view, question, coloured) if "areas" in question.layers else {}
    labels = cities.labels if question.level in ("province", "city") else read_labels(view, question, coloured)
    told = "; ".join(f"{row.name} {row.figure}" for row in worst.rows[:3])
    place = (
        names_of(language, question.level, question.places) if question.places else name_of(language, "country", question.country)
    )
    title = metric_name(language, question.metric)
    return GeoMap(
        language=language,
        words=words,
        note=read_note(view, question, shown["player"]),
        crumbs=read_crumbs(view, question),
        controls=read_controls(view, question),
        title=title,
        scope=translate(language, "map.scope", place=place, window=window_name(language, view.address.window, view.zone)),
        spoken=translate(language, "map.spoken", metric=title, place=place, worst=told or "–"),
        country=question.country,
        files={
            "library": f"/geo/deck.js?v={LIBRARY_VERSION}",
            "boundaries": f"/geo/{question.country.lower()}.json?v={geography.boundary_edition(question.country)}",
        },
        deck=_deck(box),
        camera=Camera(key=camera_key(question), box=box, pitch=PITCH if "warehouses" in question.layers else 0.0),
        layers=_choices(view, question, coloured.scale, coloured.range, placed),
        areas=areas,
        marks={name: layer.marks for name, layer in placed.items()} | {"cities": cities.dots, "labels": thinned(labels, box)},
        ranking=worst,
        missing=read_missing(view, question, placed, cities),
        credit=translate(language, "map.credit", credits=", ".join(geography.map_credits())),
        **shown,
    )


def _read_layers(view: View, question: Question, box: Box) -> dict[str, Placed]:
    """The marks of the layers that are on, and of no others."""
    readers = {
        "late": lambda: read_late(view, box),
        "lanes": lambda: read_lanes(view, question),
        "warehouses": lambda: read_warehouses(view, question),
        "complaints": lambda: read_complaints(view, box),
        "incidents": lambda: read_incidents(view, question),
    }
    return {name: readers[name]() for name in question.layers if name in readers}


def _deck(box: Box) -> str:
    width, height = box[2] - box[0], box[3] - box[1]
    reach = max(width * 0.8, height) * METRES_PER_DEGREE
    return describe_deck(hexagon=round(hexagon_radius(box), 5), column=round(reach / 110), height=round(reach * 0.16))


def read_note(view: View, question: Question, player: Player) -> str:
    """What of the choice leads nowhere: the page goes on without it."""
    language = view.language
    lost = [names_of(language, filter_.dimension, filter_.values, most=4) for filter_ in lost_values(view)]
    known = {"", *(frame.at for frame in player.frames)}
    told = [translate(language, "map.vanished", names="; ".join(lost))] if lost else []
    told += [translate(language, "map.frame_gone")] if not {question.at, question.beside} <= known else []
    few = "map.few_frames" if question.span == "24h" and 0 < len(player.frames) < FEW_FRAMES else ""
    told += [translate(language, few, n=len(player.frames))] if few else []
    return ("" if language == "zh-CN" else " ").join(told)


def read_crumbs(view: View, question: Question) -> tuple[Crumb, ...]:
    """The way from the country down to where the map is; each step leads back to itself."""
    language, own = view.language, question.own_parameters
    steps = [step for step in path_of(view.filters) if step.dimension in PLACES and step.dimension != "country"]
    if steps and steps[0].dimension == "province" and (region := geography.region_of_province(steps[0].code)):
        steps.insert(0, Step(dimension="region", code=region))
    if not view.scope.everything and steps and [step.code for step in steps[:1]] == list(view.scope.regions):
        # The only region of a lead is where the way begins.
        steps = steps[1:]
    country = name_of(language, "country", question.country)
    start = country if view.scope.everything else names_of(language, "region", view.scope.regions, most=3)
    home: dict[str, Change] = {**own, **dict.fromkeys(LOWER["region"])}
    crumbs = [Crumb(name=start, href=link(view, "/map", **home), is_here=not steps)]
    for index, step in enumerate(steps):
        changes: dict[str, Change] = {**own, **dict.fromkeys(LOWER["region"])}
        changes |= {
            earlier.dimension: (earlier.code,) for earlier in steps[: index + 1] if earlier.dimension != "region" or index == 0
        }
        name = name_of(language, step.dimension, step.code)
        crumbs.append(Crumb(name=name, href=link(view, "/map", **changes), is_here=index == len(steps) - 1))
    return tuple(crumbs)


def read_controls(view: View, question: Question) -> tuple[Control, ...]:
    """Which figure, what the list lists, and how many lanes are drawn."""
    language = view.language
    choices = {
        "metric": [(name, metric_name(language, name), name == question.metric) for name in _metrics()],
        "rank": [(name, translate(language, f"dimensions.{name}.name"), name == question.rank) for name in RANKS],
        "lanes": [(name, translate(language, "map.lanes_most", n=name), name == str(question.lanes)) for name in LANE_COUNTS],
    }
    return tuple(
        Control(
            code=code,
            name=translate(language, f"map.control.{code}"),
            options=tuple(Option(code=word, name=name, is_on=is_on) for word, name, is_on in options),
        )
        for code, options in choices.items()
        if code != "lanes" or "lanes" in question.layers
    )


def _metrics() -> tuple[str, ...]:
    return tuple(dict.fromkeys((FIRST, *offered_metrics())))


def _choices(view: View, question: Question, scale: str, range_: str, placed: dict[str, Placed]) -> tuple[LayerChoice, ...]:
    """The legend: every layer, on or off, with what its marks mean."""
    language = view.language

    def choice(code: str) -> LayerChoice:
        layer = placed.get(code, Placed())
        figures = {
            "most": count(language, layer.most),
            "n": count(language, layer.total),
            "shown": count(language, len(layer.marks)),
        }
        told = translate(language, f"map.legend.{code}", **figures)
        few = translate(language, "map.legend.few")
        ranges = {
            "areas": f"{range_} · {few}",
            "incidents": told if layer.marks or layer.most else translate(language, "map.no_incidents"),
        }
        return LayerChoice(
            code=code,
            name=metric_name(language, question.metric) if code == "areas" else translate(language, f"map.layer.{code}"),
            is_on=code in question.layers,
            swatch=f"ramp-{scale}" if code == "areas" else SWATCHES[code],
            range=ranges.get(code, told if layer.marks else translate(language, "map.no_marks")),
        )

    return tuple(choice(code) for code in LAYERS)
