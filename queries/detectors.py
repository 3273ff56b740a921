"""Detectors: what is wrong by itself, without a target: blocked yet still fed, slower against its queue, decaying, silent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final, Literal

from data.order import STAGES
from queries.series import A_DAY, Course

Kind = Literal["blocked_but_fed", "slower_than_queue", "decaying", "silent"]
Key = tuple[str | None, ...]

HOURS: Final = 3
"""How many newest hours a detector looks at."""
SURE: Final = 1e-4
"""How unlikely what went out must be where it goes out as usual (Poisson): a hundred places looked at hourly stay quiet for days."""
BLOCKED_SHARE: Final = 0.1
SLOW_SHARE: Final = 0.6
LONG_QUEUE: Final = 1.5
LEAST_FED: Final = 5
LEAST_USUAL: Final = 12
DECAY_DAYS: Final = 3
INSIDE: Final = STAGES[STAGES.index("accepted") : STAGES.index("shipped") + 1]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing found: of which kind, where, since when; `now` and `usual` are what went out (or the share that decays), `fed`
    what came in meanwhile, `waiting` what waits, `p` how likely that is by chance."""

    kind: Kind
    place: Key
    stage: str
    since: datetime
    now: float
    usual: float
    fed: float
    waiting: float
    p: float


def find_nodes(courses: Mapping[Key, Course]) -> list[Finding]:
    """Of courses of what passes by (node, stage): nodes that let nothing out and are still given orders, and those that let out
    less than usual at this hour while more waits than usual. The surest first."""
    found = [_judge_node(key, course) for key, course in courses.items() if key[-1] in INSIDE and key[0] is not None]
    return sorted((item for item in found if item), key=lambda item: item.p)


def _judge_node(key: Key, course: Course) -> Finding | None:
    if len(course.left) < 3 * A_DAY:
        return None
    now, usual = float(course.left[-HOURS:].sum()), _usual(course, HOURS)
    if usual < LEAST_USUAL:
        return None
    p = poisson_at_most(now, usual)
    fed, waiting = float(course.entered[-HOURS:].sum()), float(course.level[-1])
    is_blocked = now <= BLOCKED_SHARE * usual and fed >= LEAST_FED
    before = [float(course.level[-1 - A_DAY * day]) for day in range(1, _days(course) + 1)]
    is_slow = now <= SLOW_SHARE * usual and waiting >= LONG_QUEUE * max(1.0, median(before))
    if p > SURE or not (is_blocked or is_slow):
        return None
    return Finding(
        kind="blocked_but_fed" if is_blocked else "slower_than_queue",
        place=key[:-1],
        stage=str(key[-1]),
        since=_since(course, BLOCKED_SHARE if is_blocked else SLOW_SHARE),
        now=now,
        usual=usual,
        fed=fed,
        waiting=waiting,
        p=p,
    )


def find_silence(courses: Mapping[Key, Course]) -> list[Finding]:
    """Of courses of what passes by stage alone: stages that nothing is heard of, where usually something is at this hour."""
    found = []
    for key, course in courses.items():
        size = len(course.left)
        quiet = next((back for back in range(size) if course.left[size - 1 - back] > 0), size)
        # The newest hour has only begun: it may be silent by chance.
        usual = _usual(course, quiet) if 2 <= quiet < 2 * A_DAY and size >= 3 * A_DAY else 0.0
        if usual >= LEAST_USUAL and poisson_at_most(0, usual) <= SURE:
            found.append(
                Finding(
                    kind="silent", place=key[:-1], stage=str(key[-1]), since=course.starts[size - quiet], now=0.0, usual=usual,
                    fed=float(course.entered[-quiet:].sum()), waiting=float(course.level[-1]), p=poisson_at_most(0, usual),
                )
            )  # fmt: skip
    return found


def find_decay(stuck: Mapping[Key, Course], passing: Mapping[Key, Course], stage: str = "out_for_delivery") -> list[Finding]:
    """Of courses by (…, stage): where on each of the last three days a greater share became slower than normal than on any day before.

    By chance alone three given days are the greatest of seven with one in thirty-five; so each must besides stand out by itself.
    """
    found = []
    for key, course in passing.items():
        slow = stuck.get(key)
        if key[-1] != stage or slow is None or key[0] is None:
            continue
        days = [_share(slow, course, day) for day in range(_days(course) + 1)]
        newest, before = days[:DECAY_DAYS], days[DECAY_DAYS:]
        if len(before) < DECAY_DAYS or any(n < LEAST_USUAL for _, n in newest):
            continue
        bad, n = sum(part for part, _ in before), sum(whole for _, whole in before)
        usual = bad / n if n else 0.0
        ps = [_binomial_tail(part, whole, max(usual, 0.02)) for part, whole in newest]
        if min(part / whole for part, whole in newest) > max((p / w for p, w in before if w), default=1.0) and max(ps) < 0.01:
            now = sum(part for part, _ in newest) / sum(whole for _, whole in newest)
            since = course.starts[-1] - timedelta(hours=DECAY_DAYS * A_DAY - 1)
            found.append(
                Finding(
                    kind="decaying", place=key[:-1], stage=stage, since=since, now=now, usual=usual,
                    fed=sum(whole for _, whole in newest), waiting=float(slow.level[-1]), p=math.prod(ps),
                )
            )  # fmt: skip
    return sorted(found, key=lambda item: item.p)


def _days(course: Course) -> int:
    return max(0, len(course.left) // A_DAY - 1)


def _usual(course: Course, hours: int) -> float:
    """What goes out in these hours of the day, up to the same minute: the median of the days before."""
    ends = range(len(course.left) - A_DAY, hours - 1, -A_DAY)
    sums = [course.up_to(course.left, end, hours) for end in ends]
    return median(sums) if len(sums) >= 2 else 0.0


def _since(course: Course, share: float) -> datetime:
    """The first of the hours up to now in which less went out than this share of the usual."""
    back = 1
    while back < A_DAY and float(course.left[-back - 1]) <= share * max(1.0, _usual_hour(course, back + 1)):
        back += 1
    return course.starts[-back]


def _usual_hour(course: Course, back: int) -> float:
    values = [
        float(course.left[-back - A_DAY * day]) for day in range(1, _days(course) + 1) if back + A_DAY * day <= len(course.left)
    ]
    return median(values) if values else 0.0


def _share(slow: Course, course: Course, day: int) -> tuple[float, float]:
    """Of a day, newest first: how many became slower than normal, and of how many that went on or became so."""
    end = len(course.left) - A_DAY * day
    span = slice(max(0, end - A_DAY), end)
    bad = float(slow.entered[span].sum())
    through = float(course.left[span].sum() - slow.left[span].sum())
    return bad, max(0.0, through) + bad


def poisson_at_most(count: float, mean: float) -> float:
    """P(X ≤ count) of a Poisson variable."""
    term = total = math.exp(-mean)
    for k in range(1, int(count) + 1):
        term *= mean / k
        total += term
    return min(1.0, total)


def _binomial_tail(part: float, whole: float, share: float) -> float:
    """P of so many or more, by the normal approximation with continuity."""
    error = math.sqrt(whole * share * (1 - share))
    return 0.5 * math.erfc((part - 0.5 - whole * share) / error / math.sqrt(2)) if error else 1.0
