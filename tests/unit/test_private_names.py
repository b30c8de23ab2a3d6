"""The private names that Ringback touches (tests/support/private_names.py) against libraries and code."""

import ast
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from support.private_names import DISTRIBUTIONS, NAMES, RANGES, RELIANCES, Name, Reliance

ROOT = Path(__file__).parents[2]
OURS = ("schemas", "kpis", "simulator", "sql", "sinks", "streams", "reports", "adapters", "cli", "deploy")
# Of os: Python's own documentation has it. Of jmespath: its README names functions of one's own so.
DOCUMENTED = {"_exit", "_func_contains"}
ACCESSORS = {"getattr", "setattr", "delattr", "hasattr"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def shape_of(method: Any) -> str:
    """Of a method, as the table has it."""
    kind = "async " if inspect.iscoroutinefunction(method) else ""
    return f"{kind}({', '.join(inspect.signature(method).parameters)})"


def source_of(where: str) -> str:
    found = resolve_name(where)
    return inspect.getsource(found.fget if isinstance(found, property) else found)


@pytest.mark.parametrize("row", NAMES, ids=lambda row: f"{row.owner.partition(':')[2]}.{row.name}")
def test_the_name_is_there(row: Name) -> None:
    owner = resolve_name(row.owner)
    if row.shape.startswith(("(", "async ")):
        assert shape_of(getattr(owner, row.name)) == row.shape
    else:
        assert row.shape in inspect.getsource(owner)


@pytest.mark.parametrize("row", RELIANCES, ids=lambda row: row.where.partition(":")[2])
def test_what_is_behind_it_does_what_we_rely_on(row: Reliance) -> None:
    source = source_of(row.where)
    places = [source.find(piece) for piece in row.pieces]
    assert -1 not in places
    assert places == sorted(places)
    if row.no_way_from:
        begin, last = source.index(row.no_way_from), row.pieces[-1]
        assert "await" not in source[begin : None if row.no_way_from == last else source.index(last)]


def foreign_bases(made: ast.ClassDef, names: Mapping[str, Any]) -> list[type]:
    """What a class of ours inherits from others, directly or through ours."""
    bases: list[type] = []
    for base in made.bases:
        found = eval(ast.unparse(base), dict(names))  # noqa: S307 -- our own code
        found = getattr(found, "__origin__", found)
        if isinstance(found, type):
            bases += [one for one in found.__mro__ if one.__module__.partition(".")[0] not in OURS]
    return [one for one in bases if one is not object]


def belongs_to(bases: list[type], name: str) -> bool:
    """Does one of these classes have this name, or set it on itself?"""
    for base in bases:
        if hasattr(base, name):
            return True
        try:
            source = inspect.getsource(base)
        except (OSError, TypeError):  # written in C
            continue
        if re.search(rf"\bself\.{name}\b", source):
            return True
    return False


def inherited(made: ast.ClassDef, bases: list[type]) -> Iterator[str]:
    """Private names of its bases that a class overrides, reads or sets."""
    names = {node.name for node in made.body if isinstance(node, FUNCTIONS)}
    for node in made.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    for node in ast.walk(made):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names |= {node.attr} if node.value.id in ("self", "cls") else set()
    yield from (name for name in names if private(name) and belongs_to(bases, name))


def named(node: ast.AST) -> Iterator[str]:
    """Names of something that is not `self`, which this piece of code touches or imports."""
    if isinstance(node, ast.Attribute):
        if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
            yield node.attr
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ACCESSORS:
        yield from (str(one.value) for one in node.args if isinstance(one, ast.Constant))
    elif isinstance(node, ast.Import):
        yield from (part for alias in node.names for part in alias.name.split("."))
    elif isinstance(node, ast.ImportFrom):
        yield from (alias.name for alias in node.names)
        yield from (node.module or "").split(".")


def touched(code: str, names: Mapping[str, Any]) -> set[str]:
    """Private names that are not ours, as a file touches them; `names` are those of its module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        found |= {name for name in named(node) if private(name)}
        if isinstance(node, ast.ClassDef) and (bases := foreign_bases(node, names)):
            found |= set(inherited(node, bases))
    return found - DOCUMENTED


def module_names(path: Path) -> Mapping[str, Any]:
    """What a module of ours has; nothing of one that only runs, which is not to be imported."""
    if path.name == "__main__.py":
        return {}
    return vars(importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)))


@pytest.mark.parametrize("package", OURS)
def test_every_private_name_that_we_touch_is_in_the_table(package: str) -> None:
    """And nothing is in the table that we do not touch."""
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in sorted((ROOT / package).rglob("*.py"))
        for name in touched(path.read_text(encoding="utf-8"), module_names(path))
    }
    listed = {(row.used_in, row.name) for row in NAMES if private(row.name)}
    assert found == {one for one in listed if one[0].startswith(f"{package}/")}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("def f(consumer): return consumer._coordinator", "_coordinator"),
        ("class A:\n    def f(self): return self.made._client", "_client"),
        ("def f(app): return getattr(app, '_fetcher')", "_fetcher"),
        ("from aiokafka.util import _private", "_private"),
        ("import faust._cython.streams", "_cython"),
        ("class A(Recovery):\n    def _resume_streams(self): pass", "_resume_streams"),
        ("class A(Recovery):\n    async def _restart_recovery(self): pass", "_restart_recovery"),
        ("class A(Recovery):\n    _started_at = 1\n    def f(self): return self._stopped", "_stopped"),
        ("class A(Recovery):\n    def f(self): return super()._is_changelog_tp(1)", "_is_changelog_tp"),
        ("class A(TableManager):\n    _recovery: int = 0", "_recovery"),
        ("def f():\n    class A(BatchConsumer):\n        def f(self): self._n_acked = 0", "_n_acked"),
    ],
)
def test_a_planted_name_is_found(code: str, name: str) -> None:
    names = {
        "Recovery": resolve_name("faust.tables.recovery:Recovery"),
        "TableManager": resolve_name("faust.tables.manager:TableManager"),
        "BatchConsumer": resolve_name("streams.engine.batching:BatchConsumer"),
    }
    assert touched(code, names) == {name}


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n    def f(self): return self._own",
        "class A(Recovery):\n    def f(self): self._name_of_our_own = 1",
        "class A(ValueError):\n    def _own(self): pass",
        "import os\nos._exit(1)",
        "for _ in range(3): pass",
    ],
)
def test_what_is_ours_or_documented_is_not_found(code: str) -> None:
    assert touched(code, {"Recovery": resolve_name("faust.tables.recovery:Recovery")}) == set()


def test_every_row_is_of_a_library_whose_range_is_known() -> None:
    histories = [row.owner for row in NAMES] + [row.where for row in RELIANCES]
    assert {DISTRIBUTIONS[owner.partition(".")[0]] for owner in histories} <= RANGES.keys()
    assert all(row.why for row in (*NAMES, *RELIANCES))


@pytest.mark.parametrize("library", sorted(RANGES))
def test_only_versions_that_were_tested_are_let_in(library: str) -> None:
    """The installed one, the locked one, and of the others no other minor version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.match(r"[\w-]+", line).group(): line for line in project["dependencies"]}  # type: ignore[union-attr]
    assert asked[library] == library + RANGES[library]
    let_in, installed = SpecifierSet(RANGES[library]), Version(version(library))
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = re.search(rf"^{library}==(\S+)", lock, re.MULTILINE)
    assert locked is not None
    assert installed in let_in
    assert Version(locked.group(1)) in let_in
    for minor in (installed.minor - 1, installed.minor + 1):
        assert Version(f"{installed.major}.{minor}.99") not in let_in
    assert Version(f"{installed.major + 1}.0") not in let_in
