"""`ringback explain --corrections`: what a number was before, and why it is not any more."""

from dataclasses import asdict

from cli.console import Format, out, print_json
from cli.printable import printable
from cli.shown import local_minute
from reports.corrections import Correction
from reports.explain.reading import Asked

LISTED_EVENTS = 5


def span_text(delay_ms: int) -> str:
    """A delay in words."""
    seconds = abs(delay_ms) // 1000
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (left, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)[:20] or "0 s"


def print_corrections(found: list[Correction], asked: Asked, limit: int, format: Format) -> None:
    """As JSON, or a line or two for each."""
    if format is Format.json:
        return print_json({"corrections": [asdict(one) for one in found]})

    def say(line: str) -> None:
        out.print(line, markup=False, highlight=False, soft_wrap=True)

    if not found:
        return say("no number of this period was changed after it had been published")
    for one in found[:limit]:
        where = "/".join(printable(text) for text in (one.channel, one.queue) if text)
        was = local_minute(one.window_start, asked.zone)
        then = local_minute(one.corrected_at, asked.zone)
        say(f"{was} {where}: {one.measure} was {one.old_value:,} and is {one.new_value:,} since {then}")
        for event in one.events[:LISTED_EVENTS]:
            late = f"came {span_text(event['delay_ms'])} after it happened"
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
