"""Where the axis of a picture has its marks: at full local days or hours, few enough to read."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.time_units import DAY_MS, HOUR_MS, MINUTE_MS

MOST = 12
STEPS_MS = (
    *(MINUTE_MS * minutes for minutes in (5, 15, 30)),
    *(HOUR_MS * hours for hours in (1, 3, 6, 12)),
    *(DAY_MS * days for days in (1, 2, 7, 14, 28, 91, 364)),
)


def marks(span: tuple[int, int], zone: str) -> list[tuple[int, str]]:
    """Times within the span and what stands at each; midnights with their day, others with the clock."""
    step = next((one for one in STEPS_MS if (span[1] - span[0]) / one <= MOST), STEPS_MS[-1])
    first = datetime.fromtimestamp(span[0] / 1000, UTC).astimezone(ZoneInfo(zone))
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    found: dict[int, str] = {}
    for number in range((span[1] - span[0] + DAY_MS) // step + 2):
        local = midnight + timedelta(milliseconds=number * step)  # on the local clock, shifts of it included
        at = round(local.timestamp() * 1000)
        if span[0] <= at <= span[1]:
            found[at] = (
                f"{local.day} {local:%b}" if (local.hour, local.minute) == (0, 0) else f"{local:%H:%M}"
            )
    return sorted(found.items())
