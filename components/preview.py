"""The frame of a preview: whose eyes the page is seen through, and the way out."""

from __future__ import annotations

from collections.abc import Callable

from components.kit import mount, mount_kit_above


def draw_preview(language: str, text: str, leave: str, *, key: str, on_leave: Callable[[], None]) -> None:
    """Draw the band above the page; its button calls `on_leave` before the next run."""
    mount_kit_above(f"{key}.kit")
    mount("preview", {"language": language, "text": text, "leave": leave}, key=key, triggers=("leave",), on_trigger=on_leave)
