"""A mapping's YAML as a tree of parts that know where they stand: every fault names line and column."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

FILE_MAX_BYTES = 200_000
DEPTH_MAX = 20
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BadMapping(ValueError):
    """A mapping that cannot be used; one line per fault, each with file, line and column."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(faults))


@dataclass(frozen=True, slots=True)
class Part:
    """A value of the file: a mapping of parts, a list of parts, or a scalar. `keys` are where keys stand."""

    value: Any
    line: int
    column: int
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def items(self) -> dict[str, "Part"]:
        """The parts of a mapping by their keys; none where it is something else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def plain(self) -> Any:
        """The value without its places."""
        if isinstance(self.value, dict):
            return {name: part.plain for name, part in self.value.items()}
        return [part.plain for part in self.value] if isinstance(self.value, list) else self.value


class Faults:
    """The faults of one file, collected: all are told at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.said: list[str] = []

    def add(self, place: Part | tuple[int, int], text: str) -> None:
        """Something is wrong at a place."""
        line, column = (place.line, place.column) if isinstance(place, Part) else place
        self.said.append(f"{self.name}:{line}:{column}: {text}")

    def end(self) -> None:
        """Raise BadMapping if there was any."""
        if self.said:
            raise BadMapping(self.said)


def read_parts(path: Path) -> Part:
    """The parts of a file. Raises BadMapping, OSError."""
    if path.stat().st_size > FILE_MAX_BYTES:
        raise BadMapping([f"{path}:1:1: more than {FILE_MAX_BYTES:,} bytes; split it"])
    return parts_of(path.read_bytes(), str(path))


def parts_of(data: bytes, name: str) -> Part:
    """The parts of a text. Raises BadMapping."""
    faults = Faults(name)
    try:
        text = data.decode("utf-8")
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=Loader)):
            raise BadMapping([f"{name}:1:1: aliases (*name) are not read here; write the part out"])
        node = yaml.compose(text, Loader=Loader)
    except UnicodeDecodeError:
        raise BadMapping([f"{name}:1:1: not UTF-8; save it as UTF-8"]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        faults.add(place, f"no YAML: {error.problem}")
        raise BadMapping(faults.said) from None
    except yaml.YAMLError as error:
        raise BadMapping([f"{name}:1:1: no YAML: {' '.join(str(error).split())}"]) from None
    except RecursionError:
        raise BadMapping([f"{name}:1:1: nested too deeply"]) from None
    if node is None:
        raise BadMapping([f"{name}:1:1: the file is empty"])
    found = part_of(node, faults, 0)
    faults.end()
    return found


def part_of(node: Node, faults: Faults, depth: int) -> Part:
    """The part that a node is."""
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if depth > DEPTH_MAX:
        faults.add((line, column), "nested too deeply")
        return Part(None, line, column)
    if isinstance(node, ScalarNode):
        return Part(scalar(node, faults), line, column)
    if isinstance(node, SequenceNode):
        return Part([part_of(item, faults, depth + 1) for item in node.value], line, column)
    assert isinstance(node, MappingNode)
    items: dict[str, Part] = {}
    keys: dict[str, tuple[int, int]] = {}
    for key, value in node.value:
        name = str(key.value)
        place = (key.start_mark.line + 1, key.start_mark.column + 1)
        if name in items:
            faults.add(place, f"{name} is written twice")
        items[name], keys[name] = part_of(value, faults, depth + 1), place
    return Part(items, line, column, keys)


def scalar(node: ScalarNode, faults: Faults) -> Any:
    """The value of a scalar: text, number, true, false or null; a date is a text."""
    if node.tag == "tag:yaml.org,2002:timestamp":
        return node.value
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError):
        faults.add((node.start_mark.line + 1, node.start_mark.column + 1), "no value that YAML knows")
        return None
