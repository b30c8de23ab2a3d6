"""Which labels an alert must have, in Alertmanager's words: severity="page", queue=~"sales|support"."""

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

MATCHER = re.compile(
    r"""\s*([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s{},"'`=~!]+))\s*""", re.S | re.A
)
ESCAPED = re.compile(r'\\(n|"|\\)')
HOW = """write a matcher such as 'severity="page"', 'queue=~"sales.*"', 'team!="it"' or 'team!~"it|hr"'"""
IGNORES_CASE = re.compile(r"\(\?[a-z]*i")
ALERT, ALERTNAME = "alert", "alertname"  # the rule's name, as here and as Alertmanager calls it


@dataclass(frozen=True, slots=True)
class Matcher:
    """What one label must be or not; a label that an alert has not is "" here."""

    name: str
    op: str
    value: str
    pattern: re.Pattern[str] | None = field(default=None, compare=False)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Is the label as it is wanted?"""
        own = labels.get(self.name, "")
        same = own == self.value if self.pattern is None else self.pattern.fullmatch(own) is not None
        return same != self.op.startswith("!")

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.op}"{value}"'


def matcher_of(text: object) -> Matcher:
    """A matcher of its text. Raises ValueError with what to write instead."""
    if not isinstance(text, str) or (found := MATCHER.fullmatch(text)) is None:
        raise ValueError(HOW)
    name, op, quoted, bare = found.groups()
    value = ESCAPED.sub(lambda sign: "\n" if sign[1] == "n" else sign[1], bare if quoted is None else quoted)
    return Matcher(name, op, value, pattern_of(value) if op.endswith("~") else None)


def pattern_of(text: str) -> re.Pattern[str]:
    """A pattern of the whole value, as Alertmanager reads it. Raises ValueError with what is wrong."""
    # \d and \w are ASCII there; capitals are told from small letters in all alphabets.
    flags = re.NOFLAG if IGNORES_CASE.search(text) else re.ASCII
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # such as [[:alpha:]], which means something else here
            return re.compile(text, flags)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}") from None


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Do all of them match? No matchers match everything."""
    return all(matcher.matches(labels) for matcher in matchers)


def with_name(body: Mapping[str, Any]) -> dict[str, str]:
    """The labels of a message, and the name of its rule under both of its names."""
    return named(body["alert"], body["labels"])


def named(alert: str, labels: Mapping[str, str]) -> dict[str, str]:
    """Labels, and the name of the rule under both of its names."""
    return {**labels, ALERT: alert, ALERTNAME: alert}


SCHEMA = {"type": "string", "pattern": r"^\s*[A-Za-z_]\w*\s*(=~|!~|!=|=)", "examples": ['severity="page"']}
Matchers = Annotated[
    tuple[Annotated[Matcher, BeforeValidator(matcher_of), WithJsonSchema(SCHEMA)], ...],
    Field(max_length=50),
]
