"""Payloads of Genesys Cloud: detail events in their envelopes, or whole conversations."""

from collections.abc import Iterable, Sequence
from functools import partial

from adapters.genesys.detail_events import event_facts, topic_of
from adapters.genesys.records import record_facts
from adapters.genesys.telling import tell
from adapters.kit.journeys import JourneyAdapter, Said, parts_of, read_journeys
from adapters.kit.payloads import Payload, customers_in, unknown_kind

ENVELOPE = "aws.partner/genesys.com"
TOPIC = "v2."


def is_mine(payload: Payload) -> bool:
    """Has it the form of a detail event or of a conversation?"""
    source, topic = payload.get("source"), payload.get("topicName") or payload.get("detail-type")
    if isinstance(source, str) and source.startswith(ENVELOPE):
        return True
    if isinstance(topic, str) and topic.startswith(TOPIC):
        return True
    return "conversationId" in payload and isinstance(payload.get("participants"), list)


def facts_of(payload: Payload, secret: bytes) -> Sequence[Said]:
    """What a payload says. Raises InvalidInput, Ignored."""
    if "participants" in payload:
        return record_facts(payload, secret)
    if not topic_of(payload):
        raise unknown_kind()
    return event_facts(payload, secret)


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload."""
    body = (payload.get("detail") or {}).get("eventBody") or payload.get("eventBody") or {}
    sessions = [each for person in payload.get("participants") or [] for each in person.get("sessions") or []]
    for held in (body, *sessions):
        outbound = ("dnis",) if str(held.get("direction")).upper() == "OUTBOUND" else ()
        for name in ("ani", "addressFrom", "addressTo", "externalContactId", *outbound):
            yield (held.get(name) or "").removeprefix("tel:")


JOURNEYS = JourneyAdapter(is_mine, facts_of, tell, customers)
ADAPTER = JOURNEYS.remembering(posted=True)
read_genesys = partial(read_journeys, JOURNEYS)
files = parts_of(JOURNEYS)
customers_of = partial(customers_in, ADAPTER)
