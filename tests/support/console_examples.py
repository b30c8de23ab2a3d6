"""Console examples in documents: commands with what they print, run and compared.

An example stands in a fence ```console; each command begins with "$ ", what follows is what it prints, stdout
and stderr together. `...` stands for anything on a line, a line of nothing but `...` for any number of lines.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What starts something that stays, sets up the machine, or is run by another test.
NOT_RUN = ("ringback up", "ringback demo", "make", ".", "docker", "cp", "curl", "git", "cd")


@dataclass(frozen=True, slots=True)
class Example:
    """A command as it is typed, and what it prints. `place` says where it stands."""

    place: str
    command: str
    expected: str

    @property
    def arguments(self) -> list[str]:
        """The command's arguments, without `ringback` itself."""
        name, *arguments = shlex.split(self.command)
        if name != "ringback":
            raise ValueError(f"{self.place}: {self.command} is neither run nor left out")
        return arguments


def examples(page: Path) -> list[Example]:
    """All commands of a page that are to be run, in order."""
    found = []
    text = page.read_text(encoding="utf-8")
    for fence in FENCE.finditer(text):
        line = text[: fence.start()].count("\n") + 1
        for part in re.split(r"^\$ ", fence[1], flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            place = f"{page.name}:{line}"
            if not any(command == name or command.startswith(name + " ") for name in NOT_RUN):
                found.append(Example(place, command, expected))
    return found


def lines(text: str) -> list[str]:
    """Lines without what no eye sees: spaces at their end, empty lines at the end of all."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def difference(expected: str, printed: str) -> str:
    """What is not as it stands in the document; "" if all is."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in lines(expected)
    )
    shown = "".join(f"{line}\n" for line in lines(printed))
    return "" if re.fullmatch(pattern, shown) else f"stands there:\n{expected}\nis printed:\n{shown}"
