"""Text from outside as it may be printed: what a terminal would obey is written out instead.

Names of queues, agents and files come from strangers. ESC starts commands that retitle the window, write to
the clipboard or move the cursor; a line break in a name fakes a line; marks of direction turn text around.
"""

import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# C0 without tab and line feed, DEL, C1, line and paragraph separators, marks of direction, halves of pairs.
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
BREAKS = re.compile("[\t\n]")
LINE_BREAKS = {"\n": "\\n", "\t": "\\t"}


def _written(found: re.Match[str]) -> str:
    """A character as Python writes it."""
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def harmless(text: str) -> str:
    """The text without anything that a terminal obeys; its lines stay lines."""
    return OBEYED.sub(_written, text)


def printable(text: object) -> str:
    """A name or value on one line, without anything that a terminal obeys."""
    return BREAKS.sub(lambda found: LINE_BREAKS[found[0]], harmless(str(text)))


def json_printable(document: bytes) -> bytes:
    """JSON that says the same in characters that a terminal does not obey; JSON itself lets some stand."""
    return OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", document.decode()).encode()


class SafeConsole(Console):
    """A console that writes out what a terminal would obey, wherever in a text or table it stands."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of something, those of text made harmless. Colours are added behind this."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else harmless(text), style, control)


def log_values(_logger: Any, _name: str, entry: Any) -> Any:
    """A step of structlog: texts of an entry on one line, without anything that a terminal obeys."""
    return {key: printable(value) if isinstance(value, str) else value for key, value in entry.items()}


# What a spreadsheet takes for a formula when it opens a table (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_cell(value: Any) -> Any:
    """A cell that a spreadsheet shows and does not run; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
