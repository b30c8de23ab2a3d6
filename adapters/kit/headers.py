"""What to say of a first line that is not the header it should be."""

from collections.abc import Iterable, Sequence

from adapters.kit.lines import Line


def first_line(line: Line, names: Sequence[str], expected: Iterable[str]) -> str:
    """A first line in words, not its text: where no header is it is data, and may name a customer."""
    if line.problem:
        return f"its first line is {line.problem}"
    known = len({name.strip().lower() for name in names} & {*expected})
    return f"its first line has {len(names)} columns, {known} of them known"
