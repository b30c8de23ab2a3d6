"""Plants a fault in a piece of source: found by function and code, not by how the code is laid out.

What is replaced is named as code, an expression or statements that stand together, and compared as Python
reads it: line breaks, brackets, comments and kinds of quotes are free to change.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import partial

Put = Callable[[ast.expr | list[ast.stmt]], None]


class CannotPlant(Exception):
    """The function is not there, or what to replace is not there exactly once. Says which, and what to do."""


def plant(source: str, function: str, old: str, new: str) -> str:
    """The source with `old` replaced by `new` in one function, `name` or `Class.name`. Raises CannotPlant."""
    tree = ast.parse(source)
    wanted, replacement = _parsed(old), _parsed(new)
    if isinstance(wanted, ast.expr) != isinstance(replacement, ast.expr):
        raise CannotPlant(f"{function}(): `{old}` and `{new}` must both be expressions, or both statements")
    if _text(wanted) == _text(replacement):
        raise CannotPlant(f"{function}(): `{new}` is the same as `{old}`")
    places = list(_places(_function(tree, function), wanted))
    if len(places) != 1:
        count = f"{len(places)} places read" if places else "nothing reads"
        raise CannotPlant(f"{function}(): {count} `{old}`; name what the rule is now so that one place does")
    places[0](replacement)
    return ast.unparse(tree) + "\n"


def _parsed(code: str) -> ast.expr | list[ast.stmt]:
    body = ast.parse(code).body
    return body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else body


def _text(code: ast.AST | Sequence[ast.AST]) -> str:
    return "\n".join(map(ast.unparse, code)) if isinstance(code, Sequence) else ast.unparse(code)


def _function(tree: ast.Module, name: str) -> ast.AST:
    owner, _, last = name.rpartition(".")
    inside = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == owner] if owner else [tree]
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    found = [n for part in inside for n in part.body if isinstance(n, kinds) and n.name == last]
    if len(found) != 1:
        raise CannotPlant(f"{name}(): {len(found)} functions have that name; name where the rule is now")
    return found[0]


def _places(root: ast.AST, wanted: ast.expr | list[ast.stmt]) -> Iterator[Put]:
    """For each place that reads as wanted, what puts something else there."""
    text = _text(wanted)
    length = len(wanted) if isinstance(wanted, list) else 1
    for node in ast.walk(root):
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                for start in range(len(value) - length + 1):
                    if _reads(value[start : start + length], wanted, text):
                        yield _putter(value, start, length)
            elif _reads([value], wanted, text):
                yield partial(setattr, node, field)


def _reads(nodes: list[ast.AST], wanted: ast.expr | list[ast.stmt], text: str) -> bool:
    kind = ast.stmt if isinstance(wanted, list) else ast.expr
    return all(isinstance(node, kind) for node in nodes) and _text(nodes) == text


def _putter(items: list[ast.AST], start: int, length: int) -> Put:
    def put(new: ast.expr | list[ast.stmt]) -> None:
        items[start : start + length] = new if isinstance(new, list) else [new]

    return put
