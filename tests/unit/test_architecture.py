"""The house rules: who may import whom, what the pure layers may not touch, how long things may be.

Layers, rooms and who may bend Faust are contracts of import-linter, in pyproject.toml.
"""

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from adapters.registry import FOLDERS

ROOT = Path(__file__).parents[2]
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
ROOMS = LINTER["root_packages"]
OURS = sorted({*ROOMS} - {"bench"})
PURE = {"schemas", "kpis"}
IMPURE = {"asyncio", "faust", "aiokafka", "clickhouse_connect", "os", "time", "random"}
NEVER = {"tests", "support", "(relative)"}
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
    """Imports that no package may have, or no pure one, as `file: name`."""
    unwanted = NEVER | (IMPURE if package in PURE else set())
    return [
        f"{path.relative_to(root)}: {name}"
        for path in sources(root, package)
        for name in imports(path)
        if name in unwanted
    ]


def broken(root: Path) -> list[str]:
    """Names of the contracts that a tree breaks."""
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)
    found = [line.removesuffix(" BROKEN") for line in result.stdout.splitlines() if line.endswith(" BROKEN")]
    assert result.returncode == bool(found), result.stdout + result.stderr
    return found


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


def test_the_contracts_hold() -> None:
    assert broken(ROOT) == []


def strangers(root: Path, folder: str) -> list[str]:
    """Imports of one source that are of another, as `file: module`."""
    others = tuple(f"adapters.{other}." for other in FOLDERS if other != folder)
    return [
        f"{path.relative_to(root)}: {node.module}"
        for path in sources(root, f"adapters/{folder}")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(others)
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_source_knows_no_other(folder: str, copy: Path) -> None:
    assert strangers(ROOT, folder) == []
    planted = copy / "adapters" / folder / "planted.py"
    other = next(other for other in FOLDERS if other != folder)
    planted.write_text(f"from adapters.{other}.source import ENTRY\n", encoding="utf-8")
    assert len(strangers(copy, folder)) == 1
    planted.unlink()


@pytest.mark.parametrize("package", OURS)
def test_pure_layers_are_pure(package: str) -> None:
    assert sources(ROOT, package), f"{package} has moved"
    assert forbidden(ROOT, package) == []


@pytest.mark.parametrize("package", OURS)
def test_nothing_is_too_long(package: str) -> None:
    assert too_long(ROOT, package) == []


@pytest.mark.parametrize("package", OURS)
def test_packages_are_empty(package: str) -> None:
    full = [path for path in sources(ROOT, package) if path.name == "__init__.py" and path.stat().st_size]
    assert full == []


def test_every_exception_is_needed() -> None:
    for name, reason in {**LONG_FILES, **LONG_FUNCTIONS}.items():
        path, _, function = name.partition(":")
        assert reason
        assert (ROOT / path).exists()
        assert not function or f"def {function}(" in (ROOT / path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages alone, to plant imports in."""
    root = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", root)
    for package in ROOMS:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("schemas/planted.py", "import kpis.rules", "The layers of the house"),
        ("adapters/bank/planted.py", "from kpis.rules import Rules", "The layers of the house"),
        ("deploy/planted.py", "from kpis.rules import Rules", "The layers of the house"),
        (
            "streams/planted.py",
            "from adapters.kit.lines import open_lines",
            "Sources meet worker and sink in Kafka only",
        ),
        ("streams/planted.py", "from sinks.rows import COLUMNS", "The layers of the house"),
        ("sinks/planted.py", "def late():\n    from reports import oracle", "The layers of the house"),
        ("bench/planted.py", "from cli.main import run", "The layers of the house"),
        ("streams/state/planted.py", "import streams.stages.build", "The rooms of the stream"),
        ("streams/health/planted.py", "from streams.commit.lanes import Lanes", "The rooms of the stream"),
        ("streams/kafka/planted.py", "from faust.types import TP", "Only the engine bends Faust"),
    ],
)
def test_a_planted_import_breaks_its_contract(copy: Path, file: str, line: str, contract: str) -> None:
    planted = copy / file
    planted.write_text(line + "\n", encoding="utf-8")
    try:
        assert broken(copy) == [contract]
    finally:
        planted.unlink()


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("kpis", "import os.path"),
        ("schemas", "from time import time"),
        ("kpis", "if False:\n    import random"),
        ("kpis", "from . import fold"),
        ("streams", "from support.worlds import world"),
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


@pytest.mark.parametrize("path", sources(ROOT, "bench"), ids=lambda path: path.stem)
def test_every_benchmark_can_be_started(path: Path) -> None:
    """Nothing else imports them, so a name that has moved would be noticed late."""
    if path.stem not in ("__main__", "__init__"):
        import_module(f"bench.{path.stem}")


def test_modules_of_tests_have_names_of_their_own() -> None:
    """pytest imports them by name alone and refuses two of one name, if both are run."""
    names = [path.name for path in sorted((ROOT / "tests").rglob("test_*.py"))]
    assert [name for name in {*names} if names.count(name) > 1] == []
