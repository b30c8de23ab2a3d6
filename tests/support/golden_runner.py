"""Golden tables until one is wrong: `python -m support.golden_runner FOLDER`, status 1 if any is."""

import sys
from collections.abc import Iterator
from pathlib import Path

from support import tables, world_tables


def wrong(folder: Path) -> Iterator[str]:
    """Every mismatch of every scenario and world, as it is found."""
    for path in sorted(folder.glob("*.txt")):
        for scenario in tables.read_file(path):
            events = scenario.read()
            for line in tables.mismatches(scenario, [*events[::-1], *events]):
                yield f"{path.stem}: {line}"
    for path in sorted((folder / "worlds").glob("*.txt")):
        world, expected = world_tables.read_world(path)
        for line in world_tables.mismatches(world, expected):
            yield f"{path.stem}: {line}"


if __name__ == "__main__":
    first = next(wrong(Path(sys.argv[1])), "")
    print(first)
    sys.exit(bool(first))
