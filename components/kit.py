"""The drawing kit: JavaScript and CSS of every small component, joined once and sent once per session.

A mounted component carries only its data and a few lines that hand it to the kit; so a redraw costs its data and
nothing else, and patches what is on the page in place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import streamlit as st

from components.shapes import ASSETS, load_shapes
from components.tokens import css_variables

SCRIPTS: Final = (
    "dom.js",
    "tip.js",
    "state.js",
    "tile.js",
    "heat_grid.js",
    "country_map.js",
    "bars.js",
    "worst.js",
    "filters.js",
    "topbar.js",
    "theme.js",
    "panel.js",
    "charts.js",
    "chain.js",
    "plane.js",
    "wall_mode.js",
    "order_table.js",
    "twin.js",
    "board.js",
    "saved_views.js",
    "register.js",
    "strip.js",
    "kit.js",
)
STYLES: Final = (
    "base.css",
    "topbar.css",
    "board.css",
    "panel.css",
    "plane.css",
    "charts.css",
    "chain.css",
    "order_table.css",
    "twin.css",
    "saved_views.css",
    "register.css",
    "strip.css",
)
WIDE_SCRIPTS: Final = ("worklist.js", "handover.js", "band.js", "alerts.js", "rules.js", "rule_form.js")
WIDE_STYLES: Final = ("worklist.css", "handover.css", "alerts.css", "rules.css")
"""What only the pages of the desk need, the work list, alerts and their rules: the others are spared it."""

KINDS: Final = (
    "board", "topbar", "heat_grid", "plane", "order_table", "twin", "worklist", "handover", "register", "preview", "alerts", "strip",
    "rules",
)  # fmt: skip
"""What can be mounted: each is a drawing in kit.js."""

LOADER: Final = """
export default function (component) {
  const room = (globalThis.orderControlRoom ??= { drawn: new Map() });
  room.drawn.set(component.parentElement, ["%s", component]);
  room.draw?.("%s", component);
  return () => room.drawn.delete(component.parentElement);
}
"""

PAGE_STYLE: Final = """<style>
:root {--ocr-strip: 34px}
[data-testid="stHeader"], [data-testid="stStatusWidget"], [data-testid="stDecoration"] {display: none}
[data-testid="stMainBlockContainer"] {padding: 0; max-width: none}
[data-testid="stMain"] {scrollbar-gutter: auto}
[data-stale="true"] {opacity: 1 !important; transition: none !important}
@media print {
  html, body, #root, #root *:has([data-testid="stMain"]), [data-testid="stMain"] {
    position: static !important; height: auto !important; overflow: visible !important; background: #fff !important
  }
}
</style>"""
"""Constant text: Streamlit's own header, padding and fading are not ours; on paper nothing scrolls."""


@cache
def kit_script(*, is_wide: bool = False) -> str:
    """The kit as one JavaScript module; the wide one also draws what the desk works with."""
    styles, scripts = (*STYLES, *WIDE_STYLES), (*WIDE_SCRIPTS, *SCRIPTS)
    style = css_variables() + "".join((ASSETS / name).read_text(encoding="utf-8") for name in (styles if is_wide else STYLES))
    parts = (
        f"const KIT_CSS = {json.dumps(style)};\nconst KIT_WIDTH = {int(is_wide)};\n",
        *(_without_comments(ASSETS / name) for name in (scripts if is_wide else SCRIPTS)),
    )
    return "\n".join(parts)


def _without_comments(file: Path) -> str:
    """A script without whole-line comments and indentation; our scripts have no text over several lines."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def loader(kind: str) -> str:
    """The few lines that hand one mounted component's data to the kit's drawing `kind`."""
    return LOADER % (kind, kind)


_KIT = st.components.v2.component("order_control_room_kit", js=kit_script())
_WIDE_KIT = st.components.v2.component("order_control_room_wide_kit", js=kit_script(is_wide=True))
_DRAWINGS = {kind: st.components.v2.component(f"order_control_room_{kind}", js=loader(kind)) for kind in KINDS}


def as_data(value: Any) -> Any:  # noqa: ANN401 - any part of what a component shows
    """What a dataclass holds, as plain mappings and lists for a component.

    As `dataclasses.asdict`, without its copies of plain values, which a page of a few thousand would wait for.
    """
    if value is None or isinstance(value, (str, int, float)):
        return value
    if is_dataclass(value):
        return {name: as_data(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {name: as_data(one) for name, one in value.items()}
    if isinstance(value, (tuple, list, frozenset, set)):
        return [as_data(one) for one in value]
    raise TypeError(f"{type(value).__name__} is nothing a component can be sent: turn it into text or numbers first")


def mount_kit(country: str | None, *, is_wide: bool = False) -> None:
    """Send the kit, or the wide one, and a country's outlines; once per run of a page, before anything it draws."""
    st.html(PAGE_STYLE)
    (_WIDE_KIT if is_wide else _KIT)(key="kit", data={"shapes": load_shapes(country) if country else None})


def mount_kit_above(key: str) -> None:
    """Send the kit for something drawn before the page, which may send it again with its outlines."""
    st.html(PAGE_STYLE)
    _KIT(key=key, data=None)


def mount(
    kind: str,
    shown: object,
    *,
    key: str,
    triggers: tuple[str, ...] = (),
    on_trigger: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Draw what is shown, a dataclass or a mapping, with the kit's drawing `kind`; the values its triggers carry in this run, None where silent.

    `on_trigger` is called, without arguments, at the start of the run that a trigger causes.
    """
    callbacks: dict[str, Any] = {f"on_{name}_change": on_trigger or _ignore for name in triggers}
    result = _DRAWINGS[kind](key=key, data=as_data(shown), **callbacks)
    return {name: getattr(result, name) for name in triggers}


def _ignore() -> None:
    """A trigger without a callback still starts a run."""
