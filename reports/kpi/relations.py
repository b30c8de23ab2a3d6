"""Where KPIs are read: in the stream's tables, or in tables recomputed from raw events."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from kpis.catalogue.kpi import Kpi
from kpis.rules import Rules
from reports.kpi.question import Question
from reports.oracle import Recomputed, recomputed
from sinks.rule_parameters import rule_parameters
from sql import kpi_queries as text
from sql import oracle_queries as oracle


@dataclass(frozen=True, slots=True)
class Relations:
    """What KPIs are read from: the stream's tables, or those that the oracle recomputed."""

    windows: str
    legs: str
    contacts: str
    contacts_with_ivr: str
    surveys: str
    fcr: str
    fcr_windows: str
    agent_quarters: str
    offers: str


STREAM = Relations(
    windows=text.STREAM_WINDOWS,
    legs=text.STREAM_LEGS,
    contacts=text.STREAM_CONTACTS,
    contacts_with_ivr=oracle.with_ivr_legs(text.STREAM_CONTACTS, text.STREAM_LEGS),
    surveys=text.STREAM_SURVEYS,
    fcr=text.STREAM_FCR,
    fcr_windows=text.STREAM_FCR_WINDOWS,
    agent_quarters=text.STREAM_AGENT_QUARTERS,
    offers=text.STREAM_OFFERS,
)


def oracle_relations(tables: Recomputed) -> Relations:
    """Relations made of the recomputed tables."""
    return Relations(
        windows=tables.windows,
        legs=tables.legs,
        contacts=tables.contacts,
        contacts_with_ivr=tables.contacts,
        surveys=oracle.surveys(tables.folded),
        fcr=tables.fcr,
        fcr_windows=tables.fcr_windows,
        agent_quarters=tables.agent_quarters,
        offers=oracle.offers(tables.folded),
    )


@contextmanager
def relations_of(
    client: Client, question: Question, rules: Rules, kpis: Sequence[Kpi]
) -> Iterator[Relations]:
    """The relations to read from, for as long as the block lasts."""
    if not question.from_oracle:
        yield STREAM
        return
    # Who waits now may have no event in the range.
    beyond = any(kpi.is_state for kpi in kpis)
    # And who talks now may have begun before it.
    before = rules.stale_ms if any(kpi.table == "agents" for kpi in kpis) else 0
    span = None if beyond else (question.from_ms - before, question.to_ms)
    with recomputed(client, rules, span) as tables:
        yield oracle_relations(tables)


def parameters(question: Question, rules: Rules) -> dict[str, object]:
    """Rules and moment as query parameters."""
    return rule_parameters(rules) | {"as_of_ms": question.now_ms}
