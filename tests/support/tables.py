"""Golden scenarios as text: events in, a table per grain out; only the columns that are named are compared.

A file is a sequence of lines. `name: value` is a setting (events, title, channel, as_of, target, calendar,
calendar_of, from) of all events that follow. A line with `|` is a table row; the first of a block is its
header, and its first column says what a row is:

    leg | wait | talk        facts of the leg with that number
    contact | handle         facts of the contact (first cell: any name)
    survey | score           the survey of that kind
    window | queue | offered tally of the window that begins in that minute; no other may have what is named
    kpi | value              the KPI over all windows, percent for a ratio
    as_of | state | missing  what the contact is at that time
    case | events | wait     one scenario a row; columns are of leg 1, `2:wait` of leg 2, `c:reopens` of the
                             contact, `sv:late` of the first survey

Durations and times are seconds, `-` is unknown or none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from support.notation import BASE_MS, read_events, to_ms

from cli.business_hours import CalendarSettings
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import quotient, total
from kpis.facts import ContactFact, Facts, LegFact, OfferFact, SurveyFact
from kpis.fold.ageing import missing, state_at
from kpis.fold.events import fold
from kpis.fold.leg import is_short
from kpis.rules import DEFAULT_RULES, DatedLimits, Rules
from kpis.tallies.windows import INDEX, MEASURES, Contribution, contribution, entered
from schemas.events import ContactEvent

KPIS = every_kpi(DEFAULT_RULES)
ALIASES = {"wait": "queue_ms", "n": "hold_n", "max": "hold_max_ms", "art": "full_resolution_ms"}
Fact = LegFact | ContactFact | SurveyFact | OfferFact
Row = dict[str, str]
Table = tuple[str, list[Row]]  # what a row is, the rows
Outcome = tuple[str, str, str]  # what was compared, the expected text, the text that came out


@dataclass(frozen=True)
class Scenario:
    """One set of events and the tables that are expected of it."""

    name: str
    events: str
    settings: dict[str, str]
    tables: list[Table] = field(default_factory=list)

    @property
    def rules(self) -> Rules:
        """The default rules but for settings: `target` (queue=seconds), `calendar` (JSON), `calendar_of` (one
        queue's: queue=JSON), `from` (a time, and what counts from then on: short=, voice=, A= seconds).
        """
        targets = [pair.split("=") for pair in self.settings.get("target", "").split()]
        given = self.settings.get("calendar", "")
        calendars = {"": CalendarSettings.model_validate_json(given).calendar("UTC")} if given else {}
        by_queue = {queue: to_ms(seconds) for queue, seconds in targets}
        queue, _, own = self.settings.get("calendar_of", "").partition("=")
        if own:
            calendars[queue] = CalendarSettings.model_validate_json(own).calendar("UTC")
        rules = Rules(
            service_level_by_queue_ms=by_queue,
            calendars=calendars,
            calendar_by_queue={queue: queue} if own else {},
        )
        return with_limits(rules, self.settings["from"]) if self.settings.get("from") else rules

    @property
    def as_of(self) -> int | None:
        """The setting `as_of` in UTC ms."""
        return BASE_MS + to_ms(self.settings["as_of"]) if self.settings.get("as_of") else None

    def read(self, contact_id: str = "contact") -> list[ContactEvent]:
        """The events, in the order they are written in."""
        return read_events(self.events, self.settings.get("channel", "voice"), contact_id)


def with_limits(rules: Rules, text: str) -> Rules:
    """Rules whose limits are others from a time on."""
    since, *pairs = text.split()
    seconds = {name: to_ms(value) for name, _, value in (pair.partition("=") for pair in pairs)}
    channels = {name: seconds.get(name, own) for name, own in rules.service_level_ms.items()}
    queues = {name: own for name, own in seconds.items() if name != "short" and name not in channels}
    limits = DatedLimits(
        from_ms=BASE_MS + to_ms(since),
        service_level_ms=channels,
        service_level_default_ms=rules.service_level_default_ms,
        service_level_by_queue_ms=rules.service_level_by_queue_ms | queues,
        short_abandon_ms=seconds.get("short", rules.short_abandon_ms),
    )
    return replace(rules, dated=(limits,))


def cells(line: str) -> list[str]:
    """The cells of a table row."""
    return [cell.strip() for cell in line.split("|")]


def read_file(path: Path) -> list[Scenario]:
    """The scenarios of a file: one per `events:` line and one per row of a case table."""
    scenarios: list[Scenario] = []
    settings: dict[str, str] = {}
    header: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        setting = re.match(r"([a-z_]+): *(.*)", line)
        if not line.strip() or line.startswith("#"):
            header = []
        elif setting and "|" not in line:
            header = []
            settings[setting[1]] = setting[2].strip()
            if setting[1] == "events":
                name = path.stem + (f": {settings['title']}" if "title" in settings else "")
                scenarios.append(Scenario(name, settings["events"], dict(settings)))
        elif not header:
            header = cells(line)
            assert len(set(header)) == len(header), f"{path.name}: a column twice in {line}"
            if header[0] != "case":
                scenarios[-1].tables.append((header[0], []))
        else:
            row = dict(zip(header, cells(line), strict=True))
            if header[0] == "case":
                name = f"{path.stem}: {row['case']}"
                scenarios.append(Scenario(name, row["events"], dict(settings), [("case", [row])]))
            else:
                scenarios[-1].tables[-1][1].append(row)
    return scenarios


def show(value: object, column: str) -> str:
    """A value as the tables write it."""
    if value is None or value == "" or value == ():
        return "-"
    if isinstance(value, int) and (column.endswith("_ms") or column.endswith("_at")):
        milliseconds = value - BASE_MS if column.endswith("_at") else value
        return f"{(Decimal(milliseconds) / 1000).normalize():f}"
    if isinstance(value, dict):
        return " ".join(f"{name}={text}" for name, text in value.items()) or "-"
    return " ".join(value) if isinstance(value, tuple) else str(value)


def look(fact: Fact, column: str, rules: Rules) -> str:
    """What a fact has in a column."""
    if column == "sl" and isinstance(fact, LegFact):
        _, amounts = entered(fact, rules)
        return f"{amounts['answered_in_target']}/{amounts['service_level_n']}"
    if column == "short" and isinstance(fact, LegFact):
        return str(int(is_short(fact, rules)))
    if column == "resolved" and isinstance(fact, ContactFact):
        return str(int((fact.end_type, fact.end_detail) == ("resolved", "resolved")))
    name = ALIASES.get(column, column)
    name = name if hasattr(fact, name) else f"{name}_ms"
    return show(getattr(fact, name), name)


def kpi_text(kpi_id: str, windows: Contribution, digits_as: str) -> str:
    """A KPI over all windows with as many digits as another text has."""
    kpi = KPIS[kpi_id]
    sums = {name: sum(tally[INDEX[name]] for tally in windows.values()) for name in MEASURES}
    value = quotient(total(kpi.num, sums), total(kpi.den, sums))
    if value is None:
        return "-"
    digits = len(digits_as.split()[0].partition(".")[2])
    scaled = {"ratio": value * 100, "ms": value / 1000}.get(kpi.unit, value)
    return f"{scaled:.{digits}f}{' %' if kpi.unit == 'ratio' else ''}"


def tidy(text: str) -> str:
    """Expected text as `show` writes it: 70.0 is 70."""
    return f"{Decimal(text).normalize():f}" if re.fullmatch(r"-?\d+\.\d+", text) else text


def compare_fact(where: str, fact: Fact | None, row: Row, rules: Rules) -> Iterator[Outcome]:
    """Every named column of a row against a fact."""
    for column, expected in list(row.items())[1:]:
        actual = "no such fact" if fact is None else look(fact, column, rules)
        yield f"{where} {column}", tidy(expected), actual


def compare_case(row: Row, facts: Facts, rules: Rules) -> Iterator[Outcome]:
    """Every column of a case row against the leg or contact it names."""
    for column, expected in row.items():
        if column in ("case", "events"):
            continue
        grain, _, name = column.rpartition(":")
        named: dict[str, Fact | None] = {str(leg.leg): leg for leg in facts.legs}
        named |= {"c": facts.contact, "sv": facts.surveys[0] if facts.surveys else None}
        named |= {"of": facts.offers[0] if facts.offers else None}
        fact = named.get(grain or "1")
        yield column, tidy(expected), "-" if fact is None else look(fact, name, rules)


def compare_windows(rows: list[Row], windows: Contribution) -> Iterator[Outcome]:
    """Every named measure, in the windows named and as a sum over all of them."""
    measures = [name for name in rows[0] if name not in ("window", "queue", "channel")]
    found = {
        (str((key.start - BASE_MS) // 60_000), key.queue or "-"): tally for key, tally in windows.items()
    }
    for measure in measures:
        column = measure if measure in INDEX else f"{measure}_ms"
        for row in rows:
            tally = found.get((row["window"], row["queue"]))
            actual = "no such window" if tally is None else show(tally[INDEX[column]], column)
            yield f"window {row['window']} {row['queue']} {measure}", tidy(row[measure]), actual
        whole = show(sum(tally[INDEX[column]] for tally in windows.values()), column)
        yield f"all windows {measure}", tidy(str(sum(Decimal(row[measure]) for row in rows))), whole


def compare_states(rows: list[Row], scenario: Scenario, events: list[ContactEvent]) -> Iterator[Outcome]:
    """State and missing end of the contact, folded at each as_of."""
    for row in rows:
        as_of = BASE_MS + to_ms(row["as_of"])
        facts = fold(events, scenario.rules, as_of)
        assert facts.contact, f"nothing is known at {row['as_of']}"
        now = (facts.contact, facts.legs, as_of, scenario.rules)
        yield f"state at {row['as_of']}", row["state"], state_at(*now)
        yield f"missing at {row['as_of']}", row["missing"], missing(*now) or "-"


def outcomes(scenario: Scenario, events: list[ContactEvent]) -> Iterator[Outcome]:
    """Every comparison that a scenario asks for, of events in any order and number."""
    rules = scenario.rules
    facts = fold(events, rules, scenario.as_of)
    windows = contribution(facts, rules)
    legs = {str(leg.leg): leg for leg in facts.legs}
    surveys = {survey.kind: survey for survey in facts.surveys}
    for grain, rows in scenario.tables:
        if grain == "window":
            yield from compare_windows(rows, windows)
        elif grain == "as_of":
            yield from compare_states(rows, scenario, events)
        for row in rows:
            key = row[next(iter(row))]
            if grain == "leg":
                yield from compare_fact(f"leg {key}", legs.get(key), row, rules)
            elif grain == "contact":
                yield from compare_fact("contact", facts.contact, row, rules)
            elif grain == "survey":
                yield from compare_fact(f"survey {key}", surveys.get(key), row, rules)
            elif grain == "kpi":
                yield f"kpi {key}", row["value"], kpi_text(key, windows, row["value"])
            elif grain == "case":
                yield from compare_case(row, facts, rules)


def mismatches(scenario: Scenario, events: list[ContactEvent]) -> list[str]:
    """What came out other than expected, one line each."""
    results = list(outcomes(scenario, events))
    assert results, f"{scenario.name} expects nothing"
    return [f"{what}: expected {want}, got {got}" for what, want, got in results if want != got]
