"""Rule files: YAML to checked rules, and what is wrong said with file, line and what to write instead."""

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from alerts.fixtures import Expected, InputSeries, Moment, Trial, TrialFile
from alerts.receivers import RECEIVER_TYPES, Mute, Receivers, Secret, Webhook
from alerts.rule import Group, Rule, RuleFile
from alerts.sense import meaningless
from alerts.when import TYPES
from alerts.words import Closed
from kpis.catalogue.kpi import Kpi

FILE_MAX_BYTES = 1_000_000
DEPTH_MAX = 20
Path_ = tuple[str | int, ...]
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
    names = [receiver.name for receiver in found.receivers]
    for index, name in enumerate(names):
        if name in names[:index]:
            line = line_at(lines, ("receivers", index, "name"))
            raise BadRules([f"{path}:{line}: {name} is there twice; give one of them another name"])
    return found


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
        lines = dict(lines_of(node)) if node else {}
        return model.model_validate(plain(node) if node else {}), lines
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadRules([f"{name}:{line}: no YAML: {error.problem}"]) from None
    except yaml.YAMLError as error:
        raise BadRules([f"{name}: no YAML: {error}"]) from None
    except RecursionError:
        raise BadRules([f"{name}: nested too deeply"]) from None
    except TwiceInMapping as error:
        raise BadRules([f"{name}:{error.line}: {error.key!r} is written twice"]) from None
    except ValidationError as error:
        raise BadRules(fault_of(item, name, lines, model) for item in innermost(error)) from None


class TwiceInMapping(ValueError):
    """A key that a mapping has twice."""

    def __init__(self, key: str, line: int) -> None:
        super().__init__(key)
        self.key, self.line = key, line


def plain(node: Node, depth: int = 0) -> Any:
    """The value of a node: no tags, no aliases into themselves, no key twice. Raises TwiceInMapping."""
    if depth > DEPTH_MAX:
        raise yaml.YAMLError("nested too deeply")
    if isinstance(node, ScalarNode):
        return yaml.SafeLoader("").construct_object(node)
    if isinstance(node, SequenceNode):
        return [plain(item, depth + 1) for item in node.value]
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = str(key.value)
        if name in found:
            raise TwiceInMapping(name, key.start_mark.line + 1)
        found[name] = plain(value, depth + 1)
    return found


def lines_of(node: Node, where: Path_ = (), depth: int = 0) -> Iterator[tuple[Path_, int]]:
    """Line of each part of the file."""
    yield where, node.start_mark.line + 1
    if depth > DEPTH_MAX:
        return
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from lines_of(item, (*where, index), depth + 1)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            yield from lines_of(value, (*where, str(key.value)), depth + 1)
            yield (*where, str(key.value)), key.start_mark.line + 1


def line_at(lines: dict[Path_, int], where: Path_) -> int:
    """Line of a part of the file, or of what it would stand in."""
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)


TAGS = TYPES | RECEIVER_TYPES  # of the unions, which pydantic puts between
# What a file may have inside, beside what it has by its types.
MODELS: dict[type[Closed], tuple[type[Closed], ...]] = {
    RuleFile: (Rule, Group, RuleFile),
    Receivers: (Webhook, Mute, Secret, Receivers),
    TrialFile: (Expected, InputSeries, Trial, Moment, TrialFile),
}


def words_of(models: Iterable[type[Closed]]) -> list[str]:
    """What may stand in them."""
    return [field.alias or name for model in models for name, field in model.model_fields.items()]


def innermost(error: ValidationError) -> list[Any]:
    """Faults without those that only follow from others, as a list of wrong rules seems to be empty."""
    found = error.errors(include_url=False)
    places = [item["loc"] for item in found]
    return [
        item
        for item in found
        if not any(place != item["loc"] and place[: len(item["loc"])] == item["loc"] for place in places)
    ]


def fault_of(item: Any, name: str, lines: dict[Path_, int], file: type[Closed]) -> str:
    """A fault in one line."""
    where = tuple(part for part in item["loc"] if part not in TAGS)
    label = ".".join(str(part) for part in where if isinstance(part, str)) or "the file"
    text = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        outer, *others = MODELS[file]
        own = next((TAGS[part] for part in item["loc"] if part in TAGS), outer)
        close = get_close_matches(str(where[-1]), words_of((own, *others)), 1)
        text = f"unknown word; did you mean {close[0]}?" if close else "unknown word; leave it out"
    elif item["type"] == "missing":
        text = "is missing"
    elif item["type"] == "union_tag_invalid":
        types = TYPES if file is RuleFile else RECEIVER_TYPES
        text = f"unknown type; there are {', '.join(types)}"
    return f"{name}:{line_at(lines, where)}: {label}: {text}"
