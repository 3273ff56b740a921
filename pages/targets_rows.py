"""The tables of the targets: what is in force with today's figures, the draft with its effect, and the history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from access.targets_book import TargetsVersion
from access.targets_draft import Draft, Edition, Effect, Figure, Targets, differences, effects, figures_of, is_seen, may_set
from access.view import View
from components.format import full_instant, percent
from components.register import Act, Entry, Sheet
from i18n import translate
from pages.figures import figure as figure_text
from pages.targets_form import code_of, figures_now, is_known, over_limit_now, place_of, title_of, value_text
from pages.wording import judge, names_of, window_name
from queries.metrics import METRICS

MOST_CHANGES: Final = 8
MOST_VERSIONS: Final = 50
Known = Mapping[str, Sequence[str]]


def target_entries(view: View, edition: Edition, known: Known, *, can_edit: bool) -> tuple[Entry, ...]:
    """Every metric's target, overall and by group, beside today's figure of everything in sight."""
    figures = [(one, value) for one, value in figures_of(edition).items() if one.kind == "target" and is_known(one)]
    today = figures_now(view, list(dict.fromkeys(one.name for one, _ in figures)))
    return tuple(
        _target_entry(view, one, value, None if one.dimension else today.get(one.name), can_edit=can_edit)
        for one, value in figures
        if is_seen(view.scope, one, known)
    )


def _target_entry(view: View, one: Figure, value: float, today: float | None, *, can_edit: bool) -> Entry:
    language = view.language
    state = judge(one.name, today, value) if METRICS[one.name].kind != "sum" or view.scope.everything else None
    return Entry(
        key=code_of(one),
        cells=(
            title_of(language, one),
            place_of(language, one),
            value_text(language, one, value),
            "" if one.dimension else figure_text(language, one.name, today),
        ),
        mark=translate(language, "targets.missed") if state in ("warning", "critical") else "",
        state=state if state in ("warning", "critical") else "neutral",
        acts=_acts(view, one, can_edit=can_edit),
    )


def limit_sheet(view: View, edition: Edition, known: Known, *, can_edit: bool) -> Sheet:
    """Every stage's limit, for all and by business type, beside today's share beyond it."""
    language, today = view.language, over_limit_now(view)
    entries = tuple(
        Entry(
            key=code_of(one),
            cells=(
                title_of(language, one),
                place_of(language, one),
                value_text(language, one, value),
                "" if one.dimension else percent(language, today.get(one.name)),
            ),
            acts=_acts(view, one, can_edit=can_edit),
        )
        for one, value in figures_of(edition).items()
        if one.kind == "limit" and is_seen(view.scope, one, known)
    )
    columns = ("stage", "where", "limit", "beyond")
    return Sheet(
        title=translate(language, "targets.limits"),
        note=translate(language, "targets.limits_note"),
        columns=tuple(translate(language, f"targets.column.{name}") for name in columns),
        entries=entries,
        empty=translate(language, "targets.no_limits"),
        acts_name=translate(language, "targets.column.acts"),
    )


def _acts(view: View, one: Figure, *, can_edit: bool) -> tuple[Act, ...]:
    if not can_edit or not may_set(view.user, view.scope, one):
        return ()
    return tuple(Act(action=name, name=translate(view.language, f"targets.act.{name}")) for name in ("change", "remove"))


def draft_figures(view: View, draft: Draft, before: Edition, after: Edition, known: Known) -> list[Figure]:
    """What a draft sets: its changes, or all in which an earlier version differs from today's."""
    if draft.origin is None:
        return [change.figure for change in draft.changes]
    one, other = figures_of(before), figures_of(after)
    found = [figure for figure in dict.fromkeys((*one, *other)) if one.get(figure) != other.get(figure)]
    return [figure for figure in found if is_known(figure) and is_seen(view.scope, figure, known)]


def draft_sheet(view: View, draft: Draft, before: Edition, after: Edition, known: Known, *, dropped: Sequence[str] = ()) -> Sheet:
    """Each change of the draft with what it does to today's figures; `dropped` are days whose editions it takes away."""
    language = view.language
    figures = draft_figures(view, draft, before, after, known)
    found = effects(view, before, after, figures)
    acts = (Act(action="drop", name=translate(language, "targets.act.drop")),) if draft.origin is None else ()
    title = (
        translate(language, "targets.draft", day=draft.valid_from.isoformat())
        if draft.origin is None
        else translate(language, "targets.draft_of_version", n=draft.origin)
    )
    return Sheet(
        title=title,
        note=" · ".join(
            [
                *([translate(language, "targets.draft_drops", days=", ".join(dropped))] if dropped else []),
                translate(language, "targets.as_if", window=window_name(language, view.address.window, view.zone)),
            ]
        ),
        columns=tuple(translate(language, f"targets.column.{name}") for name in ("figure", "where", "change", "effect")),
        entries=tuple(_draft_entry(language, effect, acts) for effect in found),
        empty=translate(language, "targets.draft_same"),
        acts_name=translate(language, "targets.column.acts"),
        is_first=True,
    )


def _draft_entry(language: str, effect: Effect, acts: tuple[Act, ...]) -> Entry:
    is_worse = bool(effect.newly) or (effect.share_after or 0) > (effect.share_before or 0)
    return Entry(
        key=code_of(effect.figure),
        cells=(
            title_of(language, effect.figure),
            place_of(language, effect.figure),
            " → ".join(value_text(language, effect.figure, value) for value in (effect.before, effect.after)),
            effect_text(language, effect),
        ),
        mark=translate(language, "targets.more_trouble") if is_worse else "",
        state="warning" if is_worse else "neutral",
        acts=acts,
    )


def effect_text(language: str, effect: Effect) -> str:
    """What a change does today, in a sentence."""
    if effect.figure.kind == "limit":
        if effect.share_before is None and effect.share_after is None:
            return translate(language, "targets.effect.no_orders")
        shares = {"before": percent(language, effect.share_before), "after": percent(language, effect.share_after)}
        return translate(language, "targets.effect.share", **shares, n=f"{effect.n:,}")
    if effect.missed_before is None or effect.missed_after is None:
        return translate(language, "targets.effect.no_figure")
    if effect.value is not None and effect.n == 1:
        words = [
            translate(language, f"targets.effect.{'missed' if n else 'met'}") for n in (effect.missed_before, effect.missed_after)
        ]
        value = figure_text(language, effect.figure.name, effect.value)
        return translate(language, "targets.effect.one", value=value, before=words[0], after=words[1])
    return _groups_text(language, effect, effect.missed_before, effect.missed_after)


def _groups_text(language: str, effect: Effect, before: int, after: int) -> str:
    dimension = translate(language, f"dimensions.{effect.by}.name")
    dimension = dimension.lower() if language == "en" else dimension
    text = translate(language, "targets.effect.groups", dimension=dimension, before=before, after=after, n=effect.n)
    for key, codes in (("newly", effect.newly), ("freed", effect.freed)):
        if codes:
            text += translate(language, f"targets.effect.{key}", names=names_of(language, effect.by, codes, most=4))
    return text


def history_sheet(view: View, versions: Sequence[TargetsVersion], mark: str, known: Known, *, can_edit: bool) -> Sheet:
    """Every version with who saved it, why, and what it changed; those of a regional analyst with what they see of it."""
    language = view.language
    shown = versions[:MOST_VERSIONS]
    entries = []
    for place, version in enumerate(shown):
        earlier = versions[place + 1] if place + 1 < len(versions) else None
        changes = _changes(view, earlier.targets if earlier else None, version.targets, known)
        if not view.scope.everything and not changes:
            continue
        entries.append(_version_entry(view, version, changes, is_now=version.mark == mark and place == 0, can_edit=can_edit))
    return Sheet(
        title=translate(language, "targets.history"),
        note=translate(language, "targets.history_note"),
        columns=tuple(translate(language, f"targets.column.{name}") for name in ("version", "when", "who", "why", "changes")),
        entries=tuple(entries),
        empty=translate(language, "targets.no_history"),
        acts_name=translate(language, "targets.column.acts"),
    )


def _version_entry(view: View, version: TargetsVersion, changes: list[str], *, is_now: bool, can_edit: bool) -> Entry:
    language = view.language
    why = version.reason
    if version.origin is not None:
        why = f"{translate(language, 'targets.restored', n=version.origin)} {why}".strip()
    can_restore = can_edit and not is_now and view.scope.everything and version.targets is not None
    return Entry(
        key=str(version.number),
        cells=(
            translate(language, "targets.version", n=version.number),
            _at(view, version.at),
            version.actor or translate(language, "targets.by_hand"),
            why or "–",
            ("；" if language == "zh-CN" else "; ").join(changes) or "–",
        ),
        mark=translate(language, "targets.in_force") if is_now else "",
        acts=(Act(action="restore", name=translate(language, "targets.act.restore")),) if can_restore else (),
    )


def _at(view: View, at: datetime) -> str:
    return full_instant(at, view.zone)[:16]


def _changes(view: View, before: Targets | None, after: Targets | None, known: Known) -> list[str]:
    language = view.language
    if after is None:
        return [translate(language, "targets.unreadable")] if view.scope.everything else []
    if before is None:
        return []
    found = [one for one in differences(before, after) if is_known(one.figure) and is_seen(view.scope, one.figure, known)]
    texts = [
        translate(
            language,
            "targets.changed",
            day=one.valid_from.isoformat(),
            what=title_of(language, one.figure),
            where=place_of(language, one.figure),
            before=value_text(language, one.figure, one.before),
            after=value_text(language, one.figure, one.after),
        )
        for one in found[:MOST_CHANGES]
    ]
    rest = len(found) - MOST_CHANGES
    return [*texts, translate(language, "targets.more", n=rest)] if rest > 0 else texts


def day_notes(view: View, targets: Targets, draft: Draft) -> Iterable[str]:
    """What is worth knowing of the draft's day: the past is judged anew, a later edition takes over."""
    language, today = view.language, view.now.astimezone(view.zone).date()
    if draft.origin is not None:
        return
    if draft.valid_from < today:
        yield translate(language, "targets.past_day", day=draft.valid_from.isoformat())
    later = [edition.valid_from for edition in targets.editions if edition.valid_from > draft.valid_from]
    if later:
        yield translate(language, "targets.later_edition", day=min(later).isoformat())
