"""`ringback explain`: the contacts and events behind one number."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli.clickhouse import client
from cli.console import Format, out, print_json, settings
from cli.corrections import print_corrections
from cli.kpi import AsOf, answering, as_of_ms
from cli.printable import printable
from cli.settings import Settings, rules_of
from cli.shown import local_minute, shown
from cli.times import instant_ms
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from reports.corrections import corrections_of
from reports.explain.explanation import Asked, Contributor, Explanation, document, explain
from reports.explain.reading import Shown, utc_text
from reports.kpi.question import known_kpi
from sql.kpi_queries import OWN_DIMENSION, WINDOW_DIMENSIONS
from sql.periods import LONGEST_MS, period_of

PERIODS = ", ".join(LONGEST_MS)
LISTED = 50
Corrections = Annotated[
    bool, typer.Option("--corrections", help="How its measures changed after they had been published.")
]
Id = Annotated[str, typer.Argument(metavar="KPI", help="KPI id, such as service_level.")]
Window = Annotated[str | None, typer.Option(help="Begin of the period, e.g. 1999-02-01T09:15 (local time).")]
Every = Annotated[str, typer.Option(help=f"Period: {PERIODS}.")]
Queue = Annotated[str | None, typer.Option(help='Only this queue; "" for none.')]
Channel = Annotated[str | None, typer.Option(help="Only this channel.")]
Where = Annotated[
    list[str] | None,
    typer.Option(help="Only this value of a dimension, such as brand=north or agent=ann; for several again."),
]
Limit = Annotated[int, typer.Option(min=1, help="How many contacts to print as text.")]


def explain_command(
    kpi: Id,
    window: Window = None,
    every: Every = "15m",
    queue: Queue = None,
    channel: Channel = None,
    where: Where = None,
    as_of: AsOf = None,
    limit: Limit = LISTED,
    corrections: Corrections = False,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """The contacts in numerator and denominator of a KPI, with the events that put them there.

    Example: ringback explain service_level --window 1999-02-01T09:15 --every 15m --queue NE
    """
    config = settings()
    rules = rules_of(config)
    with answering():
        asked = question(known_kpi(kpi, every_kpi(rules)), window, every, queue, channel, as_of, config)
        asked = replace(asked, where=tuple(further_dimension(one) for one in where or ()))
        if corrections:
            return print_corrections(corrections_of(client(config), asked), asked, limit, format)
        found = explain(client(config), asked, rules)
    if format is Format.json:
        print_json(document(found))
    else:
        print_text(found, limit)


def question(
    kpi: Kpi,
    window: str | None,
    every: str,
    queue: str | None,
    channel: str | None,
    as_of: str | None,
    config: Settings,
) -> Asked:
    """What is asked, in UTC. Raises typer.BadParameter."""
    if every not in LONGEST_MS:
        raise typer.BadParameter(f"--every is one of {PERIODS}")
    zone = config.timezone_by_queue.get(queue or "", config.timezone)
    moment = as_of_ms(as_of, zone)
    if kpi.is_state:
        if window is not None:
            raise typer.BadParameter(
                f"{kpi.id} is the state at one moment: give --as-of in place of --window"
            )
        span = (moment, moment)
    elif window is None:
        raise typer.BadParameter("--window is missing: the begin of the period, e.g. 1999-02-01T09:15")
    else:
        span = period_of(instant_ms(window, zone), every, ZoneInfo(zone))
    return Asked(kpi, *span, moment, channel, queue, zone)


def further_dimension(text: str) -> tuple[str, str]:
    """Name and value of NAME=VALUE. Raises typer.BadParameter."""
    name, is_there, value = text.partition("=")
    if not is_there or not OWN_DIMENSION.fullmatch(name):
        raise typer.BadParameter("--where is a dimension that your events carry and its value: brand=north")
    if name in WINDOW_DIMENSIONS:
        raise typer.BadParameter(f"write --{name} {value} in place of --where {text}")
    return name, value


def described(asked: Asked) -> str:
    """Period, channel, queue and dimension in words."""
    zone = asked.zone
    moment = f"as of {local_minute(utc_text(asked.as_of_ms), zone)} {zone}"
    begin, end = (local_minute(utc_text(time_ms), zone) for time_ms in (asked.from_ms, asked.to_ms))
    period = "" if asked.kpi.is_state else f"{begin} to {end}, "
    channel = "" if asked.channel is None else f", channel {printable(asked.channel)}"
    queue = "" if asked.queue is None else f", queue {printable(asked.queue) or '(none)'}"
    own = "".join(f", {name} {printable(value) or '(none)'}" for name, value in asked.where)
    return f"{period}{moment}{channel}{queue}{own}"


def say(line: str) -> None:
    """A line as it is: names of queues and agents are no markup."""
    out.print(line, markup=False, highlight=False, soft_wrap=True)


def print_text(found: Explanation, limit: int) -> None:
    """The number, then its contacts with their events."""
    kpi = found.asked.kpi
    say(f"{kpi.name} ({kpi.id}): {kpi.definition}")
    say(described(found.asked))
    if not found.contributors:
        say(
            "nothing was counted there: look at `ringback kpi` for periods, channels and queues that have "
            "something, and at --every, which is the length of the period"
        )
        return
    value = {"value": found.value, "unit": kpi.unit}
    quotient = f" = {found.num:,} / {found.den:,}" if kpi.den else ""
    say(f"{shown(value)}{quotient}, from {len(found.contributors):,} {things(found)}")
    for contributor in found.contributors[:limit]:
        print_contributor(contributor, found.asked.zone)
    if len(found.contributors) > limit:
        say(f"\n... and {len(found.contributors) - limit:,} more; --limit N shows more, --format json all")


def things(found: Explanation) -> str:
    """What the parts are."""
    kind = "quarter-hour of an agent" if found.asked.kpi.table == "agents" else "contact"
    if len(found.contributors) == 1:
        return kind
    return kind.replace("hour", "hours").replace("contact", "contacts")


def print_contributor(contributor: Contributor, zone: str) -> None:
    """A contact: what it adds and why."""
    subject = ", ".join(
        f"{name.removesuffix('_id')} {printable(value)}"
        for name, value in contributor.subject.items()
        if value
    )
    den = "" if contributor.den is None else f", denominator {contributor.den:,}"
    parts = f"numerator {contributor.num:,}{den}"
    measures = ", ".join(f"{name} {amount:,}" for name, amount in contributor.measures.items())
    said = "; ".join(text for text in (measures, contributor.note) if text)
    say(f"\n{subject}: {parts}{f' ({said})' if said else ''}")
    print_events(contributor.events, zone)
    for contact_id, role, events in contributor.related:
        say(f"  {role}: contact {printable(contact_id)}")
        print_events(events, zone, "  ")


def print_events(events: tuple[Shown, ...], zone: str, indent: str = "") -> None:
    """Events in order, one a line, in local time."""
    for event in events:
        rest = {name: value for name, value in event.items() if name not in ("at", "until", "type", "leg")}
        until = f" to {local_instant(event['until'], zone)}" if "until" in event else ""
        leg = f"  leg {event['leg']}" if "leg" in event else ""
        fields = "".join(f"  {name}={printable(value)}" for name, value in rest.items())
        say(f"{indent}  {local_instant(event['at'], zone)}{until}  {event['type']}{leg}{fields}")


def local_instant(instant: str, zone: str) -> str:
    """A time of an event, in the reporting time zone."""
    local = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    return local.strftime("%Y-%m-%d %H:%M:%S") + f".{local.microsecond // 1000:03d}"
