"""Passwords people choose: common ones are refused however they are dressed up, good ones pass."""

from __future__ import annotations

import pytest

from access.password import PasswordError, is_password
from access.password_rule import hash_chosen, password_fault

GOOD = ("correct horse battery", "Zwölf-Boxkämpfer", "三只小猪 盖了 一座大房子", "tR7#kLq9!vXm", "rainy harbour 41 lamps")


@pytest.mark.parametrize("password", GOOD)
def test_good_password_is_taken(password: str) -> None:
    assert password_fault(password, "li.wei") is None


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short", "short"),
        ("密" * 25, "long"),
        ("1234567890ab" * 7, "long"),
        ("password1234", "common"),
        ("Password1234!", "common"),
        ("P@ssw0rd!2026", "common"),
        ("letmeinletmein", "common"),
        ("1qaz2wsx3edc", "plain"),
        ("qwertyuiop12345", "common"),
        ("aaaaaaaaaaaa", "plain"),
        ("ababababababab", "plain"),
        ("abcdefghijklm", "plain"),
        ("987654321098", "plain"),
        ("woaini1314520!", "common"),
        ("li.wei works here", None),
        ("wang harbour lamp", "name"),
        ("Harbour-WANG-lamp", "name"),
    ],
)
def test_password_that_is_guessed_first_is_refused(password: str, fault: str | None) -> None:
    assert password_fault(password, "wang.xy") == fault


def test_refusal_says_what_to_do_and_never_the_password() -> None:
    with pytest.raises(PasswordError, match="use several words") as refused:
        hash_chosen("password1234", "li")
    assert "password1234" not in str(refused.value)


def test_chosen_password_opens() -> None:
    assert is_password(GOOD[0], hash_chosen(GOOD[0], "li"))
