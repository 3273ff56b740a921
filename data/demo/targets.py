"""Targets that suit the demo country: limits near its normal times, its cut-off, its promotion days."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Final

import yaml

from data.demo.rhythm import CUT_OFF_HOUR, festival_factor
from data.demo.world import World

STAGE_LIMITS: Final = {
    "paid": "2h",
    "approved": "4h",
    "allocated": "2h",
    "accepted": "6h",
    "picked": "8h",
    "packed": "4h",
    "shipped": "12h",
    "out_for_delivery": "72h",
    "delivered": "12h",
}
"""In plain times 2 to 8 % of the orders stay longer than these."""

METRICS: Final = {
    "on_time_rate": 0.95,
    "late_rate": 0.05,
    "delivered_on_time_rate": 0.95,
    "on_time_ship_rate": 0.93,
    "otif_rate": 0.93,
    "exception_rate": 0.02,
    "cancel_rate": 0.035,
    "delivery_failed_rate": 0.012,
    "return_rate": 0.05,
    "complaint_rate": 0.005,
    "return_within_target_rate": 0.75,
    "over_limit_rate": 0.08,
    "order_cycle_seconds_p50": "40h",
    "order_cycle_seconds_p90": "66h",
    "grey_zone_seconds_p50": "3h",
    "grey_zone_seconds_p90": "7h",
    "return_handling_seconds_p50": "24h",
    "return_handling_seconds_p90": "36h",
}
BACKLOG_DAYS: Final = 1.8
YEAR: Final = timedelta(days=365)


def write_targets(path: Path, world: World) -> Path:
    """Write the demo's targets file unless there is one; promotion days from a year before the founding to a year after."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump([_edition(world)], allow_unicode=True, sort_keys=False)
        path.write_text(f"# Targets of the demo country, written once; edit freely.\n{text}", encoding="utf-8")
    return path


def _edition(world: World) -> dict[str, object]:
    return {
        "valid_from": date(2000, 1, 1),
        "metrics": {"backlog_count": round(world.orders_per_day * BACKLOG_DAYS), **METRICS},
        "stage_limits": STAGE_LIMITS,
        "minimum_count": 30,
        "return_handling": "24h",
        "calendar": {
            "cut_off": f"{int(CUT_OFF_HOUR):02d}:00",
            "shifts": [{"name": "day", "from": "08:00", "to": "16:00"}, {"name": "evening", "from": "16:00", "to": "24:00"}],
            "holidays": [],
            "promotions": _promotions(world.day_of(world.anchor)),
        },
    }


def _promotions(around: date) -> list[dict[str, object]]:
    days = [around + timedelta(days=ahead) for ahead in range(-YEAR.days, YEAR.days + 1)]
    return [{"name": f"{day.month}.{day.day}", "from": day, "to": day} for day in days if festival_factor(day) > 1]
