"""How windows move when what a contact adds to them changes: by few of the measures, so by name."""

from collections.abc import Mapping

from kpis.tallies.windows import INDEX, Additions


def add_to(row: list[int], amounts: Mapping[str, int]) -> None:
    """Move a window's measures, in the order of MEASURES, by some of them: a contact moves a tenth of all."""
    for name, amount in amounts.items():
        row[INDEX[name]] += amount


def change(old: Additions, new: Additions) -> Additions:
    """How far the windows move when what a contact adds goes from old to new; only what moves.

    Integers, so what was added can be taken away exactly.
    """
    if not old:
        return new
    moved: Additions = {}
    for window, row in new.items():
        before = old.get(window)
        if before is None:
            moved[window] = row
        elif before != row:  # an event moves one or two of a contact's windows
            moved[window] = difference(row, before)
    for window in old.keys() - new.keys():
        moved[window] = difference({}, old[window])
    return moved


def difference(new: Mapping[str, int], old: Mapping[str, int]) -> dict[str, int]:
    """Measures by name of new minus those of old, without zeros."""
    steps = {name: amount - old.get(name, 0) for name, amount in new.items() if amount != old.get(name)}
    return steps | {name: -amount for name, amount in old.items() if name not in new}
