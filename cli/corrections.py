"""`ringback explain --corrections`: what a number was before, and why it is not any more."""

from dataclasses import asdict

from cli.console import Format, out, print_json
from cli.printable import printable
from cli.shown import duration, local_minute
from kpis.catalogue.kpi import Kpi, Terms
from reports.corrections import Correction
from reports.explain.reading import Asked

LISTED_EVENTS = 5


def made_of(kpi: Kpi) -> str:
    """What the KPI is, and of which measures, for the lines below it."""
    parts = [signed(part) for part in (kpi.num, kpi.den) if part]
    return f"{kpi.name} ({kpi.id}): {kpi.definition} It is {' / '.join(parts)}."


def signed(terms: Terms) -> str:
    """A sum of measures, each with its sign and how often it counts."""
    text = ""
    for measure, times in terms.items():
        text += f" {'-' if times < 0 else '+'} {'' if abs(times) == 1 else f'{abs(times)} '}{measure}"
    text = text.removeprefix(" + ")
    return f"({text})" if len(terms) > 1 else text


def amount(measure: str, value: int) -> str:
    """A value as people read it: times are not in milliseconds."""
    return duration(value) if measure.endswith("_ms") else f"{value:,}"


def print_corrections(found: list[Correction], asked: Asked, limit: int, format: Format) -> None:
    """As JSON, or a line or two for each."""
    if format is Format.json:
        return print_json({"corrections": [asdict(one) for one in found]})

    def say(line: str) -> None:
        out.print(line, markup=False, highlight=False, soft_wrap=True)

    if not found:
        return say("no number of this period was changed after it had been published")
    say(made_of(asked.kpi))
    for one in found[:limit]:
        where = "/".join(printable(text) for text in (one.channel, one.queue) if text)
        was = local_minute(one.window_start, asked.zone)
        then = local_minute(one.corrected_at, asked.zone)
        old, new = (amount(one.measure, value) for value in (one.old_value, one.new_value))
        say(f"{was} {where}: {one.measure} was {old} and is {new} since {then}")
        for event in one.events[:LISTED_EVENTS]:
            late = f"came {duration(abs(event['delay_ms']))} after it happened"
            say(f"  {event['type']} of contact {printable(event['contact_id'])} {late}")
        if len(one.events) > LISTED_EVENTS:
            say(f"  ... and {len(one.events) - LISTED_EVENTS} more events; --format json has all")
        if one.cause == "rebuild":
            say("  recomputed by `ringback rebuild`")
        elif not one.events:
            say("  another contact of the same customer came, ended or changed")
    if len(found) > limit:
        say(f"... and {len(found) - limit:,} more; --limit N shows more, --format json all")
    return None
