"""Between the alerts in the browser and the book: what was asked, and what came of it, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import streamlit as st

from access.user import PreviewError, User, list_users, scope_of
from access.view import View
from access.worklist import is_looking_back
from alerts.deeds import VERDICTS, Episode, do, undo
from alerts.desk import Alert, read_alerts
from alerts.places import is_visible
from alerts.rule import RuleError
from alerts.silences import end_silence, set_silence
from components.worklist import Said
from i18n import translate
from pages.alert_rows import find_alert, place_name, reader_of, title_of
from pages.one_go import in_one_go
from pages.worklist_job import Names

ASKED: Final = "alerts.asked"
TOLD: Final = "alerts.told"
TOLD_FOR: Final = timedelta(seconds=30)
LONGEST: Final = 2_000
LENGTHS: Final = {"1h": 1, "4h": 4, "12h": 12, "24h": 24, "7d": 168}
"""How long a silence may last, in hours."""
REACHES: Final = ("alert", "rule", "place")
"""What a silence covers: this alert's rule and place; the rule everywhere; the place whatever the rule."""


class Refused(ValueError):
    """Something cannot be done; the key of its sentence."""


def keep_act(component: str) -> None:
    """Keep what the component's trigger `act` carries for the run that follows."""
    state = st.session_state.get(component) or {}
    if isinstance(asked := state.get("act"), Mapping):
        st.session_state[ASKED] = {name: str(asked.get(name) or "")[:LONGEST] for name in ("verb", "key", "value", "note")}


@in_one_go
def hear(view: View) -> Said | None:
    """Do what was asked in this run; the sentence to say, which stays for a while."""
    asked = st.session_state.pop(ASKED, None)
    if asked is not None:
        number = st.session_state.get(f"{TOLD}.number", 0) + 1
        st.session_state[f"{TOLD}.number"] = number
        said = act(view, asked, number)
        st.session_state[TOLD] = (said, view.now)
        if said.key and not said.is_refusal:
            # The alert stays open although it may have left the list it was chosen from.
            st.query_params["item"] = said.key
        return said
    told = st.session_state.get(TOLD)
    return told[0] if told and view.now - told[1] < TOLD_FOR else None


def act(view: View, asked: Mapping[str, str], number: int) -> Said:
    """One act on one alert, within the user's role and scope; what became of it."""
    language = view.language
    try:
        alert = _alert(view, asked["key"])
        text, taken_back = _do(view, alert, asked)
    except Refused as refusal:
        return Said(text=translate(language, f"alert_page.error.{refusal}"), is_refusal=True, key=asked["key"], number=number)
    except PreviewError:
        return Said(text=translate(language, "alert_page.cannot.preview"), is_refusal=True, key=asked["key"], number=number)
    except RuleError:
        text = translate(language, "alert_page.error.refused")
        return Said(text=text, is_refusal=True, key=asked["key"], number=number)
    where = " · ".join(part for part in (title_of(view, alert), place_name(view, alert)) if part)
    return Said(text=f"{where}{translate(language, 'alert_page.colon')}{text}", key=asked["key"], undo=taken_back, number=number)


def _alert(view: View, key: str) -> Alert:
    if view.store is None or is_looking_back(view):
        raise Refused("past")
    found = find_alert(read_alerts(view.store, reader_of(view), view.now), key)
    if found is None:
        raise Refused("not_found")
    return found


def _do(view: View, alert: Alert, asked: Mapping[str, str]) -> tuple[str, str]:
    verb, value, note = asked["verb"], asked["value"], asked["note"].strip()
    by = view.by()
    store, actor, scope = view.store, by.audited, view.scope
    if store is None:
        raise Refused("past")
    language = view.language
    episode = Episode(rule=alert.rule.name, group_key=alert.group_key, episode_at=alert.episode_at)
    if verb in ("acknowledge", "note"):
        number = do(store, episode, "acknowledge", actor, scope, now=view.now, note=note)
        return translate(language, f"alert_page.did.{verb}"), str(number)
    if verb == "assign":
        names = Names(view)
        if value not in [user.name for user in people_for(view, alert)]:
            raise Refused("not_theirs")
        number = do(store, episode, "assign", actor, scope, now=view.now, value=value)
        return translate(language, "alert_page.did.assign", name=names.of(value)), str(number)
    if verb == "verdict" and value in VERDICTS:
        number = do(store, episode, "verdict", actor, scope, now=view.now, value=value, note=note)
        return translate(language, "alert_page.did.verdict", verdict=translate(language, f"alert_page.verdict.{value}")), str(
            number
        )
    if verb == "undo" and value.startswith("silence:"):
        return _unsilence(view, alert, value.removeprefix("silence:")), ""
    if verb == "undo" and value.isdecimal():
        undo(store, int(value), actor, scope, now=view.now)
        return translate(language, "alert_page.did.undo"), ""
    if verb == "silence":
        return _silence(view, alert, value, note)
    if verb == "unsilence":
        return _unsilence(view, alert, value), ""
    raise Refused("not_understood")


def may_silence(view: View) -> bool:
    """Whether the user's role silences alerts: analysts' does."""
    return view.user.role == "analyst"


def reaches_of(view: View, alert: Alert) -> tuple[str, ...]:
    """What a silence set from this alert may cover: never more than the user's own scope."""
    found = ["alert"]
    if alert.labels and view.scope.everything:
        found.append("rule")
    if alert.labels:
        found.append("place")
    return tuple(found)


def _silence(view: View, alert: Alert, value: str, note: str) -> tuple[str, str]:
    if not may_silence(view):
        raise Refused("not_analyst")
    reach, _, length = value.partition("/")
    if reach not in reaches_of(view, alert) or length not in LENGTHS or view.store is None:
        raise Refused("not_understood")
    labels = {name: text for name, text in alert.labels.items() if text is not None}
    matchers = {
        "alert": {"rule": alert.rule.name, **labels},
        "rule": {"rule": alert.rule.name},
        "place": labels,
    }[reach]
    ends_at = view.now + timedelta(hours=LENGTHS[length])
    number = set_silence(view.store, matchers, view.by().audited, now=view.now, ends_at=ends_at, note=note)
    length_text = translate(view.language, f"alert_page.length.{length}")
    return translate(view.language, "alert_page.did.silence", length=length_text), f"silence:{number}"


def _unsilence(view: View, alert: Alert, value: str) -> str:
    if not may_silence(view):
        raise Refused("not_analyst")
    if view.store is None or alert.silence is None or str(alert.silence.id) != value:
        raise Refused("not_found")
    if not view.scope.everything and not _is_within(view, alert):
        raise Refused("wider")
    end_silence(view.store, alert.silence.id, view.by().audited, now=view.now)
    return translate(view.language, "alert_page.did.unsilence")


def _is_within(view: View, alert: Alert) -> bool:
    """Whether the silence covers nothing outside the user's regions: it names this alert's place, which is inside."""
    return alert.silence is not None and bool(set(alert.silence.matchers) & {"region", "province"})


def people_for(view: View, alert: Alert) -> tuple[User, ...]:
    """Who an alert can be given to: those who may see it."""
    if view.store is None:
        return ()
    users = list_users(view.store)
    return tuple(user for user in users if not user.is_disabled and is_visible(alert.regions, scope_of(user)))
