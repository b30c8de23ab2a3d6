"""State, markers and logs that do not fit together: found, and what is done about it."""

import pytest

from streams.state.damage import Fit, Log, fit
from streams.state.markers import Begun, Done


def begun(epoch: int, offset: int) -> Begun:
    return Begun(epoch, offset, None)


def done(epoch: int, offset: int, applied: int | None = None) -> Done:
    return Done((epoch, offset), offset if applied is None else applied, "rules")


@pytest.mark.parametrize(
    ("state", "totals", "log", "expected"),
    [
        (None, None, Log(0, 0, 0), Fit(0, -1)),  # new
        (None, None, Log(0, 9, 9), Fit(0, -1)),  # nothing but dead letters: read again
        (begun(0, 8), done(0, 8), Log(0, 9, 9), Fit(9, 8)),  # all is done
        (begun(0, 8), done(0, 8), Log(0, 9, 5), Fit(5, 8)),  # not all was committed
        (begun(0, 8), done(0, 5), Log(0, 9, 6), Fit(6, 5)),  # a batch was cut short
        (begun(0, 8), None, Log(0, 9, 9), Fit(0, -1)),  # its totals are lost, or never were written
        (begun(0, 5), done(0, 5), Log(0, 9, 9), Fit(6, 5)),  # the last batches were duplicates, or are lost
    ],
)
def test_what_fits_goes_on_behind_its_state(
    state: Begun | None, totals: Done | None, log: Log, expected: Fit
) -> None:
    assert fit(state, totals, log) == expected


@pytest.mark.parametrize(
    ("state", "totals", "log", "lost", "epoch"),
    [
        (None, done(3, 8), Log(0, 9, 9), True, 3),
        (None, None, Log(0, 9, 9, published=4), True, 4),
        (begun(2, 5), done(2, 8), Log(0, 9, 9), True, 2),
        (begun(1, 8), done(2, 1), Log(0, 9, 9), True, 2),
        (begun(2, 8), done(2, 8), Log(0, 8, 9), False, 2),
        (begun(2, 8), done(2, 8, applied=11), Log(0, 9, 3), False, 2),
        (begun(2, 2), done(2, 2), Log(0, 8, 9), False, 2),
    ],
)
def test_what_does_not_fit_is_read_again_from_the_beginning_under_a_greater_epoch(
    state: Begun | None, totals: Done | None, log: Log, lost: bool, epoch: int
) -> None:
    found = fit(state, totals, log)
    assert (found.go_on, found.applied, found.lost, found.epoch) == (0, -1, lost, epoch)
    assert found.damage
