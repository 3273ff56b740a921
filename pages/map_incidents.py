"""What is out of order now: stages beyond their limit for sure, by province, and the alerts that are firing."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from access import geography
from access.view import View
from alerts.firing import Firing, firing_alerts
from components.format import count, duration, percent, when
from components.geo_map import Mark
from i18n import translate
from pages.map_areas import Row
from pages.map_marks import Placed
from pages.map_question import LOWER, Question, without
from pages.wall_worst import evidence_of
from pages.wording import judge, name_of, stage_name
from queries.query import Query

Point = tuple[float, float]
RINGS: Final = {"critical": (13.0, 3.5, "critical"), "warning": (10.0, 2.0, "warning-fill")}
"""A ring's radius and width in pixels, and its ink."""
ALERT_RING: Final = 4.0
"""Pixels by which the ring of a firing alert is wider, so that both can be seen."""


def read_incidents(view: View, question: Question) -> Placed:
    """A ring on each province with a stage that is beyond its limit now and worse than a week ago beyond chance."""
    middles = geography.province_middles(question.country)
    worst: dict[str, tuple[str, Row]] = {}
    for row in sorted(incident_rows(view), key=lambda row: row["over_limit_seconds"]):
        if (state := incident_state(view, row)) and row["province"] in middles:
            worst[row["province"]] = (state, row)
    marks = tuple(_incident(view, middles[code], state, row) for code, (state, row) in worst.items())
    alerts = read_alerts(view, question)
    return Placed(marks=(*marks, *alerts.marks), total=len(marks), most=alerts.total, unplaced=alerts.unplaced)


def incident_rows(view: View) -> list[Row]:
    """What is beyond its limit by province and stage, with last week's."""
    metrics = ("over_limit_rate", "over_limit_seconds", "over_limit_count")
    where = without(view, *LOWER["province"])
    asked = Query(metrics=metrics, by=("province", "stage"), where=where, window=view.window, compare=("last_week",))
    return [row for row in view.run(asked).to_dicts() if row["province"] and row["stage"] and row["over_limit_seconds"]]


def incident_state(view: View, row: Row) -> str:
    """`warning` or `critical` where a stage is beyond its target for sure; empty else."""
    evidence, edition = evidence_of(row), view.targets.at(view.as_of, view.zone)
    if not evidence.is_worse or evidence.n < edition.minimum_count:
        return ""
    judged = judge("over_limit_rate", evidence.share, edition.target_of("over_limit_rate"))
    return judged if judged in ("warning", "critical") else ""


def _incident(view: View, at: tuple[float, float], state: str, row: Row) -> Mark:
    language = view.language
    place = name_of(language, "province", row["province"])
    head = translate(language, "wall.worst.item", place=place, stage=stage_name(language, row["stage"]))
    texts = {
        "n": count(language, row["over_limit_count"]),
        "share": percent(language, row["over_limit_rate"], 0),
        "hours": duration(language, row["over_limit_seconds"]),
    }
    tip = "\n".join((translate(language, f"wall.{state}"), head, translate(language, "map.incident", **texts)))
    return _ring(at, state, tip, row["province"])


def _ring(at: Point, state: str, tip: str, code: str) -> Mark:
    size, width, ink = RINGS.get(state, RINGS["warning"])
    return Mark(at=at, ink=ink, tip=tip, size=size, width=width, code=code)


def read_alerts(view: View, question: Question) -> Placed:
    """The alerts firing now on a province or a warehouse of this map; those of no such place are counted by rule."""
    if view.store is None or not view.is_live:
        return Placed()
    found = firing_alerts(view.store, scope=view.scope, user=view.user.name)
    middles, places = geography.province_middles(question.country), geography.places_of_warehouses(view)
    marks, lost = [], dict[str, int]()
    for alert in found:
        province, warehouse = alert.labels.get("province"), alert.labels.get("warehouse")
        at = middles.get(province) if province else places.get(warehouse) if warehouse else None
        if at is None:
            lost[alert.rule] = lost.get(alert.rule, 0) + 1
        else:
            ring = _ring(at, alert.level, _told(view, alert), province or "")
            marks.append(replace(ring, size=ring.size + ALERT_RING, width=1.5))
    return Placed(marks=tuple(marks), total=len(found), unplaced=tuple(lost.items()))


def _told(view: View, alert: Firing) -> str:
    """An alert in words: its level and rule, its place, since when."""
    language = view.language
    level = translate(language, f"wall.{alert.level}") if alert.level in RINGS else alert.level
    names = [name_of(language, name, code) for name, code in alert.labels.items() if code]
    since = (
        [translate(language, "wall.worst.since", at=when(language, alert.since, view.as_of, view.zone))] if alert.since else []
    )
    return "\n".join((translate(language, "map.alert", level=level, rule=alert.rule), " · ".join(names), *since))
