"""How the queue grew: the cumulative flow of the window, and what is open by age."""

from __future__ import annotations

from typing import Final

from access.view import View
from components.charts import Band, Bands
from components.format import count
from components.plane import Card
from i18n import translate
from pages.flow_question import length_of
from pages.flow_strip import Stage, narrowest_of
from pages.heat_question import Question as HeatQuestion
from pages.heat_reading import read_whole_grid
from pages.wording import stage_name, window_name

MOST_POINTS: Final = 168


def read_bands(view: View, stages: list[Stage]) -> Card:
    """Orders through since the window's start, and above them those in each stage: a band that widens is a queue that grows."""
    language = view.language
    title, scope = translate(language, "flow.bands.title"), window_name(language, view.address.window, view.zone)
    size = len(stages[0].passing.starts)
    step = max(1, -(-size // MOST_POINTS))
    points = [*range(size - 1, -1, -step)][::-1]
    last = stages[-1].passing
    through = [float(last.left[: point + 1].sum()) for point in points]
    levels = {stage.code: [max(0.0, float(stage.passing.level[point])) for point in points] for stage in stages}
    tops = [done + sum(level[index] for level in levels.values()) for index, done in enumerate(through)]
    most = max(tops, default=0.0) or 1.0
    bands = [Band(name=translate(language, "flow.bands.through"), values=tuple(value / most for value in through), is_base=True)]
    bands += [
        Band(
            name=stage_name(language, stage.code),
            values=tuple(value / most for value in levels[stage.code]),
            is_marked=stage is narrowest_of(stages),
        )
        for stage in reversed(stages)
    ]
    starts = [last.starts[point].astimezone(view.zone) for point in points]
    tips = tuple(
        "\n".join(
            (
                f"{at:%m-%d %H:%M}",
                f"{translate(language, 'flow.bands.through')} {count(language, through[index])}",
                *(f"{stage_name(language, code)} {count(language, level[index])}" for code, level in levels.items()),
            )
        )
        for index, at in enumerate(starts)
    )
    hours = length_of(view).total_seconds() / 3600
    spoken = translate(language, "flow.bands.spoken", n=count(language, through[-1]), hours=count(language, hours))
    chart = Bands(
        bands=tuple(bands),
        tips=tips,
        first=f"{starts[0]:%m-%d %H:%M}",
        last=f"{starts[-1]:%m-%d %H:%M}",
        top=translate(language, "flow.bands.top", n=count(language, most)),
        spoken=spoken,
    )
    return Card(title=title, scope=scope, chart=chart)


def read_ages(view: View) -> Card:
    """Open orders by the stage they wait in and their age."""
    question = HeatQuestion(board="ages", metric="backlog_count", rows="stage", columns="age_bucket", colour="plain")
    grid = read_whole_grid(view, question)
    return Card(title=translate(view.language, "flow.ages.title"), scope=grid.scope, grid=grid)


def read_waves(view: View) -> Card:
    """Orders shipped by pick wave and hour of the day: which wave and shift carries the day."""
    question = HeatQuestion(board="waves", metric="shipped_count", rows="wave", columns="hour", colour="plain")
    grid = read_whole_grid(view, question)
    return Card(title=translate(view.language, "flow.waves.title"), scope=grid.scope, grid=grid, size="wide")
