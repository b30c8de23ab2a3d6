"""Golden worlds: scenarios of several contacts (S14, S15, S17, S27, S28) and the rules they rest on."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from support.world_tables import mismatches, read_world

FILES = sorted((Path(__file__).parent / "worlds").glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_world(path: Path) -> None:
    """As written, and with all events doubled and muddled and the contacts in another order."""
    world, tables = read_world(path)
    assert tables
    muddled = replace(world, contacts={}, states=world.states[::-1])
    rng = random.Random(3)
    for name, events in reversed(world.contacts.items()):
        muddled.contacts[name] = rng.sample([*events, *events], 2 * len(events))
    for one in (world, muddled):
        wrong = mismatches(one, tables)
        assert not wrong, "\n".join(wrong)


def test_a_wrong_figure_is_reported() -> None:
    world, tables = read_world(FILES[0])
    kind, rows = tables[-1]
    rows[0] |= {list(rows[0])[-1]: "987654"}
    assert len(mismatches(world, [(kind, rows)])) == 1
