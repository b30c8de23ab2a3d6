"""Expressions: JMESPath with a closed set of functions, checked when loaded, bounded when they run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jmespath import exceptions, parser, visitor

from adapters.kit.outcomes import InvalidInput
from adapters.mapping.document import Faults, Part
from adapters.mapping.functions import Functions, arity_fault

TEXT_MAX_CHARS = 500
DEPTH_MAX = 40
STEPS_MAX = 200_000  # of all expressions for one payload, and the elements that they make
Scope = Mapping[str, Any]
TRUTHS = ("comparator", "not_expression")
GIVEN = frozenset(("current", "identity", "subexpression"))  # these give what another node found


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression and where it stands."""

    text: str
    tree: dict[str, Any] = field(repr=False, compare=False)
    line: int
    column: int


class TooMuch(Exception):
    """A payload makes an expression walk or make more than it may."""


class Bounded(visitor.TreeInterpreter):  # type: ignore[misc]
    """Evaluates expressions for one payload; raises TooMuch when they did enough."""

    def __init__(self, functions: Functions) -> None:
        super().__init__(visitor.Options(custom_functions=functions))
        self.secret = functions.secret
        self._left = STEPS_MAX

    def visit(self, node: dict[str, Any], value: Any) -> Any:
        """One step. A field's value is part of the payload; what an expression makes itself is paid for."""
        kind = node["type"]
        made = 0
        if kind == "field":  # most steps are
            found = value.get(node["value"]) if isinstance(value, dict) else None
        else:
            step: Any = getattr(self, f"visit_{kind}")
            found = step(node, value)
            if kind not in GIVEN and isinstance(found, list | str | dict):
                made = len(found)
        self._left -= 1 + made
        if self._left < 0:
            raise TooMuch
        return found

    def visit_comparator(self, node: dict[str, Any], value: Any) -> Any:
        """Compare scalars; objects and lists are not compared, which could take for ever."""
        left, right = (self.visit(child, value) for child in node["children"])
        if isinstance(left, list | dict) and isinstance(right, list | dict) and left and right:
            raise TypeError("lists and objects cannot be compared")
        compare = self.COMPARATOR_FUNC[node["value"]]
        if node["value"] not in ("eq", "ne"):
            if isinstance(left, bool) or isinstance(right, bool):
                return None
            if not isinstance(left, int | float | str) or not isinstance(right, int | float | str):
                return None
        return compare(left, right)


def compile_expression(part: Part, faults: Faults, names: frozenset[str]) -> Expression | None:
    """The expression in a part, checked; None with a fault where it is none. `names` may begin a path."""
    text = part.value
    if not isinstance(text, str) or not text.strip():
        faults.add(part, "an expression is expected, such as payload.ticket.id; a constant is {is: ...}")
        return None
    if len(text) > TEXT_MAX_CHARS:
        faults.add(part, f"an expression has at most {TEXT_MAX_CHARS} characters; use `let` for its parts")
        return None
    try:
        tree = parser.Parser().parse(text).parsed
    except (exceptions.JMESPathError, RecursionError) as error:
        faults.add(part, f"no expression: {' '.join(str(error).split())[:200]}")
        return None
    for wrong in faults_in(tree, names):
        faults.add(part, wrong)
    return Expression(text, tree, part.line, part.column)


def faults_in(tree: dict[str, Any], names: frozenset[str]) -> Iterator[str]:
    """What is wrong with an expression that parses."""
    if depth_of(tree) > DEPTH_MAX:
        yield "nested too deeply; use `let` for its parts"
        return
    first = sorted({*roots(tree)} - names)
    if first:
        yield f"{first[0]} is not known here; a path begins with one of {', '.join(sorted(names))}"
    for node in walked(tree):
        if node["type"] == "function_expression":
            wrong = arity_fault(node["value"], len(node["children"]))
            if wrong:
                yield wrong
        if node["type"] == "subexpression" and node["children"][0]["type"] == "not_expression":
            yield "`!` takes the first name alone here; write !(a.b.c)"


def depth_of(tree: dict[str, Any]) -> int:
    """How deeply an expression is nested."""
    inside = [child for child in tree.get("children", ()) if isinstance(child, dict)]
    return 1 + max(map(depth_of, inside), default=0)


def walked(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All nodes of an expression."""
    yield tree
    for child in tree.get("children", ()):
        if isinstance(child, dict):
            yield from walked(child)


# Of these the first part is read in the scope, the others in what it gives.
NARROWING = (
    "subexpression",
    "index_expression",
    "pipe",
    "projection",
    "value_projection",
    "filter_projection",
)


def roots(tree: dict[str, Any]) -> Iterator[str]:
    """The names of the scope that an expression reads."""
    if tree["type"] == "field":
        yield tree["value"]
    elif tree["type"] in NARROWING:
        yield from roots(tree["children"][0])
    elif tree["type"] != "expref":
        for child in tree.get("children", ()):
            if isinstance(child, dict):
                yield from roots(child)


def truth_in_or(tree: dict[str, Any]) -> bool:
    """Is a truth one side of `||`? There false counts as missing, so the other side would win over it."""
    for node in walked(tree):
        if node["type"] == "or_expression" and any(is_truth(child) for child in node["children"]):
            return True
    return False


def is_truth(node: dict[str, Any]) -> bool:
    """Can a node only be true or false?"""
    if node["type"] == "literal":
        return isinstance(node["value"], bool)
    if node["type"] == "function_expression":
        return node["value"] in ("bool", "contains", "starts_with", "ends_with")
    return node["type"] in TRUTHS


def is_true(value: Any) -> bool:
    """What counts as true in a condition; 0 does, as JMESPath has it."""
    return not (value is None or value is False or value == "" or value == [] or value == {})


def evaluate(expression: Expression, scope: Scope, run: Bounded) -> Any:
    """The value of an expression. Raises InvalidInput, which quotes no value."""
    try:
        return run.visit(expression.tree, scope)
    except InvalidInput as error:
        raise InvalidInput(error.reason, f"line {expression.line}: {error.detail}") from None
    except TooMuch:
        raise InvalidInput("mapping_limit", f"line {expression.line}: too much to do for it") from None
    except exceptions.JMESPathError as error:
        kind = type(error).__name__.removesuffix("Error").removesuffix("Exception")
        said = f"line {expression.line}: {expression.text}: a value is of the wrong kind ({kind})"
        raise InvalidInput("mapping_type", said) from None
    except (TypeError, ValueError, OverflowError, AttributeError, RecursionError, KeyError, IndexError):
        said = f"line {expression.line}: {expression.text}: values that do not go together"
        raise InvalidInput("mapping_type", said) from None
