"""What became of a delivery, in the reader's language: verdicts are written in English where they are found."""

from __future__ import annotations

from typing import Final

from i18n import translate
from pages.reasons import first_fit

ANSWERS: Final = (
    (r"^the secret (?P<a>\S+) is empty", "secret_empty"),
    (r"^the secret file (?P<a>.+) cannot be read", "secret_file"),
    (r"^(?P<a>\S+) is not on the list of hosts", "host_unlisted"),
    (r"^(?P<a>\S+) is asked over http", "host_plain"),
    (r"^(?P<a>\S+) has no address", "host_unknown"),
    (r"^(?P<a>\S+) leads to (?P<b>\S+), which is not public", "host_private"),
    (r"^the address begins with none of (?P<a>.+)", "no_service"),
    (r"^apprise cannot read the (?P<a>\S+) address", "unreadable_address"),
    (r"^apprise cannot word the message", "unreadable_address"),
    (r"^apprise is not installed here", "no_apprise"),
    (r"^the address holds a user name", "user_in_address"),
    (r"^the address (is no https|cannot be read|holds signs)|^port 0", "no_address"),
    (r"^the service sent nothing", "sent_nothing"),
    (r"^a webhook is signed", "unsigned"),
    (r"^the secret after whsec_", "secret_form"),
    (r"^the receiver has no '(?P<a>.*)'", "setting_missing"),
    (r"^(?P<a>\S+): (TimeoutError|timeout)", "timeout"),
    (r"^(?P<a>\S+): ConnectionRefusedError", "no_connection"),
    (r"^(?P<a>\S+): SSL", "certificate"),
    (r"^(?P<a>\S+): [A-Z]\w+$", "broken_off"),
    (r"^answered (?P<a>3\d\d)", "redirect"),
    (r"^answered (?P<a>\d+)", "status"),
    (r"^the mail server said (?P<a>\d+)|^refused: (?P<b>.+)", "mail"),
    (r"^(?P<a>\d+) addresses refused", "mail_some"),
    (r"^the answer", "answer_unclear"),
)
"""What a verdict says, and its sentence in `rules.house.answer`; the first that fits counts."""


def answer_words(language: str, detail: str) -> str:
    """The verdict in the reader's language; what a service itself said stays in its own words."""
    if found := first_fit(ANSWERS, detail):
        key, parts = found
        return translate(language, f"rules.house.answer.{key}", **parts)
    return detail or translate(language, "rules.house.test.no_words")
