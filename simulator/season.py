"""How busy the hours of a week are, relative to its busiest hour (UTC)."""

from dataclasses import dataclass

from schemas.time_units import DAY_MS, HOUR_MS

EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday, Monday is 0


@dataclass(frozen=True, slots=True)
class Season:
    """Shares of the busiest hour, by hour of the day and day of the week (Monday first)."""

    hours: tuple[float, ...]
    days: tuple[float, ...]

    def at(self, time_ms: int) -> float:
        """Share of the peak at a time, 0 to 1."""
        return self.hours[time_ms % DAY_MS // HOUR_MS] * self.days[(time_ms // DAY_MS + EPOCH_WEEKDAY) % 7]


FLAT = Season((1.0,) * 24, (1.0,) * 7)
WEEK = Season(
    hours=(
        *(0.06, 0.04, 0.03, 0.03, 0.04, 0.08, 0.20, 0.45, 0.78, 0.95, 1.00, 0.96),
        *(0.82, 0.84, 0.92, 0.93, 0.86, 0.70, 0.52, 0.40, 0.30, 0.22, 0.15, 0.09),
    ),
    days=(1.00, 0.94, 0.90, 0.88, 0.92, 0.45, 0.30),
)
