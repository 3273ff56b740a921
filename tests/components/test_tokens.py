"""Both themes are readable, and a scale's ends stay apart for every kind of eye and in grey print."""

from __future__ import annotations

import math

import pytest

from components.tokens import (
    GRAPHIC_CONTRAST,
    SCALE_STEPS,
    TEXT_CONTRAST,
    THEMES,
    Theme,
    channels,
    contrast,
    linear,
    luminance,
    scale_colour,
    text_on,
)

BOTH = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES.keys())
DISTINCT = 20.0
"""CIE76 difference from which two areas are told apart at a glance."""

# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear sRGB.
VISIONS = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    "grey print": ((0.2126, 0.7152, 0.0722),) * 3,
    "full colour": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}


def lab(colour: str, vision: str) -> tuple[float, float, float]:
    light = [linear(channel) for channel in channels(colour)]
    red, green, blue = (min(max(sum(a * b for a, b in zip(row, light, strict=True)), 0.0), 1.0) for row in VISIONS[vision])
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def difference(one: str, other: str, vision: str) -> float:
    return math.dist(lab(one, vision), lab(other, vision))


@BOTH
@pytest.mark.parametrize("role", ["text", "secondary", "muted", "faint", "good", "warning", "critical", "accent"])
def test_every_text_colour_is_readable_on_cards_and_page(theme: Theme, role: str) -> None:
    assert min(contrast(getattr(theme, role), ground) for ground in (theme.surface, theme.background)) >= TEXT_CONTRAST


@BOTH
def test_bars_can_be_told_from_their_track(theme: Theme) -> None:
    assert (
        min(contrast(colour, theme.track) for colour in (theme.progress, theme.warning_fill, theme.critical)) >= GRAPHIC_CONTRAST
    )


@BOTH
def test_figures_are_readable_on_every_step_of_the_scale(theme: Theme) -> None:
    steps = [scale_colour(theme, step / (SCALE_STEPS - 1)) for step in range(SCALE_STEPS)]
    assert min(contrast(text_on(colour), colour) for colour in steps) >= TEXT_CONTRAST


@BOTH
@pytest.mark.parametrize("vision", VISIONS)
def test_the_ends_and_quarters_of_the_scale_stay_apart_for_every_eye(theme: Theme, vision: str) -> None:
    ends = difference(theme.scale[0], theme.scale[-1], vision)
    assert ends >= 2 * DISTINCT
    assert min(difference(theme.scale[index], theme.scale[index + 2], vision) for index in range(3)) >= DISTINCT


@BOTH
def test_the_scale_runs_one_way_in_lightness(theme: Theme) -> None:
    lights = [luminance(scale_colour(theme, step / (SCALE_STEPS - 1))) for step in range(SCALE_STEPS)]
    assert lights in (sorted(lights), sorted(lights, reverse=True))


@BOTH
@pytest.mark.parametrize("vision", VISIONS)
def test_stale_grey_is_never_taken_for_good(theme: Theme, vision: str) -> None:
    assert difference(theme.stale, theme.good, vision) >= DISTINCT
