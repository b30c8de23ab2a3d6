"""`ringback explain`: the contacts behind a number, from their raw events, folded anew."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from clickhouse_connect.driver.client import Client

from kpis.catalogue.kpi import Kpi, quotient, shown
from kpis.rules import Rules
from reports.explain.callbacks import of_callbacks
from reports.explain.figures import figure_of
from reports.explain.reading import Asked, Contributor, NoExplanation, Reader, utc_text
from reports.explain.states import of_states
from reports.explain.sums import of_agents, of_backlog, of_fcr, of_live, of_surveys, of_windows

__all__ = ["Asked", "Contributor", "Explanation", "NoExplanation", "explain"]

SUMS: dict[str, Callable[[Reader], Iterator[Contributor | None]]] = {
    "windows": of_windows,
    "fcr": of_fcr,
    "surveys": of_surveys,
    "agents": of_agents,
    "live": of_live,
    "callbacks": of_callbacks,
    "states": of_states,
    "backlog": of_backlog,
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A number as `ringback kpi` gives it, and everything it is made of, in the order of time."""

    asked: Asked
    value: Any
    n: int
    num: int
    den: int
    contributors: tuple[Contributor, ...]


def explain(client: Client, asked: Asked, rules: Rules) -> Explanation:
    """What a KPI is made of. Raises NoExplanation."""
    kpi = asked.kpi
    if kpi.table in ("agents", "states") and (asked.channel is not None or asked.queue is not None):
        raise NoExplanation(f"{kpi.id} is a KPI of agents: it exists for no single channel or queue")
    if kpi.table in ("agents", "states") and asked.where:
        raise NoExplanation(f"{kpi.id} is a KPI of agents: it exists for no other dimension")
    reader = Reader(client, rules, asked)
    if kpi.figure is not None:
        figure = figure_of(reader)
        held = in_order(figure.contributors)
        return Explanation(asked, figure.value, figure.n, figure.num, figure.den, held)
    contributors = whole(kpi, tuple(found for found in SUMS[kpi.table](reader) if found is not None))
    num = sum(one.num for one in contributors)
    if not kpi.den:
        return Explanation(asked, num, num, num, 1, in_order(contributors))
    den = sum(one.den or 0 for one in contributors)
    n = sum(one.measures.get(kpi.n, 0) for one in contributors) if kpi.n else den
    if den == n * kpi.parts:
        num, den = shown(kpi, num, den)
    return Explanation(asked, quotient(num, den), n, num, den, in_order(contributors))


def whole(kpi: Kpi, contributors: tuple[Contributor, ...]) -> tuple[Contributor, ...]:
    """Contributors in whole points, where no score among them has decimals."""
    if kpi.parts == 1 or any(one.num % kpi.parts for one in contributors):
        return contributors
    return tuple(
        replace(one, num=one.num // kpi.parts, den=(one.den or 0) // kpi.parts) for one in contributors
    )


def in_order(contributors: tuple[Contributor, ...]) -> tuple[Contributor, ...]:
    """By the first event, then by id."""

    def place(one: Contributor) -> tuple[str, tuple[str, ...]]:
        return one.events[0]["at"] if one.events else "", tuple(one.subject.values())

    return tuple(sorted(contributors, key=place))


def document(found: Explanation) -> dict[str, Any]:
    """An explanation as `ringback explain --format json` prints it."""
    asked, kpi = found.asked, found.asked.kpi
    where = {"channel": asked.channel, "queue": asked.queue}
    where |= dict(asked.where)
    period = {} if kpi.is_state else {"window_start": asked.from_ms, "window_end": asked.to_ms}
    return {
        "kpi": kpi.id,
        "name": kpi.name,
        "definition": kpi.definition,
        **{name: utc_text(time_ms) for name, time_ms in period.items()},
        "as_of": utc_text(asked.as_of_ms),
        **{name: value for name, value in where.items() if value is not None},
        "value": found.value,
        "unit": kpi.unit,
        "n": found.n,
        "num": found.num,
        "den": found.den,
        "contacts": [
            {
                **contributor.subject,
                "num": contributor.num,
                "den": contributor.den,
                "measures": contributor.measures,
                "note": contributor.note,
                "events": list(contributor.events),
                "related": [
                    {"contact_id": contact_id, "role": role, "events": list(events)}
                    for contact_id, role, events in contributor.related
                ],
            }
            for contributor in found.contributors
        ],
    }
