"""A lexer for ClickHouse SQL, just deep enough to find keywords outside strings and comments.

It works on text decoded as Latin-1, so that offsets are byte offsets and any bytes pass through unharmed.
It decides how a request is routed; what is *forbidden* is decided on the engine's own normalised text
(see guard.py), so a disagreement between this lexer and the engine's cannot open a hole.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<blank>\s+|\xef\xbb\xbf|--[^\n]*|\#[!\ ][^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<string>'[^'\\]*(?:(?:\\.|'')[^'\\]*)*(?:'|\Z))
  | (?P<quoted>"[^"\\]*(?:(?:\\.|"")[^"\\]*)*(?:"|\Z)|`[^`\\]*(?:(?:\\.|``)[^`\\]*)*(?:`|\Z))
  | (?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
  | (?P<word>[A-Za-z_][A-Za-z0-9_$]*)
  | (?P<number>[0-9][0-9A-Za-z_.]*)
  | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPEN = frozenset("([{")
_CLOSE = frozenset(")]}")


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, its text, where it starts and ends, and how many brackets enclose it."""

    kind: str
    text: str
    start: int
    end: int
    depth: int

    @property
    def keyword(self) -> str:
        """The word in capitals when it is a bare word, else an empty string."""
        return self.text.upper() if self.kind == "word" else ""


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of ``text`` without blanks and comments, lazily: nothing past the last one is read."""
    depth = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "symbol"
        if kind == "blank":
            continue
        if match.group("symbol") in _CLOSE:
            depth = max(0, depth - 1)
        yield Token("heredoc" if kind == "tag" else kind, match.group(), match.start(), match.end(), depth)
        if match.group("symbol") in _OPEN:
            depth += 1


def first_keyword(text: str) -> str:
    """The first bare word of a statement in capitals; ``(`` when it starts with a bracket."""
    for token in tokens(text):
        if token.text == "(":
            return "("
        return token.keyword
    return ""
