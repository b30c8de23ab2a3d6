"""Runs all golden tables, says what is wrong: `python -m support.golden_runner FOLDER`, status 1 if any."""

import sys
from pathlib import Path

from support import tables, world_tables


def wrong_in(folder: Path) -> list[str]:
    """Every mismatch of every scenario and world."""
    wrong: list[str] = []
    for path in sorted(folder.glob("*.txt")):
        for scenario in tables.read_file(path):
            events = scenario.read()
            wrong += [
                f"{path.stem}: {line}" for line in tables.mismatches(scenario, [*events[::-1], *events])
            ]
    for path in sorted((folder / "worlds").glob("*.txt")):
        world, expected = world_tables.read_world(path)
        wrong += [f"{path.stem}: {line}" for line in world_tables.mismatches(world, expected)]
    return wrong


if __name__ == "__main__":
    found = wrong_in(Path(sys.argv[1]))
    print("\n".join(found))
    sys.exit(bool(found))
