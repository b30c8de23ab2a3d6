"""Contact events (EventBridge): best effort, unordered, twice at times; each carries what is known so far."""

from adapters.amazon_connect.fields import APART, channel_of, id_of, inner, seconds
from adapters.kit.journeys import Fact
from adapters.kit.payload_fields import given, hashed, moment, need, text, word
from adapters.kit.payloads import Ignored, Payload, unknown_kind

KINDS = ("INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED", "CONNECTED_TO_AGENT", "DISCONNECTED", "COMPLETED")
NO_FACT = ("CONTACT_DATA_UPDATED", "PAUSED", "RESUMED", "AMD_DISABLED", "WEBRTC_API")


def event_facts(detail: Payload, secret: bytes) -> list[Fact]:
    """What a contact event says; `detail` has its names in lower case. Raises InvalidInput, Ignored."""
    kind, contact = word(detail, "eventtype"), need(text(detail, "contactid"), "contactId")
    method = word(detail, "initiationmethod")
    if kind in NO_FACT:
        raise Ignored("no_fact")
    if kind not in KINDS:
        raise unknown_kind()
    if method in APART:
        raise Ignored(APART[method])
    queue, agent = inner(detail, "queueinfo"), inner(detail, "agentinfo")
    customer, endpoint = text(detail, "customerid"), inner(detail, "customerendpoint")
    value = given(
        method=method or None,
        previous=text(detail, "previouscontactid"),
        channel=channel_of(detail),
        initiated=moment(detail, "initiationtimestamp"),
        queued=moment(queue, "enqueuetimestamp"),
        queue=id_of(queue, "queuearn"),
        agent=id_of(agent, "agentarn"),
        answered=moment(agent, "connectedtoagenttimestamp"),
        hold_ms=seconds(agent, "agentinitiatedholdduration"),
        wrapped=moment(agent, "aftercontactworkendtimestamp"),
        ended=moment(detail, "disconnecttimestamp"),
        reason_of_end=text(detail, "disconnectreason"),
        first_response=moment(inner(detail, "chatmetrics"), "agentfirstresponsetimestamp"),
        customer=hashed(
            [text(endpoint, "address"), f"connect customer {customer}" if customer else None], secret
        ),
    )
    return [Fact(text(detail, "initialcontactid") or contact, f"{contact}|{kind}", value)]
