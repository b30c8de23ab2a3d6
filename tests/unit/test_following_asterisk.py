"""The recorded queue_log written again, rotated, followed by a reader that is killed all the time."""

import random
from pathlib import Path

import pytest
from support.recorded_asterisk import SECRET, queue_log, unpacked

from adapters.asterisk.file import in_order
from adapters.asterisk.follow import KEPT, Following, Kept, load
from adapters.kit.contract import events_of
from adapters.kit.outcomes import LineOutcome, WrongFile
from schemas.codec import encode


def contents(folder: Path) -> list[list[bytes]]:
    """The lines of the recorded files, the oldest first."""
    return [Path(path).read_bytes().splitlines(True) for path in in_order(unpacked(folder, "queue_log*.xz"))]


@pytest.mark.parametrize("seed", range(6))
def test_what_is_followed_is_what_is_read(tmp_path: Path, seed: int) -> None:
    """The same events, byte for byte, as of the files at once: in their order, none lost, none added."""
    rng = random.Random(seed)
    (tmp_path / "recorded").mkdir()
    path, kept = tmp_path / "queue_log", tmp_path / "position.json"
    following = Following(path, kept, SECRET)
    safe: list[LineOutcome] = []
    for number, lines in enumerate(contents(tmp_path / "recorded")):
        if number:
            path.rename(tmp_path / f"queue_log.{number - 1}")
        while lines:
            count = rng.randint(1, 60)
            with path.open("ab") as file:
                file.writelines(lines[:count])
            del lines[:count]
            outcomes = [*following.poll()]
            if rng.random() < 0.3:  # killed: what was not kept comes again
                following.close()
                following = Following(path, kept, SECRET)
                continue
            following.keep()
            safe += outcomes
    safe += following.poll()
    assert [*map(encode, events_of(safe))] == [*map(encode, events_of(queue_log()))]
    assert not following.gaps


def test_a_position_that_is_none_is_refused(tmp_path: Path) -> None:
    kept = tmp_path / "position.json"
    kept.write_bytes(b'{"position": 7}')
    with pytest.raises(WrongFile, match="remove it to begin anew"):
        load(kept, KEPT, Kept())
