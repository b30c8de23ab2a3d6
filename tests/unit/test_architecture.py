"""The house rules: who may import whom, what the pure layers may not touch, how long things may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"schemas", "kpis", "adapters", "simulator", "sql", "sinks", "streams", "cli", "deploy"}
MAY_IMPORT: dict[str, set[str]] = {
    "schemas": set(),
    "kpis": {"schemas"},
    "adapters": {"schemas"},
    "simulator": {"schemas"},
    "sql": {"schemas"},  # time units alone
    "sinks": {"schemas", "kpis", "sql"},
    "streams": {"schemas", "kpis", "adapters", "sql", "sinks"},
    "cli": {"schemas", "kpis", "adapters", "simulator", "sql", "sinks", "streams", "deploy"},
    "deploy": set(),
}
PURE = {"schemas", "kpis"}
IMPURE = {"asyncio", "faust", "aiokafka", "clickhouse_connect", "os", "time", "random"}
FILE_LINES = 300
FUNCTION_LINES = 50
LONG_FILES: dict[str, str] = {}  # path -> why it is longer than FILE_LINES
LONG_FUNCTIONS = {
    "kpis/fold/leg.py:fold_leg": "one constructor call per fact",
    "kpis/fold/contact.py:fold_contact": "one constructor call per fact",
}


def sources(root: Path, package: str) -> list[Path]:
    return sorted((root / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Top-level name of everything that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "(relative)" if node.level else (node.module or "").partition(".")[0]


def forbidden(root: Path, package: str) -> list[str]:
    """Imports of a package that the house does not allow, as `file: name`."""
    unwanted = OURS - {package} - MAY_IMPORT[package] | {"tests", "bench", "(relative)"}
    unwanted |= IMPURE if package in PURE else set()
    return [
        f"{path.relative_to(root)}: {name}"
        for path in sources(root, package)
        for name in imports(path)
        if name in unwanted
    ]


def too_long(root: Path, package: str) -> list[str]:
    """Files and functions beyond the limits, as `file` or `file:function`, with their number of lines."""
    found = []
    for path in sources(root, package):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()
        if len(text.splitlines()) > FILE_LINES and name not in LONG_FILES:
            found.append(f"{name} ({len(text.splitlines())})")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines >= FUNCTION_LINES and f"{name}:{node.name}" not in LONG_FUNCTIONS:
                    found.append(f"{name}:{node.name} ({lines})")
    return found


@pytest.mark.parametrize("package", sorted(OURS))
def test_imports_go_one_way(package: str) -> None:
    assert sources(ROOT, package), f"{package} has moved"
    assert forbidden(ROOT, package) == []


@pytest.mark.parametrize("package", sorted(OURS))
def test_nothing_is_too_long(package: str) -> None:
    assert too_long(ROOT, package) == []


@pytest.mark.parametrize("package", sorted(OURS))
def test_packages_are_empty(package: str) -> None:
    full = [path for path in sources(ROOT, package) if path.name == "__init__.py" and path.stat().st_size]
    assert full == []


def test_every_exception_is_needed() -> None:
    for name, reason in {**LONG_FILES, **LONG_FUNCTIONS}.items():
        path, _, function = name.partition(":")
        assert reason
        assert (ROOT / path).exists()
        assert not function or f"def {function}(" in (ROOT / path).read_text(encoding="utf-8")


def test_no_cycle_is_allowed() -> None:
    """MAY_IMPORT itself goes one way: layers can be peeled off from the bottom."""
    left = dict(MAY_IMPORT)
    while left:
        free = [package for package, needs in left.items() if not needs & left.keys()]
        assert free, left
        for package in free:
            del left[package]


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("schemas", "import kpis.fold.events"),
        ("kpis", "from streams.app import app"),
        ("kpis", "import os.path"),
        ("schemas", "from time import time"),
        ("adapters", "from kpis.rules import Rules"),
        ("sql", "import kpis"),
        ("deploy", "from schemas.codec import encode"),
        ("sinks", "def late():\n    from streams import app"),
        ("kpis", "if False:\n    import random"),
        ("kpis", "from . import fold"),
        ("streams", "from cli.main import run"),
    ],
)
def test_a_planted_import_is_found(tmp_path: Path, package: str, line: str) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "planted.py").write_text(line + "\n", encoding="utf-8")
    assert len(forbidden(tmp_path, package)) == 1


def test_what_is_allowed_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "kpis").mkdir()
    lines = (
        "from importlib.resources import files\nimport schemas.events\nfrom kpis.fold.events import fold\n"
    )
    (tmp_path / "kpis" / "fine.py").write_text(lines, encoding="utf-8")
    assert forbidden(tmp_path, "kpis") == []


def test_planted_length_is_found(tmp_path: Path) -> None:
    (tmp_path / "kpis").mkdir()
    body = "\n".join(["    x = 1"] * (FUNCTION_LINES - 1))
    (tmp_path / "kpis" / "function.py").write_text(f"def long():\n{body}\n", encoding="utf-8")
    (tmp_path / "kpis" / "file.py").write_text("x = 1\n" * (FILE_LINES + 1), encoding="utf-8")
    (tmp_path / "kpis" / "fits.py").write_text("x = 1\n" * FILE_LINES, encoding="utf-8")
    assert too_long(tmp_path, "kpis") == [
        f"kpis/file.py ({FILE_LINES + 1})",
        f"kpis/function.py:long ({FUNCTION_LINES})",
    ]
