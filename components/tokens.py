"""The design system's numbers: colour roles and scales for both themes, type sizes, spacing, as CSS variables.

Colours are `#RRGGBB`. State is never colour alone; warm colour means outside a limit, and only that.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal

ThemeName = Literal["dark", "light"]

SCALE_STEPS: Final = 32
"""Steps a scale is drawn in: cells carry the number of their step, the theme gives it its colours."""

SCALES: Final = {"scale": ("s", "t"), "diverging": ("d", "e"), "plain": ("p", "q")}
"""The scales, with the letters of their variables: `--d3` is a step's ground, `--e3` the text on it."""

TEXT_CONTRAST: Final = 4.5
"""WCAG 2.2 AA for text of any size."""

GRAPHIC_CONTRAST: Final = 3.0
"""WCAG 2.2 AA for marks that carry meaning."""


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The colour roles of one theme; `scale` runs from nothing beyond the limit to the worst.

    `diverging` has the target in its middle, better on the left, worse on the right; `plain` is volume without judgement.
    """

    background: str
    surface: str
    raised: str
    line: str
    track: str
    text: str
    secondary: str
    muted: str
    faint: str
    good: str
    warning: str
    critical: str
    warning_fill: str
    accent: str
    progress: str
    stale: str
    hatch: str
    hatch_ground: str
    blank: str
    scale: tuple[str, ...]
    diverging: tuple[str, ...]
    plain: tuple[str, ...]


THEMES: Final[dict[ThemeName, Theme]] = {
    "dark": Theme(
        background="#0B0F14",
        surface="#121821",
        raised="#1A2330",
        line="#1E2835",
        track="#1C2530",
        text="#E6EDF5",
        secondary="#C6D2E0",
        muted="#8A99AD",
        faint="#7C8A9C",
        good="#49B6A3",
        warning="#F2B33D",
        critical="#FF6B57",
        warning_fill="#F2B33D",
        accent="#5AA9FF",
        progress="#4C7FB5",
        stale="#2A323D",
        hatch="#39465A",
        hatch_ground="#1A2028",
        blank="#171D26",
        scale=("#182434", "#243E5C", "#605A5C", "#B26A46", "#F07048"),
        diverging=("#3AA591", "#22575A", "#27313E", "#8A5A48", "#F07048"),
        plain=("#182434", "#2C527F", "#7FB4E6"),
    ),
    "light": Theme(
        background="#F3F5F8",
        surface="#FFFFFF",
        raised="#F3F6FA",
        line="#DCE2EA",
        track="#E6EBF1",
        text="#131D2A",
        secondary="#2F4055",
        muted="#536479",
        faint="#5E6E83",
        good="#0D7767",
        warning="#8A5A00",
        critical="#C02B14",
        warning_fill="#B37400",
        accent="#1461BD",
        progress="#4C7FB5",
        stale="#D3D9E1",
        hatch="#B4C0CE",
        hatch_ground="#EEF2F6",
        blank="#F4F6F9",
        scale=("#EAF1F8", "#BDD2E7", "#CBAF9B", "#D87F4C", "#B83A14"),
        diverging=("#157565", "#9CCFC5", "#EFF2F5", "#E3A584", "#B83A14"),
        plain=("#EAF1F8", "#8FB6DC", "#1F5F9E"),
    ),
}

TYPE_SIZES: Final = {"value": 27, "page": 22, "title": 16, "card": 15, "body": 14, "axis": 13, "note": 12}
"""Pixels at 1920 wide; every size scales with the unit `--u`, and no text falls below `MINIMUM_TEXT`."""

MINIMUM_TEXT: Final = 10.5

SPACES: Final = {"gap": 14, "pad": 16, "radius": 10, "cell": 2}
"""Pixels at 1920 wide: between cards, inside a card, a card's corner, between cells."""

FONT_STACK: Final = (
    "Inter, -apple-system, 'Segoe UI', 'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans', "
    "sans-serif"
)
"""System fonts only: Latin first, so that figures keep tabular numerals; nothing is downloaded."""


def channels(colour: str) -> tuple[float, float, float]:
    """Red, green, blue of `#RRGGBB`, each 0–1."""
    return (int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255)


def linear(channel: float) -> float:
    """The light of an sRGB channel, 0–1 (IEC 61966-2-1)."""
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    """Relative luminance, 0–1 (WCAG 2.2)."""
    red, green, blue = (linear(channel) for channel in channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1–21 (WCAG 2.2)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """The colour `share` (0–1) of the way from one to the other, in sRGB."""
    pairs = zip(channels(one), channels(other), strict=True)
    return "#" + "".join(f"{round(255 * (start + (end - start) * share)):02X}" for start, end in pairs)


def scale_colour(theme: Theme, level: float, scale: str = "scale") -> str:
    """The colour at `level` (0–1, clipped) of one of the theme's scales."""
    stops: tuple[str, ...] = getattr(theme, scale)
    position = min(max(level, 0.0), 1.0) * (len(stops) - 1)
    index = min(int(position), len(stops) - 2)
    return mix(stops[index], stops[index + 1], position - index)


def text_on(ground: str) -> str:
    """A text colour readable on `ground`: the soft ones first, pure black or white where only they pass."""
    candidates = ("#DCE6F1", "#0B0F14", "#FFFFFF", "#000000")
    return next(
        (text for text in candidates if contrast(text, ground) >= TEXT_CONTRAST),
        max(candidates, key=lambda text: contrast(text, ground)),
    )


def css_variables() -> str:
    """Every token as a CSS rule: on a screen `.ocr` has the dark values unless it is `[data-theme=light]`; paper is always light."""
    sizes = [f"--size-{name}: max({MINIMUM_TEXT}px, calc({size} * var(--u)));" for name, size in TYPE_SIZES.items()]
    spaces = [f"--{name}: calc({size} * var(--u));" for name, size in SPACES.items()]
    shared = "\n".join((f"--font: {FONT_STACK};", *sizes, *spaces))
    dark, light = (_theme_rule(theme) for theme in (THEMES["dark"], THEMES["light"]))
    on_screen = f"@media screen {{\n.ocr:not([data-theme=light]) {{\n{dark}\n}}\n}}"
    return f".ocr, .zoomed {{\n{shared}\n}}\n.ocr {{\n{light}\n}}\n{on_screen}\n{_scale_rules()}"


def _theme_rule(theme: Theme) -> str:
    roles = [
        f"--{field.name.replace('_', '-')}: {getattr(theme, field.name)};" for field in fields(theme) if field.name not in SCALES
    ]
    for scale, letters in SCALES.items():
        for step in range(SCALE_STEPS):
            colour = scale_colour(theme, step / (SCALE_STEPS - 1), scale)
            roles.append(f"--{letters[0]}{step}: {colour}; --{letters[1]}{step}: {text_on(colour)};")
        roles.append(f"--ramp-{scale}: linear-gradient(90deg, {', '.join(getattr(theme, scale))});")
    return "\n".join(roles)


def _scale_rules() -> str:
    rules = [
        f"{'' if scale == 'scale' else f'.{scale} '}.s{step} {{ --ground: var(--{ground}{step}); --ink: var(--{ink}{step}); }}"
        for scale, (ground, ink) in SCALES.items()
        for step in range(SCALE_STEPS)
    ]
    return "\n".join(rules) + "\n"
