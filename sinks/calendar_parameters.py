"""Business hours as ClickHouse query parameters: calendars by number from 1, 0 for none."""

from collections.abc import Mapping

from kpis.business_hours import Calendar, stretches


def calendar_parameters(
    calendars: Mapping[str, Calendar], by_queue: Mapping[str, str], default: str
) -> dict[str, object]:
    """What the oracle's fold needs of them (sql/oracle/fold.sql)."""
    numbers = {name: number for number, name in enumerate(calendars, 1)}
    listed = [*calendars.values()]
    return {
        "calendar_queues": list(by_queue),
        "calendar_numbers": [numbers.get(name, 0) for name in by_queue.values()],
        "calendar_default": numbers.get(default, 0),
        # of each calendar
        "calendar_shifts": [[*stretches(c.zone)] for c in listed],
        "calendar_hours": [
            [(weekday, *span) for weekday, hours in enumerate(c.week) for span in hours] for c in listed
        ],
        "calendar_days": [[day for day, _ in c.days] for c in listed],
        "calendar_day_hours": [[(day, *span) for day, hours in c.days for span in hours] for c in listed],
    }
