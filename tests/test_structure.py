"""The house's rules that a reader can check by looking at the source: what a file may import, define and be called."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("access", "alerts", "components", "data", "i18n", "pages", "queries", "shell")
ROOT_MODULES = ("app.py", "cli.py", "config.py")
COMPOSITION_ROOTS = ("app.py", "cli.py", "shell/main.py")
BANNED_NAMES = {"utils", "helpers", "common", "manager", "service", "handler", "processor", "data2", "df"}

MAY_IMPORT = {
    "config.py": set(),
    "i18n": {"config"},
    "data": {"config", "i18n"},
    "queries": {"config", "i18n", "data"},
    "access": {"config", "i18n", "data", "queries"},
    "alerts": {"config", "i18n", "data", "queries", "access"},
    "components": {"config", "i18n"},
    "pages": {"config", "i18n", "components", "alerts", "access", "queries"},
    "shell": {"config", "i18n", "data", "queries", "access", "alerts", "components", "pages"},
}
"""Direction of DESIGN section 3; `app` and `cli` join the parts and may import everything."""

ALERTS_OF_ACCESS = ("access.store.", "access.audit.", "access.freshness.", "access.reading.")

INTERFACE_ONLY = {"streamlit": ("app.py", "shell", "pages", "components"), "plotly": ("components",), "pydeck": ("components",)}


def _files() -> list[Path]:
    found = [ROOT / name for name in ROOT_MODULES if (ROOT / name).exists()]
    for package in PACKAGES:
        found += sorted((ROOT / package).rglob("*.py"))
    return found


FILES = _files()
PAGES = [file for file in FILES if file.parent == ROOT / "pages"]


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _part(file: Path) -> str:
    return _name(file).split("/")[0]


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def _faults(files: Iterable[Path], faults_of: Callable[[ast.Module], list[Any]]) -> dict[str, list[Any]]:
    """By file what a rule finds in it; files without a fault are left out."""
    found = {_name(file): faults_of(_tree(file)) for file in files}
    return {name: faults for name, faults in found.items() if faults}


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _import_faults(name: str, tree: ast.Module) -> list[str]:
    part = name.split("/")[0]
    ours = {*PACKAGES, "config", "app", "cli"}
    allowed = MAY_IMPORT.get(part, ours) | {part}
    faults = []
    for line, module in _imports(tree):
        top = module.split(".")[0]
        if top in ours and top not in allowed:
            faults.append(f"{name}:{line} imports {module}: {part} may import {', '.join(sorted(allowed))}")
        if top in INTERFACE_ONLY and part not in INTERFACE_ONLY[top]:
            faults.append(f"{name}:{line} imports {module}: only {', '.join(INTERFACE_ONLY[top])} may")
        if part == "alerts" and top == "access" and not f"{module}.".startswith(ALERTS_OF_ACCESS):
            faults.append(f"{name}:{line} imports {module}: alerts know the store and the audit, no user")
        if part == "pages" and module.startswith(("queries.run", "queries.build", "queries.cache")):
            faults.append(f"{name}:{line} imports {module}: a page asks the View")
    return faults


def test_imports_go_one_way() -> None:
    assert len(FILES) > 300
    assert [fault for file in FILES for fault in _import_faults(_name(file), _tree(file))] == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("data/x.py", "from access.view import View"),
        ("components/x.py", "import data.lake"),
        ("components/x.py", "from queries import metrics"),
        ("pages/x.py", "from data.lake import Lake"),
        ("pages/x.py", "from queries.run import run"),
        ("access/x.py", "def f():\n    import streamlit"),
        ("pages/x.py", "import plotly.graph_objects as go"),
        ("alerts/x.py", "from access.user import User"),
    ],
)
def test_import_rule_sees_what_it_forbids(name: str, source: str) -> None:
    assert _import_faults(name, ast.parse(source)) != []


def _effects(tree: ast.Module) -> list[int]:
    """Lines of module-level statements that do more than define: pages only import, define and name constants."""
    allowed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    lines = []
    for node in tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        draws = isinstance(node, ast.Assign | ast.AnnAssign) and any(
            isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and ast.unparse(call.func).startswith("st.")
            for call in ast.walk(node)
        )
        if draws or not (is_text or isinstance(node, allowed)):
            lines.append(node.lineno)
    return lines


def test_page_modules_only_define() -> None:
    assert len(PAGES) > 50
    assert _faults(PAGES, _effects) == {}


@pytest.mark.parametrize(
    "source", ["import streamlit as st\nst.title('x')", "x = st.button('x')", "if True:\n    pass", "print()"]
)
def test_page_rule_sees_effects(source: str) -> None:
    assert _effects(ast.parse(source)) != []


def _clock_calls(tree: ast.Module) -> list[int]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    return [call.lineno for call in calls if re.search(r"(^|\.)(datetime|date)\.(now|today|utcnow)$", ast.unparse(call.func))]


def test_time_is_an_argument() -> None:
    assert _faults((file for file in FILES if _name(file) not in COMPOSITION_ROOTS), _clock_calls) == {}


@pytest.mark.parametrize("source", ["datetime.now(UTC)", "date.today()", "datetime.datetime.utcnow()"])
def test_time_rule_sees_the_clock(source: str) -> None:
    assert _clock_calls(ast.parse(source)) != []


def _banned(tree: ast.Module) -> list[str]:
    words = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.arg | ast.FunctionDef | ast.ClassDef):
            name = node.id if isinstance(node, ast.Name) else node.arg if isinstance(node, ast.arg) else node.name
            if name.lower() in BANNED_NAMES:
                words.append(f"{getattr(node, 'lineno', 0)}: {name}")
    return words


def test_names_say_what_they_are() -> None:
    assert [_name(file) for file in FILES if file.stem in BANNED_NAMES] == []
    assert _faults(FILES, _banned) == {}


@pytest.mark.parametrize("source", ["df = 1", "def f(manager): pass", "class Utils: pass"])
def test_rule_of_names_sees_what_it_forbids(source: str) -> None:
    assert _banned(ast.parse(source)) != []


MARKDOWN = {
    "write", "markdown", "html", "title", "header", "subheader", "caption", "info", "warning", "error", "success", "exception",
    "toast", "badge", "metric", "latex", "code", "dialog", "popover", "expander", "button", "download_button", "link_button",
    "checkbox", "radio", "selectbox", "multiselect", "text_input", "text_area", "table", "dataframe", "json", "image", "audio",
    "video", "pills", "segmented_control", "file_uploader", "data_editor", "echarts_chart", "plotly_chart", "pydeck_chart",
}  # fmt: skip
"""Streamlit's own elements that read Markdown or HTML, or bring a door of their own."""


def _elements(tree: ast.Module) -> list[str]:
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [f"{func.lineno}: st.{func.attr}" for func in calls if ast.unparse(func.value) == "st" and func.attr in MARKDOWN]


STYLE_ONLY = {"components/kit.py": ["st.html"], "shell/failure.py": None, "shell/entry.py": None}
"""`kit` puts in the house's own style; `failure` and `entry` say plain sentences, what they quote made text by `as_text`."""


def test_text_reaches_a_page_through_our_components_alone() -> None:
    for name, found in _faults(FILES, _elements).items():
        allowed = STYLE_ONLY.get(name, [])
        assert allowed is None or {text.split(": ")[1] for text in found} <= set(allowed), (name, found)


def test_element_rule_sees_what_it_forbids() -> None:
    assert _elements(ast.parse("st.markdown(x)\nst.columns(2)")) == ["1: st.markdown"]


def _bare_excepts(tree: ast.Module) -> list[int]:
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.type is None]


def test_no_bare_except() -> None:
    assert _faults(FILES, _bare_excepts) == {}
    assert _bare_excepts(ast.parse("try:\n    pass\nexcept:\n    pass")) == [3]


@pytest.mark.parametrize("package", [name for name in PACKAGES if (ROOT / name).is_dir()])
def test_package_says_what_it_is(package: str) -> None:
    text = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8")))
    assert text


def test_main_script_has_no_pages_folder_beside_it() -> None:
    # Streamlit runs the files of such a folder without the main script until something calls st.navigation.
    assert not (ROOT / "shell" / "pages").exists()
    assert "shell" in (ROOT / "app.py").read_text(encoding="utf-8")


def test_requirements_are_exact_and_carry_their_hashes() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / file).read_text(encoding="utf-8").replace(" \\\n", " ")
        lines = [line for line in text.splitlines() if line and not line.startswith(("#", "-r "))]
        pin = re.compile(r"[A-Za-z0-9._-]+==\S+( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+$")
        assert [line for line in lines if not pin.fullmatch(line)] == [], file
        assert len(lines) > 10
