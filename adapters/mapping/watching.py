"""Which paths of a mapping found something: a mistyped path is null, and nothing else says so."""

from collections.abc import Iterator
from typing import Any

from adapters.kit.payloads import PayloadAdapter
from adapters.mapping.apply import adapter_of
from adapters.mapping.expressions import Bounded
from adapters.mapping.functions import Functions
from adapters.mapping.rules import Mapped

Node = dict[str, Any]
PATHS = ("field", "subexpression", "index_expression")


class Watched(Bounded):
    """Remembers which nodes of expressions gave a value."""

    def __init__(self, functions: Functions, seen: set[int]) -> None:
        super().__init__(functions)
        self._seen = seen

    def visit(self, node: Node, value: Any) -> Any:
        """One step of an expression."""
        found = super().visit(node, value)
        if found is not None:
            self._seen.add(id(node))
        return found


class Watch:
    """A mapping's adapter, and the paths of it that matched in no payload so far."""

    def __init__(self, mapped: Mapped) -> None:
        self._mapped = mapped
        self._seen: set[int] = set()

    @property
    def adapter(self) -> PayloadAdapter:
        """The adapter that is watched."""
        return adapter_of(self._mapped, lambda it, secret: Watched(Functions(it.tables, secret), self._seen))

    def never_matched(self) -> list[str]:
        """Paths that gave nothing, with the line where each stands."""
        found = [
            (expression.line, text_of(node))
            for expression in self._mapped.expressions
            for node in paths(expression.tree)
            if id(node) not in self._seen
        ]
        return [f"line {line}: {text}" for line, text in sorted({*found})]


def paths(tree: Node, inside: bool = False) -> Iterator[Node]:
    """The paths of an expression, each as long as it is written."""
    is_path = tree["type"] in PATHS
    if is_path and not inside:
        yield tree
    for child in tree.get("children", ()):
        if isinstance(child, dict):
            yield from paths(child, is_path)


def text_of(node: Node) -> str:
    """A path as it is written, about."""
    kind, children = node["type"], node.get("children", [])
    if kind == "field":
        return str(node["value"])
    if kind == "index":
        return f"[{node['value']}]"
    if kind in PATHS:
        return ".".join(map(text_of, children)).replace(".[", "[")
    return f"({kind.replace('_', ' ')})"
