"""Business hours as ClickHouse query parameters: calendars by number from 1, 0 for none."""

from collections.abc import Mapping

from kpis.business_hours import Calendar, stretches


def calendar_parameters(
    calendars: Mapping[str, Calendar], by_queue: Mapping[str, str], default: str
) -> dict[str, object]:
    """What the oracle's fold needs of them (sql/oracle/fold.sql)."""
    numbers = {name: number for number, name in enumerate(calendars, 1)}
    listed = [(numbers[name], calendar) for name, calendar in calendars.items()]
    return {
        "calendar_queues": list(by_queue),
        "calendar_numbers": [numbers.get(name, 0) for name in by_queue.values()],
        "calendar_default": numbers.get(default, 0),
        "calendar_shifts": [(n, *stretch) for n, c in listed for stretch in stretches(c.zone)],
        "calendar_hours": [
            (n, weekday, *span) for n, c in listed for weekday, hours in enumerate(c.week) for span in hours
        ],
        "calendar_days": [(n, day) for n, c in listed for day, _ in c.days],
        "calendar_day_hours": [(n, day, *span) for n, c in listed for day, hours in c.days for span in hours],
    }
