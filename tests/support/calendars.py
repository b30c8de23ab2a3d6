"""Business hours that split the minutes of random worlds, which begin on a Monday at midnight of UTC."""

from kpis.business_hours import Calendar
from schemas.time_units import DAY_MS, MINUTE_MS

MONDAY = 20_458  # 2026-01-05, as days since 1970
# On and off every few minutes all day, in a zone half an hour off.
FLICKER = tuple((at * MINUTE_MS, (at + 1 + at % 7) * MINUTE_MS) for at in range(0, 24 * 60 - 10, 11))
NIGHT = ((0, 6 * 60 * MINUTE_MS), (22 * 60 * MINUTE_MS, DAY_MS))
CALENDARS = {
    "office": Calendar("Australia/Adelaide", (FLICKER, FLICKER, (), FLICKER, NIGHT, (), FLICKER),
                       ((MONDAY, FLICKER[:50]), (MONDAY + 1, ()))),
    "night": Calendar("UTC", (NIGHT,) * 7, ((MONDAY + 2, ((0, 90 * MINUTE_MS),)),)),
}  # fmt: skip
