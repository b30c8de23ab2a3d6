"""Peak hour: which hour of a day had the most contacts."""

QUARTERS_PER_HOUR = 4


def peak_hour(quarter_counts: list[int]) -> tuple[int, int] | None:
    """(index of the first quarter-hour, contacts) of the busiest sliding hour, the earliest on a tie.

    `quarter_counts` are consecutive 15-minute counts of one day; None for less than an hour. Sliding, as in
    FS-1037C: the clock hour would miss a peak from quarter past to quarter past.
    """
    starts = range(len(quarter_counts) - QUARTERS_PER_HOUR + 1)
    sums = [sum(quarter_counts[start : start + QUARTERS_PER_HOUR]) for start in starts]
    return (sums.index(max(sums)), max(sums)) if sums else None
