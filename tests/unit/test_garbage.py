"""Python's collector, as worker and sink set it."""

import gc

from streams.health.garbage_collector import OBJECTS_BETWEEN_LOOKS, collect_rarely


def test_what_is_there_is_looked_at_once_and_new_objects_seldom() -> None:
    usual = gc.get_threshold()
    looks: list[str] = []
    try:
        collect_rarely()
        frozen = gc.get_freeze_count()
        gc.callbacks.append(lambda phase, info: looks.append(phase))
        rows = [[number] for number in range(OBJECTS_BETWEEN_LOOKS // 2)]
    finally:
        gc.callbacks.pop()
        gc.set_threshold(*usual)
        gc.unfreeze()
    assert len(rows) == OBJECTS_BETWEEN_LOOKS // 2
    assert frozen > 1_000
    assert not looks
