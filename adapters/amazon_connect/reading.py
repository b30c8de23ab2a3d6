"""Payloads of Amazon Connect: three feeds that may come in one stream, told apart by their shapes."""

from collections.abc import Iterable, Sequence
from functools import partial

from adapters.amazon_connect.agent_events import agent_facts
from adapters.amazon_connect.contact_events import event_facts
from adapters.amazon_connect.fields import inner, low
from adapters.amazon_connect.records import record_facts
from adapters.amazon_connect.telling import tell
from adapters.kit.journeys import JourneyAdapter, Said, parts_of, read_journeys
from adapters.kit.payloads import Payload, customers_in, unknown_kind

CONNECT = "aws.connect"


def is_mine(payload: Payload) -> bool:
    """Has it the form of one of the three feeds?"""
    names = {name.lower() for name in payload}
    if payload.get("source") == CONNECT:
        return "detail" in names
    return (
        {"agentarn", "eventid"} <= names
        or (
            "contactid" in names
            and bool(names & {"lastupdatetimestamp", "awscontacttracerecordformatversion"})
        )
        or {"contactid", "eventtype", "instancearn"} <= names
    )


def facts_of(payload: Payload, secret: bytes) -> Sequence[Said]:
    """What a payload says. Raises InvalidInput, Ignored."""
    found = low(payload)
    if "detail" in found:
        detail = inner(found, "detail")
        if "contactid" not in detail:
            raise unknown_kind()
        return event_facts(detail, secret)
    if "agentarn" in found:
        return agent_facts(found)
    return event_facts(found, secret) if "eventtype" in found else record_facts(found, secret)


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload."""
    found = low(payload)
    detail = low(found["detail"]) if "detail" in found else found
    yield low(detail.get("customerendpoint") or {}).get("address")
    yield detail.get("customerid")


JOURNEYS = JourneyAdapter(is_mine, facts_of, tell, customers)
ADAPTER = JOURNEYS.remembering(posted=True)
read_connect = partial(read_journeys, JOURNEYS)
files = parts_of(JOURNEYS)
customers_of = partial(customers_in, ADAPTER)
