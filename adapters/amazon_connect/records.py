"""Contact records: one per contact, sent again whenever something changes; the newest counts."""

from typing import Any

from adapters.amazon_connect.fields import APART, channel_of, id_of, inner, seconds
from adapters.kit.journeys import Fact
from adapters.kit.payload_fields import given, hashed, moment, need, text, whole, word
from adapters.kit.payloads import Ignored, Payload
from adapters.kit.surveys import SCALES

RECORD = "RECORD"


def measures(agent: Payload) -> dict[str, Any]:
    """What Connect measured of the agent's part."""
    return given(
        talk_ms=seconds(agent, "agentinteractionduration"),
        hold_ms=seconds(agent, "customerholdduration"),
        hold_max_ms=seconds(agent, "longestholdduration"),
        hold_n=whole(agent, "numberofholds"),
        acw_ms=seconds(agent, "aftercontactworkduration"),
    )


def record_facts(record: Payload, secret: bytes) -> list[Fact]:
    """What a record says; its names are in lower case. Raises InvalidInput, Ignored."""
    contact, updated = need(text(record, "contactid"), "ContactId"), moment(record, "lastupdatetimestamp")
    method = word(record, "initiationmethod")
    if method in APART:
        raise Ignored(APART[method])
    queue, agent, attributes = inner(record, "queue"), inner(record, "agent"), inner(record, "attributes")
    value = given(
        method=method or None,
        previous=text(record, "previouscontactid"),
        channel=channel_of(record),
        initiated=moment(record, "initiationtimestamp") or updated,
        queued=moment(queue, "enqueuetimestamp"),
        queue=id_of(queue, "arn"),
        agent=id_of(agent, "arn"),
        answered=moment(agent, "connectedtoagenttimestamp"),
        wrapped=moment(agent, "aftercontactworkendtimestamp"),
        ended=moment(record, "disconnecttimestamp"),
        reason_of_end=text(record, "disconnectreason"),
        before_end=text(record, "predisconnectstate"),
        customer=hashed([text(inner(record, "customerendpoint"), "address")], secret),
        # out of Connect: of a transfer within, the next contact tells
        passed_on=(
            text(record, "nextcontactid") is None and moment(record, "transfercompletedtimestamp") is not None
        )
        or None,
        updated=updated,
        topic=attributes.get("reason") if isinstance(attributes.get("reason"), str) else None,
        surveys={kind: attributes[kind] for kind in SCALES if attributes.get(kind)} or None,
        measures=measures(agent),
    )
    return [Fact(text(record, "initialcontactid") or contact, f"{contact}|{RECORD}", value, updated or 0)]
