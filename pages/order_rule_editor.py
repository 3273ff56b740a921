"""A rule about single orders beside its form: its sentence, what is odd about it, its trial."""

from __future__ import annotations

from collections.abc import Sequence

from access.view import View
from alerts.lint import today_in
from alerts.order_lint import lint_order
from alerts.order_trial import ORDER_DAYS
from alerts.rule import Rule, RuleError
from components.rules import Button, Editor
from i18n import translate
from pages.order_rule_form import order_sections
from pages.order_rule_trial import read_order_trial, read_preview
from pages.rule_change import read_changes
from pages.rule_draft import Draft, order_trial_of, rule_of
from pages.rule_refusal import explain
from pages.rule_rows import read_notes, read_sentences


def read_order_editor(view: View, draft: Draft, others: Sequence[Rule]) -> Editor:
    """The form and what its values mean."""
    language = view.language
    try:
        rule, error = rule_of(draft, language), ""
    except RuleError as refusal:
        rule, error = None, explain(refusal, language)
    trial = order_trial_of(draft, rule) if rule else None
    scope = draft.entry.scope if draft.entry else view.scope
    titles = {other.name: other.title_in(language) for other in others}
    mates = [other for other in others if other.name != draft.name]
    findings = lint_order(rule, mates, scope=scope, today=today_in(view.zone, view.now), trial=trial) if rule else ()
    changes = read_changes(view, draft.kept, rule) if rule and draft.kept and draft.name else ()
    return Editor(
        stamp=draft.stamp,
        title=_title(view, draft),
        sections=order_sections(view, draft.values, is_personal=draft.is_personal),
        sentences=read_sentences(view, rule) if rule else (),
        sentence_title=translate(language, "rules.sentence_title"),
        notes=read_notes(view, findings, titles) if rule else (),
        notes_title=translate(language, "rules.notes_title"),
        buttons=_buttons(view, draft, rule, is_tried=trial is not None),
        tries=tuple(
            Button(action="try", name=translate(language, "rules.button.try", days=days), value=str(days)) for days in ORDER_DAYS
        )
        if rule
        else (),
        try_title=translate(language, "rules.try_title"),
        error=error,
        trial=read_order_trial(view, trial) if trial else None,
        changes=changes,
        changes_title=translate(language, "rules.changes_title", n=draft.base),
        preview=read_preview(view, rule, draft.entry) if rule else ("", ""),
    )


def _title(view: View, draft: Draft) -> str:
    if draft.name:
        return translate(view.language, "rules.form.change", n=draft.base)
    return translate(view.language, f"order_rule.form.{'new_personal' if draft.is_personal else 'new'}")


def _buttons(view: View, draft: Draft, rule: Rule | None, *, is_tried: bool) -> tuple[Button, ...]:
    language = view.language
    if rule is None:
        return ()
    save = Button(action="save", name=translate(language, "rules.button.save"))
    if not is_tried and not draft.is_personal:
        return (save,)
    needs_second = not draft.is_personal and "critical" in rule.levels
    name = translate(language, f"rules.button.{'propose' if needs_second else 'publish'}")
    reason = "" if draft.is_personal else translate(language, "rules.why")
    return (Button(action="publish", name=name, reason=reason, is_main=True), save)
