"""Detail events, v2.detail.events.conversation.{id}.TOPIC: of all times eventTime alone is the event's."""

from adapters.genesys.fields import BESIDE, duration, time_ms
from adapters.kit.journeys import Fact
from adapters.kit.payload_fields import given, hashed, need, part, text, word
from adapters.kit.payloads import Ignored, Payload, unknown_kind

PREFIX = "v2.detail.events.conversation."
TOLD = (
    "customer.start",
    "customer.end",
    "acd.start",
    "acd.end",
    "user.end",
    "acw",
    "wrapup",
    "voicemail.start",
)
NO_FACT = (
    "user.start",
    "flow.start",
    "flow.end",
    "flow.outcome",
    "contact",
    "attributes",
    "outbound",
    "voicemail.end",
)


def topic_of(payload: Payload) -> str:
    """The topic behind the conversation's id, such as acd.start; "" where it is none of conversations."""
    name = text(part(payload, "detail"), "topicName") or text(payload, "topicName") or ""
    name = name or text(payload, "detail-type") or ""
    return name.removeprefix(PREFIX).partition(".")[2] if name.startswith(PREFIX) else ""


def body_of(payload: Payload) -> Payload:
    """The event, inside the envelopes of EventBridge or of a notification channel."""
    return part(part(payload, "detail"), "eventBody") or part(payload, "eventBody")


def event_facts(payload: Payload, secret: bytes) -> list[Fact]:
    """What a detail event says. Raises InvalidInput, Ignored."""
    topic, body = topic_of(payload), body_of(payload)
    if topic in NO_FACT:
        raise Ignored("no_fact")
    if topic not in TOLD:
        raise unknown_kind()
    if word(body, "mediaType") in BESIDE:
        raise Ignored("beside")
    conversation = need(text(body, "conversationId"), "conversationId")
    session = need(text(body, "sessionId"), "sessionId")
    names = [text(body, "ani"), text(body, "addressFrom"), text(body, "externalContactId")]
    if word(body, "direction") == "OUTBOUND":
        names = [text(body, "dnis"), text(body, "addressTo"), text(body, "externalContactId")]
    names = [name.removeprefix("tel:") if name else None for name in names]
    value = given(
        at=need(time_ms(body, "eventTime"), "eventTime"),
        session=session,
        participant=text(body, "participantId"),
        media=word(body, "mediaType"),
        direction=word(body, "direction"),
        queue=text(body, "queueId"),
        user=text(body, "userId") or text(body, "answeredUserId"),
        outcome=word(body, "acdOutcome"),
        disconnect=word(body, "disconnectType"),
        connected_ms=duration(body, "connectedDurationMs"),
        alert_ms=duration(body, "alertingDurationMs"),
        talk_ms=duration(body, "interactingDurationMs"),
        hold_ms=duration(body, "heldDurationMs"),
        acw_ms=duration(body, "wrapupDurationMs"),
        code=text(body, "wrapupCode"),
        customer=hashed(names, secret) if topic.startswith("customer") else None,
    )
    topic = "acw" if topic == "wrapup" else topic
    return [Fact(conversation, f"{topic}|{session}", value)]
