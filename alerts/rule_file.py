"""Rule files: YAML to checked rules, and what is wrong said with file, line and what to write instead."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from alerts.file_faults import Path_, faults_of, line_at
from alerts.fixtures import TrialFile
from alerts.receivers import Receivers
from alerts.route_faults import misrouted
from alerts.rule import RuleFile
from alerts.sense import meaningless
from alerts.words import Closed
from kpis.catalogue.kpi import Kpi

FILE_MAX_BYTES = 1_000_000
DEPTH_MAX, PARTS_MAX = 20, 200_000
MERGE = "tag:yaml.org,2002:merge"
M = TypeVar("M", bound=Closed)


class BadRules(ValueError):
    """A rule file that cannot be used; one line per fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def load_rules(path: Path, kpis: dict[str, Kpi]) -> RuleFile:
    """The rules of a file. Raises BadRules, OSError."""
    return read_rules(text_of(path), str(path), kpis)


def text_of(path: Path) -> str:
    """The text of a file of bounded size. Raises BadRules, OSError, UnicodeDecodeError."""
    if path.stat().st_size > FILE_MAX_BYTES:
        raise BadRules([f"{path}: more than {FILE_MAX_BYTES:,} bytes; split it"])
    return path.read_text("utf-8")


def read_rules(text: str, name: str, kpis: dict[str, Kpi]) -> RuleFile:
    """The rules of a text, `name` stands in messages. Raises BadRules."""
    found, lines = read_model(RuleFile, text, name)
    faults = [f"{name}:{line_at(lines, where)}: {what}" for where, what in meaningless(found, kpis)]
    if faults:
        raise BadRules(faults)
    return found


def read_receivers(path: Path) -> Receivers:
    """The receivers of a file. Raises BadRules, OSError."""
    found, lines = read_model(Receivers, text_of(path), str(path))
    if faults := [
        f"{path}:{line_at(lines, where)}: {what}" for where, what in (*unnamed(found), *misrouted(found))
    ]:
        raise BadRules(faults)
    return found


def unnamed(file: Receivers) -> Iterator[tuple[Path_, str]]:
    """Where names of receivers are there twice, or are not there, and what to write instead."""
    names = [receiver.name for receiver in file.receivers]
    for index, receiver in enumerate(file.receivers):
        if receiver.name in names[:index]:
            yield (
                ("receivers", index, "name"),
                f"{receiver.name} is there twice; give one of them another name",
            )
        if receiver.fallback == receiver.name:
            yield (
                ("receivers", index, "fallback"),
                f"{receiver.name} is its own fallback; name another receiver",
            )
        elif receiver.fallback not in (None, *names):
            yield ("receivers", index, "fallback"), f"there is no receiver {receiver.fallback}"
    there = f"there are {', '.join(names) or 'none'}"
    if file.meta not in (None, *names):
        yield ("meta",), f"there is no receiver {file.meta}; {there}"
    if file.self_test is not None and file.self_test.receiver not in names:
        yield ("self_test", "receiver"), f"there is no receiver {file.self_test.receiver}; {there}"


def read_trials(path: Path) -> tuple[TrialFile, Callable[[Iterable[tuple[Path_, str]]], None]]:
    """Tests of a file, and what refuses places in it that make no sense. Raises BadRules, OSError."""
    found, lines = read_model(TrialFile, text_of(path), str(path))

    def refuse(faults: Iterable[tuple[Path_, str]]) -> None:
        if said := [f"{path}:{line_at(lines, where)}: {what}" for where, what in faults]:
            raise BadRules(said)

    return found, refuse


def read_model(model: type[M], text: str, name: str) -> tuple[M, dict[Path_, int]]:
    """A checked document, and the line of each of its parts. Raises BadRules."""
    lines: dict[Path_, int] = {}
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        given = plain(node) if node else {}
        lines = dict(lines_of(node)) if node else {}
        return model.model_validate(given), lines
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        hint = "; write spaces instead" if "\\t" in str(error.problem) else ""
        raise BadRules([f"{name}:{line}: no YAML: {error.problem}{hint}"]) from None
    except yaml.YAMLError as error:
        raise BadRules([f"{name}: no YAML: {error}"]) from None
    except RecursionError:
        raise BadRules([f"{name}: nested too deeply"]) from None
    except TwiceInMapping as error:
        raise BadRules([f"{name}:{error.line}: {error.key!r} is written twice"]) from None
    except ValidationError as error:
        raise BadRules(faults_of(error, name, lines, model)) from None


class TwiceInMapping(ValueError):
    """A key that a mapping has twice."""

    def __init__(self, key: str, line: int) -> None:
        super().__init__(key)
        self.key, self.line = key, line


def plain(node: Node, depth: int = 0, budget: list[int] | None = None) -> Any:
    """The value of a node: no tags, no key twice, not too much of it. Raises TwiceInMapping, YAMLError."""
    left = [PARTS_MAX] if budget is None else budget
    left[0] -= 1
    if depth > DEPTH_MAX or left[0] < 0:
        raise yaml.YAMLError("nested too deeply" if left[0] >= 0 else "its anchors stand for too much")
    if isinstance(node, ScalarNode):
        return yaml.SafeLoader("").construct_object(node)
    if isinstance(node, SequenceNode):
        return [plain(item, depth + 1, left) for item in node.value]
    found: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key, value in node.value:
        name = str(key.value)
        if name in found:
            raise TwiceInMapping(name, key.start_mark.line + 1)
        content = plain(value, depth + 1, left)
        if key.tag == MERGE:
            for one in reversed(content if isinstance(content, list) else [content]):
                merged |= one if isinstance(one, dict) else {name: one}
        else:
            found[name] = content
    return merged | found


def lines_of(node: Node, where: Path_ = ()) -> Iterator[tuple[Path_, int]]:
    """Line of each part of the file."""
    yield where, node.start_mark.line + 1
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from lines_of(item, (*where, index))
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            yield from lines_of(value, (*where, str(key.value)))
            yield (*where, str(key.value)), key.start_mark.line + 1
