"""The arguments of `python cli.py rules …`, apart from what they do: every command reads them, few rules are asked for."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path


def add_arguments(parser: ArgumentParser) -> None:
    """Give the parser of `rules` its actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True)
    for action, text in (
        ("test", "play rule tests (docs/rules.md) and say which hold"),
        ("validate", "say whether every rule of a file is sound"),
    ):
        actions.add_parser(action, help=text).add_argument("files", type=Path, nargs="+", metavar="FILE")
    actions.add_parser("list", help="every rule: state, version, health, whose it is")
    show = actions.add_parser("show", help="one rule in words and YAML, its versions, what is odd about it")
    show.add_argument("name")
    try_ = actions.add_parser("backtest", help="what a rule would have done; with --user kept, so that it can be published")
    try_.add_argument("rule", help="a rule's name, or a file with rules")
    try_.add_argument("--days", type=int, choices=(7, 30, 90), default=30)
    live = actions.add_parser("publish", help="make a version live")
    live.add_argument("name")
    live.add_argument("--reason", required=True, help="why; it is kept with the version")
    for parser_ in (show, try_, live):
        parser_.add_argument("--version", type=int, metavar="N", help="default: the newest")
    out = actions.add_parser("export", help="rules as YAML, live versions where there is one")
    out.add_argument("names", nargs="*", metavar="NAME", help="default: every shared rule")
    into = actions.add_parser("import", help="add every rule of a file as a draft")
    into.add_argument("files", type=Path, nargs="+", metavar="FILE")
    into.add_argument("--reason", default="imported")
    actions.add_parser("receivers", help="whom rules can tell, and whether messages arrive there")
    test = actions.add_parser("send-test", help="send a test message to a receiver and say what it answered")
    test.add_argument("receiver")
    for parser_, is_needed in ((try_, False), (live, True), (into, True), (test, True)):
        parser_.add_argument("--user", metavar="NAME", required=is_needed, help="act with this user's rights")
