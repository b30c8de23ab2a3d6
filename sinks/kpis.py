"""KPIs read from ClickHouse: sums by SQL, one division here, by the definitions of kpis.registry."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from kpis.registry import KPIS, Kpi, applicable, quotient, total
from kpis.rules import Rules
from kpis.tally import MEASURES
from sinks.oracle import LEG_MEASURES, recomputed, rule_parameters
from sinks.verify import rows, utc
from sql import kpi as text
from sql import oracle
from sql.periods import Periods, periods

Key = tuple[Any, ...]
Values = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """Which KPIs, of [from_ms, to_ms), per period, by dimensions, from the stream's tables or recomputed."""

    from_ms: int
    to_ms: int
    every: str = "all"
    by: tuple[str, ...] = ()
    kpis: tuple[str, ...] = ()
    from_oracle: bool = False
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Source:
    """Relations to read from."""

    windows: str
    legs: str
    contacts: str


class CannotAnswer(ValueError):
    """The question asks for a KPI or dimension that does not exist or does not go together."""


def from_windows(question: Question) -> bool:
    """Do the windows have the dimensions asked for? Otherwise the answer is made of legs."""
    return set(question.by) <= set(text.WINDOW_DIMENSIONS)


def chosen(question: Question) -> list[Kpi]:
    """The KPIs asked for; all that the dimensions allow if none is named. Raises CannotAnswer."""
    unknown = [name for name in question.kpis if name not in KPIS]
    if unknown:
        raise CannotAnswer(f"no KPI {unknown[0]!r}; there are: {', '.join(KPIS)}")
    odd = [name for name in question.by if name not in text.LEG_DIMENSIONS]
    if odd:
        raise CannotAnswer(f"no dimension {odd[0]!r}; there are: {', '.join(text.LEG_DIMENSIONS)}")
    wanted = [KPIS[name] for name in question.kpis] or list(KPIS.values())
    if from_windows(question):
        return wanted
    of_contacts = [kpi.id for kpi in wanted if kpi.grain == "contact" or kpi.id == "ivr_abandoned"]
    if question.kpis and of_contacts:
        raise CannotAnswer(f"{of_contacts[0]} is a KPI of whole contacts: by channel and queue only")
    return [kpi for kpi in wanted if kpi.id not in of_contacts]


@contextmanager
def source_of(client: Client, question: Question, rules: Rules) -> Iterator[Source]:
    """The stream's tables, or tables recomputed from raw events."""
    if not question.from_oracle:
        windows = text.stream_windows(MEASURES) if from_windows(question) else text.leg_source()
        yield Source(windows, text.STREAM_LEGS, text.STREAM_CONTACTS)
        return
    with recomputed(client, rules, (question.from_ms, question.to_ms)) as tables:
        legs = oracle.legs(tables.folded)
        windows = (
            text.oracle_windows(tables.windows, MEASURES) if from_windows(question) else text.leg_source(legs)
        )
        yield Source(windows, legs, oracle.contacts(tables.folded))


def sums_by_key(
    client: Client, question: Question, source: Source, when: Periods, parameters: dict[str, object]
) -> dict[Key, dict[str, dict[str, int]]]:
    """(start, end, dimensions) -> channel -> measure -> sum; channels apart, as not every KPI takes all."""
    measures = MEASURES if from_windows(question) else LEG_MEASURES
    by = tuple(dict.fromkeys((*question.by, "channel")))
    found: dict[Key, dict[str, dict[str, int]]] = defaultdict(dict)
    for row in rows(client, text.sums(source.windows, measures, when, by), parameters):
        key = (row["window_start"], row["window_end"], *(row[name] for name in question.by))
        found[key][row["channel"]] = {name: int(row[name]) for name in measures}
    return found


def quotients(kpis: Sequence[Kpi], channels: dict[str, dict[str, int]], rules: Rules) -> Values:
    """Values of window KPIs from the sums of each channel."""
    values: Values = {}
    for kpi in kpis:
        if kpi.fact:
            continue
        sums: dict[str, int] = defaultdict(int)
        for channel, amounts in channels.items():
            if applicable(kpi, channel, rules.async_channels):
                for name, amount in amounts.items():
                    sums[name] += amount
        num, den = total(kpi.num, sums), total(kpi.den, sums)
        value: float | int | None = num if not kpi.den else quotient(num, den)
        final = kpi.booked != "entered" or sums["waiting"] == 0
        n = den if kpi.den else num
        values[kpi.id] = {"value": value, "unit": kpi.unit, "n": n, "num": num, "den": den, "final": final}
    return values


def fact_queries(kpis: Sequence[Kpi], question: Question, source: Source, when: Periods) -> dict[str, str]:
    """SQL of the KPIs that have no additive form."""
    queries = {
        "longest_wait": lambda: text.longest_wait(when, question.by, source.legs),
        "longest_hold": lambda: text.longest_hold(when, question.by, source.legs),
        "callback_wait": lambda: text.callback_wait(when, question.by, source.legs, source.contacts),
    }
    return {kpi.id: queries[kpi.id]() for kpi in kpis if kpi.fact}


def fact_value(row: dict[str, Any]) -> dict[str, Any]:
    """Value of a maximum (its own quotient by 1) or of a mean over facts."""
    if "longest" in row:
        longest = int(row["longest"])
        return {"value": longest, "unit": "ms", "n": row["n"], "num": longest, "den": 1, "final": True}
    num, den = int(row["total_ms"]), int(row["n"])
    return {"value": quotient(num, den), "unit": "ms", "n": den, "num": num, "den": den, "final": True}


NOTHING = {"value": None, "unit": "ms", "n": 0, "num": 0, "den": 0, "final": True}


def answer(client: Client, question: Question, rules: Rules) -> list[dict[str, Any]]:
    """One row per period and dimensions that has anything, in order. Raises CannotAnswer."""
    kpis = chosen(question)
    when = periods(question.from_ms, question.to_ms, question.every, ZoneInfo(question.zone))
    parameters = rule_parameters(rules) | when.parameters
    with source_of(client, question, rules) as source:
        sums = sums_by_key(client, question, source, when, parameters)
        facts: dict[Key, Values] = defaultdict(dict)
        for name, query in fact_queries(kpis, question, source, when).items():
            for row in rows(client, query, parameters):
                key = (row["window_start"], row["window_end"], *(row[part] for part in question.by))
                facts[key][name] = fact_value(row)
    result = []
    for key in sorted(sums.keys() | facts.keys(), key=lambda key: (key[0], key[2:])):
        values = quotients(kpis, sums.get(key, {}), rules)
        values |= {kpi.id: facts[key].get(kpi.id, dict(NOTHING)) for kpi in kpis if kpi.fact}
        if any(values[kpi.id]["n"] or values[kpi.id]["num"] for kpi in kpis):
            result.append(row_of(question, key, {kpi.id: values[kpi.id] for kpi in kpis}))
    return result


def row_of(question: Question, key: Key, values: Values) -> dict[str, Any]:
    """A row as `ringback kpi --format json` prints it."""
    start, end, *dimensions = key
    assert isinstance(start, datetime)
    return {
        "window_start": utc(start),
        "window_end": utc(end),
        **dict(zip(question.by, dimensions, strict=True)),
        "kpis": values,
    }
