"""Lengths of time in milliseconds, the unit of every duration and moment in Ringback."""

SECOND_MS = 1_000
MINUTE_MS = 60_000
QUARTER_MS = 900_000  # a quarter-hour, which agents' time is kept by
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
