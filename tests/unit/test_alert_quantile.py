"""A percentile is beyond a limit when so many durations are: against the percentile itself."""

from hypothesis import given
from hypothesis import strategies as st

from kpis.dips.ladder import Series
from kpis.dips.quantile import BeyondQuantile

M = 60_000
DURATIONS = st.lists(st.integers(0, 20), min_size=1, max_size=30)


@given(DURATIONS, st.integers(1, 100), st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_it_is_beyond_as_the_percentile_is(
    durations: list[int], percent: int, one: int, other: int, below: bool
) -> None:
    limit, clear = (min(one, other), max(one, other)) if below else (max(one, other), min(one, other))
    parts = [Series(), Series()]
    for minute, duration in enumerate(durations):
        for part, edge in zip(parts, (limit, clear), strict=True):
            part.add(minute * M, int(duration < edge if below else duration > edge), 1)
    percentile = sorted(durations)[(percent * len(durations) + 99) // 100 - 1]
    found = BeyondQuantile(percent, below, 60 * M, 1).look(parts, len(durations) * M, 0)
    assert found.breach == (percentile < limit if below else percentile > limit)
    assert found.fresh_off == (percentile < clear if below else percentile > clear)
    assert found.n == len(durations)


def test_too_few_say_nothing() -> None:
    part = Series()
    part.add(0, 3, 3)
    detector = BeyondQuantile(90, False, 5 * M, 4)
    assert (detector.quiet([part, part], M, 0), detector.came([part, part], M)) == (True, True)
    assert detector.is_fine([part, part], 6 * M, 0)
