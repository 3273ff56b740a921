"""Why an account was not changed, in the reader's language: the reasons are written in English where they are found."""

from __future__ import annotations

from typing import Final

from access.user import UserError
from i18n import translate
from pages.reasons import first_fit

REASONS: Final = (
    (r"^user name ['\"](?P<a>.*)['\"]: use up to", "name"),
    (r"^role ['\"](?P<a>.*)['\"] does not exist", "role"),
    (r"^(?P<a>.+) is a lead without regions", "lead_regions"),
    (r"^region ['\"](?P<a>.*)['\"] does not exist", "region"),
    (r"^user ['\"](?P<a>.*)['\"] does not exist", "unknown"),
    (r"^user (?P<a>.+) exists", "exists"),
    (r"^(?P<a>.+) signs in at the company's provider", "company"),
    (r"^(?P<a>.+) is a demo account with a public password", "demo"),
    (r"^(?P<a>.+) is a demo account: close it", "demo_removal"),
    (r"^your own account cannot be closed", "own"),
    (r"^(?P<a>.+) cannot be previewed", "preview"),
    (r"^accounts are the administrator's", "administrator"),
    (r"^(?P<a>.+) is the last administrator", "last"),
    (r"^(?P<a>.+) is open: close the account first", "open"),
    (r"^(?P<a>.+) is not among the removed accounts", "not_removed"),
    (r"^this flag was dismissed already", "dismissed"),
    (r"^(?P<a>.+) is not locked", "not_locked"),
)
"""What a reason says, and its sentence in `users.refused`; the first that fits counts."""


def explain(error: UserError, language: str) -> str:
    """The reason in the reader's words; as it was written where there is no sentence for it."""
    if found := first_fit(REASONS, str(error)):
        key, parts = found
        return translate(language, f"users.refused.{key}", **parts)
    return str(error)
